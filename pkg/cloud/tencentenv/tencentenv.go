// Package tencentenv makes calls of Tencent Cloud's API 3.0 with what the environment gives: credentials and region.
//
// On SCF the credentials of the function's role come with each invocation, in variables that the SDK's own chain does not
// read, so they are read from the environment whenever a call is made.
//
// Errors hold Tencent's error code and what to change. They hold nothing of what was sent or received, and nothing of the
// credentials.
//
// Source: https://github.com/tencentyun/scf-go-lib/issues/18
package tencentenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// attemptSeconds bounds a call whose context has no deadline.
const attemptSeconds = 10

// Options of a [Client]. Product, Version and Setting are required.
type Options struct {
	Product  string                   // like ssm
	Version  string                   // of the product's API, like 2019-09-23
	Region   string                   // default: TENCENTCLOUD_REGION, which SCF sets
	Endpoint string                   // default: the product's own, like https://ssm.tencentcloudapi.com
	Lookup   func(name string) string // os.Getenv; nil for an environment without variables
	Setting  string                   // the variable that names what is called, for errors
	Advise   func(code string) string // advice on the product's error codes, or nothing
}

// Client calls one product. It may be used from several goroutines.
type Client struct {
	options   Options
	profile   *profile.ClientProfile
	transport http.RoundTripper
}

// New checks the options; it sends nothing.
func New(options Options) (*Client, error) {
	if options.Lookup == nil {
		options.Lookup = func(string) string { return "" }
	}
	if options.Advise == nil {
		options.Advise = func(string) string { return "" }
	}
	settings := profile.NewClientProfile()
	settings.Language = "en-US" // of error messages
	settings.HttpProfile.ReqTimeout = attemptSeconds
	if options.Endpoint != "" {
		endpoint, err := parseEndpoint(options.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("the endpoint %w", err)
		}
		settings.HttpProfile.Scheme = endpoint.Scheme
		settings.HttpProfile.Endpoint = endpoint.Host
	}
	return &Client{options, settings, newTransport()}, nil
}

// Call makes one call of an action. When ctx ends before, the error is that of ctx.
func (c *Client) Call(ctx context.Context, action string, parameters map[string]any, answer sdkhttp.Response) error {
	credential, err := c.credential()
	if err != nil {
		return err
	}
	region := cmp.Or(c.options.Region, c.options.Lookup("TENCENTCLOUD_REGION"))
	if region == "" {
		return fmt.Errorf("no region is known: add region=… to %s, like region=ap-singapore", c.options.Setting)
	}
	request := sdkhttp.NewCommonRequest(c.options.Product, c.options.Version, action)
	request.SetContext(ctx)
	if err := request.SetActionParameters(parameters); err != nil {
		return err
	}
	// The SDK's client belongs to this call alone, because the credentials do. It costs no connection: the transport is shared.
	if err := common.NewCommonClient(credential, region, c.profile).WithHttpTransport(c.transport).Send(request, answer); err != nil {
		return c.explain(ctx, err, credential)
	}
	return nil
}

// credential reads the variables that SCF sets, else those that Tencent's tools read on a person's own machine. The two sets
// are never mixed.
//
// Sources: https://cloud.tencent.com/document/product/583/14570, https://cloud.tencent.com/document/product/1278/85305,
// https://github.com/tencentcloudstack/terraform-provider-tencentcloud (for the token)
func (c *Client) credential() (*common.Credential, error) {
	for _, names := range [][3]string{
		{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"},
		{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECURITY_TOKEN"},
	} {
		id, key := c.options.Lookup(names[0]), c.options.Lookup(names[1])
		if id != "" && key != "" {
			return common.NewTokenCredential(id, key, c.options.Lookup(names[2])), nil
		}
	}
	return nil, errors.New("no Tencent Cloud credentials: TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY are not both set; give the function an execution role, then SCF sets them in each invocation")
}
