package repository_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.yaml.in/yaml/v3"
)

const templateFile = root + "/template.yaml"

// template is template.yaml with values for its parameters, evaluated as CloudFormation would, as far as that is possible without a
// stack. A value that only a stack has, such as an ARN, becomes NAME.ATTRIBUTE.
type template struct {
	sections map[string]yaml.Node
	resolved map[string]any
	given    map[string]string
}

// parsed reads the template once for all tests: nothing changes what it returns.
var parsed = sync.OnceValues(func() (map[string]yaml.Node, error) {
	text, err := os.ReadFile(templateFile)
	if err != nil {
		return nil, err
	}
	var sections map[string]yaml.Node
	err = yaml.Unmarshal(text, &sections)
	return sections, err
})

// load returns the template, whose parameters have the values given, or else their defaults.
func load(t *testing.T, given map[string]string) *template {
	t.Helper()
	sections, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	loaded := &template{sections: sections, resolved: map[string]any{}, given: map[string]string{
		"AWS::Region":    "eu-west-1",
		"AWS::AccountId": "123456789012",
		"AWS::URLSuffix": "amazonaws.com",
		"AWS::StackName": "stack",
		"AWS::Partition": "aws",
	}}
	for name, parameter := range loaded.parameters() {
		loaded.given[name], _ = parameter.(map[string]any)["Default"].(string)
	}
	maps.Copy(loaded.given, required)
	maps.Copy(loaded.given, given)
	return loaded
}

// get returns the value at a path such as Resources/NAME/Properties, or nil if there is none.
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

// text returns the string at a path, or "" if there is none.
func (t *template) text(path string) string {
	text, _ := t.get(path).(string)
	return text
}

func (t *template) number(tt *testing.T, path string) float64 {
	tt.Helper()
	number, err := strconv.ParseFloat(t.text(path), 64)
	if err != nil {
		tt.Fatalf("%s: %v", path, err)
	}
	return number
}

func (t *template) parameters() map[string]any { return t.get("Parameters").(map[string]any) }

// allowed returns the allowed values of a parameter, sorted.
func (t *template) allowed(parameter string) []string {
	values, _ := t.parameters()[parameter].(map[string]any)["AllowedValues"].([]any)
	var texts []string
	for _, value := range values {
		texts = append(texts, value.(string))
	}
	slices.Sort(texts)
	return texts
}

// resources returns the names of all resources of a type that are created, sorted.
func (t *template) resources(kind string) []string {
	var names []string
	for name := range t.get("Resources").(map[string]any) {
		condition := t.text("Resources/" + name + "/Condition")
		created := condition == "" || t.get("Conditions/"+condition) == true
		if created && t.text("Resources/"+name+"/Type") == kind {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// functions returns the names of the functions that are created, sorted.
func (t *template) functions() []string { return t.resources("AWS::Serverless::Function") }

// environment returns the variables of a function in the form of os.Environ, sorted.
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

// nothing stands for a property that CloudFormation omits.
const nothing = "AWS::NoValue"

// resolve turns a node into strings, lists and maps, and evaluates the functions in it.
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

// call evaluates a function in its short form; a list without such a tag is returned as it is.
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
	case "!Join":
		return strings.Join(list[1].([]string), text(0))
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
