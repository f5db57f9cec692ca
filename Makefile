# make demo       see it work: environment, installation, a film of our own making in one of our own styles
# make test       the fast tests                       make test-slow  the slow ones
# make lint       ruff, mypy, import contracts         make format     let ruff rewrite
# make bench      measure on this machine, in short     make clean      remove what make made
# make install    only make the environment
#
# PEER=PYTHON of an environment with another tool measures that beside ours (benchmarks/README.md).
# VENV=DIR uses another environment, PYTHON=python3.12 another interpreter.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help demo test test-slow lint format bench install clean
.DEFAULT_GOAL := help

help: ## This list.
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "vidstyle needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are older than pyproject.toml only when something may have to be installed.
$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[openvino]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.run

install: $(VENV)/.dev

demo: $(VENV)/.run
	$(BIN)/vidstyle demo -o demo -y

test: $(VENV)/.dev
	$(BIN)/python -m pytest

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	@for question in attention_scaling fps vgg_video_naive memory warp_error quality peers; do \
		options=""; [ $$question = peers ] && [ -n "$(PEER)" ] && options="--peer $(PEER)"; \
		echo "== $$question"; $(BIN)/python -m benchmarks.$$question --quick $$options || exit 1; \
	done; \
	$(BIN)/python -m benchmarks.plot --results build/bench

clean:
	rm -rf $(VENV) demo dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
