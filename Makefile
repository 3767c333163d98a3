# Everything a newcomer needs: `make demo` and `make test`, each from nothing but Python 3.11+ and make.
VENV := .venv
PURE := tests/geo tests/rules tests/core# tests of the pure packages: these alone must cover them
PYTHON ?= python3
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test serve check bench bench-full year kafka reference clean help
help:
	@echo "make demo   real New York reports through the whole engine, checking itself"
	@echo "make test   the whole test suite"
	@echo "make serve  the console over a made-up town that is alive"
	@echo "make check  format, lint, types, import contracts: what CI runs first"
	@echo "make bench  how fast, by stage, against the budgets and beside rivals; bench-full: everything, into the README"
	@echo "make year   325,600 incidents of a simulated year, measured and counted again"
	@echo "make kafka  a real single-node Kafka on this machine, for trying out"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

# What the engine needs to run; the versions are the ones the tests ran with.
$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

# What the tests, the checks and the bench need besides; why quixstreams by itself: pyproject.toml, `bench`.
$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[kafka,bench,dev]'
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps quixstreams
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run
	$(BIN)/python examples/nyc/demo.py

# Ctrl-C ends it. What lies in var/serve is made anew each time.
serve: $(VENV)/.run
	$(BIN)/python -m bench.day

test: $(VENV)/.dev
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest -n 2 $(PURE)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --skip-covered --fail-under 95
	$(BIN)/python -m pytest -n 2 $(PURE:%=--ignore=%)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir $(VENV)/import_linter_cache

reference: $(VENV)/.dev
	$(BIN)/python docs/write_reference.py

bench: $(VENV)/.dev
	$(BIN)/python -m bench

# Needs Java 17 and Maven, and a machine with nothing else to do. Replaces docs/bench.jsonl and the README's figures.
bench-full: $(VENV)/.dev
	$(BIN)/python -m bench.full

# A city's year of incidents; then every measure counted again from the export by code that shares nothing with it.
year: $(VENV)/.run
	$(BIN)/python -m bench.year
	$(BIN)/python tests/simulation/sim_year_recount.py var/year

# Needs Java 17 and Maven; says so if they are missing. Ctrl-C ends it.
kafka: $(VENV)/.dev
	$(BIN)/python -m bench.broker

clean:
	rm -rf $(VENV) var .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
