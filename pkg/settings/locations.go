package settings

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

// parameters lists what may follow the ? of a location, by scheme. A scheme that is not in it takes none.
var parameters = map[string][]string{
	"awssecretsmanager": {"version_stage", "endpoint"},
	"tencentssm":        {"version", "region", "endpoint"},
	"scf":               {"region", "namespace", "qualifier", "endpoint"},
	"dynamodb":          {"endpoint"},
}

func (p *parser) secret(name string) *Location {
	value := p.take(name)
	if value == "" {
		if !p.platform.Local {
			p.mistake(name, "is missing: set it to where the secret is kept, one of %s", examples(p.platform.Secrets))
		}
		return nil
	}
	location, err := parseLocation(value, p.platform, p.platform.Secrets, "awssecretsmanager", "tencentssm", "env", "file")
	if err != nil {
		p.mistake(name, "%v", err)
		return nil
	}
	if location.Scheme == "file" && !strings.HasPrefix(location.Name, "/") {
		p.mistake(name, "must have an absolute path: file:///path")
	}
	return location
}

func (p *parser) queue(name string) *Location {
	value := p.take(name)
	if value == "" {
		return nil
	}
	location, err := parseLocation(value, p.platform, p.platform.Queues, "sqs", "scf")
	if err == nil && location.Scheme == "sqs" {
		err = checkSQS(location.Name)
	}
	if err != nil {
		p.mistake(name, "%v", err)
		return nil
	}
	return location
}

func (p *parser) deliver(name string) []Location {
	value := p.take(name)
	if value == "" {
		return []Location{{Scheme: "log"}}
	}
	var locations []Location
	for part := range strings.SplitSeq(value, ",") {
		location, err := p.delivery(strings.TrimSpace(part))
		if err != nil {
			p.mistake(name, "%v", err)
			continue
		}
		locations = append(locations, *location)
	}
	return locations
}

func (p *parser) delivery(text string) (*Location, error) {
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		return webAddress(text)
	}
	if text == "log://" {
		return &Location{Scheme: "log"}, nil
	}
	location, err := parseLocation(text, p.platform, slices.Concat(p.platform.Deliver, p.platform.Beyond), "log", "https", "sqs", "eventbridge")
	if err == nil && location.Scheme == "sqs" {
		err = checkSQS(location.Name)
	}
	return location, err
}

// withoutBeyond keeps the receivers that this function carries clients for.
func (p *parser) withoutBeyond(receivers []Location, queued bool) []Location {
	var carried []Location
	for _, receiver := range receivers {
		switch {
		case !slices.Contains(p.platform.Beyond, receiver.Scheme):
			carried = append(carried, receiver)
		case !queued:
			p.mistake("GIFTSTATS_DELIVER", "names %s://, which only the stream-end function carries a client for: set GIFTSTATS_QUEUE, so that it delivers, or use one of %s",
				receiver.Scheme, examples(p.platform.Deliver))
		}
	}
	return carried
}

// webAddress keeps the URL whole, with its query: it belongs to the receiver.
func webAddress(text string) (*Location, error) {
	address, err := url.Parse(text)
	switch {
	case err != nil || address.Hostname() == "" || address.User != nil || address.Fragment != "":
		return nil, errors.New("has a URL that is not like https://host/path (without user and fragment)")
	}
	if err := endpoint.CheckScheme(address); err != nil {
		return nil, err
	}
	scheme, name, _ := strings.Cut(text, "://")
	return &Location{Scheme: scheme, Name: name}, nil
}

// parseLocation reads scheme://name?parameters. Of the known schemes it takes those that the platform carries; the values
// are not repeated in errors, since somebody may have put a secret there.
func parseLocation(text string, platform Platform, carried []string, known ...string) (*Location, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !slices.Contains(known, scheme) {
		return nil, fmt.Errorf("must begin with one of %s", examples(carried))
	}
	if !slices.Contains(carried, scheme) {
		return nil, fmt.Errorf("names %s://, which %s does not carry a client for: use one of %s", scheme, platform.Name, examples(carried))
	}
	name, query, _ := strings.Cut(rest, "?")
	if name == "" {
		return nil, fmt.Errorf("has nothing after %s://", scheme)
	}
	params, err := parseParams(scheme, query)
	if err != nil {
		return nil, err
	}
	return &Location{Scheme: scheme, Name: name, Params: params}, nil
}

func parseParams(scheme, query string) (map[string]string, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("has parameters after ? that are not escaped like in a URL")
	}
	params := make(map[string]string, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(parameters[scheme], key):
			return nil, fmt.Errorf("has a parameter that %s:// does not know (known: %s)", scheme, strings.Join(parameters[scheme], ", "))
		case len(values[key]) != 1 || values[key][0] == "":
			return nil, fmt.Errorf("has the parameter %s empty or more than once", key)
		}
		params[key] = values[key][0]
	}
	if text, ok := params["endpoint"]; ok {
		if _, err := endpoint.Parse(text); err != nil {
			return nil, fmt.Errorf("has a parameter endpoint that %w", err)
		}
	}
	return params, nil
}

// checkSQS wants HOST/ACCOUNT/NAME, the queue's URL without its scheme.
func checkSQS(name string) error {
	if parts := strings.Split(name, "/"); len(parts) != 3 || slices.Contains(parts, "") {
		return errors.New("has an sqs:// address that is not like sqs://sqs.eu-west-1.amazonaws.com/123456789012/queue")
	}
	return nil
}

func examples(schemes []string) string {
	texts := make([]string, len(schemes))
	for i, scheme := range schemes {
		texts[i] = map[string]string{
			"awssecretsmanager": "awssecretsmanager://NAME-OR-ARN",
			"tencentssm":        "tencentssm://NAME?version=v1&region=ap-singapore",
			"env":               "env://VARIABLE",
			"file":              "file:///path",
			"sqs":               "sqs://HOST/ACCOUNT/NAME",
			"scf":               "scf://FUNCTION?region=REGION",
			"log":               "log://",
			"https":             "https://host/path",
			"http":              "http:// to a loopback host",
			"eventbridge":       "eventbridge://BUS",
			"dynamodb":          "dynamodb://TABLE",
			"redis":             "redis://HOST:PORT/DB",
			"rediss":            "rediss://HOST:PORT/DB",
			"memory":            "memory://",
		}[scheme]
	}
	if len(texts) == 0 {
		return "none (it has to be empty here)"
	}
	return strings.Join(texts, ", ")
}
