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
	official        = "eAEArwBQ-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4cGlyZSI6ODY0MDAsIlRMUy50aW1lIjoxNzk1NDIwMTI5LCJUTFMuc2lnIjoiV2w3M0trWGNrUDdWV1BBZElJSVBrT3JET2ZvUGhFQ216WUVpa3Z2U3loWT0ifQoBAAD--wEONOQ_"
	officialUserBuf = "eAEA-AAD-3siVExTLnZlciI6IjIuMCIsIlRMUy5pZGVudGlmaWVyIjoiYWRtaW5pc3RyYXRvciIsIlRMUy5zZGthcHBpZCI6MTQwMDAwMDAwMCwiVExTLmV4cGlyZSI6ODY0MDAsIlRMUy50aW1lIjoxNzk1NDIwMTI5LCJUTFMudXNlcmJ1ZiI6IkFRQU5ZV1J0YVc1cGMzUnlZWFJ2Y2xOeVRnQUFBQUFBYXdWQllRQUFBUDhBQUFBQUFBZHliMjl0WDJsayIsIlRMUy5zaWciOiJjTlk4b24zdTZHSlcrQS9xdDMxL2dzbHdGb3ErTG5uRGRNYmdBNUZPRW9JPSJ9CgEAAP--eoxMMA__"
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
		{"own signer", good, 0, ""},
		{"compressed", encode(deflate(signedText(key, nil))), 0, ""},
		{"official library", official, 0, ""},
		{"official library with userbuf", officialUserBuf, 0, ""},
		{"userbuf", with("TLS.userbuf", "AAECAw=="), 0, ""},
		{"made in the future", with("TLS.time", start.Unix()+3600), 0, ""},
		{"last second", sign(key, map[string]any{"TLS.time": start.Unix() - 10, "TLS.expire": 10}), 0, ""},
		{"a second later", sign(key, map[string]any{"TLS.time": start.Unix() - 11, "TLS.expire": 10}), 70001, "expired at 1795420129"},
		{"expired, but of another key", sign("another", map[string]any{"TLS.time": 1}), 70009, ""},
		{"userbuf not under the MAC", sign(key, map[string]any{"TLS.userbuf": "AAAA", "TLS.sig": "AAAA"}), 70009, ""},
		{"no MAC", with("TLS.sig", ""), 70009, ""},
		{"right form, wrong MAC", text("", ""), 70009, ""},

		{"cut", good[:len(good)-8], 70003, ""},
		{"standard base64", strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(official), 70003, "base64"},
		{"without padding", strings.TrimRight(official, "_"), 70003, "base64"},
		{"line break", good[:8] + "\n" + good[8:], 70003, "line break"},
		{"no zlib", encode([]byte("no zlib at all")), 70003, "not zlib"},
		{"broken zlib", encode(append(pack(raw)[:20], 0xff, 0xff, 0xff, 0xff)), 70003, "broken zlib"},
		{"bytes after the end", encode(append(pack(raw), 0)), 70003, "1 bytes after the end"},
		{"largest", encode(deflate([]byte(raw + strings.Repeat(" ", 64<<10-len(raw))))), 70009, ""},
		{"too large", encode(deflate([]byte(raw + strings.Repeat(" ", 64<<10-len(raw)+1)))), 70003, "65536 bytes"},
		{"zip bomb", encode(deflate(make([]byte, 2<<20))), 70003, "65536 bytes"},
		{"not JSON", encode(pack("{")), 70003, "JSON object"},
		{"null", encode(pack("null")), 70003, "JSON object"},
		{"not an object", encode(pack("[]")), 70003, "JSON object"},
		{"version 1.0", text("2.0", "1.0"), 70003, "TLS.ver"},
		{"no version", text(`"TLS.ver":"2.0",`, ""), 70003, "TLS.ver is missing"},
		{"names in other letters", text("TLS.sig", "tls.sig"), 70003, "TLS.sig is missing"},
		{"app as string", text("1400000000", `"1400000000"`), 70003, "TLS.sdkappid must be an Integer"},
		{"fraction", text(`time":1`, `time":1.5`), 70003, "TLS.time must be an Integer"},
		{"negative expiry", text(`expire":1`, `expire":-1`), 70003, "negative"},
		{"negative time", text(`time":1`, `time":-1`), 70003, "negative"},
		{"MAC is no base64", text("AA==", "AA"), 70003, "TLS.sig"},
		{"MAC has stray bits", text("AA==", "AB=="), 70003, "TLS.sig"},
		{"stray bits", encode(make([]byte, 1))[:1] + "B__", 70003, "its base64"},
		{"MAC is a number", text(`"AA=="`, "1"), 70003, "TLS.sig must be a String"},
		{"userbuf is no base64", with("TLS.userbuf", "A"), 70003, "TLS.userbuf"},
		{"userbuf is null", text(`"TLS.sig"`, `"TLS.userbuf":null,"TLS.sig"`), 70003, "TLS.userbuf must be a String"},
		{"line break in the identifier", with("TLS.identifier", "administrator\nTLS.sdkappid:1"), 70003, "control character"},
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
	check(t, a.withSig(t, bad), 70009, "") // counted anew
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
