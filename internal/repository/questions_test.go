package repository_test

import (
	"fmt"
	"strings"
	"testing"
)

// The page says how often "sam deploy --guided" asks, and how many outputs it prints.
func TestDeployPageCountsTheQuestions(t *testing.T) {
	template := load(t, nil)
	paths := map[string]int{}
	for _, function := range template.functions() {
		events, _ := template.get("Resources/" + function + "/Properties/Events").(map[string]any)
		for name := range events {
			if template.text("Resources/"+function+"/Properties/Events/"+name+"/Type") == "HttpApi" {
				paths[function]++
			}
		}
	}
	api, webhooks := paths["ApiFunction"], paths["WebhookFunction"]
	page := read(t, "docs/deploy-aws.md")
	for _, want := range []string{
		fmt.Sprintf("| the other %d parameters |", len(template.parameters())-len(required)),
		fmt.Sprintf("**`y`, %d times**: %d and %d, once for each path", api+webhooks, api, webhooks),
		fmt.Sprintf("%d outputs (", outputs(load(t, nil))),
		fmt.Sprintf("(%d with `Ledger=false`", outputs(load(t, map[string]string{"Ledger": "false"}))),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("docs/deploy-aws.md lacks %q", want)
		}
	}
}

// outputs counts the outputs whose condition is met.
func outputs(loaded *template) (count int) {
	all, _ := loaded.get("Outputs").(map[string]any)
	for name := range all {
		condition := loaded.text("Outputs/" + name + "/Condition")
		if condition == "" || loaded.get("Conditions/"+condition) == true {
			count++
		}
	}
	return count
}
