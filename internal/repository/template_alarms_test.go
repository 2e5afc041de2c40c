package repository_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// metricStats returns the metrics that an alarm reads, as Namespace/MetricName and the value of the first dimension.
func (t *template) metricStats(alarm string) []string {
	properties := "Resources/" + alarm + "/Properties"
	terms, isMath := t.get(properties + "/Metrics").([]any)
	if !isMath {
		terms = []any{map[string]any{"MetricStat": map[string]any{"Metric": t.get(properties)}}}
	}
	var found []string
	for _, term := range terms {
		stat, ok := term.(map[string]any)["MetricStat"].(map[string]any)
		if !ok {
			continue // an expression
		}
		metric := stat["Metric"].(map[string]any)
		dimension := metric["Dimensions"].([]any)[0].(map[string]any)
		found = append(found, fmt.Sprint(metric["Namespace"], "/", metric["MetricName"], " ", dimension["Value"]))
	}
	return found
}

// The alarm counts the failures of every function that shares the rate: three within five minutes. Without a ledger nothing is shared.
func TestTemplateSharedRateAlarm(t *testing.T) {
	const name, properties = "SharedRateAlarm", "Resources/SharedRateAlarm/Properties/"
	template := load(t, nil)
	if template.get("Resources/"+name) == nil {
		t.Fatalf("there is no %s", name)
	}
	var want []string
	for _, function := range template.functions() {
		if _, shared := template.rates(t, function); shared > 0 {
			want = append(want, "giftstats/rate_shared_errors "+function)
		}
	}
	if got := template.metricStats(name); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("%s reads %q; want %q", name, got, want)
	}
	if got := template.number(t, properties+"Threshold"); got != 3 {
		t.Errorf("%s fires at %v failures; want 3", name, got)
	}
	for _, term := range template.get(properties + "Metrics").([]any)[1:] {
		stat := term.(map[string]any)["MetricStat"].(map[string]any)
		if stat["Period"] != "300" || stat["Stat"] != "Sum" {
			t.Errorf("%s reads the %v of %v s; want the Sum of 300 s", name, stat["Stat"], stat["Period"])
		}
	}
	if alarms := load(t, map[string]string{"Ledger": "false"}).resources("AWS::CloudWatch::Alarm"); slices.Contains(alarms, name) {
		t.Errorf("%s exists without a ledger", name)
	}
}

// The page has a row for each alarm, and says how many alarms and metrics AWS bills.
func TestOperationsPageNamesTheAlarms(t *testing.T) {
	page := read(t, "docs/operations.md")
	count := func(ledger string) (alarms, metrics int) {
		template := load(t, map[string]string{"Ledger": ledger})
		for _, name := range template.resources("AWS::CloudWatch::Alarm") {
			if !strings.Contains(page, "\n| `"+name+"` | ") {
				t.Errorf("docs/operations.md has no row for %s", name)
			}
			alarms++
			metrics += len(template.metricStats(name))
		}
		return alarms, metrics
	}
	alarms, metrics := count("true")
	alarmsWithout, metricsWithout := count("false")
	want := fmt.Sprintf("%d alarms on %d metrics (%d on %d)", alarms, metrics, alarmsWithout, metricsWithout)
	if !strings.Contains(page, want) {
		t.Errorf("docs/operations.md lacks %q", want)
	}
}
