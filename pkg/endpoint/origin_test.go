package endpoint_test

import (
	"strings"
	"testing"

	"github.com/giftstats/giftstats/pkg/endpoint"
)

func TestCheckOrigin(t *testing.T) {
	for _, text := range []string{
		"https://app.example.com", "https://app.example.com:8443", "https://xn--hxajbheg2az3al.example", "https://a_b.example",
		"https://10.0.0.7", "https://[::ffff:102:304]", "https://7.example", "https://0x7.example",
		"https://[2001:db8::1]", "http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:3000", "http://localhost", "https://localhost",
	} {
		if err := endpoint.CheckOrigin(text); err != nil {
			t.Errorf("%s is refused: %v", text, err)
		}
	}
	for _, test := range []struct {
		name, text, want string
	}{
		{name: "empty", text: "", want: "must be an origin like https://app.example.com"},
		{name: "host only", text: "hidden.example", want: "must be an origin like"},
		{name: "host and port", text: "hidden.example:8443", want: "must be an origin like"},
		{name: "no host", text: "https://", want: "must be an origin like"},
		{name: "invalid", text: "https://%zz", want: "must be an origin like"},
		{name: "everyone", text: "*", want: "must not be *, which stands for all pages of everyone"},
		{name: "null", text: "null", want: "must not be null, which stands for local files and sandboxed frames"},
		{name: "http", text: "http://hidden.example", want: "must start with https:// (http:// is allowed for loopback hosts only)"},
		{name: "http to a private network", text: "http://10.0.0.7", want: "must start with https://"},
		{name: "host that looks like loopback", text: "http://localhost.hidden.example", want: "must start with https://"},
		{name: "scheme of an app", text: "capacitor://localhost", want: "must start with https://"},
		{name: "trailing slash", text: "https://hidden.example/", want: "must have no user, path, trailing slash"},
		{name: "path", text: "https://hidden.example/app", want: "must have no user, path, trailing slash"},
		{name: "user", text: "https://hidden@app.example", want: "must have no user, path, trailing slash"},
		{name: "query", text: "https://app.example?hidden", want: "must have no user, path, trailing slash"},
		{name: "fragment", text: "https://app.example#hidden", want: "must have no user, path, trailing slash"},
		{name: "upper-case host", text: "https://Hidden.example", want: "must have a host as browsers send it: in lower case"},
		{name: "upper-case scheme", text: "HTTPS://hidden.example", want: "must have a host as browsers send it: in lower case"},
		{name: "wildcard", text: "https://*.hidden.example", want: "without wildcards"},
		{name: "another script", text: "https://房.hidden.example", want: "other scripts in Punycode (xn--…)"},
		{name: "address in a long form", text: "https://[2001:DB8:0::1]", want: "must have a host as browsers send it"},
		{name: "address with a zone", text: "https://[fe80::1%25eth0]", want: "must have"},
		{name: "IPv4 address in IPv6 with dots", text: "https://[::ffff:1.2.3.4]", want: "must have a host as browsers send it"},
		{name: "short IPv4 address", text: "https://10.7", want: "must have a host as browsers send it"},
		{name: "IPv4 address with a zero", text: "https://10.0.0.07", want: "must have a host as browsers send it"},
		{name: "hexadecimal IPv4 address", text: "https://0x7f.0x1", want: "must have a host as browsers send it"},
		{name: "IPv4 address with a dot at the end", text: "https://10.0.0.7.", want: "must have a host as browsers send it"},
		{name: "empty port", text: "https://app.example:", want: "must have a port from 1 to 65535, or none"},
		{name: "port 0", text: "https://app.example:0", want: "must have a port from 1 to 65535, or none"},
		{name: "port too large", text: "https://app.example:65536", want: "must have a port from 1 to 65535, or none"},
		{name: "port with a zero", text: "https://app.example:08443", want: "must have a port from 1 to 65535, or none"},
		{name: "default port", text: "https://app.example:443", want: "must not name the default port"},
		{name: "default port of http", text: "http://localhost:80", want: "must not name the default port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := endpoint.CheckOrigin(test.text)
			switch {
			case err == nil:
				t.Errorf("%q is accepted", test.text)
			case !strings.Contains(err.Error(), test.want):
				t.Errorf("%q gives the error %q, want one with %q", test.text, err, test.want)
			case strings.Contains(err.Error(), "hidden"):
				t.Errorf("%q is repeated in the error %q", test.text, err)
			}
		})
	}
}
