// Package scfcontext corrects the context that Tencent SCF's Go library passes to a function.
package scfcontext

import (
	"context"
	"time"
)

// WithoutZeroDeadline removes a deadline of zero from the context. The library turns a missing deadline into the year 1970, which
// would end every invocation at once.
//
// Source: https://github.com/tencentyun/scf-go-lib/blob/master/cloudfunction/function.go
func WithoutZeroDeadline(ctx context.Context) context.Context {
	if deadline, ok := ctx.Deadline(); ok && deadline.Equal(time.Unix(0, 0)) {
		return context.WithoutCancel(ctx)
	}
	return ctx
}
