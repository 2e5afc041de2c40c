package main

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/giftstats/giftstats/pkg/giftstats"
)

// The codes from this one on come from the live engine itself, behind the gateway that checks the signature.
const firstLiveEngineCode = 100000

// proves says what a code of Tencent's proves about the settings, where that is more than its class says. What the code means, and what
// to change, is in the table of package liveengine.
var proves = map[int]string{
	60006:  "Wrong app or region: this host does not know the app.",
	60010:  "Wrong administrator: key and region are right, but the account is not an administrator of the app.",
	60021:  "Address not allowed: this machine may not call Tencent for the app, which proves nothing about the key.",
	60026:  "Wrong region: the app is not in the region of this host.",
	60027:  "Wrong app: it belongs to another product.",
	70001:  "Wrong clock: the signature had expired when it arrived, so the clock of this machine is probably wrong.",
	70003:  "Wrong key: Tencent cannot read the signature that was made with it.",
	70005:  "Wrong key: Tencent cannot read the signature that was made with it.",
	70009:  "Wrong key: secret_key is not the key of this app.",
	70016:  "Wrong app or region: this host has no key for the app.",
	70020:  "Wrong app or region: this host does not know the app.",
	70050:  "Too many wrong signatures: Tencent refuses all calls of the app for a minute. Wait, and check again to see the reason.",
	70051:  "Wrong administrator: the account is blocked.",
	70114:  "Wrong administrator: the account is blocked.",
	70403:  "Wrong administrator: key and region are right, but the account is not an administrator of the app.",
	72001:  "Feature off: key and region are right, but the app has a feature switched off.",
	72011:  "Feature off: key and region are right, but the app has a feature switched off.",
	72012:  "Feature off: key and region are right, but the app has a feature switched off.",
	100006: "Not permitted: key and region are right, but the live engine does not permit the call.",
	102001: "Gifts are off: key and region are right, but the app's plan does not include gifts.",
}

// classes says what an error proves by its class.
var classes = map[giftstats.Code]string{
	giftstats.CodeUpstreamCredentials:     "Wrong key, administrator or app: Tencent does not accept the signature.",
	giftstats.CodeUpstreamConfig:          "Wrong address: this host is not Tencent's API for the app.",
	giftstats.CodeUpstreamSuspended:       "Suspended: Tencent does not serve the app at the moment.",
	giftstats.CodeRateLimited:             "Nothing proved: Tencent limits the calls of the app. Check again later.",
	giftstats.CodeUpstreamUnavailable:     "Nothing proved: Tencent has an internal error. Check again later.",
	giftstats.CodeUpstreamTimeout:         "Not reachable: Tencent did not answer in time. Check the network of this machine.",
	giftstats.CodeUpstreamInvalidResponse: "Wrong address: the answer is not from Tencent's API. Check ENDPOINT, and proxies on the way.",
}

// verdict returns what an error of a call proves, or nil if it proves that key and region are right.
func (a *app) verdict(err error) error {
	if err == nil || errors.Is(err, giftstats.CodeRoomNotFound) || errors.Is(err, giftstats.CodeAccountNotFound) {
		return nil
	}
	failed := giftstats.AsError(err)
	text := cmp.Or(classes[failed.Code], "Nothing proved: the call failed.")
	var certificate *tls.CertificateVerificationError
	switch {
	case failed.Upstream != nil && proves[failed.Upstream.ErrorCode] != "":
		text = proves[failed.Upstream.ErrorCode]
	case failed.Code == giftstats.CodeUpstreamRejected && failed.Upstream.ErrorCode >= firstLiveEngineCode:
		text = "Refused: key and region are right, but the live engine does not accept the request."
	case failed.Code == giftstats.CodeUpstreamRejected:
		text = "Refused: Tencent did not accept the form of the request. A proxy on the way may have changed it."
	case errors.As(err, &certificate):
		text = "Wrong certificate: the host cannot prove that it is " + a.endpoint.Hostname() + ". A proxy may be on the way: add its CA " +
			"to the certificates of this machine."
	case failed.Code == giftstats.CodeUpstreamUnavailable && failed.Upstream == nil && failed.Err == nil:
		text = "Nothing proved: the host, or a proxy on the way, answers without a code of Tencent's."
	case failed.Code == giftstats.CodeUpstreamUnavailable && failed.Upstream == nil:
		text = "Not reachable: this machine cannot reach " + a.endpoint.Host + ". Check its network and its proxy."
	}
	return errors.New(text + evidence(failed))
}

// evidence formats what was answered, or why there is no answer.
func evidence(failed *giftstats.Error) string {
	text := "\n  " + failed.Detail
	if failed.Err != nil {
		text += "\n  " + failed.Err.Error()
	}
	if failed.Upstream == nil {
		return text
	}
	if failed.Upstream.ErrorInfo != "" {
		text += fmt.Sprintf("\n  Tencent's text: %q", failed.Upstream.ErrorInfo)
	}
	if failed.Upstream.RequestID != "" {
		text += "\n  Tencent's request id: " + failed.Upstream.RequestID
	}
	return text
}
