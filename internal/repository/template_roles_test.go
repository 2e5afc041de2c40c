package repository_test

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const anything = "*"

// Each role allows named actions on named resources only. X-Ray is the exception, since its actions have no resources.
func TestTemplateRoles(t *testing.T) {
	deliver := []string{"StreamEndRole", "SweepRole"}
	for _, bus := range []string{"false", "true"} {
		template := load(t, map[string]string{"ResultBus": bus, "SecretKmsKeyArn": "key"})
		for _, role := range template.resources("AWS::IAM::Role") {
			t.Run(role+", ResultBus "+bus, func(t *testing.T) {
				permissions := template.permissions(role)
				for action, resources := range permissions {
					if strings.Contains(action, anything) {
						t.Errorf("the action %s has a wildcard", action)
					}
					if slices.Contains(resources, any(anything)) && !strings.HasPrefix(action, "xray:Put") {
						t.Errorf("%s is allowed on all resources", action)
					}
				}
				if managed := template.get("Resources/" + role + "/Properties/ManagedPolicyArns"); managed != nil {
					t.Errorf("the role has policies managed by AWS, which allow all resources: %v", managed)
				}
				if _, sends := permissions["events:PutEvents"]; sends != (slices.Contains(deliver, role) && bus == "true") {
					t.Errorf("the role may send to a bus: %v", sends)
				}
			})
		}
	}
}

// The roles of all functions may read the one secret with its one key.
func TestTemplateRolesReadTheSecret(t *testing.T) {
	template := load(t, map[string]string{"SecretKmsKeyArn": "key"})
	for _, role := range []string{"ApiRole", "StreamEndRole", "SweepRole", "WebhookRole"} {
		permissions := template.permissions(role)
		for _, test := range []struct{ action, resource string }{
			{action: "secretsmanager:GetSecretValue", resource: required["SecretArn"]},
			{action: "kms:Decrypt", resource: "key"},
		} {
			if got := permissions[test.action]; !slices.Equal(got, []any{test.resource}) {
				t.Errorf("%s allows %s on %v; want only %s", role, test.action, got, test.resource)
			}
		}
	}
}

// The dead letters of the stream-end function have a place, and no other function may send there.
func TestTemplateRolesSendDeadLetters(t *testing.T) {
	template := load(t, nil)
	for _, role := range []string{"ApiRole", "StreamEndRole", "SweepRole", "WebhookRole"} {
		sends := slices.Contains(template.permissions(role)["sqs:SendMessage"], any("DeadLetterQueue.Arn"))
		if want := role == "StreamEndRole"; sends != want {
			t.Errorf("%s may send to the dead-letter queue: %v, want %v", role, sends, want)
		}
	}
}

// Every alarm is on the dashboard, says what it means, and notifies the topic if there is one.
func TestTemplateAlarms(t *testing.T) {
	const arn = "arn:aws:sns:eu-west-1:123456789012:alarms"
	for _, test := range []struct {
		topic, ledger string
		want          []any
	}{
		{topic: "", want: nil},
		{topic: arn, want: []any{arn}},
		{topic: arn, ledger: "false", want: []any{arn}},
	} {
		template := load(t, map[string]string{"AlarmTopicArn": test.topic, "Ledger": cmp.Or(test.ledger, "true")})
		dashboard := template.text("Resources/Dashboard/Properties/DashboardBody")
		if !json.Valid([]byte(dashboard)) {
			t.Errorf("the dashboard is not valid JSON")
		}
		for _, name := range template.resources("AWS::CloudWatch::Alarm") {
			for _, property := range []string{"AlarmActions", "OKActions"} {
				actions, _ := template.get("Resources/" + name + "/Properties/" + property).([]any)
				if !slices.Equal(actions, test.want) {
					t.Errorf("topic %q: %s of %s is %v; want %v", test.topic, property, name, actions, test.want)
				}
			}
			if template.text("Resources/"+name+"/Properties/AlarmDescription") == "" {
				t.Errorf("%s has no description", name)
			}
			if !strings.Contains(dashboard, `"`+name+`.Arn"`) {
				t.Errorf("%s is not on the dashboard", name)
			}
		}
	}
}

// Metrics and summaries are log lines at level info, so Lambda must not drop any. Credentials are in headers and queries.
func TestTemplateLogs(t *testing.T) {
	template := load(t, nil)
	if level := template.text("Globals/Function/LoggingConfig/ApplicationLogLevel"); level != "TRACE" {
		t.Errorf("Lambda's own log level is %q; want TRACE", level)
	}
	format := template.text("Resources/HttpApi/Properties/AccessLogSettings/Format")
	if found := regexp.MustCompile(`(?i)auth|header|query`).FindString(format); found != "" {
		t.Errorf("the access log contains %q: %s", found, format)
	}
}

// permissions returns what a role allows: the resources of each action.
func (t *template) permissions(role string) map[string][]any {
	permissions := map[string][]any{}
	for _, policy := range t.get("Resources/" + role + "/Properties/Policies").([]any) {
		for _, item := range policy.(map[string]any)["PolicyDocument"].(map[string]any)["Statement"].([]any) {
			statement := item.(map[string]any)
			actions, ok := statement["Action"].([]any)
			if !ok {
				actions = []any{statement["Action"]}
			}
			for _, action := range actions {
				permissions[action.(string)] = append(permissions[action.(string)], statement["Resource"])
			}
		}
	}
	return permissions
}
