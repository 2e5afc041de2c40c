package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/scfruntime"
	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/internal/testkit/build"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// The binary as it is deployed: CKafka, CMQ, EventBridge, timer and direct invocations in; a signed HTTPS delivery out.
func TestBinary(t *testing.T) {
	binary := build.Binary(t, "")
	_, upstream := fixture.Engine(t, nil)
	cloud := tencentapi.New(tencentapi.Config{})
	defer cloud.Close()
	cloud.SetSecret("app", "v1", fixture.Document(fixture.SecretKey))
	customer := fixture.NewCustomer(t)
	function, err := scfruntime.Start(t.Context(), scfruntime.Config{Binary: binary, Environment: map[string]string{
		"GIFTSTATS_SECRET": "tencentssm://app?version=v1&endpoint=" + cloud.URL, "GIFTSTATS_ENDPOINT": upstream, "GIFTSTATS_DELIVER": customer.URL,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer function.Close()
	withRole := scfruntime.Options{Environment: cloud.Environment()}

	files, err := filepath.Glob("../../../pkg/streamend/tencent/testdata/*.json")
	if err != nil || len(files) < 7 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		payload, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if reply, err := function.Invoke(t.Context(), payload, withRole); err != nil || reply.ErrorType != "" {
			t.Errorf("%s: %v: %+v\n%s", file, err, reply, function.Output())
		}
	}
	delivered, _ := customer.Delivered()
	if len(delivered) != len(files) || strings.Trim(strings.Join(delivered, ""), "e-1") != "" {
		t.Errorf("%d events gave the deliveries %v", len(files), delivered)
	}
	reply, err := function.Invoke(t.Context(), []byte(`{}`), withRole)
	if err != nil || !strings.Contains(reply.ErrorMessage, "room_id is missing or empty") {
		t.Errorf("an event without a room: %v: %+v", err, reply)
	}
	customer.Answer(http.StatusGone)
	reply, err = function.Invoke(t.Context(), []byte(`{"event_id":"e-2","room_id":"room_id"}`), withRole)
	if err != nil || !strings.Contains(reply.ErrorMessage, "answered with 410 Gone") || !fixture.Printed(function.Output, "event given up", 1) {
		t.Errorf("a customer who has gone: %v: %+v", err, reply)
	}
	for _, secret := range []string{fixture.SecretKey, fixture.DeliveryKey, withRole.Environment["TENCENTCLOUD_SECRETKEY"]} {
		if strings.Contains(function.Output(), secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}
