package httpapi

import (
	"mime"
	"strconv"
	"strings"
)

// prefersCSV reports whether the Accept headers of a request prefer CSV to JSON: RFC 9110, section 12.5.1. JSON is the default.
// Elements that are malformed are ignored.
func prefersCSV(accept []string) bool {
	return quality(accept, "text", "csv") > quality(accept, "application", "json")
}

// quality returns the weight of a media type: that of the most specific range that matches it, 0 if none does.
func quality(accept []string, mainType, subtype string) float64 {
	weight, specificity := 0.0, 0
	for element := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mediaRange, parameters, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		specific := 0
		switch mediaRange {
		case mainType + "/" + subtype:
			specific = 3
		case mainType + "/*":
			specific = 2
		case "*/*":
			specific = 1
		}
		if q, ok := parseWeight(parameters); ok && specific > specificity {
			weight, specificity = q, specific
		}
	}
	return weight
}

// parseWeight reads the parameter q, a number from 0 to 1; it is 1 if it is absent.
func parseWeight(parameters map[string]string) (float64, bool) {
	text, ok := parameters["q"]
	if !ok {
		return 1, true
	}
	q, err := strconv.ParseFloat(text, 64)
	return q, err == nil && q >= 0 && q <= 1
}
