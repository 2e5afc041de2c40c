package repository_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/giftstats/giftstats/pkg/settings"
)

const templateFile = "../../template.yaml"

var (
	functions = []string{"ApiFunction", "StreamEndFunction"}
	required  = map[string]string{"SecretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/giftstats-AbCdEf", "Endpoint": "singapore"}
)

// The settings are right, with the defaults, with each value that is allowed, and with everything set.
func TestTemplateSettings(t *testing.T) {
	tests := []map[string]string{{}, {
		"Endpoint": "https://proxy.example/im", "Auth": "api-key,usersig", "Deliver": "log://,https://hooks.example/x?a=b", "ResultBus": "true",
		"CssEndsStream": "true", "LogLevel": "warn", "SecretKmsKeyArn": "key", "AlarmTopicArn": "topic", "ReserveConcurrency": "false",
	}}
	for name := range load(t, nil).parameters() {
		for _, value := range load(t, nil).allowed(name) {
			tests = append(tests, map[string]string{name: value})
		}
	}
	for _, given := range tests {
		template := load(t, given)
		for _, function := range functions {
			s, err := settings.Parse(template.environment(function), settings.AWS)
			switch {
			case err != nil:
				t.Errorf("%v: %s: %v", given, function, err)
			case s.Secret.Name != required["SecretArn"]:
				t.Errorf("%v: %s: the secret is %s", given, function, s.Secret.Name)
			case function == "ApiFunction" && (s.Queue == nil || s.Queue.Name != "sqs.eu-west-1.amazonaws.com/123456789012/EndsQueue.QueueName"):
				t.Errorf("%v: the queue is %+v", given, s.Queue)
			case function == "StreamEndFunction" && (s.Deliver[len(s.Deliver)-1].Scheme == "eventbridge") != (given["ResultBus"] == "true"):
				t.Errorf("%v: summaries go to %+v", given, s.Deliver)
			}
		}
	}
}

// A change of a setting reaches callers only with a new version, and there is one only when its description changes.
func TestTemplateVersions(t *testing.T) {
	secret := required["SecretArn"]
	changes := map[string][]string{
		"SecretArn": {secret[:len(secret)-1] + "g", strings.Replace(secret, "eu-west-1", "eu-west-2", 1)}, "Endpoint": {"usa"}, "Deliver": {"https://x.example"},
	}
	longest := map[string]string{"SecretArn": "arn:aws:secretsmanager:" + strings.Repeat("x", 14) + ":123456789012:secret:" + strings.Repeat("x", 60)}
	before := load(t, nil)
	for name := range before.parameters() {
		for _, value := range append(before.allowed(name), changes[name]...) {
			after := load(t, map[string]string{name: value})
			for _, function := range functions {
				changed := !slices.Equal(before.environment(function), after.environment(function))
				for _, property := range []string{"Description", "VersionDescription"} {
					path := "Resources/" + function + "/Properties/" + property
					if changed != (before.text(path) != after.text(path)) {
						t.Errorf("%s=%s: the variables of %s change: %v; but its %s is %q, then %q", name, value, function, changed, property, before.text(path), after.text(path))
					}
				}
			}
			if len(value) > len(longest[name]) {
				longest[name] = value
			}
		}
		if most, err := strconv.Atoi(before.text("Parameters/" + name + "/MaxLength")); err == nil {
			longest[name] = strings.Repeat("x", most)
		}
	}
	for _, function := range functions {
		if description := load(t, longest).text("Resources/" + function + "/Properties/VersionDescription"); len(description) > 256 {
			t.Errorf("the description of %s may have %d characters; Lambda takes 256", function, len(description))
		}
	}
}

// Instances x their rate are the share, whatever is allowed, and the shares together are what Tencent allows.
func TestTemplateRates(t *testing.T) {
	const allowedByTencent, leastQuota = 200, 10
	template, total := load(t, nil), 0.0
	for _, test := range []struct {
		function, parameter, mapping, share string
		bounds                              []string // what holds the instances down
	}{
		{"ApiFunction", "ApiConcurrency", "ApiRate", "Api", []string{
			"ApiFunction/Properties/ReservedConcurrentExecutions", "HttpApi/Properties/DefaultRouteSettings/ThrottlingBurstLimit"}},
		{"StreamEndFunction", "StreamEndConcurrency", "StreamEndRate", "StreamEnd", []string{
			"StreamEndFunction/Properties/ReservedConcurrentExecutions", "StreamEndFunction/Properties/Events/Ends/Properties/ScalingConfig/MaximumConcurrency"}},
	} {
		share := template.number(t, "Mappings/Share/"+test.share+"/PerSecond")
		total += share
		rates, _ := template.get("Mappings/" + test.mapping).(map[string]any)
		if keys, allowed := slices.Sorted(maps.Keys(rates)), template.allowed(test.parameter); !slices.Equal(keys, allowed) {
			t.Errorf("%s allows %v, but there are rates for %v", test.parameter, allowed, keys)
		}
		for instances := range rates {
			chosen := load(t, map[string]string{test.parameter: instances})
			s, err := settings.Parse(chosen.environment(test.function), settings.AWS)
			if err != nil {
				t.Fatal(err)
			}
			for _, bound := range test.bounds {
				if n := chosen.number(t, "Resources/"+bound); n*s.RateLimit != share {
					t.Errorf("%s=%s: %s is %v; %v times the rate of %v is not %v", test.parameter, instances, bound, n, n, s.RateLimit, share)
				}
			}
		}
		// An account with the least quota can reserve nothing: there the defaults have to do.
		if s, _ := settings.Parse(template.environment(test.function), settings.AWS); leastQuota*s.RateLimit > allowedByTencent {
			t.Errorf("%d instances of %s at the default of %v are too much", leastQuota, test.function, s.RateLimit)
		}
	}
	if gateway := template.number(t, "Resources/HttpApi/Properties/DefaultRouteSettings/ThrottlingRateLimit"); total > allowedByTencent || gateway > template.number(t, "Mappings/Share/Api/PerSecond") {
		t.Errorf("the shares are %v together, and the gateway lets %v requests through", total, gateway)
	}
}

func TestTemplateTimes(t *testing.T) {
	template := load(t, nil)
	at := func(path string) float64 { return template.number(t, "Resources/"+path) }
	timeout, visibility := at("StreamEndFunction/Properties/Timeout"), at("EndsQueue/Properties/VisibilityTimeout")
	for instances := range template.get("Mappings/StreamEndRate").(map[string]any) {
		const ordinary, largest, headroom = 3, 101, 0.993 // calls for an event: owner, gifts, room; or 100 accounts, room
		rate := template.number(t, "Mappings/StreamEndRate/"+instances+"/PerInstance")
		if calls := max(ordinary*at("StreamEndFunction/Properties/Events/Ends/Properties/BatchSize"), largest); calls/(rate*headroom) > timeout-1 {
			t.Errorf("%s instances: %v calls at %v per second take longer than %v s", instances, calls, rate, timeout)
		}
	}
	for name, right := range map[string]bool{
		"the queue waits for 6 time-outs":               visibility >= 6*timeout,
		"dead letters are kept longer":                  at("DeadLetterQueue/Properties/MessageRetentionPeriod") > at("EndsQueue/Properties/MessageRetentionPeriod"),
		"the function gives up before the gateway":      at("ApiFunction/Properties/Timeout") < 30,
		"the age alarm rings while SQS tells the age":   at("QueueAgeAlarm/Properties/Threshold") < 2*visibility,
		"one event does not fail its batch":             slices.Contains(template.get("Resources/StreamEndFunction/Properties/Events/Ends/Properties/FunctionResponseTypes").([]any), any("ReportBatchItemFailures")),
		"Lambda lets metrics pass whatever their level": template.text("Globals/Function/LoggingConfig/ApplicationLogLevel") == "TRACE",
		"no credentials are in the access log":          !regexp.MustCompile(`(?i)auth|header|query`).MatchString(template.text("Resources/HttpApi/Properties/AccessLogSettings/Format")),
	} {
		if !right {
			t.Errorf("it does not hold that %s", name)
		}
	}
}

// Roles name what they are for. Only X-Ray has nothing to name.
func TestTemplateRoles(t *testing.T) {
	const anything = "*"
	for _, bus := range []string{"false", "true"} {
		template := load(t, map[string]string{"ResultBus": bus, "SecretKmsKeyArn": "key"})
		for _, role := range template.resources("AWS::IAM::Role") {
			may := map[any]any{} // resource by action
			for _, policy := range template.get("Resources/" + role + "/Properties/Policies").([]any) {
				for _, each := range policy.(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
					statement := each.(map[string]any)
					actions, ok := statement["Action"].([]any)
					if !ok {
						actions = []any{statement["Action"]}
					}
					for _, action := range actions {
						may[action] = statement["Resource"]
					}
				}
			}
			for action, resource := range may {
				if resource == anything && !strings.HasPrefix(action.(string), "xray:Put") || strings.Contains(action.(string), anything) {
					t.Errorf("%s may %v on %v", role, action, resource)
				}
			}
			function := role != "RolloutRole"
			if may["events:PutEvents"] != nil != (role == "StreamEndRole" && bus == "true") || function && (may["secretsmanager:GetSecretValue"] != required["SecretArn"] || may["kms:Decrypt"] != "key") {
				t.Errorf("%s, ResultBus %s: may %v", role, bus, may)
			}
			if managed := template.get("Resources/" + role + "/Properties/ManagedPolicyArns"); managed != nil {
				t.Errorf("%s has policies of AWS, which are for all resources: %v", role, managed)
			}
		}
	}
}

func TestTemplateParameters(t *testing.T) {
	text, err := os.ReadFile(templateFile)
	if err != nil {
		t.Fatal(err)
	}
	template, groups := load(t, nil), map[any]int{}
	for _, group := range template.get("Metadata/AWS::CloudFormation::Interface/ParameterGroups").([]any) {
		for _, name := range group.(map[string]any)["Parameters"].([]any) {
			groups[name]++
		}
	}
	for name := range template.parameters() {
		if groups[name] != 1 || template.text("Metadata/AWS::CloudFormation::Interface/ParameterLabels/"+name+"/default") == "" {
			t.Errorf("%s is in %d groups, or has no label", name, groups[name])
		}
		if !regexp.MustCompile(`!Ref ` + name + `\b|\$\{` + name + `\}`).Match(text) {
			t.Errorf("%s is used nowhere", name)
		}
		values := []string{template.given[name]}
		if name == "Endpoint" {
			values = append(settings.Regions(), "https://proxy.example:8443/im")
		}
		pattern := regexp.MustCompile(template.text("Parameters/" + name + "/AllowedPattern"))
		for _, value := range values {
			if !pattern.MatchString(value) {
				t.Errorf("%s may not be %q", name, value)
			}
		}
	}
	if len(groups) != len(template.parameters()) {
		t.Errorf("the groups have %d parameters, the template %d", len(groups), len(template.parameters()))
	}
}

func TestTemplateAlarms(t *testing.T) {
	for topic, want := range map[string]int{"": 0, "arn:aws:sns:eu-west-1:123456789012:alarms": 1} {
		template := load(t, map[string]string{"AlarmTopicArn": topic})
		for _, name := range template.resources("AWS::CloudWatch::Alarm") {
			for _, property := range []string{"AlarmActions", "OKActions"} {
				actions, _ := template.get("Resources/" + name + "/Properties/" + property).([]any)
				if len(actions) != want || want == 1 && actions[0] != topic {
					t.Errorf("topic %q: %s of %s is %v", topic, property, name, actions)
				}
			}
			dashboard := template.text("Resources/Dashboard/Properties/DashboardBody")
			if !json.Valid([]byte(dashboard)) || !strings.Contains(dashboard, `"`+name+`.Arn"`) || template.text("Resources/"+name+"/Properties/AlarmDescription") == "" {
				t.Errorf("%s is not on the dashboard, which has to be JSON, or has no description", name)
			}
		}
	}
}

// template is the template with its parameters given: what CloudFormation makes of it, as far as it can be known without a
// stack. What only a stack has, like an ARN, is NAME.ATTRIBUTE.
type template struct {
	sections map[string]yaml.Node
	resolved map[string]any
	given    map[string]string
}

// load reads the template and gives its parameters values: these, or else the defaults.
func load(t *testing.T, given map[string]string) *template {
	t.Helper()
	text, err := os.ReadFile(templateFile)
	if err != nil {
		t.Fatal(err)
	}
	loaded := &template{resolved: map[string]any{}, given: map[string]string{
		"AWS::Region": "eu-west-1", "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "stack", "AWS::Partition": "aws",
	}}
	if err := yaml.Unmarshal(text, &loaded.sections); err != nil {
		t.Fatal(err)
	}
	for name, parameter := range loaded.parameters() {
		loaded.given[name], _ = parameter.(map[string]any)["Default"].(string)
	}
	maps.Copy(loaded.given, required)
	maps.Copy(loaded.given, given)
	return loaded
}

// get is what is at the path, like Resources/NAME/Properties; nil: nothing.
func (t *template) get(path string) any {
	names := strings.Split(path, "/")
	value, ok := t.resolved[names[0]]
	if !ok {
		node := t.sections[names[0]]
		value = t.resolve(&node)
		t.resolved[names[0]] = value
	}
	for _, name := range names[1:] {
		parent, _ := value.(map[string]any)
		value = parent[name]
	}
	return value
}

func (t *template) text(path string) string { text, _ := t.get(path).(string); return text }

func (t *template) number(tt *testing.T, path string) float64 {
	tt.Helper()
	number, err := strconv.ParseFloat(t.text(path), 64)
	if err != nil {
		tt.Fatalf("%s: %v", path, err)
	}
	return number
}

func (t *template) parameters() map[string]any { return t.get("Parameters").(map[string]any) }

// allowed lists the allowed values of a parameter, sorted.
func (t *template) allowed(parameter string) []string {
	values, _ := t.parameters()[parameter].(map[string]any)["AllowedValues"].([]any)
	var texts []string
	for _, value := range values {
		texts = append(texts, value.(string))
	}
	slices.Sort(texts)
	return texts
}

// resources lists the names of one type.
func (t *template) resources(kind string) []string {
	var names []string
	for name := range t.get("Resources").(map[string]any) {
		if t.text("Resources/"+name+"/Type") == kind {
			names = append(names, name)
		}
	}
	return names
}

// environment lists the variables of a function in the form of os.Environ, sorted.
func (t *template) environment(function string) []string {
	var environ []string
	for _, path := range []string{"Globals/Function", "Resources/" + function + "/Properties"} {
		for name, value := range t.get(path + "/Environment/Variables").(map[string]any) {
			environ = append(environ, name+"="+value.(string))
		}
	}
	slices.Sort(environ)
	return environ
}

const nothing = "AWS::NoValue"

// resolve makes strings, lists and maps of a node.
func (t *template) resolve(node *yaml.Node) any {
	switch node.Kind {
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			if value := t.resolve(item); value != nothing || node.Tag == "!If" {
				list = append(list, value)
			}
		}
		return t.call(node.Tag, list)
	case yaml.MappingNode:
		values := map[string]any{}
		for i := 0; i < len(node.Content); i += 2 {
			if value := t.resolve(node.Content[i+1]); value != nothing {
				values[node.Content[i].Value] = value
			}
		}
		return values
	}
	if value, ok := t.given[node.Value]; ok && node.Tag == "!Ref" {
		return value
	}
	if node.Tag == "!Sub" {
		return t.substitute(node.Value, nil)
	}
	return node.Value
}

// call applies a function in its short form.
func (t *template) call(tag string, list []any) any {
	text := func(i int) string { return list[i].(string) }
	switch tag {
	case "!Equals":
		return list[0] == list[1]
	case "!Not":
		return list[0] == false
	case "!If":
		if t.get("Conditions/"+text(0)) == true {
			return list[1]
		}
		return list[2]
	case "!FindInMap":
		return t.text("Mappings/" + text(0) + "/" + text(1) + "/" + text(2))
	case "!Split":
		return strings.Split(text(1), text(0))
	case "!Select":
		i, _ := strconv.Atoi(text(0))
		return list[1].([]string)[i]
	case "!Sub":
		return t.substitute(text(0), list[1].(map[string]any))
	}
	return list
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z:.]+)\}`)

func (t *template) substitute(text string, own map[string]any) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		name = name[2 : len(name)-1]
		if value, ok := own[name].(string); ok {
			return value
		}
		if value, ok := t.given[name]; ok {
			return value
		}
		return name
	})
}
