// Package tencentssm keeps the secret in Tencent Cloud's Secrets Manager (SSM).
//
// On SCF the credentials of the function's role come with each invocation, in variables that the SDK's own chain does not
// read, so they are read from the environment whenever the secret is.
//
// Sources: https://cloud.tencent.com/document/api/1140/40522, https://github.com/tencentyun/scf-go-lib/issues/18
package tencentssm

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkerrors "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/errors"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// Options of a [Store].
type Options struct {
	SecretName string
	Version    string                   // of the secret, like v1; custom secrets need one: default SSM_Current
	Region     string                   // default: TENCENTCLOUD_REGION
	Endpoint   string                   // default: https://ssm.tencentcloudapi.com; international accounts: https://ssm.intl.tencentcloudapi.com
	Lookup     func(name string) string // os.Getenv
}

// Store reads one secret.
type Store struct {
	options   Options
	profile   *profile.ClientProfile
	transport http.RoundTripper
}

// New checks the options.
func New(options Options) (*Store, error) {
	if options.Version == "" {
		options.Version = "SSM_Current"
	}
	settings := profile.NewClientProfile()
	settings.HttpProfile.ReqTimeout = 5 // seconds; the context of a read ends before
	if options.Endpoint != "" {
		endpoint, err := url.Parse(options.Endpoint)
		if err != nil || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" {
			return nil, errors.New("GIFTSTATS_SECRET has an endpoint that is not like https://host")
		}
		settings.HttpProfile.Scheme = strings.ToUpper(endpoint.Scheme)
		settings.HttpProfile.Endpoint = endpoint.Host
	}
	return &Store{options, settings, http.DefaultTransport.(*http.Transport).Clone()}, nil
}

// response is the answer of GetSecretValue: exactly one of the two values is not empty.
type response struct {
	*sdkhttp.BaseResponse
	Response struct {
		SecretString string
		SecretBinary string // base64
	}
}

// Fetch reads the secret.
func (s *Store) Fetch(ctx context.Context) ([]byte, error) {
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	region := first(s.options.Region, s.options.Lookup("TENCENTCLOUD_REGION"))
	if region == "" {
		return nil, errors.New("no region is known for Tencent's Secrets Manager: add region=… to GIFTSTATS_SECRET")
	}
	request := sdkhttp.NewCommonRequest("ssm", "2019-09-23", "GetSecretValue")
	request.SetContext(ctx)
	if err := request.SetActionParameters(map[string]any{"SecretName": s.options.SecretName, "VersionId": s.options.Version}); err != nil {
		return nil, err
	}
	answer := &response{BaseResponse: &sdkhttp.BaseResponse{}}
	client := common.NewCommonClient(credential, region, s.profile).WithHttpTransport(s.transport)
	if err := client.Send(request, answer); err != nil {
		return nil, fmt.Errorf("read %s (version %s) from Tencent's Secrets Manager in %s%s: %w", s.options.SecretName, s.options.Version, region, advice(err), hidden(err))
	}
	if answer.Response.SecretString != "" {
		return []byte(answer.Response.SecretString), nil
	}
	value, err := base64.StdEncoding.DecodeString(answer.Response.SecretBinary)
	if err != nil {
		return nil, fmt.Errorf("read %s from Tencent's Secrets Manager: its binary value is no base64", s.options.SecretName)
	}
	return value, nil
}

// credential reads the variables of SCF, or those of the SDK, which a person's own machine has.
func (s *Store) credential() (common.CredentialIface, error) {
	id := first(s.options.Lookup("TENCENTCLOUD_SECRETID"), s.options.Lookup("TENCENTCLOUD_SECRET_ID"))
	key := first(s.options.Lookup("TENCENTCLOUD_SECRETKEY"), s.options.Lookup("TENCENTCLOUD_SECRET_KEY"))
	if id == "" || key == "" {
		return nil, errors.New("there are no credentials to read Tencent's Secrets Manager with: give the function an execution role (SCF then sets TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY)")
	}
	return common.NewTokenCredential(id, key, s.options.Lookup("TENCENTCLOUD_SESSIONTOKEN")), nil
}

// hidden keeps the SDK's error only if it is one of the service's: those about the transport or the decoding may quote what
// was sent or received.
func hidden(err error) error {
	var refused *sdkerrors.TencentCloudSDKError
	if errors.As(err, &refused) {
		if strings.HasPrefix(refused.GetCode(), "ClientError.ParseJsonError") {
			return errors.New("the answer is not the documented JSON")
		}
		return err
	}
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}

// advice says what to do about the errors that a wrong set-up gives.
// Source: https://cloud.tencent.com/document/api/1140/40522
func advice(err error) string {
	var refused *sdkerrors.TencentCloudSDKError
	if !errors.As(err, &refused) {
		return ""
	}
	code := refused.GetCode()
	switch {
	case code == "ResourceNotFound":
		return " (are the name, the version and the region right? custom secrets need their real version, like version=v1)"
	case strings.HasPrefix(code, "UnauthorizedOperation"):
		return " (the function's role needs ssm:GetSecretValue on this secret)"
	case strings.HasPrefix(code, "AuthFailure"):
		return " (the credentials of the environment are not valid)"
	case code == "FailedOperation.AccessKmsError":
		return " (the secret's KMS key could not be used)"
	case code == "RequestLimitExceeded":
		return " (too many reads: raise GIFTSTATS_SECRET_TTL)"
	}
	return ""
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
