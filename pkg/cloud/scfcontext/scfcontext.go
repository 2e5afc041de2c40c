// Package scfcontext corrects the context that Tencent SCF's Go library passes to a function.
package scfcontext

import (
	"context"
	"time"
)

// WithoutZeroDeadline removes a deadline in the year 1970 from the context. The library sets it for an invocation without a deadline,
// and it would end the invocation at once.
//
// Source: https://github.com/tencentyun/scf-go-lib/blob/master/cloudfunction/function.go
func WithoutZeroDeadline(ctx context.Context) context.Context {
	if deadline, ok := ctx.Deadline(); ok && deadline.Equal(time.Unix(0, 0)) {
		return context.WithoutCancel(ctx)
	}
	return ctx
}
