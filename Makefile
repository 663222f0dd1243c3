# Everything is set up by the first command: Python 3.11+, make and the network's package index are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
ROOMS := schemas runtime storage spiders processing dags crawlhouse demo
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE # else each of the many processes would compile crawlhouse anew

.DEFAULT_GOAL := help

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "crawlhouse needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)

# Compiled once here, so that every later start of Airflow and of workers is quick even where Python may not write bytecode.
$(VENV)/.installed: $(BIN)/uv requirements.lock pyproject.toml
	@echo "Installing the $$(grep -c '==' requirements.lock) packages of requirements.lock into $(VENV): once, about half a minute"
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.installed ## create .venv with what running needs
install-dev: $(VENV)/.installed-dev ## and what tests and benchmarks need

demo: install ## crawl the bundled sites through Airflow and query the Parquet
	crawlhouse demo

up: install ## start Airflow on this machine
	crawlhouse up

down: install ## stop all that was started
	crawlhouse down

test: install-dev ## run the tests
	python -m pytest -m "not chaos and not system" -n 4 --dist loadgroup

test-system: install-dev ## run the slow tests of the whole system
	python -m pytest -m "system and not chaos" -n 2 --dist loadgroup

chaos: install-dev ## kill things and see that nothing is lost; long tests
	python -m pytest -m chaos

lint: install-dev ## ruff, mypy, import-linter, deptry
	ruff check . && ruff format --check . && mypy && lint-imports
	deptry . && deptry $(ROOMS) --optional-dependencies-dev-groups dev,bench

bench: install-dev ## measure beside the peers; PART=crawl|datasets|duplicates|extraction|freshness|frontier|hostile|lake|lake_size|memory|pages|politeness|processing|sharing|small_runs|trace, else all
	python -m benchmarks $(PART)

lock: $(BIN)/uv ## solve the requirements anew
	uv pip compile --universal --python-version 3.11 pyproject.toml --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" --quiet --upgrade --output-file requirements.lock
	uv pip compile --universal --python-version 3.11 pyproject.toml --extra dev --extra bench --extra browser --constraint requirements.lock \
	  --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet --upgrade --output-file requirements-dev.lock

clean: ## remove .venv and caches, never the home
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache

.PHONY: help install install-dev demo up down test test-system chaos lint bench lock clean
