package awsapi_test

import (
	"testing"

	"go.uber.org/goleak"
)

// Every goroutine ends with the test that started it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
