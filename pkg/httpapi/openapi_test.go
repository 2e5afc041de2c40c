package httpapi_test

import (
	"bytes"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/httpapi"
)

// openAPIDocument is the published contract. Tests check responses against it.
type openAPIDocument struct{ document map[string]any }

func openAPI(t *testing.T) *openAPIDocument {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(httpapi.OpenAPI))
	if err != nil {
		t.Fatal(err)
	}
	return &openAPIDocument{document.(map[string]any)}
}

// at returns the value below node that keys lead to. It follows references.
func (d *openAPIDocument) at(node any, keys ...string) (any, bool) {
	for _, key := range keys {
		object, ok := node.(map[string]any)
		if !ok {
			return nil, false
		}
		if node, ok = object[key]; !ok {
			return nil, false
		}
		if object, ok := node.(map[string]any); ok {
			if reference, ok := object["$ref"].(string); ok {
				node, _ = d.at(d.document, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
			}
		}
	}
	return node, true
}

// response returns the description of the response to r with status.
func (d *openAPIDocument) response(r *http.Request, status int) (map[string]any, bool) {
	method := strings.ToLower(r.Method)
	found, ok := d.at(d.document, "paths", r.URL.Path, method, "responses", strconv.Itoa(status))
	response, _ := found.(map[string]any)
	return response, ok
}

// check fails the test unless the document describes the response. It ignores responses to unknown paths and methods.
func (d *openAPIDocument) check(t *testing.T, r *http.Request, response *httptest.ResponseRecorder) {
	t.Helper()
	if _, known := d.at(d.document, "paths", r.URL.Path, strings.ToLower(r.Method)); !known {
		return
	}
	described, ok := d.response(r, response.Code)
	if !ok {
		t.Errorf("the OpenAPI document has no %d for %s %s", response.Code, r.Method, r.URL.Path)
		return
	}
	for header := range described["headers"].(map[string]any) {
		required, _ := d.at(described, "headers", header, "required")
		if required == true && response.Header().Get(header) == "" {
			t.Errorf("the response lacks the header %s of the OpenAPI document", header)
		}
	}
	mediaType, _, err := mime.ParseMediaType(response.Header().Get("Content-Type"))
	if err != nil {
		t.Errorf("Content-Type: %v", err)
	}
	content, ok := d.at(described, "content", mediaType)
	if !ok {
		t.Errorf("the OpenAPI document has no %s for %d of %s", mediaType, response.Code, r.URL.Path)
		return
	}
	if strings.HasPrefix(mediaType, "text/") {
		return // its schema is only a string
	}
	schema, _ := d.at(content, "schema")
	d.validate(t, schema, response.Body.Bytes())
}

func (d *openAPIDocument) validate(t *testing.T, schema any, body []byte) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	wrapped := map[string]any{
		"$schema":    "https://json-schema.org/draft/2020-12/schema",
		"components": d.document["components"],
		"allOf":      []any{schema},
	}
	if err := compiler.AddResource("response.json", wrapped); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("response.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("the response does not match the OpenAPI document: %v\n%s", err, body)
	}
}

func TestOpenAPIDocument(t *testing.T) {
	contract := openAPI(t)
	paths, _ := contract.at(contract.document, "paths")
	h := newHandler(t, engine{}, document, io.Discard, func(c *httpapi.Config) {
		withLedger(newLedger(t))(c)
		c.Console = true
	})
	for path, item := range paths.(map[string]any) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			_, documented := item.(map[string]any)[method]
			status := send(h, call{method: strings.ToUpper(method), target: path}).Code
			if exists := status != http.StatusMethodNotAllowed && status != http.StatusNotFound; exists != documented {
				t.Errorf("%s %s: documented %v, status %d", method, path, documented, status)
			}
		}
	}
	codes, _ := contract.at(contract.document, "components", "schemas", "Problem", "properties", "code", "enum")
	for _, code := range giftstats.Codes() {
		if !slices.Contains(codes.([]any), any(string(code))) {
			t.Errorf("the document lacks the code %s", code)
		}
	}
	if len(codes.([]any)) != len(giftstats.Codes()) {
		t.Errorf("the document has %d codes, want %d", len(codes.([]any)), len(giftstats.Codes()))
	}
}
