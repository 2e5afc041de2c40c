package scf_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/fakes/tencentapi"
	"github.com/giftstats/giftstats/pkg/delivery"
	"github.com/giftstats/giftstats/pkg/delivery/scf"
	"github.com/giftstats/giftstats/pkg/permanent"
)

var message = delivery.Message{ID: "live-1", Body: []byte(`{"room_id":"r"}`)}

func TestDeliver(t *testing.T) {
	cloud := tencentapi.New(tencentapi.Config{})
	defer cloud.Close()
	for _, config := range []scf.Config{
		{FunctionName: "ends"},
		{FunctionName: "ends", Namespace: "live", Qualifier: "prod", Region: "ap-guangzhou"},
	} {
		config.Endpoint, config.Lookup = cloud.URL, cloud.Lookup
		function, err := scf.New(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := function.Deliver(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	got := cloud.Invocations()
	if len(got) != 2 {
		t.Fatalf("%d invocations, want 2", len(got))
	}
	if got[0].FunctionName != "ends" || got[0].InvocationType != "Event" || got[0].ClientContext != `{"room_id":"r"}` {
		t.Errorf("sent %+v", got[0])
	}
	if got[0].Region != "ap-singapore" {
		t.Errorf("sent to %s, want the region of the environment", got[0].Region)
	}
	if got[1].Namespace != "live" || got[1].Qualifier != "prod" || got[1].Region != "ap-guangzhou" {
		t.Errorf("the options are not in %+v", got[1])
	}
}

func TestFailures(t *testing.T) {
	for code, want := range map[string]string{
		"ResourceNotFound.FunctionName": "check the function's name",
		"UnauthorizedOperation":         "needs scf:InvokeFunction",
		"RequestLimitExceeded":          "too many invocations",
		"AuthFailure.SignatureFailure":  "the credentials of the environment are not valid",
		"SomethingNew":                  "invoke the function ends: SomethingNew",
	} {
		cloud := tencentapi.New(tencentapi.Config{})
		cloud.Misbehave(tencentapi.Fault{Times: -1, Code: code})
		function, err := scf.New(scf.Config{FunctionName: "ends", Endpoint: cloud.URL, Lookup: cloud.Lookup})
		if err != nil {
			t.Fatal(err)
		}
		err = function.Deliver(t.Context(), message)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", code, err, want)
		}
		if permanent.Is(err) {
			t.Errorf("%s: the error is permanent, but an operator can fix the cause: %v", code, err)
		}
		cloud.Close()
	}
	if _, err := scf.New(scf.Config{FunctionName: "ends", Endpoint: "http://example.com"}); err == nil {
		t.Error("an http endpoint on another host is accepted")
	}
}

func ExampleNew() {
	_, err := scf.New(scf.Config{})
	fmt.Println(err)
	// Output: GIFTSTATS_QUEUE has no function name
}
