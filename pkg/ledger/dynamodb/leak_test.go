package dynamodb_test

import (
	"testing"

	"github.com/giftstats/giftstats/internal/testkit/leaks"
)

// Every goroutine ends with the test that started it.
func TestMain(m *testing.M) { leaks.Main(m) }
