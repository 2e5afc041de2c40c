package main

import (
	"strings"
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// The secret of a deployment can be checked from any machine.
func TestStores(t *testing.T) {
	_, endpoint := fixture.Engine(t, nil)
	aws, tencent := fixture.AWS(t), fixture.Tencent(t)
	for _, environment := range []map[string]string{aws.Environment(), tencent.Environment()} {
		for name, value := range environment {
			t.Setenv(name, value)
		}
	}
	t.Setenv("DOCUMENT", fixture.Document(fixture.SecretKey))
	for name, location := range map[string]string{
		"environment": "env://DOCUMENT",
		"AWS":         "awssecretsmanager://app?endpoint=" + aws.URL,
		"Tencent":     "tencentssm://app?version=v1&region=ap-singapore&endpoint=" + tencent.URL,
	} {
		t.Run(name, func(t *testing.T) {
			configure(t, endpoint, "")
			t.Setenv("GIFTSTATS_SECRET", location)
			if out, err := result(t); err != nil || !strings.Contains(out, "OK: ") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

func TestKeyAlone(t *testing.T) {
	_, endpoint := fixture.Engine(t, nil)
	configure(t, endpoint, fixture.SecretKey)
	if _, err := result(t); err == nil || !strings.Contains(err.Error(), "set GIFTSTATS_SDK_APP_ID and GIFTSTATS_ADMIN") {
		t.Errorf("the error is %v", err)
	}
	t.Setenv("GIFTSTATS_SDK_APP_ID", "1400000000")
	t.Setenv("GIFTSTATS_ADMIN", fixture.Admin)
	if out, err := result(t); err != nil || !strings.Contains(out, "OK: ") {
		t.Errorf("%v: %s", err, out)
	}
}

// Mistakes that need no call. Each error says what to change.
func TestMistakes(t *testing.T) {
	const key = "5f0c3a1b5f0c3a1b5f0c3a1b5f0c3a1b5f0c3a1b5f0c3a1b5f0c3a1b5f0c3a1b"
	document := fixture.Document(fixture.SecretKey)
	for _, test := range []struct {
		name, secret, endpoint, document string
		want                             []string
	}{
		{
			name: "nothing", endpoint: "",
			want: []string{"GIFTSTATS_SECRET is required", "GIFTSTATS_ENDPOINT is required", "make check SECRET=file:///absolute"},
		},
		{name: "region", secret: "env://DOCUMENT", endpoint: "singapur", want: []string{"GIFTSTATS_ENDPOINT must be a region (china,"}},
		{name: "key", secret: key, endpoint: "singapore", want: []string{"not the secret itself", "SECRET is the address"}},
		{name: "key as a path", secret: "file:///" + key, endpoint: "singapore", want: []string{"not the secret itself", "SECRET is"}},
		{name: "key as a name", secret: "awssecretsmanager://" + key, endpoint: "singapore", want: []string{"not the secret itself"}},
		{name: "document", secret: document, endpoint: "singapore", want: []string{"not the secret itself"}},
		{name: "file name", secret: "secret.json", endpoint: "singapore", want: []string{"GIFTSTATS_SECRET must have the form file:///path"}},
		{name: "relative path", secret: "file://secret.json", endpoint: "singapore", want: []string{"must have an absolute path"}},
		{
			name: "missing file", secret: "file:///no/such/file", endpoint: "singapore",
			want: []string{"read the secret's file /no/such/file: no such file"},
		},
		{
			name: "AWS without credentials", secret: "awssecretsmanager://app?endpoint=http://127.0.0.1:1", endpoint: "singapore",
			want: []string{"AWS_ACCESS_KEY_ID", "aws configure export-credentials --format env"},
		},
		{
			name: "Tencent without credentials", endpoint: "singapore",
			secret: "tencentssm://app?region=ap-singapore&endpoint=http://127.0.0.1:1",
			want:   []string{"On this machine, the credentials come from TENCENTCLOUD_SECRET_ID"},
		},
		{
			name: "missing field", secret: "env://DOCUMENT", endpoint: "singapore", document: strings.Replace(document, "administrator", "", 1),
			want: []string{"the secret document is invalid: admin is required"},
		},
		{
			name: "plain key of a caller", secret: "env://DOCUMENT", endpoint: "singapore",
			document: `{"sdk_app_id":1,"admin":"a","secret_key":"k","api_keys":{"backoffice":"` + fixture.APIKey + `"}}`,
			want:     []string{"entry 1 of 1 (sorted by name) must be the SHA-256 of a key", "read -rs KEY && printf"},
		},
		{
			name: "signing key", secret: "env://DOCUMENT", endpoint: "singapore", document: strings.Replace(document, "whsec_", "", 1),
			want: []string{"delivery_key must be whsec_ followed by base64"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION",
				"TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"} {
				t.Setenv(name, "")
			}
			configure(t, test.endpoint, "")
			t.Setenv("GIFTSTATS_SECRET", test.secret)
			t.Setenv("DOCUMENT", test.document)
			_, err := result(t)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %v, which lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), key) {
				t.Errorf("the error contains the key: %v", err)
			}
		})
	}
}

func TestArgumentsAreRefused(t *testing.T) {
	const key = "not-a-real-key"
	if err := run(t.Context(), []string{key}, nil, nil); err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("the error is %v", err)
	}
}
