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
	for _, options := range []scf.Options{{FunctionName: "ends"}, {FunctionName: "ends", Namespace: "live", Qualifier: "prod", Region: "ap-guangzhou"}} {
		options.Endpoint, options.Lookup = cloud.URL, cloud.Lookup
		function, err := scf.New(options)
		if err != nil {
			t.Fatal(err)
		}
		if err := function.Deliver(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	got := cloud.Invocations()
	if len(got) != 2 || got[0].FunctionName != "ends" || got[0].InvocationType != "Event" || got[0].ClientContext != `{"room_id":"r"}` || got[0].Region != "ap-singapore" ||
		got[1].Namespace != "live" || got[1].Qualifier != "prod" || got[1].Region != "ap-guangzhou" {
		t.Errorf("%+v", got)
	}
}

func TestFailures(t *testing.T) {
	for code, want := range map[string]string{
		"ResourceNotFound.FunctionName": "check the function's name", "UnauthorizedOperation": "needs scf:InvokeFunction", "RequestLimitExceeded": "too many invocations",
		"AuthFailure.SignatureFailure": "the credentials of the environment are not valid", "SomethingNew": "invoke the function ends: SomethingNew",
	} {
		cloud := tencentapi.New(tencentapi.Config{})
		cloud.Misbehave(tencentapi.Fault{Times: -1, Code: code})
		function, err := scf.New(scf.Options{FunctionName: "ends", Endpoint: cloud.URL, Lookup: cloud.Lookup})
		if err != nil {
			t.Fatal(err)
		}
		if err := function.Deliver(t.Context(), message); err == nil || !strings.Contains(err.Error(), want) || permanent.Is(err) {
			t.Errorf("%s: %v", code, err)
		}
		cloud.Close()
	}
	if _, err := scf.New(scf.Options{FunctionName: "ends", Endpoint: "http://example.com"}); err == nil {
		t.Error("an endpoint in the open is taken")
	}
}

func ExampleNew() {
	_, err := scf.New(scf.Options{})
	fmt.Println(err)
	// Output: the function's name is missing in GIFTSTATS_QUEUE
}
