# make demo   sets up (Python >= 3.11, pip) and runs the main job, offline
# make test   sets up and runs the tests
#
# PYTHON chooses the interpreter, VENV the virtual environment's folder.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export HF_HUB_OFFLINE := 1
# Byte-compiled libraries start ten times faster; never leave them uncompiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow lint types check examples format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       evaluate a real model on the bundled tasks and write a report"
	@echo "make test       run the tests"
	@echo "make test-slow  run the tests that encode whole public corpora"
	@echo "make lint types check the code"
	@echo "make check      all of these"
	@echo "make examples   evaluate and draw reports/examples anew"

demo: $(VENV)/.demo
	$(BIN)/evalsuite demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not slow" -n 2

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

check: lint types test test-slow

# An earlier example is removed first: a run would keep it in previous/.
examples: $(VENV)/.demo
	rm -rf reports/examples/demo
	$(BIN)/evalsuite demo --out reports/examples/demo

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[demo,dev]"
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis reports/runs
