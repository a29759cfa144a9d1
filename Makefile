# Each target does its own set-up: a virtual environment in .venv, installed by uv where it is present and by pip where not.
PYTHON ?= python3
BIN := .venv/bin
# Coordinator and workers are processes: threads of BLAS inside them would only compete.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MLFLOW_DISABLE_TELEMETRY := true
# The tests start hundreds of processes: each would compile the package anew where Python is told not to keep its bytecode.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-slow check reference docs bench clean
.DEFAULT_GOAL := demo

.venv/ready: pyproject.toml constraints.txt Makefile
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing --python $(PYTHON) .venv && uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[test,check]'; \
	else \
	  $(PYTHON) -m venv .venv && $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'; \
	fi
	@mkdir -p .typing && ln -sfn .. .typing/mlptune
	@touch $@

# What an extra of the package needs beside it.
.venv/ready-bench .venv/ready-docs: .venv/ready-%: .venv/ready
	@if command -v uv >/dev/null 2>&1; then \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[$*]'; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'; \
	fi
	@touch $@

demo: .venv/ready  ## a real sweep on the digits, into ./mlflow.db
	@$(BIN)/mlptune sweep digits
	@echo 'The command is .venv/bin/mlptune; after "source .venv/bin/activate" it is mlptune.'

test: .venv/ready  ## the test suite, about 4 minutes on 2 cores
	$(BIN)/python -m pytest -q -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

test-slow: .venv/ready  ## the slower tests
	$(BIN)/python -m pytest -q -m slow

check: .venv/ready  ## lint, types, direction of imports, reference in step with the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate_reference.py --check

reference: .venv/ready  ## docs/reference, written from the code
	$(BIN)/python docs/generate_reference.py

docs: .venv/ready-docs  ## the pages of docs as a site in ./site, links checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo 'Open site/index.html in a browser. With its search: python3 -m http.server -d site -b 127.0.0.1'

bench: .venv/ready-bench  ## side-by-side benchmarks; prints tables
	$(BIN)/python -m pytest -q -s tests/bench --override-ini=python_files='bench_*.py'

clean:
	rm -rf .venv .typing site .mypy_cache .ruff_cache .pytest_cache *.egg-info
