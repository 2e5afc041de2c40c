# The commands for users and developers. "make help" lists them.

ADDR    ?= 127.0.0.1:8080
ARCH    ?= arm64
# sam builds in a copy without .git, but writes the result into the checkout.
VERSION ?= $(shell git -C "$(or $(ARTIFACTS_DIR),.)" describe --tags --always --dirty 2>/dev/null || echo devel)

app     := github.com/giftstats/giftstats/functions/internal/app
ldflags := -s -w -X $(app).Version=$(VERSION)
gobuild := CGO_ENABLED=0 GOOS=linux go build -trimpath -buildvcs=false -ldflags '$(ldflags)'
fuzz    := 30s
soak    := 10m
dist    := dist

# For what downloads something.
retry := sh tools/retry.sh

sam-targets := build-ApiFunction build-StreamEndFunction build-SweepFunction build-WebhookFunction

.PHONY: help run secret check whose-gifts build-secret build-check test build build-aws $(sam-targets) build-tencent sbom package deploy-tencent remove-tencent bench e2e fuzz soak lint vuln clean
.DEFAULT_GOAL := help

help: ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# What a long target says when it begins: what it does, and about how long that takes.
say-package := Building the binaries of both clouds, their zip files, SBOMs and licenses: about a minute; the first time some minutes.
say-bench   := Measuring with the packaged binaries: about six minutes after they are built.
say-e2e     := Testing with the real tools of both clouds: about five minutes. The first time, the tools are installed into .tools before.
say-soak    := Running the local server under load, with random failures, for $(soak). The table comes at the end.

say-%:
	@echo '$(say-$*)'

.PHONY: need-go
need-go:
	@command -v go >/dev/null || { echo 'This needs Go 1.26 or later on PATH: https://go.dev/dl/' >&2; exit 1; }

# What is given for a variable, such as the name of a branch for STAGE, may contain anything. It gets into a recipe only as a variable of
# the shell, which does not interpret what is in it. $(value) and unexport keep make from doing so.
unexport ADDR ENDPOINT FROM GIFT ROOM SECRET STAGE TO
run sandbox: export address := $(value ADDR)
deploy-tencent remove-tencent: export stage := $(value STAGE)

# Not "go run", which exits with status 1 after Ctrl-C.
define local
@test -x $(dist)/local || echo 'Building the local server. The first time takes about half a minute.' >&2
@go build -ldflags '-X $(app).Version=$(VERSION)' -o $(dist)/local ./functions/local
endef

run: need-go ## start the local server with the simulator behind it (ADDR=host:port; ONCE=1 to exit after the story)
	$(local)
	@exec $(dist)/local -addr "$$address" $(if $(filter-out 0 false,$(ONCE)),-once)

.PHONY: sandbox
sandbox: need-go ## start giftstats and a simulated Tencent with fixed keys, to develop against (ADDR=host:port)
	$(local)
	@exec $(dist)/local -sandbox -addr "$$address"

DIR ?= $(HOME)/.config/giftstats

secret: export directory := $(DIR)
secret: build-secret ## create a secret document to fill in, and an API key, outside of the checkout (DIR=directory)
	@$(dist)/secret "$$directory"

# SECRET is the address of the secret, never the secret itself: the arguments of make are in the list of processes.
check whose-gifts: export GIFTSTATS_SECRET := $(or $(value SECRET),$(value GIFTSTATS_SECRET))
check whose-gifts: export GIFTSTATS_ENDPOINT := $(or $(value ENDPOINT),$(value GIFTSTATS_ENDPOINT))

check: build-check ## check settings and secret with one call to Tencent (SECRET=file:///path ENDPOINT=region)
	@$(dist)/check

whose-gifts: export room := $(value ROOM)
whose-gifts: export from := $(value FROM)
whose-gifts: export to := $(value TO)
whose-gifts: export gift := $(value GIFT)
whose-gifts: build-check ## find out whose gifts Tencent counts in your app (as check, and ROOM=id FROM=account TO=account)
	@$(dist)/check whose-gifts -room "$$room" -from "$$from" -to "$$to" -gift "$$gift" $(if $(filter-out 0 false,$(YES)),-yes)

build-secret build-check: build-%: need-go
	@test -x $(dist)/$* || echo 'Building the command. The first time takes a minute.'
	@go build -o $(dist)/$* ./tools/$*

# The race detector needs cgo, and cgo a C compiler.
race = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# If the largest dependency has been compiled, so has the rest. A larger GOGC makes the compiler and the tests faster, with more memory.
# "make lint" vets everything.
test: need-go ## run every test that needs only Go (about a minute; the first time about two)
	@$(if $(race),,echo 'Without the race detector, because cgo is off: install gcc or clang, or unset CGO_ENABLED.')
	@if [ "$$(go list $(race) -f '{{.Stale}}' github.com/aws/aws-sdk-go-v2/service/dynamodb)" = true ]; then \
	  echo 'The first run compiles all dependencies. It takes about two minutes on two cores, and shows no result in the first one.'; \
	fi
	GOGC=400 go test $(race) -vet=off -timeout 30m ./...

build: build-aws build-tencent ## build the binaries of both clouds into dist/ (ARCH=amd64 for AWS on x86)

build-aws: need-go
	GOARCH=$(ARCH) $(gobuild) -tags lambda.norpc -o $(dist)/aws/api/bootstrap ./functions/aws/api
	GOARCH=$(ARCH) $(gobuild) -tags lambda.norpc -o $(dist)/aws/streamend/bootstrap ./functions/aws/streamend

# "sam build" calls these targets for the functions of template.yaml.
$(sam-targets): build-%Function:
	GOARCH=$(ARCH) $(gobuild) -tags lambda.norpc -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/aws/$(aws-$*)

aws-Api       := api
aws-StreamEnd := streamend
aws-Sweep     := streamend
aws-Webhook   := api

build-tencent: need-go
	GOARCH=amd64 $(gobuild) -o $(dist)/tencent/api ./functions/tencent/api
	GOARCH=amd64 $(gobuild) -o $(dist)/tencent/streamend ./functions/tencent/streamend

# For the Dockerfile.
.PHONY: build-local
build-local:
	$(gobuild) -o $(dist)/container/giftstats ./functions/local

package: need-go say-package build sbom ## build reproducible zip files of the binaries into dist/, with SBOMs and the licenses of what they contain
	go run ./tools/zip $(dist)/aws-api.zip $(dist)/aws/api/bootstrap
	go run ./tools/zip $(dist)/aws-streamend.zip $(dist)/aws/streamend/bootstrap
	go run ./tools/zip $(dist)/tencent.zip $(dist)/tencent/api $(dist)/tencent/streamend

# CycloneDX, of what is in each binary. The tool adds hashes of its own executable, which differ from machine to machine.
sbom-of = go -C tools/sbom tool cyclonedx-gomod bin -json -std -short-purls -noserial -notimestamp -version '$(VERSION)' \
	  -output '$(abspath $(dist))/$(1).all.json' '$(abspath $(dist))/$(2)' && \
	sed '/"tools": \[/,/"component": {/{/"hashes": \[/,/\],/d;}' $(dist)/$(1).all.json > $(dist)/$(1).cdx.json && \
	rm $(dist)/$(1).all.json

sbom: build
	$(call sbom-of,aws-api,aws/api/bootstrap)
	$(call sbom-of,aws-streamend,aws/streamend/bootstrap)
	$(call sbom-of,tencent-api,tencent/api)
	$(call sbom-of,tencent-streamend,tencent/streamend)
	go run ./tools/notices $(dist)/THIRD_PARTY_NOTICES ./functions/aws/... ./functions/tencent/...

deployer := tools/tencent-deploy

# npm checks every package against the hashes in package-lock.json, and runs no script of a package.
$(deployer)/node_modules/.package-lock.json: $(deployer)/package-lock.json
	@command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || \
	  { echo 'This needs Node 20 or later with npm on PATH: https://nodejs.org/en/download' >&2; exit 1; }
	@echo 'Installing the tools of the deployment into $(deployer)/node_modules. This is done once, and takes about half a minute.'
	$(retry) npm ci --prefix $(deployer) --ignore-scripts --no-audit --no-fund --no-update-notifier
	@touch $@

# Each function gets an archive of its own binary. Both in one would be too large for a request to the API.
deploy-tencent: $(deployer)/node_modules/.package-lock.json ## check, build and deploy what serverless.yml describes (STAGE=name; PLAN=1 only says what would change)
	@echo 'Checking the variables of serverless.yml.'
	@node $(deployer)/main.mjs check "$$stage"
	@echo 'Building both functions. The first time, this takes a minute or more.'
	@$(MAKE) --no-print-directory build-tencent
	@go run ./tools/zip $(dist)/tencent-api.zip $(dist)/tencent/api
	@go run ./tools/zip $(dist)/tencent-streamend.zip $(dist)/tencent/streamend
	@node $(deployer)/main.mjs $(if $(filter-out 0 false,$(PLAN)),plan,deploy) "$$stage"

remove-tencent: $(deployer)/node_modules/.package-lock.json ## remove what deploy-tencent created (CONFIRM=prod, or the name of the stage)
	@node $(deployer)/main.mjs remove "$$stage"

bench: need-go say-bench package ## measure start-up, requests, batches, rates, gifts and sweeps, and print one table (some minutes)
	go test -timeout 30m -run '^$$' -bench . -benchtime 1x ./internal/bench

include e2e/e2e.mk

fuzz: need-go ## run each fuzz target (fuzz=30s each)
	@echo "Fuzzing $$(grep -rh '^func Fuzz' pkg --include='*_test.go' | wc -l) targets, one after the other, each for $(fuzz)."
	@for package in $$(go list ./pkg/...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(fuzz) -fuzzminimizetime 1s $$package || exit 1; \
	  done; \
	done

# The load tool. Go checks what it downloads against its checksum database.
vegeta := $(tools)/vegeta-v12.13.0/vegeta

$(vegeta):
	GOBIN=$(@D) $(retry) go install github.com/tsenart/vegeta/v12@v12.13.0

soak: need-go say-soak $(vegeta) ## run the local server under load, with random failures, and print one table (soak=10m)
	go test -count=1 -tags soak -run '^TestSoak$$' -v -timeout 0 ./functions/local -soak $(soak) -vegeta $(vegeta)

# Fails if a line has more than 140 characters. A tab counts as one, and so does a character of several bytes.
define long_lines
{ line = $$0; gsub(/[\200-\277]/, "", line) }
length(line) > 140 { printf "%s:%d: %d characters; want at most 140\n", FILENAME, FNR, length(line); long = 1 }
END { exit long }
endef
export long_lines

# "go mod tidy" downloads modules that nothing else needs, and a download may fail.
twice = $(1) || { echo 'Once more, in case a download failed:'; sleep 5; $(1); }

lint: need-go ## check formatting, line length, vet, staticcheck and go.mod
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted"; exit 1; }
	@git ls-files -z '*.go' | xargs -0 env LC_ALL=C awk "$$long_lines"
	go vet -tags e2e,soak ./...
	go tool staticcheck -tags e2e,soak ./...
	$(call twice,go mod tidy -diff)
	$(call twice,go -C tools/sbom mod tidy -diff)
	@echo ok

vuln: need-go ## look up the dependencies in the Go vulnerability database
	go tool govulncheck ./...

clean: ## remove build results
	rm -rf dist .aws-sam
