package awsapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/giftstats/giftstats/internal/fakes/cloudapi"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	dateTime  = "20060102T150405Z"
	tolerance = 5 * time.Minute // between the clocks of client and server
)

// verify checks the signature of a request by signing the request itself. The server is locked.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func (s *Server) verify(r *http.Request, service string, body []byte) *failure {
	header := r.Header.Get("Authorization")
	if header == "" {
		return refused("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	claimed, ok := parseAuthorization(header)
	if !ok {
		return refused("IncompleteSignatureException",
			"Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' of "+algorithm)
	}
	signedAt, err := time.Parse(dateTime, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return refused("IncompleteSignatureException", "Authorization header requires existence of an 'X-Amz-Date' header")
	}
	switch skew := s.now().Sub(signedAt); {
	case claimed.KeyID != s.credentials.AccessKeyID, r.Header.Get("X-Amz-Security-Token") != s.credentials.SessionToken:
		return refused("UnrecognizedClientException", "The security token included in the request is invalid.")
	case skew > tolerance:
		return refused("InvalidSignatureException", "Signature expired: "+r.Header.Get("X-Amz-Date")+" is more than 5 min. ago")
	case skew < -tolerance:
		return refused("InvalidSignatureException", "Signature not yet current: "+r.Header.Get("X-Amz-Date")+" is more than 5 min. ahead")
	case claimed.Date != signedAt.Format("20060102"):
		return refused("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP")
	case claimed.Scope[0] != s.region:
		return refused("InvalidSignatureException", "Credential should be scoped to a valid region.")
	case claimed.Scope[1] != service:
		return refused("InvalidSignatureException", "Credential should be scoped to correct service: '"+service+"'.")
	}
	if unsigned := mustBeSigned(r.Header, claimed.SignedHeaders); unsigned != "" {
		return refused("InvalidSignatureException", "'"+unsigned+"' must be a 'SignedHeader' in the AWS Credential.")
	}
	if subtle.ConstantTimeCompare([]byte(s.sign(r, service, claimed.SignedHeaders, signedAt, body)), []byte(claimed.Signature)) == 0 {
		return mismatch(r, claimed.SignedHeaders)
	}
	return nil
}

func refused(code, message string) *failure {
	return &failure{status: http.StatusForbidden, code: code, message: message}
}

// mismatch includes the canonical request in its message, with the client's session token, as AWS does: see
// https://github.com/aws/aws-sdk-cpp/issues/17.
func mismatch(r *http.Request, signedHeaders []string) *failure {
	var text strings.Builder
	text.WriteString("The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n" +
		"The Canonical String for this request should have been\n'")
	text.WriteString(r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n")
	for _, name := range signedHeaders {
		text.WriteString(name + ":" + strings.Join(r.Header.Values(name), ",") + "\n")
	}
	text.WriteString("\n" + strings.Join(signedHeaders, ";") + "'\n")
	return refused("InvalidSignatureException", text.String())
}

// parseAuthorization reads a header whose scope is region and service.
func parseAuthorization(header string) (cloudapi.Authorization, bool) {
	return cloudapi.ParseAuthorization(header, algorithm, "aws4_request", 2)
}

// mustBeSigned returns the name of an unsigned header that must be signed: the host and all headers of AWS.
func mustBeSigned(header http.Header, signed []string) string {
	if !slices.Contains(signed, "host") {
		return "host"
	}
	for name := range header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
			return name
		}
	}
	return ""
}

// sign returns the signature that the request must have. The SDK's signer computes it, on a copy with only the headers that the
// client signed; the signer adds host, date and session token itself.
func (s *Server) sign(r *http.Request, service string, signed []string, at time.Time, body []byte) string {
	unsigned := &http.Request{
		Method: r.Method,
		URL:    &url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery},
		Host:   r.Host,
		Header: http.Header{},
	}
	for _, name := range signed {
		if name == "content-length" {
			unsigned.ContentLength = int64(len(body))
			continue
		}
		if values := r.Header.Values(name); len(values) > 0 {
			unsigned.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
	}
	credentials := aws.Credentials{
		AccessKeyID:     s.credentials.AccessKeyID,
		SecretAccessKey: s.credentials.SecretAccessKey,
		SessionToken:    s.credentials.SessionToken,
	}
	hash := sha256.Sum256(body)
	if v4.NewSigner().SignHTTP(context.Background(), credentials, unsigned, hex.EncodeToString(hash[:]), service, s.region, at) != nil {
		return ""
	}
	made, _ := parseAuthorization(unsigned.Header.Get("Authorization"))
	return made.Signature
}
