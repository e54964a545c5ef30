.DEFAULT_GOAL := help

# Python 3.11 to 3.13: the first of these commands that is one. Everything is installed into .venv.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(shell for one in python3 python3.13 python3.12 python3.11; do \
	$$one -c '$(SUPPORTED)' 2>/dev/null && echo $$one && break; done) python3)
VENV := .venv
BIN := $(VENV)/bin
TAP_VENV := .venv-tap
# Other tools that run the connectors pin other versions than they do: each has an environment of its own.
RUNNERS := meltano dagster airflow dlt dbt
ENVIRONMENTS := lock mutation pyairbyte $(RUNNERS)
QUALITY := .venv-quality
QUALITY_PYTHON := >=3.11,<3.13
LOCKED := tools/environments
COMPILE := $(BIN)/uv pip compile --quiet --system-certs --universal --generate-hashes --prerelease if-necessary-or-explicit \
	--custom-compile-command "make lock-environments" --python-version 3.11
JOBS ?= 2
UV_VERSION := 0.13.9
UV_INSTALL := $(BIN)/uv pip install --quiet --system-certs --python
# Starting a connector takes twice as long where Python may not keep what it has compiled.
unexport PYTHONDONTWRITEBYTECODE
PACKAGES := mailchimp_unified source_mailchimp_unified destination_mailchimp_unified mailchimp_emulator mailchimp_workbench
CODE := $(PACKAGES) unit_tests integration_tests examples benchmarks docs tools conftest.py

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || { \
		echo "mailchimp-unified runs on Python 3.11, 3.12 and 3.13. Found: $$(command -v $(PYTHON) >/dev/null && $(PYTHON) --version 2>&1 | head -n 1 || echo 'no $(PYTHON)')."; \
		echo "Install one of them (Debian and Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13),"; \
		echo "or name the one to use: make $(or $(firstword $(MAKECMDGOALS)),demo) PYTHON=/path/to/python3.13"; exit 1; }
	@echo "Installing the connectors and what their tests need into $(VENV), from the locked versions: about half a minute, once."
	@echo "  1/3  a virtual environment of $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "  2/3  $$(grep -c '==' requirements-dev.txt) packages"
	@$(UV_INSTALL) $(BIN)/python --require-hashes -r requirements-dev.txt
	@echo "  3/3  both connectors"
	@$(UV_INSTALL) $(BIN)/python --no-deps --editable .
	@touch $@

# A peer that is measured next to the source, with versions of its own.
$(TAP_VENV)/.installed: benchmarks/tap-requirements.txt $(VENV)/.installed
	@echo "Installing a peer to measure into $(TAP_VENV)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(TAP_VENV)
	@$(UV_INSTALL) $(TAP_VENV)/bin/python --require-hashes -r $<
	@touch $@

$(ENVIRONMENTS:%=.venv-%/.installed): .venv-%/.installed: $(LOCKED)/%.txt | $(VENV)/.installed
	@echo "Installing $* into .venv-$*"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-$*
	@$(UV_INSTALL) .venv-$*/bin/python --require-hashes -r $<
	@touch $@

.PHONY: demo
demo: $(VENV)/.installed ## Sync a local Mailchimp into a DuckDB file, and back (CONFIG=file: read a real account)
	$(BIN)/python examples/demo.py $(if $(CONFIG),--config $(CONFIG))

.PHONY: workbench
workbench: $(VENV)/.installed ## Open a local page over a local Mailchimp: status, read, send
	$(BIN)/python examples/workbench.py

# Pages load these files; they come from npm only when they are renewed, never at run time.
VENDOR := mailchimp_workbench/static/vendor
.PHONY: vendor
vendor: ## Update the files that the workbench's pages load, from the versions locked in tools/vendor
	npm ci --prefix tools/vendor --no-audit --no-fund --loglevel=error
	rm -rf $(VENDOR) && mkdir -p $(VENDOR)
	cp tools/vendor/node_modules/htmx.org/dist/htmx.min.js tools/vendor/node_modules/htmx-ext-sse/dist/sse.min.js $(VENDOR)
	cp tools/vendor/node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 $(VENDOR)
	for name in htmx.org htmx-ext-sse @fontsource-variable/inter; do cp tools/vendor/node_modules/$$name/LICENSE $(VENDOR)/$$(basename $$name).LICENSE; done
	cp tools/vendor/package.json $(VENDOR)/versions.json

.PHONY: test
test: $(VENV)/.installed ## Run the tests
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow and not image and not pyairbyte and not quality and not runners"

.PHONY: test-airbyte
test-airbyte: test-image test-pyairbyte test-quality ## Run both connectors with Airbyte's own tools: test-image, test-pyairbyte and test-quality

.PHONY: test-image
test-image: $(VENV)/.installed ## Follow the Dockerfile's steps, without a container engine
	$(BIN)/python -m pytest -q -n $(JOBS) -m image integration_tests/airbyte

.PHONY: pyairbyte
pyairbyte: .venv-pyairbyte/.installed ## Install PyAirbyte into an environment of its own, .venv-pyairbyte

.PHONY: test-pyairbyte
test-pyairbyte: .venv-pyairbyte/.installed ## Run the connectors under PyAirbyte
	$(BIN)/python -m pytest -q -n $(JOBS) -m pyairbyte integration_tests/airbyte

$(QUALITY)/.installed: $(LOCKED)/quality.txt | $(VENV)/.installed
	@echo "Installing Airbyte's quality checks into $(QUALITY)"
	@$(BIN)/uv venv --quiet --clear --no-python-downloads --python "$(QUALITY_PYTHON)" $(QUALITY)
	@$(UV_INSTALL) $(QUALITY)/bin/python --require-hashes -r $<
	@touch $@

.PHONY: test-quality
test-quality: $(VENV)/.installed ## Run Airbyte's quality checks (they need Python 3.11 or 3.12)
	@if $(BIN)/uv python find --quiet --no-python-downloads "$(QUALITY_PYTHON)" >/dev/null; then $(MAKE) --no-print-directory $(QUALITY)/.installed; \
	else echo "WARNING: Airbyte publishes its quality checks for Python 3.11 and 3.12 only, and neither is here: they are skipped."; fi
	$(BIN)/python -m pytest -q -n $(JOBS) -m quality integration_tests/airbyte

.PHONY: test-runners
test-runners: $(VENV)/.installed $(RUNNERS:%=.venv-%/.installed) ## Run the examples of docs/running.md: Meltano, Dagster, Airflow, dlt, dbt, cron
	$(BIN)/python -m pytest -q -n $(JOBS) -m runners integration_tests/runners

.PHONY: dbt
dbt: .venv-dbt/.installed ## Install dbt for examples/dbt into an environment of its own, .venv-dbt

# The page that draws the specifications as forms; npm keeps what it needs in its folder.
FORMS := integration_tests/forms
$(FORMS)/dist/form.js: $(FORMS)/package-lock.json $(wildcard $(FORMS)/page/*)
	@command -v npm >/dev/null || { echo "The forms need node (20 or later) and npm: on Debian, apt-get install nodejs npm"; exit 1; }
	@echo "Installing what draws the forms into $(FORMS)/node_modules, and building the page"
	@npm ci --prefix $(FORMS) --no-audit --no-fund --loglevel=error
	@npm run build --prefix $(FORMS) --silent
	@touch $@

.PHONY: test-forms
test-forms: $(VENV)/.installed $(FORMS)/dist/form.js ## Draw both specifications as forms in headless Chromium, and fill them in
	CI=true $(BIN)/python -m pytest -q -n $(JOBS) -p no:hypothesispytest $(FORMS)

.PHONY: screenshots
screenshots: $(VENV)/.installed $(FORMS)/dist/form.js demo ## Write docs/images: the forms of both specifications, the demo's report, and the workbench
	$(BIN)/python -m integration_tests.forms.screenshots
	$(BIN)/python tools/demo_picture.py demo_output/report.html docs/images/demo-report.png
	$(BIN)/python -m integration_tests.workbench.screenshots

.PHONY: soak
soak: $(VENV)/.installed ## Repeat the tests of losslessness, resume and consent with many more seeds
	$(BIN)/python -m pytest -q -n $(JOBS) -m slow

SEEDS ?= 10000
.PHONY: simulate
simulate: $(VENV)/.installed ## Simulate whole syncs of both connectors on a virtual clock: SEEDS=n, or one with its log: SEED=n
	$(BIN)/python -m integration_tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: check
check: $(VENV)/.installed ## Check format, lint, types, imports, and run the fast tests
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/zizmor --quiet --offline --persona pedantic --strict-collection .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec examples/compose/compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.meltano examples/meltano/meltano.yml
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow" unit_tests

.PHONY: bench
bench: $(VENV)/.installed $(TAP_VENV)/.installed ## Measure both connectors against references, and write benchmarks/RESULTS.md
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python -m docs.generator

.PHONY: mutate
mutate: $(VENV)/.installed .venv-mutation/.installed ## Try small faults against the tests, and write benchmarks/MUTATION.md (SIZE=150 SEED=24 ONLY=path: print a part)
	.venv-mutation/bin/python -m tools.mutation --size $(or $(SIZE),150) --seed $(or $(SEED),24) $(if $(ONLY),--only $(ONLY))

.PHONY: docs
docs: $(VENV)/.installed ## Fill the generated parts of the documentation
	$(BIN)/python -m docs.generator

.PHONY: raw
raw: $(VENV)/.installed ## Derive the raw streams' schemas from ../shared/facts, and fill their docs
	$(BIN)/python -m tools.raw_streams
	$(BIN)/python -m docs.generator

.PHONY: distributions
distributions: $(VENV)/.installed ## Build what a release publishes into dist/ (RELEASE=v0.1.0: check that everything agrees with the tag)
	@rm -rf dist
	$(BIN)/python tools/distributions.py dist $(if $(RELEASE),--release $(RELEASE))

.PHONY: lock
lock: .venv-lock/.installed ## Lock what pyproject.toml asks for (REGENERATE=1: the newest versions), and export the requirements
	.venv-lock/bin/python tools/lock.py $(if $(REGENERATE),--regenerate)

.PHONY: lock-environments
lock-environments: $(VENV)/.installed ## Update the locked versions of the tools that have environments of their own
	for name in $(ENVIRONMENTS) quality; do $(COMPILE) $(LOCKED)/$$name.in --output-file $(LOCKED)/$$name.txt || exit 1; done

.PHONY: clean
clean: ## Remove everything that these commands created
	rm -rf $(VENV) .venv-* .mutation demo_output/demo.duckdb demo_output/report.html build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis $(FORMS)/node_modules $(FORMS)/dist
