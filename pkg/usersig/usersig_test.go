package usersig_test

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/giftstats/giftstats/pkg/usersig"
)

var admin = usersig.Identity{SDKAppID: 1400000000, Account: "administrator", Key: "not-a-real-key"}

func TestSignKeepsTheSignatureForHalfItsValidity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer := usersig.NewSigner(time.Now)
		first := sign(t, signer, admin)
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				if sig := sign(t, signer, admin); sig != first {
					t.Error("two callers got different signatures")
				}
			})
		}
		callers.Wait()
		time.Sleep(12*time.Hour - time.Second)
		if sign(t, signer, admin) != first {
			t.Error("renewed before half of the validity")
		}
		time.Sleep(time.Second)
		second := sign(t, signer, admin)
		if second == first {
			t.Error("not renewed at half of the validity")
		}
		if err := usersig.Verify(second, admin, time.Now().Add(usersig.Validity)); err != nil {
			t.Errorf("the signature is not valid for %v: %v", usersig.Validity, err)
		}
		if err := usersig.Verify(second, admin, time.Now().Add(usersig.Validity+time.Second)); !errors.Is(err, usersig.ErrExpired) {
			t.Errorf("after its validity: %v, want ErrExpired", err)
		}
	})
}

func TestManyFirstCallersShareOneSignature(t *testing.T) {
	signer := usersig.NewSigner(time.Now)
	sigs := make([]string, 50)
	var callers sync.WaitGroup
	for i := range sigs {
		callers.Go(func() { sigs[i] = sign(t, signer, admin) })
	}
	callers.Wait()
	for _, sig := range sigs {
		if sig != sigs[0] {
			t.Fatal("two first callers got different signatures")
		}
	}
}

func TestSignReplacesTheSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer := usersig.NewSigner(time.Now)
		first := sign(t, signer, admin)
		time.Sleep(time.Second)
		signer.Forget("another")
		if sign(t, signer, admin) != first {
			t.Error("Forget removed another signature")
		}
		signer.Forget(first)
		second := sign(t, signer, admin)
		if second == first {
			t.Error("a refused signature is reused")
		}
		for name, other := range map[string]usersig.Identity{
			"key":     {SDKAppID: admin.SDKAppID, Account: admin.Account, Key: "another-not-real-key"},
			"app":     {SDKAppID: 1400000001, Account: admin.Account, Key: admin.Key},
			"account": {SDKAppID: admin.SDKAppID, Account: "other", Key: admin.Key},
		} {
			sig := sign(t, signer, other)
			if err := usersig.Verify(sig, other, time.Now()); err != nil {
				t.Errorf("another %s: the signature is not valid for the new identity: %v", name, err)
			}
			if usersig.Verify(sig, admin, time.Now()) == nil {
				t.Errorf("another %s: the signature is valid for the old identity", name)
			}
		}
	})
}

func TestSignRequiresACompleteIdentity(t *testing.T) {
	for _, identity := range []usersig.Identity{
		{},
		{SDKAppID: 1, Account: "a"},
		{SDKAppID: 1, Key: "k"},
		{Account: "a", Key: "k"},
	} {
		if sig, err := usersig.NewSigner(time.Now).Sign(identity); err == nil {
			t.Errorf("%+v was signed: %s", identity, sig)
		}
	}
}

func sign(t *testing.T, signer *usersig.Signer, identity usersig.Identity) string {
	t.Helper()
	sig, err := signer.Sign(identity)
	if err != nil {
		t.Errorf("Sign: %v", err)
	}
	return sig
}

// pack compresses and encodes a document as a UserSig, without the library.
func pack(document string) string {
	var packed bytes.Buffer
	w := zlib.NewWriter(&packed)
	io.WriteString(w, document)
	w.Close()
	return strings.NewReplacer("+", "*", "/", "-", "=", "_").Replace(base64.StdEncoding.EncodeToString(packed.Bytes()))
}

// document returns the JSON document of a UserSig, signed without the library.
func document(identity usersig.Identity, at, expire int64, change func(map[string]any)) string {
	mac := hmac.New(sha256.New, []byte(identity.Key))
	fmt.Fprintf(mac, "TLS.identifier:%s\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:%d\n", identity.Account, identity.SDKAppID, at, expire)
	fields := map[string]any{
		"TLS.ver": "2.0", "TLS.identifier": identity.Account, "TLS.sdkappid": identity.SDKAppID, "TLS.time": at, "TLS.expire": expire,
		"TLS.sig": base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}
	if change != nil {
		change(fields)
	}
	text, _ := json.Marshal(fields)
	return string(text)
}

func TestVerify(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := now.Unix()
	user := usersig.Identity{SDKAppID: 1400000000, Account: "user:1", Key: "not-a-real-key"}
	with := func(field string, value any) string {
		return pack(document(user, at, 100, func(f map[string]any) { f[field] = value }))
	}
	good := pack(document(user, at, 100, nil))
	for _, test := range []struct {
		name string
		sig  string
		who  usersig.Identity
		want error
	}{
		{name: "valid", sig: good, who: user},
		{name: "just before it expires", sig: pack(document(user, at-100, 100, nil)), who: user},
		{name: "expired", sig: pack(document(user, at-101, 100, nil)), who: user, want: usersig.ErrExpired},
		{
			name: "another account",
			sig:  good,
			who:  usersig.Identity{SDKAppID: user.SDKAppID, Account: "user:2", Key: user.Key},
			want: usersig.ErrInvalid,
		},
		{name: "another app", sig: good, who: usersig.Identity{SDKAppID: 1, Account: user.Account, Key: user.Key}, want: usersig.ErrInvalid},
		{
			name: "another key",
			sig:  good,
			who:  usersig.Identity{SDKAppID: user.SDKAppID, Account: user.Account, Key: "other"},
			want: usersig.ErrInvalid,
		},
		{name: "no identity", sig: good, who: usersig.Identity{}, want: usersig.ErrInvalid},
		{name: "empty", who: user, want: usersig.ErrInvalid},
		{name: "not base64", sig: "???", who: user, want: usersig.ErrInvalid},
		{
			name: "standard base64 alphabet",
			sig:  strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(good),
			who:  user,
			want: usersig.ErrInvalid,
		},
		{name: "broken by a newline", sig: good[:20] + "\n" + good[20:], who: user, want: usersig.ErrInvalid},
		{name: "truncated", sig: good[:len(good)/2], who: user, want: usersig.ErrInvalid},
		{name: "base64 but not zlib", sig: "QUJD", who: user, want: usersig.ErrInvalid},
		{name: "zlib but not JSON", sig: pack("hello"), who: user, want: usersig.ErrInvalid},
		{name: "JSON of the wrong types", sig: with("TLS.time", "soon"), who: user, want: usersig.ErrInvalid},
		{name: "JSON null", sig: pack("null"), who: user, want: usersig.ErrInvalid},
		{name: "version 1", sig: with("TLS.ver", "1.0"), who: user, want: usersig.ErrInvalid},
		{name: "no signature", sig: with("TLS.sig", ""), who: user, want: usersig.ErrInvalid},
		{name: "other signature", sig: with("TLS.sig", "AAAA"), who: user, want: usersig.ErrInvalid},
		{name: "longer validity than signed", sig: with("TLS.expire", 100_000), who: user, want: usersig.ErrInvalid},
		{name: "time that overflows", sig: with("TLS.expire", int64(9_223_372_036_854_775_807)), who: user, want: usersig.ErrInvalid},
		{name: "negative time", sig: with("TLS.time", -1), who: user, want: usersig.ErrInvalid},
		{name: "a TRTC private map key", sig: with("TLS.userbuf", "AAAA"), who: user, want: usersig.ErrInvalid},
		{
			name: "decompresses to too much",
			sig:  pack(document(user, at, 100, nil) + strings.Repeat(" ", 1<<20)),
			who:  user,
			want: usersig.ErrInvalid,
		},
		{name: "too long", sig: strings.Repeat("A", 5000), who: user, want: usersig.ErrInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := usersig.Verify(test.sig, test.who, now); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("Verify = %v, want %v", err, test.want)
			}
		})
	}
}

func ExampleVerify() {
	signer := usersig.NewSigner(time.Now)
	user := usersig.Identity{SDKAppID: 1400000000, Account: "user1", Key: "not-a-real-key"}
	sig, _ := signer.Sign(user)
	fmt.Println(usersig.Verify(sig, user, time.Now()))
	user.Account = "user2"
	fmt.Println(usersig.Verify(sig, user, time.Now()))
	// Output:
	// <nil>
	// usersig: not a valid signature of this account
}

func FuzzVerify(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	user := usersig.Identity{SDKAppID: 1400000000, Account: "user1", Key: "not-a-real-key"}
	stranger := usersig.Identity{SDKAppID: 1400000000, Account: "user1", Key: "a-stranger's"}
	f.Add(document(user, now.Unix(), 100, nil), true)
	f.Add(document(stranger, now.Unix(), 100, nil), true)
	f.Add("{}", true)
	f.Add("eJw", false)
	genuine := document(user, now.Unix(), 100, nil)
	f.Fuzz(func(t *testing.T, text string, packed bool) {
		sig := text
		if packed {
			sig = pack(text)
		}
		if usersig.Verify(sig, user, now) != nil {
			return
		}
		var got, want struct {
			Sig []byte `json:"TLS.sig"`
		}
		if json.Unmarshal([]byte(text), &got); packed && json.Unmarshal([]byte(genuine), &want) == nil && !bytes.Equal(got.Sig, want.Sig) {
			t.Fatalf("accepted a forged signature: %s", text)
		}
	})
}

func BenchmarkSign(b *testing.B) {
	b.Run("cached", func(b *testing.B) {
		signer := usersig.NewSigner(time.Now)
		for b.Loop() {
			if _, err := signer.Sign(admin); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("uncached", func(b *testing.B) {
		for b.Loop() {
			if _, err := usersig.NewSigner(time.Now).Sign(admin); err != nil {
				b.Fatal(err)
			}
		}
	})
}
