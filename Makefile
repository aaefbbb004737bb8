# Two commands to begin with: `make demo` and `make test`. Each sets up all it needs in .venv.
#
#   make demo                        a shop, a stand-in for Pinterest, and Pinyon between them
#   make demo ARGS="--exit"          the same, and end after the summary; see `pinyon demo --help` for more
#   make test                        formatter, linter, types, import floors, and every test
#   make test ARGS="tests/domain"    the checks, and only these tests
#   make check                       the checks alone
#   make bench                       what an event costs, side by side with plain ways to do the same
#   make docs                        write the parts of the docs that are made from code
#   make lock                        write requirements/*.txt anew from pyproject.toml

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=

.PHONY: demo test check bench docs lock clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/run.stamp
	$(BIN)/pinyon demo $(ARGS)

test: check
	@scripts/system-packages
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/dev.stamp
	$(BIN)/python -m scripts.docs

lock: $(VENV)/dev.stamp
	$(PIP) install uv
	scripts/lock $(BIN)/uv

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Pinyon needs Python 3.11 or newer; name one: make PYTHON=python3.12 ...")'
	@echo "Setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --require-hashes -r requirements/run.txt -r requirements/build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp
