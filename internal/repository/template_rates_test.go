package repository_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/settings"
)

const allowedByTencent = 200 // calls per second

// share is the part of Tencent's rate that a function has, and what divides it among instances.
type share struct {
	function  string
	parameter string   // the number of instances
	mapping   string   // the rate of an instance for each number of instances
	name      string   // in Mappings/Share
	bounds    []string // what limits the number of instances
}

var shares = []share{
	{
		function:  apiFunction,
		parameter: "ApiConcurrency",
		mapping:   "ApiRate",
		name:      "Api",
		bounds: []string{
			"ApiFunction/Properties/ReservedConcurrentExecutions",
			"HttpApi/Properties/DefaultRouteSettings/ThrottlingBurstLimit",
		},
	},
	{
		function:  streamEndFunction,
		parameter: "StreamEndConcurrency",
		mapping:   "StreamEndRate",
		name:      "StreamEnd",
		bounds: []string{
			"StreamEndFunction/Properties/ReservedConcurrentExecutions",
			"StreamEndFunction/Properties/Events/Ends/Properties/ScalingConfig/MaximumConcurrency",
		},
	},
}

func (s share) perSecond(t *testing.T, template *template) float64 {
	t.Helper()
	return template.number(t, "Mappings/Share/"+s.name+"/PerSecond")
}

// Instances times their rate is the share of the function, for every number of instances allowed.
func TestTemplateRates(t *testing.T) {
	for _, share := range shares {
		t.Run(share.function, func(t *testing.T) {
			template := load(t, nil)
			rates := template.get("Mappings/" + share.mapping).(map[string]any)
			if keys, allowed := slices.Sorted(maps.Keys(rates)), template.allowed(share.parameter); !slices.Equal(keys, allowed) {
				t.Errorf("%s allows %v, but there are rates for %v", share.parameter, allowed, keys)
			}
			for instances := range rates {
				chosen := load(t, map[string]string{share.parameter: instances})
				s, err := settings.Parse(chosen.environment(share.function), settings.AWS)
				if err != nil {
					t.Fatal(err)
				}
				for _, bound := range share.bounds {
					got := chosen.number(t, "Resources/"+bound) * s.RateLimit
					if want := share.perSecond(t, chosen); got != want {
						t.Errorf("%s=%s: %s times the rate is %v; want %v", share.parameter, instances, bound, got, want)
					}
				}
			}
		})
	}
}

// The shares together are what Tencent allows, and the gateway lets no more requests through than the api function may send.
func TestTemplateSharesAddUp(t *testing.T) {
	template := load(t, nil)
	total := 0.0
	for _, share := range shares {
		total += share.perSecond(t, template)
	}
	if total > allowedByTencent {
		t.Errorf("the shares are %v calls per second together; want at most %d", total, allowedByTencent)
	}
	gateway := template.number(t, "Resources/HttpApi/Properties/DefaultRouteSettings/ThrottlingRateLimit")
	if api := shares[0].perSecond(t, template); gateway > api {
		t.Errorf("the gateway lets %v requests per second through; want at most %v", gateway, api)
	}
}

// An account with the smallest quota cannot reserve instances. There the default rates alone keep the limit.
func TestTemplateRatesWithoutReservation(t *testing.T) {
	const smallestQuota = 10
	template := load(t, nil)
	for _, function := range functions {
		s, err := settings.Parse(template.environment(function), settings.AWS)
		if err != nil {
			t.Fatal(err)
		}
		if total := smallestQuota * s.RateLimit; total > allowedByTencent {
			t.Errorf("%d instances of %s make %v calls per second; want at most %d", smallestQuota, function, total, allowedByTencent)
		}
	}
}

// A batch from the queue can be processed within the timeout, at every rate allowed.
func TestTemplateBatchFitsTimeout(t *testing.T) {
	const (
		ordinary = 3     // calls for one event: owner, gifts, room
		largest  = 101   // calls for an event with 100 accounts, which is the most
		headroom = 0.993 // the limiter spaces calls a little farther apart than the rate requires
	)
	template := load(t, nil)
	timeout := template.number(t, "Resources/StreamEndFunction/Properties/Timeout")
	batch := template.number(t, "Resources/StreamEndFunction/Properties/Events/Ends/Properties/BatchSize")
	calls := max(ordinary*batch, largest)
	for instances := range template.get("Mappings/StreamEndRate").(map[string]any) {
		rate := template.number(t, "Mappings/StreamEndRate/"+instances+"/PerInstance") * headroom
		if calls/rate > timeout-1 {
			t.Errorf("%s instances: %v calls at %v per second take longer than the timeout of %v s", instances, calls, rate, timeout)
		}
	}
}

func TestTemplateTimes(t *testing.T) {
	template := load(t, nil)
	at := func(path string) float64 { return template.number(t, "Resources/"+path) }
	timeout := at("StreamEndFunction/Properties/Timeout")
	visibility := at("EndsQueue/Properties/VisibilityTimeout")
	retention := at("EndsQueue/Properties/MessageRetentionPeriod")
	for _, test := range []struct {
		rule  string
		holds bool
	}{
		{
			rule:  "the visibility timeout is at least 6 times the timeout of the function, as Lambda recommends",
			holds: visibility >= 6*timeout,
		},
		{
			rule:  "dead letters are kept longer than events",
			holds: at("DeadLetterQueue/Properties/MessageRetentionPeriod") > retention,
		},
		{
			rule:  "the api function gives up before the gateway does, at 30 s",
			holds: at("ApiFunction/Properties/Timeout") < 30,
		},
		{
			rule:  "the alarm on age rings before SQS stops reporting the age of a message, which is after its third receive",
			holds: at("QueueAgeAlarm/Properties/Threshold") < 2*visibility,
		},
	} {
		if !test.holds {
			t.Errorf("not true: %s", test.rule)
		}
	}
}

// One failed event does not fail its batch.
func TestTemplateReportsBatchItemFailures(t *testing.T) {
	types, _ := load(t, nil).get("Resources/StreamEndFunction/Properties/Events/Ends/Properties/FunctionResponseTypes").([]any)
	if !slices.Contains(types, any("ReportBatchItemFailures")) {
		t.Errorf("the response types are %v; want ReportBatchItemFailures among them", types)
	}
}
