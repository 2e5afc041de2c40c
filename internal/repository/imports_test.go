// Package repository_test checks what concerns the repository as a whole: dependency arrows, pages, and the templates.
package repository_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/giftstats/giftstats/"

// The dependency arrows: what a program or package must not link. A package that is not listed may link anything below.
func TestImports(t *testing.T) {
	aws := []string{
		"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2/service/sqs", "github.com/aws/aws-sdk-go-v2/service/eventbridge",
	}
	tencent := []string{"github.com/tencentyun/scf-go-lib", "github.com/tencentcloud/"}
	local := append(own("pkg/simulator"), "github.com/aws/aws-sdk-go-v2/config")
	clouds := slices.Concat(aws, tencent, []string{"github.com/aws/"}, own("pkg/cloud"))
	linked := dependencies(t)
	for target, banned := range map[string][]string{
		"functions/aws/api":           slices.Concat(local, tencent),
		"functions/aws/streamend":     slices.Concat(local, tencent),
		"functions/tencent/api":       slices.Concat(local, aws),
		"functions/tencent/streamend": slices.Concat(local, aws),
		"functions/local":             slices.Concat(aws, tencent),
		"pkg/endpoint":                own(""),
		"pkg/giftstats":               slices.Concat(clouds, []string{"net/http"}, own("")),
		"pkg/problem":                 slices.Concat(clouds, own("pkg/httpapi", "pkg/streamend", "pkg/gateway")),
		"pkg/settings":                slices.Concat(clouds, own("pkg/secret", "pkg/liveengine", "pkg/telemetry")),
		"pkg/httpapi":                 slices.Concat(clouds, own("pkg/gateway")),
		"pkg/liveengine":              slices.Concat(clouds, own("pkg/httpapi", "pkg/streamend", "pkg/settings")),
		"pkg/streamend":               slices.Concat(clouds, own("pkg/httpapi", "pkg/liveengine", "pkg/webhook")),
		"pkg/webhook":                 slices.Concat(clouds, own("pkg/httpapi")),
		"pkg/delivery":                slices.Concat(clouds, own("pkg/httpapi", "pkg/streamend", "pkg/liveengine")),
		"pkg/gateway":                 slices.Concat(clouds, own("pkg/httpapi", "pkg/streamend", "pkg/liveengine")),
		"pkg/simulator": slices.Concat(own("pkg/liveengine", "pkg/usersig", "pkg/secret"),
			[]string{"github.com/tencentyun/tls-sig-api-v2-golang"}),
	} {
		dependencies, listed := linked[module+target]
		if !listed {
			t.Errorf("there is no package %s", target)
		}
		for _, dependency := range dependencies {
			for _, prefix := range banned {
				if strings.HasPrefix(dependency, prefix) && !strings.HasPrefix(dependency, module+target) {
					t.Errorf("%s links %s", target, dependency)
				}
			}
		}
	}
}

// The product links nothing that only tests and measurements use, and no package links the programs.
func TestProductLinksNoTestCode(t *testing.T) {
	for target, dependencies := range dependencies(t) {
		for _, dependency := range dependencies {
			if strings.HasPrefix(dependency, module+"internal/") || strings.HasPrefix(dependency, module+"e2e") {
				t.Errorf("the product links %s: %s", dependency, target)
			}
			if strings.HasPrefix(dependency, module+"functions/") && strings.HasPrefix(target, module+"pkg/") {
				t.Errorf("%s links %s", target, dependency)
			}
		}
	}
}

// own returns the import paths of packages of this project.
func own(packages ...string) []string {
	paths := make([]string, len(packages))
	for i, name := range packages {
		paths[i] = module + name
	}
	return paths
}

// dependencies returns what each package of the product links, directly or not, without its tests.
func dependencies(t *testing.T) map[string][]string {
	t.Helper()
	list := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Deps}} {{.}}{{end}}`, "../../pkg/...", "../../functions/...")
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	linked := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		linked[names[0]] = names[1:]
	}
	if len(linked) < 30 {
		t.Fatalf("go list knows only %d packages", len(linked))
	}
	return linked
}
