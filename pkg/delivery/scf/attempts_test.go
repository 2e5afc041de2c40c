package scf

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sdkhttp "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/http"

	"github.com/giftstats/giftstats/pkg/delivery"
)

func TestHangingInvocationDoesNotHoldAWebhook(t *testing.T) {
	refused := errors.New("refused")
	for _, test := range []struct {
		name    string
		answers []error // nil: none
		calls   int
		most    time.Duration
		want    error
	}{
		{name: "it always hangs", answers: []error{nil, nil, nil}, calls: 2, most: 4500 * time.Millisecond, want: context.DeadlineExceeded},
		{name: "it hangs once", answers: []error{nil, refused}, calls: 2, most: 2500 * time.Millisecond, want: refused},
		{name: "it is refused", answers: []error{refused}, calls: 1, want: refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				function := &Function{config: Config{FunctionName: "ends"}}
				function.call = func(ctx context.Context, _ string, _ map[string]any, _ sdkhttp.Response) error {
					calls++
					if answer := test.answers[calls-1]; answer != nil {
						return answer
					}
					<-ctx.Done()
					return ctx.Err()
				}
				started := time.Now()
				err := function.Deliver(t.Context(), delivery.Message{ID: "e", Body: []byte("{}")})
				if !errors.Is(err, test.want) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if took := time.Since(started); took > test.most {
					t.Errorf("held for %v, want at most %v", took, test.most)
				}
				if calls != test.calls {
					t.Errorf("%d calls, want %d", calls, test.calls)
				}
			})
		})
	}
}
