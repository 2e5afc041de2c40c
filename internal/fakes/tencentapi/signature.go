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
)

const (
	algorithm = "TC3-HMAC-SHA256"
	tolerance = 5 * time.Minute // between the clocks of client and server
)

// authorization is what the header of that name says.
type authorization struct {
	secretID, date, product string
	signedHeaders           []string // in lower case
	signature               string
}

// verify checks the signature of a request by making it again; the server is locked.
//
// Sources: https://www.tencentcloud.com/document/product/1078/38637 (signature),
// https://www.tencentcloud.com/document/product/1078/38658 (codes)
func (s *Server) verify(r *http.Request, product string, body []byte) *failure {
	claimed, ok := parseAuthorization(r.Header.Get("Authorization"))
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
	case claimed.secretID != s.credentials.SecretID:
		return &failure{"AuthFailure.SecretIdNotFound", "The SecretId is not found, please ensure that your SecretId is correct."}
	case r.Header.Get("X-Tc-Token") != s.credentials.Token:
		return &failure{"AuthFailure.TokenFailure", "The provided token is not valid."}
	case claimed.date != signedAt.Format(time.DateOnly), claimed.product != product,
		!slices.Contains(claimed.signedHeaders, "content-type"), !slices.Contains(claimed.signedHeaders, "host"),
		!hmac.Equal([]byte(claimed.signature), []byte(s.sign(r, claimed, body))):
		return &failure{"AuthFailure.SignatureFailure", "The provided credentials could not be validated. Please check your signature is correct."}
	}
	return nil
}

// parseAuthorization reads "TC3-HMAC-SHA256 Credential=ID/DATE/PRODUCT/tc3_request, SignedHeaders=a;b, Signature=hex".
func parseAuthorization(header string) (authorization, bool) {
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return authorization{}, false
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[name] = value
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 4 || scope[3] != "tc3_request" || fields["SignedHeaders"] == "" || fields["Signature"] == "" {
		return authorization{}, false
	}
	return authorization{scope[0], scope[1], scope[2], strings.Split(fields["SignedHeaders"], ";"), fields["Signature"]}, true
}

// sign gives the signature that the request must have.
func (s *Server) sign(r *http.Request, claimed authorization, body []byte) string {
	var headers strings.Builder
	for _, name := range claimed.signedHeaders {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host // net/http keeps it apart
		}
		headers.WriteString(name + ":" + strings.ToLower(strings.TrimSpace(value)) + "\n")
	}
	canonical := strings.Join([]string{
		r.Method, "/", r.URL.RawQuery, headers.String(), strings.Join(claimed.signedHeaders, ";"), digest(body),
	}, "\n")
	scope := claimed.date + "/" + claimed.product + "/tc3_request"
	toSign := strings.Join([]string{algorithm, r.Header.Get("X-Tc-Timestamp"), scope, digest([]byte(canonical))}, "\n")
	key := []byte("TC3" + s.credentials.SecretKey)
	for _, step := range []string{claimed.date, claimed.product, "tc3_request", toSign} {
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
