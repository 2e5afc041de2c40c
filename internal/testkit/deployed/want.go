package deployed

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/giftstats/giftstats/internal/testkit/eventtest"
	"github.com/giftstats/giftstats/internal/testkit/fixture"
)

// AnotherKey is a key that the app of the fixture may change to.
const AnotherKey = "another-not-real-key"

func appSecrets() []string {
	return []string{fixture.SecretKey, AnotherKey, fixture.APIKey, fixture.DeliveryKey}
}

// Output is the output of a program.
type Output interface {
	WaitOutput(ctx context.Context, text string, times int) error
}

// WantLogged checks that the output of a program contains each text. It waits for texts that arrive after the program's reply.
func WantLogged(t testing.TB, output Output, texts ...string) {
	t.Helper()
	for _, text := range texts {
		WantLoggedTimes(t, output, text, 1)
	}
}

// WantLoggedTimes checks that the output of a program contains the text at least the given number of times.
func WantLoggedTimes(t testing.TB, output Output, text string, times int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := output.WaitOutput(ctx, text, times); err != nil {
		t.Error(err)
	}
}

// WantNoSecrets checks that the output of a program contains none of the secrets.
func WantNoSecrets(t testing.TB, output string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if secret == "" {
			t.Error("a secret to look for is empty")
		} else if strings.Contains(output, secret) {
			t.Errorf("%q is in the output", secret)
		}
	}
}

// WantProblem checks the status of a response, and that its problem has the code.
func WantProblem(t testing.TB, answer eventtest.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status {
		t.Errorf("status = %d, want %d: %s", answer.Status, status, answer.Body)
	}
	if !strings.Contains(answer.Body, `"code":"`+code+`"`) {
		t.Errorf("body = %s, want the code %s", answer.Body, code)
	}
}

// WantInError checks that err contains each text.
func WantInError(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%q is missing in %v", text, err)
		}
	}
}

// WantCount checks a count.
func WantCount(t testing.TB, name string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", name, got, want)
	}
}
