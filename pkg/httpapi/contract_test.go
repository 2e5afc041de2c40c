package httpapi_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// each calls visit for every object of the document, with its path.
func (d *openAPIDocument) each(visit func(path string, object map[string]any)) {
	var walk func(path string, node any)
	walk = func(path string, node any) {
		switch node := node.(type) {
		case map[string]any:
			visit(path, node)
			for _, name := range slices.Sorted(maps.Keys(node)) {
				if name != "example" && name != "examples" {
					walk(path+"/"+name, node[name])
				}
			}
		case []any:
			for _, entry := range node {
				walk(path, entry)
			}
		}
	}
	walk("#", d.document)
}

// operations are all operations by their path in the document, those that we send included.
func (d *openAPIDocument) operations() map[string]map[string]any {
	found := map[string]map[string]any{}
	d.each(func(path string, object map[string]any) {
		if _, ok := object["responses"].(map[string]any); ok && !strings.HasPrefix(path, "#/components") {
			found[path] = object
		}
	})
	return found
}

// Names of operations become names of methods in generated clients, and tags become their modules.
func TestOpenAPIOperationsAreNamed(t *testing.T) {
	contract := openAPI(t)
	var tags []string
	for _, tag := range contract.document["tags"].([]any) {
		tags = append(tags, tag.(map[string]any)["name"].(string))
	}
	ids := map[string]string{}
	for path, operation := range contract.operations() {
		for _, member := range []string{"summary", "description", "operationId"} {
			if text, _ := operation[member].(string); text == "" {
				t.Errorf("%s has no %s", path, member)
			}
		}
		id, _ := operation["operationId"].(string)
		if ids[id] != "" {
			t.Errorf("%s and %s have the operationId %s", path, ids[id], id)
		}
		ids[id] = path
		if given, _ := operation["tags"].([]any); len(given) != 1 || !slices.Contains(tags, given[0].(string)) {
			t.Errorf("%s has the tags %v, want one of %v", path, given, tags)
		}
	}
}

func TestOpenAPIIsDescribed(t *testing.T) {
	contract := openAPI(t)
	described := func(path string, node any) {
		object, _ := node.(map[string]any)
		own, _ := object["description"].(string)
		if _, isReference := object["$ref"]; own == "" && isReference {
			target, _ := contract.at(map[string]any{"target": node}, "target")
			own, _ = target.(map[string]any)["description"].(string)
		}
		if own == "" {
			t.Errorf("%s has no description", path)
		}
	}
	contract.each(func(path string, object map[string]any) {
		for _, member := range []string{"properties", "schemas", "parameters", "headers", "responses"} {
			members, _ := object[member].(map[string]any)
			for name, node := range members {
				described(path+"/"+member+"/"+name, node)
			}
		}
		parameters, _ := object["parameters"].([]any)
		for _, parameter := range parameters {
			described(path+"/parameters", parameter)
		}
	})
	for _, member := range []string{"description", "summary", "contact", "license"} {
		if info := contract.document["info"].(map[string]any); info[member] == nil {
			t.Errorf("info has no %s", member)
		}
	}
}

func TestOpenAPIExamples(t *testing.T) {
	contract := openAPI(t)
	validate := func(path string, schema, example any) {
		body, err := json.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		if !t.Run(path, func(t *testing.T) { contract.validate(t, schema, body) }) {
			t.Errorf("the example of %s is invalid", path)
		}
	}
	count := 0
	contract.each(func(path string, object map[string]any) {
		if example, ok := object["example"]; ok {
			validate(path, object["schema"], example)
			count++
		}
		examples, _ := object["examples"].([]any)
		for _, example := range examples {
			validate(path, object, example)
			count++
		}
	})
	if count == 0 {
		t.Error("the document has no examples")
	}
}

// Client generators drop a body that is anything but a reference to one schema.
func TestOpenAPIErrorsAreOneProblem(t *testing.T) {
	contract := openAPI(t)
	want := map[string]any{"$ref": "#/components/schemas/Problem"}
	for path, operation := range contract.operations() {
		if strings.HasPrefix(path, "#/webhooks") {
			continue // answered by the receiver
		}
		for status := range operation["responses"].(map[string]any) {
			if status < "400" {
				continue
			}
			schema, _ := contract.at(operation, "responses", status, "content", "application/problem+json")
			object, _ := schema.(map[string]any)
			if !reflect.DeepEqual(object["schema"], want) {
				t.Errorf("the schema of %s in %s is %v, want %v", status, path, object["schema"], want)
			}
		}
	}
}

// The document describes the deliveries as they are sent.
func TestOpenAPIDelivery(t *testing.T) {
	contract := openAPI(t)
	found, _ := contract.at(contract.document, "webhooks", "stream.summary", "post")
	operation, _ := found.(map[string]any)
	var names []string
	parameters, _ := operation["parameters"].([]any)
	for _, parameter := range parameters {
		object := parameter.(map[string]any)
		if object["in"] != "header" || object["required"] != true {
			t.Errorf("%v is not a required header", object["name"])
		}
		names = append(names, object["name"].(string))
	}
	want := []string{
		standardwebhooks.HeaderWebhookID, standardwebhooks.HeaderWebhookTimestamp, standardwebhooks.HeaderWebhookSignature,
	}
	if !slices.Equal(names, want) {
		t.Errorf("the headers are %v, want %v", names, want)
	}
	const json = "application/json"
	schema, _ := contract.at(operation, "requestBody", "content", json, "schema")
	summary, _ := contract.at(contract.document, "paths", "/v1/stream-ends", "post", "responses", "200", "content", json, "schema")
	if schema == nil || !reflect.DeepEqual(schema, summary) {
		t.Errorf("the body of a delivery is not the summary that POST /v1/stream-ends answers with")
	}
	if security, _ := operation["security"].([]any); security == nil || len(security) > 0 {
		t.Errorf("a delivery needs %v, want no credentials", operation["security"])
	}
	if _, ok := operation["responses"].(map[string]any)["2XX"]; !ok {
		t.Error("no response says that the summary was accepted")
	}
}
