package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/giftstats/giftstats/pkg/cloud/awsenv"
	"github.com/giftstats/giftstats/pkg/giftstats"
	"github.com/giftstats/giftstats/pkg/liveengine"
	"github.com/giftstats/giftstats/pkg/secret"
	"github.com/giftstats/giftstats/pkg/secret/awssecretsmanager"
	"github.com/giftstats/giftstats/pkg/secret/local"
	"github.com/giftstats/giftstats/pkg/secret/tencentssm"
	"github.com/giftstats/giftstats/pkg/settings"
)

// platform accepts what any of the functions accepts.
var platform = settings.Platform{
	Name:    "this machine",
	Secrets: []string{"file", "env", "awssecretsmanager", "tencentssm"},
	Queues:  []string{"sqs", "scf"},
	Deliver: []string{"log", "https", "http", "sqs", "eventbridge"},
	Ledgers: []string{"dynamodb", "redis", "rediss"},
}

const (
	storeTimeout = 10 * time.Second // for one read of the secret
	usage        = "\nSECRET is the address of the secret, for example:\n" +
		"  make check SECRET=file:///absolute/path/secret.json ENDPOINT=singapore"
)

// app is an app with what its settings and its secret document say about it.
type app struct {
	endpoint *url.URL
	document *secret.Document
	engine   *liveengine.Client
	sender   *liveengine.Client // for gifts, which must not be sent twice
}

// open reads the settings and the secret. It does not call Tencent's API.
func open(ctx context.Context) (*app, error) {
	if isSecret(os.Getenv("GIFTSTATS_SECRET")) {
		return nil, errors.New("GIFTSTATS_SECRET must be the address of the secret, not the secret itself: others can see it in the list of " +
			"processes,\nand the shell writes it to its history. If this was the real key, replace it in Tencent's console." + usage)
	}
	s, err := settings.Parse(os.Environ(), platform)
	if err != nil {
		return nil, fmt.Errorf("%w%s", err, usage)
	}
	raw, err := read(ctx, *s.Secret)
	if err != nil {
		return nil, err
	}
	document, err := secret.ParseDocument(raw, secret.KeyDefaults{SDKAppID: s.SDKAppID, Admin: s.Admin})
	if err != nil {
		return nil, invalid(err)
	}
	engine, err := client(s, raw)
	if err != nil {
		return nil, err
	}
	s.Attempts = 1
	sender, err := client(s, raw)
	return &app{s.Endpoint, document, engine, sender}, err
}

// isSecret reports whether an address is a key or a document in the wrong place. Tencent's keys are 64 letters and digits.
func isSecret(address string) bool {
	const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	address = strings.TrimSpace(address)
	name, _, _ := strings.Cut(path.Base(address), "?")
	return strings.HasPrefix(address, "{") || len(name) >= 64 && strings.Trim(name, alphanumeric) == ""
}

// read reads the secret from its store.
func read(ctx context.Context, location settings.Location) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	store, err := storeAt(location)
	var raw []byte
	if err == nil {
		raw, err = store.Fetch(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w%s", err, credentials[location.Scheme])
	}
	return raw, nil
}

// credentials says where a store's credentials come from on a machine that is not a function.
var credentials = map[string]string{
	"awssecretsmanager": "\nOn this machine, the credentials come from AWS_ACCESS_KEY_ID and the related variables, and the region from " +
		"AWS_REGION.\nThe AWS CLI sets them: eval \"$(aws configure export-credentials --format env)\"",
	"tencentssm": "\nOn this machine, the credentials come from TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY.",
}

func storeAt(location settings.Location) (secret.Store, error) {
	switch location.Scheme {
	case "file":
		return local.File(location.Name), nil
	case "env":
		return local.Env(location.Name), nil
	case "tencentssm":
		return tencentssm.New(tencentssm.Config{
			SecretName: location.Name, Version: location.Params["version"], Region: location.Params["region"],
			Endpoint: location.Params["endpoint"], Lookup: os.Getenv,
		})
	}
	return awssecretsmanager.New(awssecretsmanager.Config{
		SecretID: location.Name, VersionStage: location.Params["version_stage"], Endpoint: location.Params["endpoint"],
		Environment: awsenv.New(os.Getenv),
	})
}

// invalid explains why a document cannot be used.
func invalid(err error) error {
	text := ""
	if errors.Is(err, secret.ErrNotHash) {
		text = howToHash
	}
	return fmt.Errorf("the secret document is invalid: %w%s", err, text)
}

// client returns a client that signs with the secret that was read.
func client(s settings.Settings, raw []byte) (*liveengine.Client, error) {
	secrets, err := secret.NewCache(secret.Config{
		Store: stored(raw), KeyDefaults: secret.KeyDefaults{SDKAppID: s.SDKAppID, Admin: s.Admin},
		TTL: s.SecretTTL, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	return liveengine.New(liveengine.Config{
		Endpoint: s.Endpoint, Secrets: secrets, Limiter: giftstats.NewLimiter(s.RateLimit), Timeout: s.Timeout, Attempts: s.Attempts,
		UserAgent: "giftstats-check", Logger: slog.New(slog.DiscardHandler),
	})
}

// stored is a store with what was read before.
type stored []byte

func (s stored) Fetch(context.Context) ([]byte, error) { return s, nil }
