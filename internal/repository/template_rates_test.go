package repository_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/settings"
)

const allowedByTencent = 200 // calls per second

// share is the part of Tencent's rate that a function has, and what divides it among instances.
type share struct {
	function  string
	parameter string   // the number of instances; "" for a function that has one
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
	{
		function: sweepFunction,
		name:     "Sweep",
		bounds:   []string{"SweepFunction/Properties/ReservedConcurrentExecutions"},
	},
}

func (s share) perSecond(t *testing.T, template *template) float64 {
	t.Helper()
	return template.number(t, "Mappings/Share/"+s.name+"/"+template.given["Ledger"])
}

// rates returns the calls per second of one instance of a function, and the rate that it shares with others.
func (t *template) rates(tt *testing.T, function string) (own, shared float64) {
	tt.Helper()
	s, err := settings.Parse(t.environment(function), settings.AWS)
	if err != nil {
		tt.Fatal(err)
	}
	return s.RateLimit, s.RateShared
}

// rate returns the calls per second of one instance of a function without those of the shared rate.
func (t *template) rate(tt *testing.T, function string) float64 {
	tt.Helper()
	own, _ := t.rates(tt, function)
	return own
}

// shared returns the shared rate, which counts once, however many instances use it. All functions that share must name the same.
func (t *template) shared(tt *testing.T) float64 {
	tt.Helper()
	rate := t.number(tt, "Mappings/Share/Shared/"+t.given["Ledger"])
	for _, function := range t.functions() {
		if _, shared := t.rates(tt, function); shared != 0 && shared != rate {
			tt.Errorf("%s shares %v calls per second; want %v", function, shared, rate)
		}
	}
	return rate
}

var ledgers = []string{"true", "false"}

// Instances times their rate is the share of the function, for every number of instances allowed, with and without a ledger.
func TestTemplateRates(t *testing.T) {
	for _, share := range shares {
		t.Run(share.function, func(t *testing.T) {
			template := load(t, nil)
			choices := []string{"1"}
			if share.parameter != "" {
				choices = template.allowed(share.parameter)
				rates := template.get("Mappings/" + share.mapping).(map[string]any)
				if keys := slices.Sorted(maps.Keys(rates)); !slices.Equal(keys, choices) {
					t.Errorf("%s allows %v, but there are rates for %v", share.parameter, choices, keys)
				}
			}
			for _, ledger := range ledgers {
				for _, instances := range choices {
					chosen := load(t, map[string]string{share.parameter: instances, "Ledger": ledger})
					if !slices.Contains(chosen.functions(), share.function) {
						continue
					}
					for _, bound := range share.bounds {
						got := chosen.number(t, "Resources/"+bound) * chosen.rate(t, share.function)
						if want := share.perSecond(t, chosen); got != want {
							t.Errorf("%s=%s, Ledger=%s: %s times the rate is %v; want %v", share.parameter, instances, ledger, bound, got, want)
						}
					}
				}
			}
		})
	}
}

// The shares together are what Tencent allows, and the gateway lets no more requests through than the api function may send. The
// instances of the webhook function, as many as an account has by default, stay within what is in reserve. The share of the api function
// is the same for every number of instances: see TestTemplateRates.
func TestTemplateSharesAddUp(t *testing.T) {
	const defaultQuota = 1000
	for _, ledger := range ledgers {
		template := load(t, map[string]string{"Ledger": ledger})
		total := template.shared(t)
		for _, share := range shares {
			total += share.perSecond(t, template)
		}
		if slices.Contains(template.functions(), webhookFunction) {
			total += defaultQuota * template.rate(t, webhookFunction)
		}
		if total > allowedByTencent {
			t.Errorf("Ledger=%s: the shares are %v calls per second together; want at most %d", ledger, total, allowedByTencent)
		}
		gateway := template.number(t, "Resources/HttpApi/Properties/DefaultRouteSettings/ThrottlingRateLimit")
		if api := shares[0].perSecond(t, template) + template.shared(t); gateway > api {
			t.Errorf("Ledger=%s: the gateway lets %v requests per second through; want at most %v", ledger, gateway, api)
		}
	}
}

// The requests and the ends of streams share; the sweep and the webhooks do not.
func TestTemplateFunctionsThatShare(t *testing.T) {
	for _, ledger := range ledgers {
		template := load(t, map[string]string{"Ledger": ledger})
		for _, function := range template.functions() {
			want := ledger == "true" && (function == apiFunction || function == streamEndFunction)
			if _, shared := template.rates(t, function); (shared > 0) != want {
				t.Errorf("Ledger=%s: %s shares %v calls per second", ledger, function, shared)
			}
		}
	}
}

// With a ledger, a batch of 1,000 is answered within 15 s if nothing else happens, for every number of instances allowed.
func TestTemplateLargestBatchIsAnsweredInTime(t *testing.T) {
	const most, headroom, start = 15.0, 0.993, 0.5 // seconds; the limiter's; a cold start, and the first reservation
	for _, instances := range load(t, nil).allowed("ApiConcurrency") {
		own, shared := load(t, map[string]string{"ApiConcurrency": instances}).rates(t, apiFunction)
		if took := start + giftstats.MaxBatch/((own+shared)*headroom); took > most {
			t.Errorf("ApiConcurrency=%s: a batch of %d takes %.1f s at %v + %v calls per second; want at most %v s",
				instances, giftstats.MaxBatch, took, own, shared, most)
		}
	}
}

// A function without a share has a rate only because the program needs one.
func TestTemplateFunctionsHaveShares(t *testing.T) {
	var with []string
	for _, share := range shares {
		with = append(with, share.function)
	}
	for _, function := range load(t, nil).functions() {
		if function != webhookFunction && !slices.Contains(with, function) {
			t.Errorf("%s has no share of the rate", function)
		}
	}
}

// An account with the smallest quota cannot reserve instances. There the default rates alone keep the limit. Of the sweep there is
// never more than one, since it holds a lease, and the queue starts no more batches than it may.
func TestTemplateRatesWithoutReservation(t *testing.T) {
	const smallestQuota = 10
	for _, ledger := range ledgers {
		template := load(t, map[string]string{"Ledger": ledger, "ReserveConcurrency": "false"})
		batches := template.number(t, "Resources/StreamEndFunction/Properties/Events/Ends/Properties/ScalingConfig/MaximumConcurrency")
		total, left := template.shared(t)+batches*template.rate(t, streamEndFunction), smallestQuota-batches
		if ledger == "true" {
			total, left = total+template.rate(t, sweepFunction), left-1
		}
		if total += left * template.rate(t, apiFunction); total > allowedByTencent {
			t.Errorf("Ledger=%s: %d instances make %v calls per second; want at most %d", ledger, smallestQuota, total, allowedByTencent)
		}
		if total := template.shared(t) + smallestQuota*template.rate(t, apiFunction); total > allowedByTencent {
			t.Errorf("Ledger=%s: requests alone make %v calls per second; want at most %d", ledger, total, allowedByTencent)
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
			rule:  "a sweep, which takes at most 55 s, can end by itself, and the next but one finds it gone",
			holds: at("SweepFunction/Properties/Timeout") >= 70 && at("SweepFunction/Properties/Timeout") < 120,
		},
		{
			rule:  "the webhook function may take longer than Tencent waits, which is 5 s",
			holds: at("WebhookFunction/Properties/Timeout") > 5,
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
