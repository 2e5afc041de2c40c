package awsenv

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// MissingError names the variables that are needed for credentials but not set.
type MissingError struct{ Variables []string }

func (e *MissingError) Error() string {
	if len(e.Variables) == 1 {
		return "no AWS credentials: " + e.Variables[0] + " is not set"
	}
	return "no AWS credentials: " + strings.Join(e.Variables, " and ") + " are not set"
}

// Credentials returns a provider that reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN for each request, so that new
// credentials take effect at once. The provider's error is a [*MissingError].
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
func (e Environment) Credentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		credentials := aws.Credentials{
			AccessKeyID:     e.get("AWS_ACCESS_KEY_ID"),
			SecretAccessKey: e.get("AWS_SECRET_ACCESS_KEY"),
			SessionToken:    e.get("AWS_SESSION_TOKEN"),
			Source:          "environment",
		}
		var missing []string
		if credentials.AccessKeyID == "" {
			missing = append(missing, "AWS_ACCESS_KEY_ID")
		}
		if credentials.SecretAccessKey == "" {
			missing = append(missing, "AWS_SECRET_ACCESS_KEY")
		}
		if missing != nil {
			return aws.Credentials{}, &MissingError{missing}
		}
		return credentials, nil
	})
}
