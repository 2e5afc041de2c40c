package main

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/giftstats/giftstats/internal/testkit/deployed"
)

// Every goroutine ends with the test that started it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(deployed.Remove)) }
