package repository_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/settings"
)

// Without a ledger there is nothing of it: the functions, routes and rates are those of a release without one.
func TestTemplateWithoutLedger(t *testing.T) {
	template := load(t, map[string]string{"Ledger": "false"})
	if got, want := template.functions(), []string{apiFunction, streamEndFunction}; !slices.Equal(got, want) {
		t.Errorf("the functions are %v; want %v", got, want)
	}
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::Scheduler::Schedule"} {
		if got := template.resources(kind); len(got) > 0 {
			t.Errorf("there are resources of the type %s: %v", kind, got)
		}
	}
	for function, rate := range map[string]float64{apiFunction: 20, streamEndFunction: 20} {
		s, err := settings.Parse(template.environment(function), settings.AWS)
		if err != nil {
			t.Fatal(err)
		}
		if s.Ledger != nil {
			t.Errorf("%s has the ledger %v", function, s.Ledger)
		}
		if s.RateLimit != rate {
			t.Errorf("%s makes %v calls per second; want %v", function, s.RateLimit, rate)
		}
	}
	if routes := limitedRoutes(template); !slices.Equal(routes, []string{"ANY /v1/webhooks/{kind}"}) {
		t.Errorf("the gateway has settings for %v", routes)
	}
	for _, role := range template.resources("AWS::IAM::Role") {
		for action := range template.permissions(role) {
			if strings.HasPrefix(action, "dynamodb:") {
				t.Errorf("%s allows %s", role, action)
			}
		}
	}
}

// Every function has the same ledger.
func TestTemplateLedgerSettings(t *testing.T) {
	template := load(t, map[string]string{"LedgerRetention": "24"})
	want := []string{apiFunction, streamEndFunction, sweepFunction, webhookFunction}
	if got := template.functions(); !slices.Equal(got, want) {
		t.Errorf("the functions are %v; want %v", got, want)
	}
	for _, function := range template.functions() {
		s, err := settings.Parse(template.environment(function), settings.AWS)
		if err != nil {
			t.Fatal(err)
		}
		if s.Ledger == nil {
			t.Errorf("%s has no ledger", function)
		} else if s.Ledger.Name != "LedgerTable" {
			t.Errorf("%s has the ledger %s; want LedgerTable", function, s.Ledger.Name)
		}
		if s.LedgerRetention != 24*time.Hour {
			t.Errorf("%s remembers for %s; want 24h", function, s.LedgerRetention)
		}
	}
}

// The table is as package ledger/dynamodb needs it, and its data is not lost with the stack.
func TestTemplateLedgerTable(t *testing.T) {
	template := load(t, nil)
	key := func(name, kind string) map[string]any { return map[string]any{"AttributeName": name, "KeyType": kind} }
	for path, want := range map[string]any{
		"DeletionPolicy":         "Retain",
		"UpdateReplacePolicy":    "Retain",
		"Properties/BillingMode": "PAY_PER_REQUEST",
		"Properties/KeySchema":   []any{key("pk", "HASH"), key("sk", "RANGE")},
		"Properties/GlobalSecondaryIndexes": []any{map[string]any{
			"IndexName":  "open",
			"KeySchema":  []any{key("open", "HASH"), key("pk", "RANGE")},
			"Projection": map[string]any{"ProjectionType": "KEYS_ONLY"},
		}},
		"Properties/TimeToLiveSpecification":          map[string]any{"AttributeName": "expires_at", "Enabled": "true"},
		"Properties/PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": "true"},
		"Properties/SSESpecification":                 map[string]any{"SSEEnabled": "true"},
	} {
		if got := template.get("Resources/LedgerTable/" + path); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v; want %v", path, got, want)
		}
	}
}

// Each role may make the calls to the table that its function makes, and no others.
func TestTemplateLedgerRoles(t *testing.T) {
	read := []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
	all := append([]string{"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}, read...)
	const table, index = "LedgerTable.Arn", "LedgerTable.Arn/index/open"
	want := map[string]map[string][]string{ // actions by role and resource
		"ApiRole":           {table: append([]string{"dynamodb:UpdateItem"}, read...)},
		"WebhookRole":       {table: append([]string{"dynamodb:PutItem"}, read...)},
		"StreamEndRole":     {table: all},
		"SweepRole":         {table: all, index: {"dynamodb:Query"}},
		"SweepScheduleRole": {},
		"RolloutRole":       {},
	}
	template := load(t, nil)
	if got := template.resources("AWS::IAM::Role"); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("the roles are %v", got)
	}
	for role := range want {
		got := map[string][]string{}
		for action, resources := range template.permissions(role) {
			for _, resource := range resources {
				if name, _ := resource.(string); strings.HasPrefix(name, "LedgerTable") {
					got[name] = append(got[name], action)
				}
			}
		}
		for resource := range want[role] {
			slices.Sort(got[resource])
			slices.Sort(want[role][resource])
		}
		if !reflect.DeepEqual(got, want[role]) {
			t.Errorf("%s allows %v; want %v", role, got, want[role])
		}
	}
}

// The functions that the internet reaches may write some items only, and never a stream that has ended.
func TestTemplateRolesWriteOnlyTheirItems(t *testing.T) {
	for _, test := range []struct {
		role, action, operator string
		keys                   []any
		inStore                map[string]string // what uses the keys, by file
	}{
		{
			role: "ApiRole", action: "dynamodb:UpdateItem", operator: "ForAllValues:StringEquals", keys: []any{"rate#shared"},
			inStore: map[string]string{"slots.go": `itemKey{"rate#shared", "slots"}`},
		},
		{
			role: "WebhookRole", action: "dynamodb:PutItem", operator: "ForAllValues:StringLike", keys: []any{"room#*", "gifts#*"},
			inStore: map[string]string{"rooms.go": `"room#"`, "gifts.go": `"gifts#" + roomID`},
		},
	} {
		want := map[string]any{test.operator: map[string]any{"dynamodb:LeadingKeys": test.keys}}
		found := 0
		for _, policy := range load(t, nil).get("Resources/" + test.role + "/Properties/Policies").([]any) {
			for _, item := range policy.(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
				statement := item.(map[string]any)
				if statement["Action"] != test.action {
					continue
				}
				found++
				if !reflect.DeepEqual(statement["Condition"], want) {
					t.Errorf("%s: the condition is %v; want %v", test.role, statement["Condition"], want)
				}
			}
		}
		if found != 1 {
			t.Errorf("%s: %d statements allow %s; want one", test.role, found, test.action)
		}
		for file, key := range test.inStore {
			if !strings.Contains(read(t, "pkg/ledger/dynamodb/"+file), key) {
				t.Errorf("%s does not use the key %s", file, key)
			}
		}
	}
}

// The schedule starts a sweep every minute, and its role can do nothing else.
func TestTemplateSweepSchedule(t *testing.T) {
	template := load(t, nil)
	for path, want := range map[string]string{
		"ScheduleExpression":                          "rate(1 minute)",
		"FlexibleTimeWindow/Mode":                     "OFF",
		"Target/Arn":                                  "SweepFunction.Alias",
		"Target/RoleArn":                              "SweepScheduleRole.Arn",
		"Target/Input":                                `{"sweep":true}`,
		"Target/RetryPolicy/MaximumRetryAttempts":     "0",
		"Target/RetryPolicy/MaximumEventAgeInSeconds": "60",
	} {
		if got := template.text("Resources/SweepSchedule/Properties/" + path); got != want {
			t.Errorf("%s is %q; want %q", path, got, want)
		}
	}
	want := map[string][]any{"lambda:InvokeFunction": {"SweepFunction.Arn:live"}}
	if got := template.permissions("SweepScheduleRole"); !reflect.DeepEqual(got, want) {
		t.Errorf("the role allows %v; want %v", got, want)
	}
	if attempts := template.number(t, "Resources/SweepFunction/Properties/EventInvokeConfig/MaximumRetryAttempts"); attempts != 0 {
		t.Errorf("a failed sweep is repeated %v times", attempts)
	}
}

// Only webhooks reach the webhook function, it makes no call to Tencent because the ends of streams go to the queue, and neither a
// reservation nor the gateway makes a gift wait.
func TestTemplateWebhookFunction(t *testing.T) {
	template := load(t, nil)
	const path = "Resources/WebhookFunction/Properties/"
	var routes []string
	for _, event := range template.get(path + "Events").(map[string]any) {
		properties := event.(map[string]any)["Properties"].(map[string]any)
		routes = append(routes, properties["Method"].(string)+" "+properties["Path"].(string))
	}
	slices.Sort(routes)
	if want := []string{"ANY /v1/webhooks/css", "ANY /v1/webhooks/live", "ANY /v1/webhooks/trtc"}; !slices.Equal(routes, want) {
		t.Errorf("the routes are %v; want %v", routes, want)
	}
	limits := template.get("Resources/HttpApi/Properties/RouteSettings").(map[string]any)
	for _, route := range routes {
		limit, _ := limits[route].(map[string]any)
		least := 500 // per second
		if route == "ANY /v1/webhooks/live" {
			least = 1000 // the gifts of one show
		}
		if rate, err := strconv.Atoi(fmt.Sprint(limit["ThrottlingRateLimit"])); err != nil || rate < least {
			t.Errorf("the gateway lets %v webhooks per second through on %s; want at least %d", limit["ThrottlingRateLimit"], route, least)
		}
	}
	if reserved := template.get(path + "ReservedConcurrentExecutions"); reserved != nil {
		t.Errorf("at most %v gifts are recorded at a time", reserved)
	}
}

// limitedRoutes returns the routes with limits of their own at the gateway, sorted.
func limitedRoutes(t *template) []string {
	return slices.Sorted(maps.Keys(t.get("Resources/HttpApi/Properties/RouteSettings").(map[string]any)))
}

// The dashboard shows the metrics of the ledger, if there is one.
func TestTemplateLedgerDashboard(t *testing.T) {
	for _, ledger := range ledgers {
		dashboard := load(t, map[string]string{"Ledger": ledger}).text("Resources/Dashboard/Properties/DashboardBody")
		for _, metric := range []string{
			"gifts", "gifts_lost", "snapshots", "sweep_lag_s", "missed_ends", "unattributed_coins", "rate_shared_errors",
		} {
			if shown := strings.Contains(dashboard, `["giftstats","`+metric+`"`); shown != (ledger == "true") {
				t.Errorf("Ledger=%s: the dashboard shows %s: %v", ledger, metric, shown)
			}
		}
	}
}

// An alarm fires for each gift that is lost, and for numbers of a live stream that are more than five minutes old.
func TestTemplateLedgerAlarms(t *testing.T) {
	template := load(t, nil)
	for _, test := range []struct {
		alarm, metric, function, statistic, comparison string
		threshold, minutes                             float64
	}{
		{
			alarm: "GiftsLostAlarm", metric: "gifts_lost", function: webhookFunction, statistic: "Sum",
			comparison: "GreaterThanOrEqualToThreshold", threshold: 1, minutes: 1,
		},
		{
			alarm: "SweepLagAlarm", metric: "sweep_lag_s", function: sweepFunction, statistic: "Maximum",
			comparison: "GreaterThanThreshold", threshold: 300, minutes: 3,
		},
		{
			alarm: "SweepErrorsAlarm", metric: "Errors", function: sweepFunction, statistic: "Sum",
			comparison: "GreaterThanOrEqualToThreshold", threshold: 1, minutes: 3,
		},
		{
			alarm: "SweepStoppedAlarm", metric: "Invocations", function: sweepFunction, statistic: "Sum",
			comparison: "LessThanThreshold", threshold: 1, minutes: 5,
		},
	} {
		properties := "Resources/" + test.alarm + "/Properties/"
		for property, want := range map[string]string{
			"MetricName": test.metric, "Statistic": test.statistic, "ComparisonOperator": test.comparison, "Period": "60",
		} {
			if got := template.text(properties + property); got != want {
				t.Errorf("%s: %s is %s; want %s", test.alarm, property, got, want)
			}
		}
		if got := template.number(t, properties+"Threshold"); got != test.threshold {
			t.Errorf("%s: the threshold is %v; want %v", test.alarm, got, test.threshold)
		}
		minutes := properties + "EvaluationPeriods"
		if template.get(properties+"DatapointsToAlarm") != nil {
			minutes = properties + "DatapointsToAlarm"
		}
		if got := template.number(t, minutes); got != test.minutes {
			t.Errorf("%s: it takes %v minutes; want %v", test.alarm, got, test.minutes)
		}
		first, _ := template.get(properties + "Dimensions").([]any)[0].(map[string]any)
		if first["Value"] != test.function {
			t.Errorf("%s: it watches %v; want %s", test.alarm, first["Value"], test.function)
		}
	}
	if got := template.text("Resources/SweepStoppedAlarm/Properties/TreatMissingData"); got != "breaching" {
		t.Errorf("without invocations there is no data, which is %s", got)
	}
}
