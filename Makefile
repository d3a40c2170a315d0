# Everything a developer needs; `make help` lists it. Only Python 3.11+ and make are required.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PAGE := pipeline/live/page
BEACON := pipeline/collector/beacon

# What pip says, in few lines: each large file, each twentieth package, the end.
TOLD = n=0; while read -r did what; do case "$$did $$what" in \
	"Collecting "*) n=$$((n + 1)); [ $$((n % 20)) -ne 0 ] || echo "  $$n packages" ;; \
	"Downloading "*[0-9][0-9].[0-9]" MB"*) echo "  downloading $$what" ;; \
	"Installing collected"*) echo "  $$n packages are here; unpacking them takes as long again" ;; \
	"Failed "*) exit 1 ;; esac; done

.DEFAULT_GOAL := help
.PHONY: help demo up test check format lock schemas beacon page screenshots house bench bench-views faults faults-mutations soak properties fuzz clients kafka docs wheel wheel-test image image-test chart-tools sbom clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

demo: $(READY) ## Start everything, simulate shoppers, print what came of them (ONCE=1: then end)
	@$(BIN)/touchstream demo $(if $(ONCE),--once)

up: $(READY) ## Start everything on this machine and keep it running
	@$(BIN)/touchstream up

test: $(READY) ## Run all tests on two cores, with the short forms of faults and benchmark (ARGS=tests/unit: a part)
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY) ## What CI runs: format, lint, types, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(MAKE) --no-print-directory test

house: $(READY) ## Count rooms, floors and arrows of the code
	@$(BIN)/python -m tests.support.house

format: $(READY) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

schemas: $(READY) ## Write the JSON Schemas and the generated pages of docs anew
	@$(BIN)/python -m schemas.json_schema
	@$(BIN)/python -m tests.support.tables_page
	@$(BIN)/python -m tests.support.questions_page
	@$(BIN)/python -m tests.support.grafana.write
	@$(BIN)/python -m tests.support.settings_page
	@$(BIN)/python -m tests.support.rights_page
	@$(BIN)/python -m tests.support.journeys_page
	@$(BIN)/python -m tests.support.architecture_page
	@$(BIN)/python -m tests.support.runbook_page

beacon: ## Build beacon.min.js from its sources (needs Node; nobody who uses it does)
	@cd $(BEACON) && npx --yes esbuild@0.28.2 tag.js --bundle --minify --format=iife \
		--target=es2021 --charset=utf8 --log-level=warning --outfile=$(or $(OUT),beacon.min.js)

page: ## Build the live page from its sources (needs Node; nobody who uses it does)
	@cd $(PAGE) && npm ci --silent --no-audit --no-fund && \
		npx esbuild src/main.jsx --bundle --minify --format=iife --target=es2022 --charset=utf8 \
		--jsx=automatic --jsx-import-source=preact --log-level=warning --outfile=$(or $(OUT),built)/page.js && \
		npx esbuild src/page.css --minify --charset=utf8 --log-level=warning --outfile=$(or $(OUT),built)/page.css && \
		cp src/index.html src/icon.svg $(or $(OUT),built)/

screenshots: $(READY) ## Take the pictures of the live page in docs/images anew (needs Chromium)
	@$(BIN)/python -m tests.support.screenshots $(ARGS)

bench: $(READY) ## Measure the tracker against its floor and against plain Faust agents
	@$(BIN)/python -m tests.bench.tracker $(ARGS)

watch-bench: $(READY) ## Replay weeks with and without drops, write build/watch.json (QUICK=1: few)
	@$(BIN)/python -m tests.bench.watch $(if $(QUICK),--quick) $(ARGS)

watch-stack: $(READY) ## Provoke every alert on the whole line, with Prometheus and Alertmanager: an hour
	@LONG=1 $(BIN)/python -m pytest tests/integration/test_operations_alerts.py \
		tests/integration/test_watch_stack.py $(ARGS)

bench-views: $(READY) ## Ask every question of shops of 1 and 20 million touchpoints
	@$(BIN)/python -m tests.bench.views $(ARGS)

faults: $(READY) ## The long form of the fault tests
	@LONG=1 $(BIN)/python -m pytest tests/faults tests/unit/tracker/test_linked.py \
		tests/integration/test_stack_remembers.py tests/integration/test_verify_live.py $(ARGS); \
	code=$$?; $(BIN)/python -m tests.faults.report; exit $$code

faults-mutations: $(READY) ## Switch off each protection in a copy of the code: a test must notice
	@$(BIN)/python -m tests.faults.mutations $(ARGS)

soak: $(READY) ## The whole line for HOURS=8 at half its rate, with restarts: what grows?
	@$(BIN)/python -m tests.faults.soak --hours $(or $(HOURS),8) $(ARGS)

properties: $(READY) ## The property tests with 3,000 examples each: some hours on one core
	@HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest --timeout 7200 --numprocesses 2 \
		$$(grep -rl hypothesis tests/unit) $(ARGS)

fuzz: $(READY) ## Fuzz the collector over HTTP, and all that decodes (MINUTES=10 for each)
	@FUZZ_MINUTES=$(or $(MINUTES),10) $(BIN)/python -m pytest -s tests/fuzz/test_http.py $(ARGS)
	@$(BIN)/python -m tests.fuzz.guided --minutes $(or $(MINUTES),10)

clients: $(READY) ## Run unmodified clients on ways that fail, and write the table in docs/sdks.md
	@$(BIN)/python -m tests.clients.run --write $(ARGS)

kafka: $(READY) ## Run a real Apache Kafka on 127.0.0.1:9092 (needs Java 17 and Maven)
	@$(BIN)/python -m tests.support.kafka --port 9092

lock: $(READY) ## Resolve the dependencies anew and write both lock files
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--extra watch --extra otel pyproject.toml --output-file requirements.lock --upgrade
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--all-extras pyproject.toml --output-file requirements-dev.lock --upgrade

docs: $(READY) ## Build the documentation as a site into build/site; a broken link fails
	@$(BIN)/python -m sphinx -W --keep-going -q -E -c docs/site -d build/site.cache . build/site
	@echo "build/site/index.html"

wheel: $(READY) ## Build the wheel and the source archive into dist, with their checksums
	@rm -rf dist
	@$(BIN)/python -m hatchling build --directory dist
	@cd dist && sha256sum touchstream-* > SHA256SUMS && cat SHA256SUMS

wheel-test: $(READY) ## Install the wheel into an empty environment (1.1 GB), run the demo there
	@LONG=1 $(BIN)/python -m pytest --timeout 1200 tests/contract/test_wheel.py tests/integration/test_demo.py $(ARGS)

image: ## Build the image for this machine (needs a container engine; ENGINE=podman)
	@$(or $(ENGINE),docker) build --file deploy/Dockerfile --tag touchstream \
		--build-arg REVISION=$$(git rev-parse HEAD) .

image-test: $(READY) ## Run the steps of the image with its locked packages, without an engine (needs root)
	@LONG=1 $(BIN)/python -m pytest tests/contract/test_image.py $(ARGS)

chart-tools: $(READY) ## Fetch Helm (built by Go) and Kubernetes' schemas into .cache, for the tests of the chart
	@command -v helm >/dev/null || GOBIN=$(CURDIR)/.cache/bin go install helm.sh/helm/v3/cmd/helm@v3.22.0
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target .cache/kubernetes kubernetes-validate==1.37.0

sbom: $(READY) ## List the packages of the image with licences (CycloneDX) in dist/touchstream.cdx.json
	@rm -rf build/sbom && $(PYTHON) -m venv --without-pip build/sbom && mkdir -p dist
	@$(BIN)/python -m pip --python build/sbom/bin/python install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: --requirement requirements.lock
	@$(BIN)/cyclonedx-py environment build/sbom --pyproject pyproject.toml --output-reproducible \
		--output-file dist/touchstream.cdx.json

clean: ## Remove what was installed, cached and stored here
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .touchstream

$(READY): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON); install Python 3.11 or newer, or set PYTHON=" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "make: $$($(PYTHON) --version) is too old; set PYTHON to Python 3.11 or newer" >&2; exit 1; }
	@free=$$(df -Pk . | awk 'NR==2 {print int($$4 / 1024)}'); [ "$$free" -ge 2500 ] || \
		{ echo "make: $$free MB free here, 2,500 needed for the environment" >&2; exit 1; }
	@echo "Setting up $(VENV), once: $$(grep -c == requirements-dev.lock) packages at most, about 1.6 GB; a minute with a fast connection"
	@$(PYTHON) -m venv $(VENV) || { echo "make: no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@{ PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check \
		--require-hashes --only-binary :all: --requirement requirements-dev.lock || echo Failed; } | { $(TOLD); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)
