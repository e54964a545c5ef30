.DEFAULT_GOAL := help

# Any Python from 3.10 to 3.13 will do; everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TAP_VENV := .venv-tap
# Airbyte's own heavy tools pin other versions than the connectors: each has an environment of its own.
PYAIRBYTE := .venv-pyairbyte
QUALITY := .venv-quality
QUALITY_PYTHON := >=3.11,<3.13
LOCKED := tools/environments
COMPILE := $(BIN)/uv pip compile --quiet --system-certs --universal --generate-hashes --prerelease if-necessary-or-explicit \
	--custom-compile-command "make lock-environments"
JOBS ?= 2
UV_VERSION := 0.13.9
# Starting a connector takes twice as long where Python may not keep what it has compiled.
unexport PYTHONDONTWRITEBYTECODE
PACKAGES := mailchimp_unified source_mailchimp_unified destination_mailchimp_unified mailchimp_emulator mailchimp_workbench
CODE := $(PACKAGES) unit_tests integration_tests examples benchmarks docs tools conftest.py

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --require-hashes -r requirements-dev.txt
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --editable .
	@touch $@

# A peer that is measured beside the source, with versions of its own.
$(TAP_VENV)/.installed: benchmarks/tap-requirements.txt $(VENV)/.installed
	$(PYTHON) -m venv --clear $(TAP_VENV)
	$(BIN)/uv pip install --quiet --system-certs --python $(TAP_VENV)/bin/python --require-hashes -r $<
	@touch $@

.PHONY: demo
demo: $(VENV)/.installed ## A local Mailchimp into a DuckDB file, and back (CONFIG=file: read a real account)
	$(BIN)/python examples/demo.py $(if $(CONFIG),--config $(CONFIG))

.PHONY: workbench
workbench: $(VENV)/.installed ## A local page over a local Mailchimp: status, read, send
	$(BIN)/python examples/workbench.py

# Pages load these files; they come from npm only when they are renewed, never at run time.
VENDOR := mailchimp_workbench/static/vendor
.PHONY: vendor
vendor: ## Renew the files that the workbench's pages load, from the versions locked in tools/vendor
	npm ci --prefix tools/vendor --no-audit --no-fund --loglevel=error
	rm -rf $(VENDOR) && mkdir -p $(VENDOR)
	cp tools/vendor/node_modules/htmx.org/dist/htmx.min.js tools/vendor/node_modules/htmx-ext-sse/dist/sse.min.js $(VENDOR)
	cp tools/vendor/node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 $(VENDOR)
	for name in htmx.org htmx-ext-sse @fontsource-variable/inter; do cp tools/vendor/node_modules/$$name/LICENSE $(VENDOR)/$$(basename $$name).LICENSE; done
	cp tools/vendor/package.json $(VENDOR)/versions.json

.PHONY: test
test: $(VENV)/.installed ## Run the tests
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow and not image and not pyairbyte and not quality"

.PHONY: test-airbyte
test-airbyte: test-image test-pyairbyte test-quality ## Run both connectors with Airbyte's own heavy tools: the next three

.PHONY: test-image
test-image: $(VENV)/.installed ## Follow the Dockerfile's steps, without a container engine
	$(BIN)/python -m pytest -q -n $(JOBS) -m image integration_tests/airbyte

$(PYAIRBYTE)/.installed: $(VENV)/.installed $(LOCKED)/pyairbyte.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(PYAIRBYTE)
	$(BIN)/uv pip install --quiet --system-certs --python $(PYAIRBYTE)/bin/python --require-hashes -r $(LOCKED)/pyairbyte.txt
	@touch $@

.PHONY: pyairbyte
pyairbyte: $(PYAIRBYTE)/.installed ## Install PyAirbyte into an environment of its own, .venv-pyairbyte

.PHONY: test-pyairbyte
test-pyairbyte: $(PYAIRBYTE)/.installed ## Run the connectors under PyAirbyte
	$(BIN)/python -m pytest -q -n $(JOBS) -m pyairbyte integration_tests/airbyte

$(QUALITY)/.installed: $(VENV)/.installed $(LOCKED)/quality.txt
	@rm -rf $(QUALITY)
	$(BIN)/uv venv --quiet --no-python-downloads --python "$(QUALITY_PYTHON)" $(QUALITY)
	$(BIN)/uv pip install --quiet --system-certs --python $(QUALITY)/bin/python --require-hashes -r $(LOCKED)/quality.txt
	@touch $@

.PHONY: test-quality
test-quality: $(VENV)/.installed ## Run Airbyte's quality checks (they need Python 3.11 or 3.12)
	@if $(BIN)/uv python find --quiet --no-python-downloads "$(QUALITY_PYTHON)" >/dev/null; then $(MAKE) --no-print-directory $(QUALITY)/.installed; \
	else echo "WARNING: Airbyte publishes its quality checks for Python 3.11 and 3.12 only, and neither is here: they are skipped."; fi
	$(BIN)/python -m pytest -q -n $(JOBS) -m quality integration_tests/airbyte

# The page that draws the specifications as forms; npm keeps what it needs in its folder.
FORMS := integration_tests/forms
$(FORMS)/dist/form.js: $(FORMS)/package-lock.json $(wildcard $(FORMS)/page/*)
	@command -v npm >/dev/null || { echo "The forms need node (20 or later) and npm: on Debian, apt-get install nodejs npm"; exit 1; }
	npm ci --prefix $(FORMS) --no-audit --no-fund --loglevel=error
	npm run build --prefix $(FORMS) --silent
	@touch $@

.PHONY: test-forms
test-forms: $(VENV)/.installed $(FORMS)/dist/form.js ## Draw both specifications as forms in headless Chromium, and fill them in
	CI=true $(BIN)/python -m pytest -q -n $(JOBS) -p no:hypothesispytest $(FORMS)

.PHONY: screenshots
screenshots: $(VENV)/.installed $(FORMS)/dist/form.js ## Write docs/images: the forms of both specifications, and the workbench
	$(BIN)/python -m integration_tests.forms.screenshots
	$(BIN)/python -m integration_tests.workbench.screenshots

.PHONY: soak
soak: $(VENV)/.installed ## Repeat the tests of losslessness, resume and consent with many more seeds
	$(BIN)/python -m pytest -q -n $(JOBS) -m slow

.PHONY: check
check: $(VENV)/.installed ## Check format, lint, types, imports, and run the fast tests
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow" unit_tests

.PHONY: bench
bench: $(VENV)/.installed $(TAP_VENV)/.installed ## Measure both connectors against references, and write benchmarks/RESULTS.md
	$(BIN)/python benchmarks/bench.py
	$(BIN)/python -m docs.generator

.PHONY: docs
docs: $(VENV)/.installed ## Fill the generated parts of the documentation
	$(BIN)/python -m docs.generator

.PHONY: raw
raw: $(VENV)/.installed ## Derive the raw streams' schemas from ../shared/facts, and fill their docs
	$(BIN)/python -m tools.raw_streams
	$(BIN)/python -m docs.generator

.PHONY: lock
lock: ## Renew the locked versions (needs poetry with poetry-plugin-export)
	poetry lock
	poetry export --with dev --all-extras --output requirements-dev.txt
	poetry export --only main --output docker/requirements.txt
	$(MAKE) lock-environments

.PHONY: lock-environments
lock-environments: $(VENV)/.installed ## Renew the locked versions of Airbyte's heavy tools
	$(COMPILE) --python-version 3.10 $(LOCKED)/pyairbyte.in --output-file $(LOCKED)/pyairbyte.txt
	$(COMPILE) --python-version 3.11 $(LOCKED)/quality.in --output-file $(LOCKED)/quality.txt

.PHONY: clean
clean: ## Remove what the commands made
	rm -rf $(VENV) $(TAP_VENV) $(PYAIRBYTE) $(QUALITY) demo_output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis $(FORMS)/node_modules $(FORMS)/dist
