package tencentapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/giftstats/giftstats/internal/fakes/cloudapi"
)

const (
	algorithm = "TC3-HMAC-SHA256"
	tolerance = 5 * time.Minute // between the clocks of client and server
)

// verify checks the signature of a request by signing the request itself. The server is locked.
//
// Sources: https://www.tencentcloud.com/document/product/1078/38637 (signature),
// https://www.tencentcloud.com/document/product/1078/38658 (codes)
func (s *Server) verify(r *http.Request, product string, body []byte) *failure {
	claimed, ok := cloudapi.ParseAuthorization(r.Header.Get("Authorization"), algorithm, "tc3_request", 1)
	if !ok {
		return &failure{"AuthFailure.InvalidAuthorization", "Authorization in the request header is invalid."}
	}
	seconds, err := strconv.ParseInt(r.Header.Get("X-Tc-Timestamp"), 10, 64)
	if err != nil {
		return &failure{"MissingParameter", "The request is missing the parameter `Timestamp`."}
	}
	signedAt := time.Unix(seconds, 0).UTC()
	switch {
	case s.now().Sub(signedAt).Abs() > tolerance:
		return &failure{"AuthFailure.SignatureExpire", "The provided credentials have expired. Please check your local time."}
	case claimed.KeyID != s.credentials.SecretID:
		return &failure{"AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct."}
	case r.Header.Get("X-Tc-Token") != s.credentials.Token:
		return &failure{"AuthFailure.TokenFailure", "The provided token is not valid."}
	case claimed.Date != signedAt.Format(time.DateOnly), claimed.Scope[0] != product,
		!slices.Contains(claimed.SignedHeaders, "content-type"), !slices.Contains(claimed.SignedHeaders, "host"),
		!hmac.Equal([]byte(claimed.Signature), []byte(s.sign(r, claimed, body))):
		return &failure{"AuthFailure.SignatureFailure",
			"The provided credentials could not be validated. Please check your signature is correct."}
	}
	return nil
}

// sign returns the signature that the request must have.
func (s *Server) sign(r *http.Request, claimed cloudapi.Authorization, body []byte) string {
	var headers strings.Builder
	for _, name := range claimed.SignedHeaders {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host // net/http removes it from the header
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	canonical := strings.Join([]string{
		r.Method, "/", r.URL.RawQuery, headers.String(), strings.Join(claimed.SignedHeaders, ";"), digest(body),
	}, "\n")
	scope := claimed.Date + "/" + claimed.Scope[0] + "/tc3_request"
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Tc-Timestamp"), scope, digest([]byte(canonical))}, "\n")
	key := []byte("TC3" + s.credentials.SecretKey)
	for _, step := range []string{claimed.Date, claimed.Scope[0], "tc3_request", toSign} {
		key = mac(key, step)
	}
	return hex.EncodeToString(key)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
