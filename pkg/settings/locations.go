package settings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

// parameters lists the query parameters of a location by scheme. A scheme without an entry takes none.
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
			p.errorf(name, "is required: set it to the location of the secret, %s", forms(p.platform.Secrets))
		}
		return nil
	}
	location, err := parseLocation(value, p.platform, p.platform.Secrets, "awssecretsmanager", "tencentssm", "env", "file")
	if err != nil {
		p.errorf(name, "%v", err)
		return nil
	}
	if location.Scheme == "file" && !strings.HasPrefix(location.Name, "/") {
		p.errorf(name, "must have an absolute path: file:///path")
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
		p.errorf(name, "%v", err)
		return nil
	}
	return location
}

func (p *parser) deadLetters(name string) *Location {
	value := p.take(name)
	if value == "" {
		return nil
	}
	if len(p.platform.DeadLetters) == 0 {
		p.errorf(name, "must be empty on %s: only the stream-end function on AWS Lambda sends dead letters", p.platform.Name)
		return nil
	}
	location, err := parseLocation(value, p.platform, p.platform.DeadLetters, "sqs")
	if err == nil {
		err = checkSQS(location.Name)
	}
	if err != nil {
		p.errorf(name, "%v", err)
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
			p.errorf(name, "%v", err)
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
	location, err := parseLocation(text, p.platform, p.platform.Deliver, "log", "https", "sqs", "eventbridge")
	if err == nil && location.Scheme == "sqs" {
		err = checkSQS(location.Name)
	}
	return location, err
}

// webAddress keeps the query in the name, because it belongs to the receiver's URL.
func webAddress(text string) (*Location, error) {
	address, err := url.Parse(text)
	if err != nil || address.Hostname() == "" || address.User != nil || address.Fragment != "" {
		return nil, errors.New("must be a URL like https://host/path, without user and fragment")
	}
	if err := endpoint.CheckScheme(address); err != nil {
		return nil, err
	}
	scheme, name, _ := strings.Cut(text, "://")
	return &Location{Scheme: scheme, Name: name}, nil
}

// parseLocation reads scheme://name?parameters. Of the known schemes it accepts the supported ones. Its errors do not repeat text,
// which may be a secret in the wrong place.
func parseLocation(text string, platform Platform, supported []string, known ...string) (*Location, error) {
	if len(supported) == 0 {
		return nil, errors.New("must be empty on this platform")
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found || !slices.Contains(known, scheme) {
		return nil, fmt.Errorf("must have the form %s", forms(supported))
	}
	if !slices.Contains(supported, scheme) {
		return nil, fmt.Errorf("must not be %s:// on %s: use %s", scheme, platform.Name, forms(supported))
	}
	name, query, _ := strings.Cut(rest, "?")
	if name == "" {
		return nil, fmt.Errorf("must have a name after %s://", scheme)
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
		return nil, errors.New("must have valid percent-encoding after the ?")
	}
	params := make(map[string]string, len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(parameters[scheme], key):
			known := cmp.Or(strings.Join(parameters[scheme], ", "), "no parameters")
			return nil, fmt.Errorf("has an unknown parameter; %s:// takes %s", scheme, known)
		case len(values[key]) != 1 || values[key][0] == "":
			return nil, fmt.Errorf("must have one value for the parameter %s", key)
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

// checkSQS returns an error unless name is HOST/ACCOUNT/NAME: the queue's URL without its scheme.
func checkSQS(name string) error {
	if parts := strings.Split(name, "/"); len(parts) != 3 || slices.Contains(parts, "") {
		return errors.New("must be like sqs://sqs.eu-west-1.amazonaws.com/123456789012/queue")
	}
	return nil
}

// forms lists the forms of locations with the given schemes, for errors: "a, b or c".
func forms(schemes []string) string {
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
	last := len(texts) - 1
	if last < 1 {
		return strings.Join(texts, "")
	}
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}
