# The two commands that matter: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv/bin
# Most of the long tests wait for films and time-outs, not for the processor.
WORKERS ?= 3

.PHONY: setup setup-dev servers peers demo test faults api check lint bench bench-scenes docs clean

setup: ## the environment that runs Anjeon, in .venv
	@$(PYTHON) scripts/bootstrap.py run

setup-dev:
	@$(PYTHON) scripts/bootstrap.py dev

servers:
	@scripts/install-test-servers.sh

peers: ## a separate environment with Ultralytics and torch, to compare with
	@$(PYTHON) scripts/bootstrap.py peers

demo: setup ## the whole system on a demo site; ARGS="--seconds 60 --headless" runs unattended
	@$(VENV)/anjeon demo $(ARGS)

test: setup-dev servers ## everything; ARGS is passed to pytest
	@if [ "$${CI:-}" = true ]; then $(MAKE) --no-print-directory peers; fi
	@$(VENV)/python -m pytest -n $(WORKERS) $(ARGS)

faults: setup-dev servers ## every fault there is, also those that take long; writes docs/faults.md
	@$(VENV)/python -m pytest -n $(WORKERS) tests/faults -m "" --fault-table docs/faults.md $(ARGS)

api: setup-dev ## the API against its own description, a hundred requests for each operation
	@ANJEON_API_EXAMPLES=100 $(VENV)/python -m pytest tests/contracts/test_api_conforms.py --timeout 3600 $(ARGS)

lint: setup-dev
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

check: lint test ## what a change must pass

bench: servers ## the figures; nothing here is a unit test. ARGS names some of them
	@$(PYTHON) scripts/bootstrap.py bench
	@.venv-bench/bin/python -m tests.bench $(ARGS)

bench-scenes: ## alarms on scenes with truth, ours against two common ways
	@$(PYTHON) scripts/bootstrap.py bench
	@.venv-bench/bin/python -m tests.bench scenes

docs: setup-dev
	@$(VENV)/mkdocs build --strict

clean:
	@rm -rf .venv .venv-bench .venv-peers .venv-tools dist build .mypy_cache .ruff_cache .pytest_cache
