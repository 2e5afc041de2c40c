# "make e2e" tests the build results with the real tools. It installs them into .tools/ from the package registries of Python and Node, in
# the versions that the files here pin. No test is skipped: a missing tool is a failure.

tools  := $(CURDIR)/.tools
python := $(tools)/python/bin
sam    := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true $(python)/sam

# pip accepts only files whose hashes are in the requirements, and builds none, because a build would fetch what is not locked. It leaves
# the compilation of modules to the first program that needs them: most are never needed.
locked := --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: --no-compile

# The tools are installed at the same time. The tests that follow do not run at the same time: they would make each other slow.
e2e: need-go say-e2e ## test with the real tools of both clouds (installs them into .tools/)
	@$(MAKE) --no-print-directory -j4 e2e-tools
	@$(MAKE) --no-print-directory -j1 e2e-template e2e-serverless e2e-openapi e2e-programs

.PHONY: e2e-tools e2e-template e2e-serverless e2e-openapi e2e-programs

e2e-tools: $(foreach tool,python checkov redis clients console,$(tools)/$(tool)/.installed) $(deployer)/node_modules/.package-lock.json

$(tools)/python/.installed: e2e/requirements.txt
	rm -rf $(tools)/python && python3 -m venv $(tools)/python
	$(retry) $(python)/pip install $(locked) -r $<
	touch $@

# The package is for x86-64 only. On another processor, the redis-server on PATH is used instead.
$(tools)/redis/.installed: e2e/requirements-redis.txt
	rm -rf $(tools)/redis && python3 -m venv $(tools)/redis
	$(retry) $(tools)/redis/bin/pip install $(locked) -r $<
	@test -x $(tools)/redis/bin/redis-server || ln -s "$$(command -v redis-server)" $(tools)/redis/bin/; \
	$(tools)/redis/bin/redis-server --version >/dev/null || \
	  { echo 'e2e: no redis-server runs here. Install Redis 6.2 or newer, so that it is on PATH, and run make e2e again.' >&2; exit 1; }
	touch $@

# The measurements use it, too.
bench: $(tools)/redis/.installed

# checkov has its own environment, because it needs other versions of shared dependencies.
$(tools)/checkov/.installed: e2e/requirements-checkov.txt
	rm -rf $(tools)/checkov && python3 -m venv $(tools)/checkov
	$(retry) $(tools)/checkov/bin/pip install $(locked) -r $<
	touch $@

$(tools)/clients/.installed: $(wildcard e2e/clients/*.json)
	rm -rf $(tools)/clients && mkdir -p $(tools)/clients && cp e2e/clients/package*.json $(tools)/clients/
	$(retry) npm ci --prefix $(tools)/clients --ignore-scripts --no-audit --no-fund
	touch $@

# The chart library and the browser that looks at the page.
$(tools)/console/.installed: $(wildcard e2e/console/*.json) e2e/console/unpack.mjs
	rm -rf $(tools)/console && mkdir -p $(tools)/console && cp e2e/console/*.json $(tools)/console/
	$(retry) npm ci --prefix $(tools)/console --ignore-scripts --no-audit --no-fund
	node e2e/console/unpack.mjs $(tools)/console
	touch $@

# The template passes the linters, and sam builds the same bytes as make, and nothing else, even if a secret document lies in the checkout.
# It builds a copy without .tools, because sam copies all files before it builds.
e2e-template: build-aws $(tools)/python/.installed $(tools)/checkov/.installed
	$(sam) validate --lint --template template.yaml
	$(python)/cfn-lint template.yaml
	$(tools)/checkov/bin/checkov --config-file .checkov.yaml --compact --quiet
	rm -rf $(tools)/checkout && mkdir $(tools)/checkout
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t $(tools)/checkout
	echo '{}' > $(tools)/checkout/secret.json
	cd $(tools)/checkout && $(sam) build
	test -z "$$(find $(tools)/checkout/.aws-sam/build -type f ! -name bootstrap ! -name template.yaml)"
	for function in ApiFunction WebhookFunction; do \
	  cmp $(tools)/checkout/.aws-sam/build/$$function/bootstrap $(dist)/aws/api/bootstrap || exit 1; \
	done
	for function in StreamEndFunction SweepFunction; do \
	  cmp $(tools)/checkout/.aws-sam/build/$$function/bootstrap $(dist)/aws/streamend/bootstrap || exit 1; \
	done

e2e-serverless: build-tencent $(deployer)/node_modules/.package-lock.json
	go run ./tools/zip $(dist)/tencent-api.zip $(dist)/tencent/api
	go run ./tools/zip $(dist)/tencent-streamend.zip $(dist)/tencent/streamend
	node --test --test-concurrency=2 e2e/serverless/*.test.mjs

e2e-openapi: $(tools)/python/.installed
	$(python)/openapi-spec-validator pkg/httpapi/openapi.json

# All servers of the tests are on this machine.
no_proxy := NO_PROXY='*' no_proxy='*'

# The zip files do not depend on the time and mode of the binaries, and the packaged functions work.
e2e-programs: $(tools)/python/.installed $(tools)/redis/.installed $(tools)/clients/.installed $(tools)/console/.installed
	$(MAKE) package build-local ARCH=$$(go env GOARCH) dist=dist/e2e
	touch -d 2001-01-01 dist/e2e/tencent/* && chmod 700 dist/e2e/tencent/*
	go run ./tools/zip dist/e2e/again.zip dist/e2e/tencent/api dist/e2e/tencent/streamend
	cmp dist/e2e/again.zip dist/e2e/tencent.zip
	$(no_proxy) GIFTSTATS_TOOLS=$(tools) GIFTSTATS_DIST=$(CURDIR)/dist/e2e go test -count=1 -timeout 30m -tags e2e ./e2e
