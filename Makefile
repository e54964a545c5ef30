.DEFAULT_GOAL := help

# Any Python from 3.10 to 3.13 will do; everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2
UV_VERSION := 0.13.9
PACKAGES := mailchimp_unified source_mailchimp_unified destination_mailchimp_unified mailchimp_emulator
CODE := $(PACKAGES) unit_tests integration_tests examples benchmarks tools conftest.py

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --require-hashes -r requirements-dev.txt
	$(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --no-deps --editable .
	@touch $@

.PHONY: demo
demo: $(VENV)/.installed ## A local Mailchimp into a DuckDB file, and back (CONFIG=file: read a real account)
	$(BIN)/python examples/demo.py $(if $(CONFIG),--config $(CONFIG))

.PHONY: test
test: $(VENV)/.installed ## Run the tests
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow"

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
bench: $(VENV)/.installed ## Measure both connectors against references, and write benchmarks/RESULTS.md
	$(BIN)/python benchmarks/bench.py

.PHONY: lock
lock: ## Renew the locked versions (needs poetry with poetry-plugin-export)
	poetry lock
	poetry export --with dev --output requirements-dev.txt
	poetry export --only main --output docker/requirements.txt

.PHONY: clean
clean: ## Remove what the commands made
	rm -rf $(VENV) demo_output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
