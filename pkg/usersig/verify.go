package usersig

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"
)

// Bounds of what is decoded. A signature of a 32-byte account has some 300 bytes, one with a TRTC user buffer some 700.
const (
	maxEncoded = 4 << 10
	maxDecoded = 16 << 10
)

// What [Verify] may say. ErrInvalid stands for every flaw but age, so that its text teaches a forger nothing.
var (
	ErrInvalid = errors.New("usersig: not a valid signature of this account")
	ErrExpired = errors.New("usersig: expired")
)

// Verify checks that sig is a signature of the identity that is good at the time now. It returns nil, ErrExpired or
// ErrInvalid.
//
// The official verifier reads on with an empty signature when the JSON inside is malformed, and decompresses without
// bound, so the shape is checked before it is asked.
func Verify(sig string, identity Identity, now time.Time) error {
	if identity.Key == "" || identity.Account == "" || identity.SDKAppID <= 0 || !wellFormed(sig) {
		return ErrInvalid
	}
	err := tencentyun.VerifyUserSig(uint64(identity.SDKAppID), identity.Key, identity.Account, sig, now)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, tencentyun.ErrExpired):
		return ErrExpired
	default:
		return ErrInvalid
	}
}

// unescape turns the signature's alphabet into that of standard base64.
var unescape = strings.NewReplacer("*", "+", "-", "/", "_", "=")

func wellFormed(sig string) bool {
	if len(sig) > maxEncoded || strings.ContainsAny(sig, "+/=\r\n") {
		return false
	}
	packed, err := base64.StdEncoding.DecodeString(unescape.Replace(sig))
	if err != nil {
		return false
	}
	reader, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return false
	}
	document, err := io.ReadAll(io.LimitReader(reader, maxDecoded+1))
	if err != nil || len(document) > maxDecoded {
		return false
	}
	var fields struct {
		Version string `json:"TLS.ver"`
		Time    int64  `json:"TLS.time"`
		Expire  int64  `json:"TLS.expire"`
		UserBuf []byte `json:"TLS.userbuf"`
		Sig     []byte `json:"TLS.sig"`
	}
	if json.Unmarshal(document, &fields) != nil {
		return false
	}
	return fields.Version == "2.0" && fields.UserBuf == nil && len(fields.Sig) > 0 &&
		fields.Time > 0 && fields.Expire > 0 && fields.Time <= math.MaxInt64-fields.Expire
}
