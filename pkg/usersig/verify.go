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

// Bounds in bytes of what is decoded. A signature of a 32-byte account has about 300 bytes, one with a TRTC user buffer about 700.
const (
	maxEncoded = 4 << 10
	maxDecoded = 16 << 10
)

// The errors of [Verify]. ErrInvalid is the error for everything but age: a forger must not learn what is wrong.
var (
	ErrInvalid = errors.New("usersig: not a valid signature of this account")
	ErrExpired = errors.New("usersig: expired")
)

// Verify checks that sig is a signature of the identity and valid at the time now. It returns nil, ErrExpired or ErrInvalid.
//
// If the JSON inside is malformed, the official verifier continues with an empty signature, and it decompresses without a bound.
// Therefore the form is checked first.
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

// unescape converts the alphabet of a UserSig to that of standard base64.
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
