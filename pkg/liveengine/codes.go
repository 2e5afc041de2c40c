package liveengine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// repeat says what to do with a call that failed.
type repeat int

const (
	never      repeat = iota // the same call will fail the same way
	later                    // wait and try again
	signAgain                // read the secret again, sign with it, and try again once
	signOrHold               // the same, and make no calls while that gives no signature that is accepted
	stop                     // make no calls at all for a minute
)

// rule says how one of Tencent's error codes is handled: which code callers see, and whether the call is repeated.
type rule struct {
	code    int
	class   giftstats.Code
	repeat  repeat
	meaning string // shown to callers, with what to change, if anything
	source  source // empty for codes that are not documented
}

// source is the page that documents a code.
type source string

const (
	chatEN     source = "https://www.tencentcloud.com/document/product/1047/34348"
	chatZH     source = "https://cloud.tencent.com/document/product/679/131708"
	chatOld    source = "https://www.tencentcloud.com/document/product/1047/34348 (about 2020)"
	roomInfo   source = "https://trtc.io/document/63404"
	createRoom source = "https://www.tencentcloud.com/document/product/647/60713"
	catalogue  source = "https://www.tencentcloud.com/document/product/647/120502"
	robots     source = "https://www.tencentcloud.com/document/product/647/69079"
	sendGift   source = "https://www.tencentcloud.com/zh/document/product/1071/76861"
	beforeGift source = "https://www.tencentcloud.com/document/product/647/72210"
	hookToken  source = "https://www.tencentcloud.com/document/product/647/69529"
)

const (
	accountMissing = giftstats.CodeAccountNotFound
	roomMissing    = giftstats.CodeRoomNotFound
	config         = giftstats.CodeUpstreamConfig
	credentials    = giftstats.CodeUpstreamCredentials
	limited        = giftstats.CodeRateLimited
	rejected       = giftstats.CodeUpstreamRejected
	suspended      = giftstats.CodeUpstreamSuspended
	unavailable    = giftstats.CodeUpstreamUnavailable
)

// rules lists the documented codes of the live engine and of the gateway in front of it, in ascending order. The meanings are
// Tencent's; the classes and what to do are ours. Three are easy to get wrong: 60017 means that requests are disabled, not
// that there are too many; 40006 is an internal error, not a limit; and 60002 comes from something between us and the API.
var rules = []rule{
	{10006, limited, later, "the group service is called too often", chatOld},
	{40006, unavailable, later, "internal error of the profile service", chatEN},
	{60002, unavailable, later, "the HTTP request could not be parsed, although it is well formed", chatEN},
	{60003, rejected, never, "the JSON of the request could not be parsed", chatEN},
	{60004, credentials, signAgain, "the account or the signature was not accepted", chatEN},
	{60005, credentials, signAgain, "the account or the signature was not accepted", chatEN},
	{60006, config, never, "the SDKAppID is invalid: check sdk_app_id in the secret", chatZH},
	{60007, limited, later, "the API is called too often", chatEN},
	{60008, unavailable, later, "the service timed out", chatEN},
	{60009, config, never, "the resource does not exist: check GIFTSTATS_ENDPOINT", chatEN},
	{60010, credentials, never, "the account has no administrator rights: check admin in the secret", chatEN},
	{60011, limited, later, "the app calls too often", chatZH},
	{60012, rejected, never, "the SDKAppID is missing from the request", chatEN},
	{60013, unavailable, later, "the server could not process an internal answer", chatEN},
	{60014, unavailable, later, "checking the account timed out", chatEN},
	{60015, rejected, never, "an account in the request has the wrong type", chatEN},
	{60016, suspended, never, "the app is disabled: ask Tencent's support", chatEN},
	{60017, suspended, never, "requests of the app are disabled: ask Tencent's support", chatEN},
	{60018, limited, later, "the app calls too often", chatEN},
	{60019, limited, later, "the app calls too often", chatZH},
	{60020, suspended, never, "the plan has expired or is in arrears", chatEN},
	{60021, config, never, "the source address is not allowed: allow this function's egress address in the console", chatEN},
	{60025, credentials, never, "sdk_app_id, admin or the signature is wrong: check the secret", chatEN},
	{60026, config, never, "host and region of the app differ: set GIFTSTATS_ENDPOINT to the app's region", chatEN},
	{60027, config, never, "the resource belongs to another product", chatEN},
	{60028, suspended, never, "the trial edition's call quota for 24 hours is used up", chatEN},
	{70001, credentials, signOrHold, "the signature has expired", chatEN},
	{70002, rejected, never, "the signature is missing from the request", chatOld},
	{70003, credentials, signOrHold, "the signature is malformed", chatEN},
	{70005, credentials, signOrHold, "the signature is malformed", chatOld},
	{70009, credentials, signOrHold, "the signature is wrong: secret_key is probably another app's, or was changed", chatEN},
	{70013, credentials, signOrHold, "the account differs from the one in the signature", chatEN},
	{70014, credentials, signOrHold, "the SDKAppID differs from the one in the signature", chatEN},
	{70016, credentials, signOrHold, "the app's key was not found: check sdk_app_id and GIFTSTATS_ENDPOINT", chatEN},
	{70020, config, never, "the SDKAppID was not found: check sdk_app_id and GIFTSTATS_ENDPOINT", chatEN},
	{70050, credentials, stop, "too many wrong signatures: no call is made for a minute", chatEN},
	{70051, credentials, never, "the administrator account is blocked", chatEN},
	{70052, credentials, signOrHold, "the signature was invalidated", chatOld},
	{70107, accountMissing, never, "the account is not imported into the app", chatEN},
	{70114, credentials, never, "the administrator account logged in too often", chatOld},
	{70169, unavailable, later, "the server timed out", chatEN},
	{70202, unavailable, later, "the server timed out", chatOld},
	{70206, rejected, never, "the batch has an invalid size", chatOld},
	{70398, suspended, never, "the app's account quota is used up", chatEN},
	{70399, suspended, never, "importing accounts is banned", chatEN},
	{70402, rejected, never, "a parameter is invalid", chatEN},
	{70403, credentials, never, "the account is not an administrator: check admin in the secret", chatOld},
	{70404, rejected, never, "the version of the SDK is too low", chatEN},
	{70500, unavailable, later, "internal server error", chatEN},
	{71000, config, never, "deleting accounts is not supported", chatEN},
	{72000, suspended, never, "the trial's quota of daily users is used up", chatEN},
	{72001, config, never, "the feature is not switched on in the console", chatEN},
	{72002, suspended, never, "the trial's quota of monthly users is used up", chatEN},
	{72010, limited, later, "the account sends too many requests", chatEN},
	{72011, config, never, "the feature is not switched on in the console", chatEN},
	{72012, config, never, "the feature is not switched on in the console", chatEN},
	{90992, unavailable, later, "internal server error", chatOld},
	{90994, unavailable, later, "internal server error", chatOld},
	{90995, unavailable, later, "internal server error", chatOld},
	{91000, unavailable, later, "internal server error", chatOld},
	{100001, unavailable, later, "internal error of the live engine", roomInfo},
	{100002, rejected, never, "a parameter is invalid", roomInfo},
	{100003, rejected, never, "the room id is already in use", createRoom},
	{100004, roomMissing, never, "no such room, or it was dissolved", roomInfo},
	{100005, rejected, never, "the account is not a member of the room", createRoom},
	{100006, config, never, "not permitted: the room must be of type Live, the account an administrator", robots},
	{100012, limited, later, "the API is called too often", catalogue},
	{100302, config, never, "webhook authentication is not configured", hookToken},
	{102001, config, never, "gifts are not enabled: the app's plan does not include them", sendGift},
	{102002, rejected, never, "unknown gift", sendGift},
	{102004, rejected, never, "the app's before-gift webhook failed", sendGift},
	{102008, rejected, never, "gifts are switched off in the room", sendGift},
}

// ruleFor returns the rule for a code. Only a documented code can be final: an undocumented one may be a hiccup, and if that were
// taken for a result, the end of a stream would be reported without numbers.
func ruleFor(code int, info string) rule {
	index, found := slices.BinarySearchFunc(rules, code, func(r rule, code int) int { return r.code - code })
	switch {
	case found:
		return rules[index]
	case code >= 102100 && code <= 102200:
		return rule{code, rejected, never, "the app's own before-gift webhook rejected the gift", beforeGift}
	case soundsLimited(info):
		return rule{code, limited, later, "undocumented code; its text is about a limit", ""}
	default:
		return rule{code, unavailable, later, "undocumented code", ""}
	}
}

// soundsLimited looks for the words of the documented limits. Tencent's texts are English or Chinese.
func soundsLimited(info string) bool {
	info = strings.ToLower(info)
	return slices.ContainsFunc(
		[]string{"limit", "frequen", "overload", "too many", "频繁", "稍后", "限频"},
		func(word string) bool { return strings.Contains(info, word) },
	)
}

func (r rule) detail() string { return fmt.Sprintf("Tencent answered %d: %s", r.code, r.meaning) }
