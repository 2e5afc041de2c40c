package liveengine

import (
	"slices"
	"testing"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// The documented codes, listed a second time by class.
func TestEveryDocumentedCodeHasItsClass(t *testing.T) {
	want := map[giftstats.Code][]int{
		giftstats.CodeRoomNotFound:    {100004},
		giftstats.CodeAccountNotFound: {70107},
		giftstats.CodeRateLimited:     {10006, 60007, 60011, 60018, 60019, 72010, 100012},
		giftstats.CodeUpstreamRejected: {
			60003, 60012, 60015, 70002, 70206, 70402, 70404, 100002, 100003, 100005, 102002, 102004, 102008,
		},
		giftstats.CodeUpstreamCredentials: {
			60004, 60005, 60010, 60025, 70001, 70003, 70005, 70009, 70013, 70014, 70016, 70050, 70051, 70052, 70114, 70403,
		},
		giftstats.CodeUpstreamConfig:      {60006, 60009, 60021, 60026, 60027, 70020, 71000, 72001, 72011, 72012, 100006, 100302, 102001},
		giftstats.CodeUpstreamSuspended:   {60016, 60017, 60020, 60028, 70398, 70399, 72000, 72002},
		giftstats.CodeUpstreamUnavailable: {40006, 60002, 60008, 60013, 60014, 70169, 70202, 70500, 90992, 90994, 90995, 91000, 100001},
	}
	counted := 0
	for class, codes := range want {
		for _, code := range codes {
			counted++
			got := ruleFor(code, "")
			if got.code != code || got.class != class {
				t.Errorf("%d: %+v, want %s", code, got, class)
			}
			if got.meaning == "" || got.source == "" {
				t.Errorf("%d has no meaning or no source", code)
			}
			if mayRepeat := got.repeat == later; mayRepeat != (class == giftstats.CodeRateLimited || class == giftstats.CodeUpstreamUnavailable) {
				t.Errorf("%d of class %s: retried later: %v", code, class, mayRepeat)
			}
		}
	}
	if counted != len(rules) {
		t.Errorf("the table has %d codes, the test %d", len(rules), counted)
	}
	if !slices.IsSortedFunc(rules, func(a, b rule) int { return a.code - b.code }) {
		t.Error("the table is not sorted, so the binary search would miss codes")
	}
	for code := 102100; code <= 102200; code += 50 {
		if got := ruleFor(code, "too many, try again"); got.class != giftstats.CodeUpstreamRejected || got.repeat != never {
			t.Errorf("%d: %+v", code, got)
		}
	}
}

// Words of a limit in the text of an undocumented code: callers then get rate_limited, and slow down.
func TestUndocumentedLimitIsRetriedAsALimit(t *testing.T) {
	for info, want := range map[string]giftstats.Code{
		"frequency limit exceeded":         giftstats.CodeRateLimited,
		"Frequently called":                giftstats.CodeRateLimited,
		"system overload":                  giftstats.CodeRateLimited,
		"Too Many requests":                giftstats.CodeRateLimited,
		"请求过于频繁，请稍后再试":                     giftstats.CodeRateLimited,
		"系统忙，请稍后":                          giftstats.CodeRateLimited,
		"接口限频":                             giftstats.CodeRateLimited,
		"系统繁忙":                             giftstats.CodeUpstreamUnavailable,
		"Internal error, please TRY AGAIN": giftstats.CodeUpstreamUnavailable,
		"nonsense":                         giftstats.CodeUpstreamUnavailable,
		"":                                 giftstats.CodeUpstreamUnavailable,
	} {
		if got := ruleFor(123456, info); got.class != want || got.repeat != later {
			t.Errorf("%q: %+v, want %s and another attempt", info, got, want)
		}
	}
}
