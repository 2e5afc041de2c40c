package bench

import (
	"testing"
	"time"

	"github.com/tencentyun/tls-sig-api-v2-golang/tencentyun"

	"github.com/giftstats/giftstats/internal/testkit/fixture"
	"github.com/giftstats/giftstats/pkg/usersig"
)

// BenchmarkSigning measures one signature of our signer, which caches it, and of Tencent's signer.
func BenchmarkSigning(b *testing.B) {
	once(b, func() {
		signer := usersig.NewSigner(time.Now)
		identity := usersig.Identity{SDKAppID: fixture.AppID, Account: fixture.Admin, Key: fixture.SecretKey}
		var cached, official []time.Duration
		for range 21 {
			cached = append(cached, each(b, 20_000, func() error { _, err := signer.Sign(identity); return err }))
			official = append(official, each(b, 500, func() error {
				_, err := tencentyun.GenUserSig(fixture.AppID, fixture.SecretKey, fixture.Admin, 3600)
				return err
			}))
		}
		ours, theirs := median(cached), median(official)
		table.add(b, "signing, Tencent's signer", theirs.String(), "", "", noGoal)
		table.add(b, "signing, cached", ours.String(), times(ours, theirs), "", noGoal)
	})
}

// each returns the average time of n calls.
func each(b *testing.B, n int, call func() error) time.Duration {
	started := time.Now()
	for range n {
		if err := call(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(started) / time.Duration(n)
}
