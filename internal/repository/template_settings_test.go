package repository_test

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/console"
	"github.com/giftstats/giftstats/pkg/settings"
)

const (
	apiFunction       = "ApiFunction"
	streamEndFunction = "StreamEndFunction"
	sweepFunction     = "SweepFunction"
	webhookFunction   = "WebhookFunction"
)

var required = map[string]string{
	"SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/giftstats-AbCdEf",
	"Endpoint":  "singapore",
}

// The program accepts the variables of each function: with the defaults, with each allowed value, and with everything set.
func TestTemplateSettings(t *testing.T) {
	everything := map[string]string{
		"Endpoint":           "https://proxy.example/im",
		"Auth":               "api-key,usersig",
		"CorsOrigins":        "https://app.example.com,http://localhost:5173",
		"Deliver":            "log://,https://hooks.example/x?a=b",
		"ResultBus":          "true",
		"CssEndsStream":      "true",
		"ConsolePage":        "true",
		"LedgerRetention":    "87600",
		"LogLevel":           "warn",
		"SecretKmsKeyArn":    "key",
		"AlarmTopicArn":      "topic",
		"ReserveConcurrency": "false",
	}
	tests := []map[string]string{{}, everything}
	defaults := load(t, nil)
	for name := range defaults.parameters() {
		for _, value := range defaults.allowed(name) {
			tests = append(tests, map[string]string{name: value})
		}
	}
	for _, given := range tests {
		template := load(t, given)
		for _, function := range template.functions() {
			s, err := settings.Parse(template.environment(function), settings.AWS)
			if err != nil {
				t.Errorf("%v: %s: %v", given, function, err)
				continue
			}
			if s.Secret.Name != required["SecretArn"] {
				t.Errorf("%v: %s: the secret is %s; want %s", given, function, s.Secret.Name, required["SecretArn"])
			}
			switch function {
			case apiFunction, webhookFunction:
				checkQueue(t, given, s)
				if want := function == apiFunction && given["ConsolePage"] == "true"; s.Console != want {
					t.Errorf("%v: %s serves the page: %v, want %v", given, function, s.Console, want)
				}
			case streamEndFunction, sweepFunction:
				checkDeliver(t, given, s)
			}
			checkDeadLetters(t, given, function, s)
		}
	}
}

func checkQueue(t *testing.T, given map[string]string, s settings.Settings) {
	t.Helper()
	const want = "sqs.eu-west-1.amazonaws.com/123456789012/EndsQueue.QueueName"
	if s.Queue == nil {
		t.Errorf("%v: a function for webhooks has no queue", given)
	} else if s.Queue.Name != want {
		t.Errorf("%v: the queue is %s; want %s", given, s.Queue.Name, want)
	}
}

func checkDeliver(t *testing.T, given map[string]string, s settings.Settings) {
	t.Helper()
	last := s.Deliver[len(s.Deliver)-1].Scheme
	if want := given["ResultBus"] == "true"; (last == "eventbridge") != want {
		t.Errorf("%v: summaries go to %v; want a bus: %v", given, s.Deliver, want)
	}
}

// Only the function that takes stream ends from the queue puts dead letters aside.
func checkDeadLetters(t *testing.T, given map[string]string, function string, s settings.Settings) {
	t.Helper()
	const want = "sqs.eu-west-1.amazonaws.com/123456789012/DeadLetterQueue.QueueName"
	switch {
	case function != streamEndFunction && s.DeadLetters != nil:
		t.Errorf("%v: %s has a dead-letter queue", given, function)
	case function == streamEndFunction && s.DeadLetters == nil:
		t.Errorf("%v: %s has no dead-letter queue", given, function)
	case function == streamEndFunction && s.DeadLetters.Name != want:
		t.Errorf("%v: the dead letters of %s go to %s; want %s", given, function, s.DeadLetters.Name, want)
	}
}

// The pattern of Endpoint allows every region and an https URL.
func TestTemplateEndpoints(t *testing.T) {
	pattern := regexp.MustCompile(load(t, nil).text("Parameters/Endpoint/AllowedPattern"))
	for _, value := range append(settings.Regions(), "https://proxy.example:8443/im") {
		if !pattern.MatchString(value) {
			t.Errorf("Endpoint cannot be %q", value)
		}
	}
}

// A changed setting reaches callers only with a new version, and Lambda publishes one only if the description changes.
func TestTemplateVersions(t *testing.T) {
	secret := required["SecretArn"]
	changes := map[string][]string{
		"SecretArn": {secret[:len(secret)-1] + "g", strings.Replace(secret, "eu-west-1", "eu-west-2", 1)},
		"Endpoint":  {"usa"},
		"Deliver":   {"https://x.example"},

		"CorsOrigins":     {"https://app.example.com"},
		"LedgerRetention": {"1"},
	}
	before := load(t, nil)
	for name := range before.parameters() {
		for _, value := range append(before.allowed(name), changes[name]...) {
			after := load(t, map[string]string{name: value})
			for _, function := range after.functions() {
				changed := !slices.Equal(before.environment(function), after.environment(function))
				for _, property := range []string{"Description", "VersionDescription"} {
					path := "Resources/" + function + "/Properties/" + property
					if described := before.text(path) != after.text(path); described != changed {
						t.Errorf("%s=%s: the variables of %s change: %v; but its %s changes: %v", name, value, function, changed, property, described)
					}
				}
			}
		}
	}
}

// The description that holds the settings stays within Lambda's limit, even with the longest values allowed.
func TestTemplateDescriptionLength(t *testing.T) {
	const most = 256
	longest := map[string]string{
		"Ledger":          "true", // with a ledger the description has the retention
		"LedgerRetention": "87600",

		"SecretArn": "arn:aws:secretsmanager:" + strings.Repeat("x", 14) + ":123456789012:secret:" + strings.Repeat("x", 60),
	}
	template := load(t, nil)
	for name := range template.parameters() {
		for _, value := range template.allowed(name) {
			if name != "Ledger" && len(value) > len(longest[name]) {
				longest[name] = value
			}
		}
		if length, err := strconv.Atoi(template.text("Parameters/" + name + "/MaxLength")); err == nil {
			longest[name] = "https://" + strings.Repeat("x", length-len("https://"))
		}
	}
	for _, function := range template.functions() {
		description := load(t, longest).text("Resources/" + function + "/Properties/VersionDescription")
		if len(description) > most {
			t.Errorf("the description of %s can have %d characters; want at most %d", function, len(description), most)
		}
	}
}

// The description of a function shows where summaries go, to everyone who may list functions, and CloudTrail records it. So the
// parameter must not hold a query, in which receivers keep tokens.
func TestTemplateDeliverHasNoQuery(t *testing.T) {
	pattern := regexp.MustCompile(load(t, nil).text("Parameters/Deliver/AllowedPattern"))
	for value, want := range map[string]bool{
		"log://":                                    true,
		"https://hooks.example/path":                true,
		"https://hooks.example:8443,log://":         true,
		"https://hooks.example/path?token=x":        false,
		"https://hooks.example?token=x":             false,
		"log://,https://hooks.example/path?token=x": false,
		"https://user:password@hooks.example":       false,
	} {
		if pattern.MatchString(value) != want {
			t.Errorf("Deliver can be %q: %v, want %v", value, !want, want)
		}
	}
}

// A preflight has to reach the function, which knows the origins and the methods of each route. With a CorsConfiguration the gateway
// would answer it, also for webhooks.
func TestTemplateLeavesPreflightsToTheFunction(t *testing.T) {
	for _, ledger := range ledgers {
		template := load(t, map[string]string{"Ledger": ledger, "CorsOrigins": "https://app.example.com"})
		for _, gateway := range template.resources("AWS::Serverless::HttpApi") {
			if cors := template.get("Resources/" + gateway + "/Properties/CorsConfiguration"); cors != nil {
				t.Errorf("%s has the CorsConfiguration %v", gateway, cors)
			}
		}
		if template.get("Globals/HttpApi/CorsConfiguration") != nil {
			t.Error("the globals have a CorsConfiguration")
		}
		for _, function := range template.functions() {
			events, _ := template.get("Resources/" + function + "/Properties/Events").(map[string]any)
			for name, event := range events {
				properties := event.(map[string]any)["Properties"].(map[string]any)
				if _, routed := properties["Path"]; routed && properties["Method"] != "ANY" {
					t.Errorf("%s: the route %s has the method %v, want ANY", function, name, properties["Method"])
				}
			}
			hasOrigins := slices.Contains(template.environment(function), "GIFTSTATS_CORS_ORIGINS=https://app.example.com")
			if want := function == apiFunction; hasOrigins != want {
				t.Errorf("%s has the origins: %v, want %v", function, hasOrigins, want)
			}
		}
	}
}

// The console shows every parameter in one group and with a label.
func TestTemplateParameterGroups(t *testing.T) {
	const metadata = "Metadata/AWS::CloudFormation::Interface/"
	template := load(t, nil)
	var grouped []string
	for _, group := range template.get(metadata + "ParameterGroups").([]any) {
		for _, name := range group.(map[string]any)["Parameters"].([]any) {
			grouped = append(grouped, name.(string))
		}
	}
	slices.Sort(grouped)
	names := slices.Sorted(maps.Keys(template.parameters()))
	if !slices.Equal(grouped, names) {
		t.Errorf("the groups have the parameters %v; the template has %v", grouped, names)
	}
	for _, name := range names {
		if template.text(metadata+"ParameterLabels/"+name+"/default") == "" {
			t.Errorf("%s has no label", name)
		}
	}
}

// The gateway has a route for every documented path, with and without a ledger.
func TestTemplateRoutes(t *testing.T) {
	text, err := os.ReadFile(root + "/pkg/httpapi/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Paths map[string]any }
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	for _, ledger := range ledgers {
		template := load(t, map[string]string{"Ledger": ledger})
		var routes []string
		for _, function := range template.functions() {
			events, _ := template.get("Resources/" + function + "/Properties/Events").(map[string]any)
			for _, event := range events {
				if path, ok := event.(map[string]any)["Properties"].(map[string]any)["Path"].(string); ok {
					routes = append(routes, path)
				}
			}
		}
		for path := range document.Paths {
			if kind, ok := strings.CutPrefix(path, "/v1/webhooks/"); ok && ledger == "false" {
				path = strings.Replace(path, kind, "{kind}", 1)
			}
			if !slices.Contains(routes, path) {
				t.Errorf("Ledger=%s: there is no route for %s", ledger, path)
			}
		}
		for _, file := range console.Files()[1:] {
			if route := path.Dir(file.Path) + "/{file}"; !slices.Contains(routes, route) {
				t.Errorf("Ledger=%s: there is no route for %s", ledger, file.Path)
			}
		}
	}
}
