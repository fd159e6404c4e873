# One word a task. `make` alone lists them.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
.DEFAULT_GOAL := help
.PHONY: help dev up test test-pure parity lint types imports sanitize bench docs check clean

help:  ## list the tasks
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev:  ## make .venv and install the project with its core and tools
	python3 tests/run_all.py --install-only

up: dev  ## run the platform with its embedded servers
	aetherops up

test:  ## run every test
	python3 tests/run_all.py

test-pure:  ## run every test on the pure-Python core
	python3 tests/run_all.py --pure

parity:  ## compare the compiled core with its pure twin
	python3 tests/run_all.py tests/parity

lint: dev  ## style of Python and Cython
	ruff check . && ruff format --check . && cython-lint ext

types: dev  ## strict types
	mypy

imports: dev  ## the layers import downward only
	lint-imports

sanitize: dev  ## random arguments and the core's tests under ASan and UBSan
	python tests/sanitize.py

bench: dev  ## measure the running platform (docs/performance.md)
	python tests/benchmarks/platform_figures.py

docs: dev  ## run the examples that the documents show
	pytest tests/docs tests/api/test_documentation.py tests/unit/test_interface_page.py

check:  ## all that CI runs
	.ci/run

clean:  ## remove builds and caches; .venv stays
	rm -rf build dist .asv .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache *.egg-info && find aetherops -name '*.so' -delete
