# One word a task. `make` alone lists them.
PYTHON := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help dev up test test-pure parity lint types imports bench docs check clean

help:  ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev:  ## make .venv and install the project with its core and tools
	python3 tests/run_all.py --install-only

up: dev  ## run the platform with its embedded servers
	.venv/bin/aetherops up

test:  ## run every test
	python3 tests/run_all.py

test-pure:  ## run every test on the pure-Python core
	python3 tests/run_all.py --pure

parity:  ## compare the compiled core with its pure twin
	python3 tests/run_all.py tests/parity

lint: dev  ## style of Python and Cython
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/cython-lint ext

types: dev  ## strict types
	.venv/bin/mypy

imports: dev  ## the layers import downward only
	.venv/bin/lint-imports

bench: dev  ## time what must stay quick
	$(PYTHON) -m pytest tests/benchmarks --benchmark-only

docs: dev  ## run the examples that the documents show
	$(PYTHON) -m pytest tests/docs

check:  ## all that CI runs
	.ci/run

clean:  ## remove builds and caches; .venv stays
	rm -rf build dist .asv .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info && find aetherops -name '*.so' -delete
