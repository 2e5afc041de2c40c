// Package functions_test holds what is true of all programs.
package functions_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The dependency arrows: what a program or package must not link.
func TestImports(t *testing.T) {
	const module = "github.com/giftstats/giftstats/"
	aws := []string{"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2/service/sqs", "github.com/aws/aws-sdk-go-v2/service/eventbridge"}
	tencent := []string{"github.com/tencentyun/scf-go-lib", "github.com/tencentcloud/"}
	clouds := append(append([]string{"github.com/aws/", module + "functions/"}, aws...), tencent...)
	for target, banned := range map[string][]string{
		"functions/aws/api":           append([]string{"github.com/aws/aws-sdk-go-v2/config", module + "pkg/simulator"}, tencent...),
		"functions/aws/streamend":     append([]string{"github.com/aws/aws-sdk-go-v2/config", module + "pkg/simulator"}, tencent...),
		"functions/tencent/api":       append([]string{module + "pkg/simulator"}, aws...),
		"functions/tencent/streamend": append([]string{module + "pkg/simulator"}, aws...),
		"functions/local":             append(aws, tencent...),
		"pkg/giftstats":               append([]string{"net/http", module + "pkg/liveengine", module + "pkg/secret"}, clouds...),
		"pkg/httpapi":                 append([]string{module + "pkg/gateway"}, clouds...),
		"pkg/liveengine":              append([]string{module + "pkg/httpapi", module + "pkg/streamend"}, clouds...),
		"pkg/streamend":               append([]string{module + "pkg/httpapi", module + "pkg/liveengine", module + "pkg/webhook"}, clouds...),
		"pkg/webhook":                 append([]string{module + "pkg/httpapi"}, clouds...),
		"pkg/simulator":               {module + "pkg/liveengine", module + "pkg/usersig", module + "pkg/secret", "github.com/tencentyun/tls-sig-api-v2-golang"},
	} {
		out, err := exec.Command("go", "list", "-deps", "../"+target).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", target, err, out)
		}
		for dependency := range strings.Lines(string(out)) {
			dependency = strings.TrimSpace(dependency)
			for _, prefix := range banned {
				if strings.HasPrefix(dependency, prefix) && !strings.HasPrefix(dependency, module+target) {
					t.Errorf("%s links %s", target, dependency)
				}
			}
		}
	}
}
