# Two commands on a machine with nothing but Python 3.11: `make demo` and `make test`.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
RC := .venv-mmengine-rc
RC_READY := $(RC)/.ready
INTEROP := .venv-interop
EASYCV := $(INTEROP)/wheels/pai_easycv-0.11.7-py3-none-any.whl
MMPOSE_0X := $(INTEROP)/wheels/mmpose-0.29.0-py2.py3-none-any.whl
.DELETE_ON_ERROR:
.PHONY: setup demo test lint types tests wheel test-mmengine-rc test-interop clean

setup: $(READY)

# torch first, from wherever pip finds its CPU build, so that nothing else pulls another one.
$(READY): setup.py pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q torch==2.13.0
	$(BIN)/pip install -q -e '.[dev,mediapipe,plot,serve,synth]'
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

# The whole suite on mmengine's release candidate, in an environment of its own.
test-mmengine-rc: $(RC_READY)
	$(RC)/bin/handkit download --all
	HANDKIT_OFFLINE=1 $(RC)/bin/python -m pytest -n 2

$(RC_READY): setup.py pyproject.toml
	test -x $(RC)/bin/python || $(PYTHON) -m venv $(RC)
	$(RC)/bin/pip install -q torch==2.13.0
	$(RC)/bin/pip install -q -e '.[dev,mediapipe,plot,serve,synth]' mmengine-lite==0.11.0rc3
	touch $@

# handkit beside the real packages of other toolkits: one environment each, kept from run to run.
test-interop: setup $(INTEROP)/modelscope/.ready $(INTEROP)/openmmlab/.ready $(EASYCV) $(MMPOSE_0X)
	$(BIN)/handkit download --all
	HANDKIT_INTEROP=1 HANDKIT_OFFLINE=1 \
	HANDKIT_MODELSCOPE_PYTHON=$(INTEROP)/modelscope/bin/python \
	HANDKIT_OPENMMLAB_PYTHON=$(INTEROP)/openmmlab/bin/python \
	HANDKIT_EASYCV_WHEEL=$(EASYCV) \
	HANDKIT_MMPOSE_0X_WHEEL=$(MMPOSE_0X) \
	$(BIN)/python -m pytest tests/interop

$(INTEROP)/modelscope/.ready: setup.py pyproject.toml
	test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install -q torch==2.13.0
	$(@D)/bin/pip install -q -e '.[modelscope,mediapipe]' modelscope==1.40.2
	touch $@

$(INTEROP)/openmmlab/.ready: setup.py pyproject.toml handkit/interop/environments.py | $(READY)
	rm -rf $(@D)
	$(BIN)/handkit openmmlab install --venv $(@D)
	touch $@

# Their configs are read; they are never installed.
$(EASYCV): | $(READY)
	$(BIN)/pip download -q --no-deps --only-binary :all: -d $(@D) pai-easycv==0.11.7

$(MMPOSE_0X): | $(READY)
	$(BIN)/pip download -q --no-deps --only-binary :all: -d $(@D) mmpose==0.29.0

clean:
	rm -rf .venv $(RC) $(INTEROP) build dist *.egg-info demo/out
