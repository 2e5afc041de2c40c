package leaks

import (
	"strings"
	"testing"
)

func TestGoroutineThatStaysIsALeak(t *testing.T) {
	stop := make(chan struct{})
	go stay(stop)
	err := left(1)
	close(stop)
	if err == nil || !strings.Contains(err.Error(), "leaks.stay") {
		t.Errorf("the error is %v, want one that shows the goroutine", err)
	}
}

func stay(stop chan struct{}) { <-stop }
