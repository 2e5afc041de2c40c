package tencentclients_test

import (
	"testing"

	"github.com/giftstats/giftstats/functions/internal/app"
	"github.com/giftstats/giftstats/functions/internal/tencentclients"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/settings"
)

func TestOpenLedger(t *testing.T) {
	for _, location := range []settings.Location{
		{Scheme: "redis", Name: "10.0.0.7:6379/0"},
		{Scheme: "rediss", Name: "redis.example:6380/15"},
	} {
		if _, err := tencentclients.OpenLedger(location, new(secret.Cache)); err != nil {
			t.Errorf("OpenLedger(%v) returned %v", location, err)
		}
	}
	if _, err := tencentclients.OpenLedger(settings.Location{Scheme: "redis", Name: "10.0.0.7/0"}, new(secret.Cache)); err == nil {
		t.Error("OpenLedger accepted an address without a port")
	}
}

func TestAppOpensTheLedger(t *testing.T) {
	t.Setenv("GIFTSTATS_SECRET", "env://NOT_USED")
	t.Setenv("GIFTSTATS_ENDPOINT", "singapore")
	t.Setenv("GIFTSTATS_LEDGER", "rediss://redis.example:6380/0")
	for _, role := range []app.Role{app.API, app.StreamEnd} {
		if _, err := tencentclients.App(role); err != nil {
			t.Errorf("role %d: %v", role, err)
		}
	}
}
