# "make e2e" tests the build results with the real tools. It installs them into .tools/ from the package registries, in the versions
# that the files here pin. No test is skipped: a missing tool is a failure.

tools  := $(CURDIR)/.tools
python := $(tools)/python/bin
sam    := SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true $(python)/sam

# pip accepts only files whose hashes are in the requirements, and builds none, because a build would fetch what is not locked.
locked := --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all:

e2e: say-e2e e2e-template e2e-serverless e2e-openapi e2e-programs ## test with the real tools of both clouds (installs them into .tools/)

.PHONY: e2e-template e2e-serverless e2e-openapi e2e-programs

$(tools)/python/.installed: e2e/requirements.txt
	rm -rf $(tools)/python && python3 -m venv $(tools)/python
	$(python)/pip install $(locked) -r $<
	touch $@

$(tools)/redis/.installed: e2e/install-redis.sh
	sh $< $(tools)/redis
	touch $@

# The measurements use it, too.
bench: $(tools)/redis/.installed

# checkov has its own environment, because it needs other versions of shared dependencies.
$(tools)/checkov/.installed: e2e/requirements-checkov.txt
	rm -rf $(tools)/checkov && python3 -m venv $(tools)/checkov
	$(tools)/checkov/bin/pip install $(locked) -r $<
	touch $@

$(tools)/clients/.installed: $(wildcard e2e/clients/*.json)
	rm -rf $(tools)/clients && mkdir -p $(tools)/clients && cp e2e/clients/package*.json $(tools)/clients/
	npm ci --prefix $(tools)/clients --ignore-scripts --no-audit --no-fund
	touch $@

# The chart library and the browser that looks at the page.
$(tools)/console/.installed: $(wildcard e2e/console/*.json) e2e/console/unpack.mjs
	rm -rf $(tools)/console && mkdir -p $(tools)/console && cp e2e/console/*.json $(tools)/console/
	npm ci --prefix $(tools)/console --ignore-scripts --no-audit --no-fund
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
	node --test e2e/serverless/*.test.mjs

e2e-openapi: $(tools)/python/.installed
	$(python)/openapi-spec-validator pkg/httpapi/openapi.json

# The zip files do not depend on the time and mode of the binaries, and the packaged functions work.
e2e-programs: $(tools)/python/.installed $(tools)/redis/.installed $(tools)/clients/.installed $(tools)/console/.installed
	$(MAKE) package build-local ARCH=$$(go env GOARCH) dist=dist/e2e
	touch -d 2001-01-01 dist/e2e/tencent/* && chmod 700 dist/e2e/tencent/*
	go run ./tools/zip dist/e2e/again.zip dist/e2e/tencent/api dist/e2e/tencent/streamend
	cmp dist/e2e/again.zip dist/e2e/tencent.zip
	GIFTSTATS_TOOLS=$(tools) GIFTSTATS_DIST=$(CURDIR)/dist/e2e go test -count=1 -tags e2e ./e2e
