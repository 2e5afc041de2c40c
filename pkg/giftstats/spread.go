package giftstats

import (
	"sync"
	"sync/atomic"
)

// Spread calls work for 0 to n-1, at most so many at a time as there are workers, and returns when all have returned.
func Spread(n, workers int, work func(i int)) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range min(workers, n) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	running.Wait()
}
