// Package tencentenv calls Tencent Cloud's API 3.0 with the credentials and the region from the environment.
//
// On SCF the credentials of the function's role arrive with each invocation, in variables that the SDK's own credential chain does not
// read. Each call reads them again.
//
// Errors contain Tencent's error code and what to change. They contain nothing of the data that was sent or received, and nothing of
// the credentials.
//
// Source: https://github.com/tencentyun/scf-go-lib/issues/18
package tencentenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"
	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"
	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/profile"
)

// callTime limits a call whose context has no deadline.
const callTime = 10 * time.Second

// Config configures a [Client]. Product, Version and Setting are required.
type Config struct {
	Product  string                   // like ssm
	Version  string                   // the version of the product's API, like 2019-09-23
	Region   string                   // if empty, TENCENTCLOUD_REGION, which SCF sets
	Endpoint string                   // if empty, the product's own, like https://ssm.tencentcloudapi.com
	Lookup   func(name string) string // os.Getenv in a function; nil: an environment without variables
	Setting  string                   // the variable with the location of the service, for errors
	Advise   func(code string) string // advice on the product's error codes; nil: none
}

// Client calls one product. It may be used from several goroutines.
type Client struct {
	config    Config
	profile   *profile.ClientProfile
	transport http.RoundTripper
}

// New checks the configuration and returns a Client. It sends nothing.
func New(config Config) (*Client, error) {
	if config.Product == "" || config.Version == "" || config.Setting == "" {
		return nil, errors.New("tencentenv: Product, Version and Setting are required")
	}
	if config.Lookup == nil {
		config.Lookup = func(string) string { return "" }
	}
	if config.Advise == nil {
		config.Advise = func(string) string { return "" }
	}
	settings := profile.NewClientProfile()
	settings.Language = "en-US"         // the language of error messages
	settings.HttpProfile.ReqTimeout = 0 // see Call
	if config.Endpoint != "" {
		endpoint, err := parseEndpoint(config.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("the endpoint %w", err)
		}
		settings.HttpProfile.Scheme = endpoint.Scheme
		settings.HttpProfile.Endpoint = endpoint.Host
	}
	return &Client{config, settings, newTransport()}, nil
}

// Call calls an action once and decodes the response. If ctx ends first, Call returns the error of ctx.
func (c *Client) Call(ctx context.Context, action string, parameters map[string]any, response sdkhttp.Response) error {
	credential, err := c.credential()
	if err != nil {
		return err
	}
	region := cmp.Or(c.config.Region, c.config.Lookup("TENCENTCLOUD_REGION"))
	if region == "" {
		return fmt.Errorf("the region is unknown: add region=… to %s, like region=ap-singapore", c.config.Setting)
	}
	request := sdkhttp.NewCommonRequest(c.config.Product, c.config.Version, action)
	// The SDK does not close every response. The end of the context closes it; a time limit of the SDK would leave it open until then.
	limited, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	request.SetContext(limited)
	if err := request.SetActionParameters(parameters); err != nil {
		return err
	}
	// Each call has its own SDK client, because it has its own credentials. The clients share the transport.
	client := common.NewCommonClient(credential, region, c.profile).WithHttpTransport(c.transport)
	if err := client.Send(request, response); err != nil {
		return c.explain(ctx, err, credential)
	}
	return nil
}

// credential reads the variables that SCF sets. If they are incomplete, it reads the variables that Tencent's own tools use. The two
// sets are never mixed.
//
// Sources: https://cloud.tencent.com/document/product/583/14570, https://cloud.tencent.com/document/product/1278/85305,
// https://github.com/tencentcloudstack/terraform-provider-tencentcloud (for the token)
func (c *Client) credential() (*common.Credential, error) {
	for _, names := range [][3]string{
		{"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"},
		{"TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECURITY_TOKEN"},
	} {
		id, key := c.config.Lookup(names[0]), c.config.Lookup(names[1])
		if id != "" && key != "" {
			return common.NewTokenCredential(id, key, c.config.Lookup(names[2])), nil
		}
	}
	return nil, errors.New("no Tencent Cloud credentials: TENCENTCLOUD_SECRETID and TENCENTCLOUD_SECRETKEY are not both set; " +
		"give the function an execution role, and SCF will set them in each invocation")
}
