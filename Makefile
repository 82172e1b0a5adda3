# Two commands on a machine with nothing but Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
.DELETE_ON_ERROR:
.PHONY: setup demo test lint types tests wheel clean

setup: $(READY)

# torch first, from wherever pip finds its CPU build, so that nothing else pulls another one.
$(READY): setup.py pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q torch==2.13.0
	$(BIN)/pip install -q -e '.[dev,mediapipe,synth]'
	$(BIN)/handkit download default
	touch $@

demo: setup
	$(BIN)/handkit predict demo/hand.png --out demo/out

test: setup
	$(BIN)/handkit download --all
	$(MAKE) lint types tests wheel

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types:
	$(BIN)/mypy

tests:
	HANDKIT_OFFLINE=1 $(BIN)/python -m pytest -n 2

# Builds the wheel, installs it into an empty environment outside the checkout, and uses it there.
wheel:
	$(BIN)/python tools/check_wheel.py

clean:
	rm -rf .venv build dist *.egg-info demo/out
