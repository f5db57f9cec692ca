# make demo       see it work: environment, installation, a film of our own making in one of our own styles
# make test       the fast tests                       make test-slow  the slow ones
# make test-studio  the page in a real browser         make test-cluster  films over Ray
# make lint       ruff, mypy, import contracts         make format     let ruff rewrite
# make docs       the documentation as a site          make docs-serve the same, on port 8000
# make coverage   the fast tests, and what they reach  make lock       write constraints.txt anew
# make bench      measure on this machine, in short    make clean      remove what make made
# make install    only make the environment
#
# PEER=PYTHON of an environment with another tool measures that beside ours (benchmarks/README.md).
# VENV=DIR uses another environment, PYTHON=python3.12 another interpreter.

VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt

.PHONY: help demo test test-slow test-studio test-cluster coverage lint format docs docs-serve lock bench install clean
.DEFAULT_GOAL := help

help: ## This list.
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "vidstyle needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps are older than what they depend on only when something may have to be installed.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[openvino]'
	@touch $@

# pip knows dependency groups since 25.1; a new environment may begin with an older one.
$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet 'pip>=25.1'
	$(INSTALL) --group dev --editable '.[openvino,studio,train,cluster]'
	@touch $@ $(VENV)/.run

install: $(VENV)/.dev

demo: $(VENV)/.run
	$(BIN)/vidstyle demo -o demo -y

# Tests keep to one thread each, so that two cores take two at a time.
test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

test-studio: $(VENV)/.dev
	$(BIN)/python -m pytest -m studio

test-cluster: $(VENV)/.dev
	$(BIN)/python -m pytest -m cluster

coverage: $(VENV)/.dev
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev
	$(BIN)/python docs/build.py

docs-serve: $(VENV)/.dev
	$(BIN)/python docs/build.py serve

lock: $(VENV)/.dev
	$(PIP) install --quiet uv
	UV=$(BIN)/uv .ci/lock

bench: $(VENV)/.dev
	@for question in attention_scaling fps vgg_video_naive memory warp_error quality peers; do \
		options=""; [ $$question = peers ] && [ -n "$(PEER)" ] && options="--peer $(PEER)"; \
		echo "== $$question"; $(BIN)/python -m benchmarks.$$question --quick $$options || exit 1; \
	done; \
	$(BIN)/python -m benchmarks.plot --results build/bench

clean:
	rm -rf $(VENV) demo dist build .coverage* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
