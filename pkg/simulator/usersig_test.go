package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/pkg/simulator"
)

// Made by https://github.com/tencentyun/tls-sig-api-v2-golang v1.4.0 at 1795420129 for 86400 seconds: GenUserSig, and
// GenPrivateMapKeyWithStringRoomID, which has a userbuf.
const (
	official = "eAEArwBQ-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4" +
		"cGlyZSI6ODY0MDAsIlRMUy50aW1lIjoxNzk1NDIwMTI5LCJUTFMuc2lnIjoiV2w3M0trWGNrUDdWV1BBZElJSVBrT3JET2ZvUGhFQ216WUVpa3Z2U3loWT0i" +
		"fQoBAAD--wEONOQ_"
	officialUserBuf = "" +
		"eAEA-AAD-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4" +
		"cGlyZSI6ODY0MDAsIlRMUy50aW1lIjoxNzk1NDIwMTI5LCJUTFMudXNlcmJ1ZiI6IkFRQU5ZV1J0YVc1cGMzUnlZWFJ2Y2xOeVRnQUFBQUFBYXdWQllRQUFB" +
		"UDhBQUFBQUFBZHliMjl0WDJsayIsIlRMUy5zaWciOiJjTlk4b24zdTZHSlcrQS9xdDMxL2dzbHdGb3ErTG5uRGRNYmdBNUZPRW9JPSJ9CgEAAP--eoxMMA__"
)

func TestUserSigForms(t *testing.T) {
	good := sign(key, nil)
	raw := `{"TLS.ver":"2.0","TLS.identifier":"administrator","TLS.sdkappid":1400000000,"TLS.time":1,"TLS.expire":1,"TLS.sig":"AA=="}`
	pack := func(text string) []byte { return stored([]byte(text)) }
	text := func(old, changed string) string {
		return encode(pack(strings.Replace(raw, old, changed, 1)))
	}
	with := func(name string, value any) string { return sign(key, map[string]any{name: value}) }
	for _, test := range []struct {
		name string
		sig  string
		code int
		info string
	}{
		{name: "own signer", sig: good},
		{name: "compressed", sig: encode(deflate(signedText(key, nil)))},
		{name: "official library", sig: official},
		{name: "official library with userbuf", sig: officialUserBuf},
		{name: "userbuf", sig: with("TLS.userbuf", "AAECAw==")},
		{name: "made in the future", sig: with("TLS.time", start.Unix()+3600)},
		{name: "last second", sig: sign(key, map[string]any{"TLS.time": start.Unix() - 10, "TLS.expire": 10})},
		{
			name: "a second later",
			sig:  sign(key, map[string]any{"TLS.time": start.Unix() - 11, "TLS.expire": 10}),
			code: 70001,
			info: "expired at 1795420129",
		},
		{name: "expired, but of another key", sig: sign("another", map[string]any{"TLS.time": 1}), code: 70009},
		{
			name: "userbuf not under the MAC",
			sig:  sign(key, map[string]any{"TLS.userbuf": "AAAA", "TLS.sig": "AAAA"}),
			code: 70009,
		},
		{name: "no MAC", sig: with("TLS.sig", ""), code: 70009},
		{name: "right form, wrong MAC", sig: text("", ""), code: 70009},

		{name: "cut", sig: good[:len(good)-8], code: 70003},
		{
			name: "standard base64",
			sig:  strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(official),
			code: 70003,
			info: "base64",
		},
		{name: "without padding", sig: strings.TrimRight(official, "_"), code: 70003, info: "base64"},
		{name: "line break", sig: good[:8] + "\n" + good[8:], code: 70003, info: "line break"},
		{name: "no zlib", sig: encode([]byte("no zlib at all")), code: 70003, info: "not zlib"},
		{name: "broken zlib", sig: encode(append(pack(raw)[:20], 0xff, 0xff, 0xff, 0xff)), code: 70003, info: "broken zlib"},
		{name: "bytes after the end", sig: encode(append(pack(raw), 0)), code: 70003, info: "1 bytes after the end"},
		{name: "largest", sig: encode(deflate([]byte(raw + strings.Repeat(" ", 64<<10-len(raw))))), code: 70009},
		{
			name: "too large",
			sig:  encode(deflate([]byte(raw + strings.Repeat(" ", 64<<10-len(raw)+1)))),
			code: 70003,
			info: "65536 bytes",
		},
		{name: "zip bomb", sig: encode(deflate(make([]byte, 2<<20))), code: 70003, info: "65536 bytes"},
		{name: "not JSON", sig: encode(pack("{")), code: 70003, info: "JSON object"},
		{name: "null", sig: encode(pack("null")), code: 70003, info: "JSON object"},
		{name: "not an object", sig: encode(pack("[]")), code: 70003, info: "JSON object"},
		{name: "version 1.0", sig: text("2.0", "1.0"), code: 70003, info: "TLS.ver"},
		{name: "no version", sig: text(`"TLS.ver":"2.0",`, ""), code: 70003, info: "TLS.ver is missing"},
		{name: "names in other letters", sig: text("TLS.sig", "tls.sig"), code: 70003, info: "TLS.sig is missing"},
		{name: "app as string", sig: text("1400000000", `"1400000000"`), code: 70003, info: "TLS.sdkappid must be an Integer"},
		{name: "fraction", sig: text(`time":1`, `time":1.5`), code: 70003, info: "TLS.time must be an Integer"},
		{name: "negative expiry", sig: text(`expire":1`, `expire":-1`), code: 70003, info: "negative"},
		{name: "negative time", sig: text(`time":1`, `time":-1`), code: 70003, info: "negative"},
		{name: "MAC is not base64", sig: text("AA==", "AA"), code: 70003, info: "TLS.sig"},
		{name: "MAC has stray bits", sig: text("AA==", "AB=="), code: 70003, info: "TLS.sig"},
		{name: "stray bits", sig: encode(make([]byte, 1))[:1] + "B__", code: 70003, info: "invalid base64"},
		{name: "MAC is a number", sig: text(`"AA=="`, "1"), code: 70003, info: "TLS.sig must be a String"},
		{name: "userbuf is not base64", sig: with("TLS.userbuf", "A"), code: 70003, info: "TLS.userbuf"},
		{
			name: "userbuf is null",
			sig:  text(`"TLS.sig"`, `"TLS.userbuf":null,"TLS.sig"`),
			code: 70003,
			info: "TLS.userbuf must be a String",
		},
		{
			name: "line break in the identifier",
			sig:  with("TLS.identifier", "administrator\nTLS.sdkappid:1"),
			code: 70003,
			info: "control character",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := newApp(t).withRoom(t)
			check(t, a.withSig(t, test.sig), test.code, test.info)
		})
	}
}

func TestKnownSignatureExpires(t *testing.T) {
	a := newApp(t).withRoom(t)
	check(t, a.withSig(t, a.sig), 0, "")
	a.clock.advance(24 * time.Hour)
	check(t, a.withSig(t, a.sig), 0, "")
	a.clock.advance(time.Second)
	check(t, a.withSig(t, a.sig), 70001, "expired")
}

func TestKnownSignatureIsStillOfOneAccount(t *testing.T) {
	a := newApp(t).withRoom(t)
	check(t, a.withSig(t, a.sig), 0, "")
	query := a.query(a.sig)
	query.Set("identifier", "user1")
	check(t, a.do(t, "POST", "/v4/live_engine_http_srv/get_room_stats", query.Encode(), `{"RoomId":"room_id"}`), 70013, "")
}

func TestManySignaturesAreKnown(t *testing.T) {
	a := newApp(t, unlimited).withRoom(t)
	for i := range 1100 {
		check(t, a.withSig(t, sign(key, map[string]any{"TLS.expire": 86400 + i})), 0, "")
	}
}

func TestSetSecretKey(t *testing.T) {
	a := newApp(t).withRoom(t)
	former, latter := a.sig, sign("second-key", nil)
	check(t, a.withSig(t, former), 0, "")
	check(t, a.withSig(t, latter), 70009, "")

	must(t, a.SetSecretKey("second-key", key))
	check(t, a.withSig(t, former), 0, "")
	check(t, a.withSig(t, latter), 0, "")

	must(t, a.SetSecretKey("second-key"))
	check(t, a.withSig(t, former), 70009, "")
	check(t, a.withSig(t, latter), 0, "")

	if a.SetSecretKey("") == nil || a.SetSecretKey("third-key", "") == nil {
		t.Error("an empty key was taken")
	}
	check(t, a.withSig(t, latter), 0, "")
}

func TestTooManyBadSignaturesShutTheAppOffForAMinute(t *testing.T) {
	a := newApp(t, func(c *simulator.Config) { c.MaxBadSignatures = 3 }).withRoom(t)
	bad := sign("another", nil)
	check(t, a.withSig(t, bad), 70009, "")
	a.clock.advance(time.Minute) // this one is forgotten now
	check(t, a.withSig(t, bad), 70009, "")
	check(t, a.withSig(t, "nonsense"), 70003, "")
	check(t, a.withSig(t, a.sig), 0, "")
	a.clock.advance(time.Minute - 1)
	check(t, a.withSig(t, bad), 70009, "")
	for range 5 {
		check(t, a.withSig(t, a.sig), 70050, "1 minute")
	}
	check(t, a.withSig(t, ""), 70002, "")
	must(t, a.SetSecretKey(key))
	a.clock.advance(time.Minute - 1)
	check(t, a.withSig(t, a.sig), 70050, "")
	a.clock.advance(1)
	check(t, a.withSig(t, bad), 70009, "") // the count starts again
	check(t, a.withSig(t, a.sig), 0, "")
}

func TestTenBadSignaturesByDefault(t *testing.T) {
	a := newApp(t).withRoom(t)
	for range 10 {
		check(t, a.withSig(t, "nonsense"), 70003, "")
	}
	check(t, a.withSig(t, a.sig), 70050, "")

	never := newApp(t, func(c *simulator.Config) { c.MaxBadSignatures = -1 }).withRoom(t)
	for range 100 {
		check(t, never.withSig(t, "nonsense"), 70003, "")
	}
	check(t, never.withSig(t, never.sig), 0, "")
}
