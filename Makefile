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

.PHONY: help demo test test-slow lint types docs check examples examples-scifact format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       evaluate a real model on the bundled tasks and write a report"
	@echo "make test       run the tests"
	@echo "make test-slow  run the tests that encode whole public corpora"
	@echo "make lint types check the code"
	@echo "make docs       build the documentation into build/site, offline, warnings as errors"
	@echo "make check      all of these"
	@echo "make examples   evaluate and draw reports/examples/demo anew (examples-scifact: every level)"

demo: $(VENV)/.demo
	$(BIN)/evalsuite demo

# Two test processes of one thread each: libraries that start two threads each would only wait for one another.
test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2 --durations 12

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

# The theme's notice about its successor is no warning of ours.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

check: lint types docs test test-slow

# An earlier example is removed first: a run would keep it in previous/.
examples: $(VENV)/.demo
	rm -rf reports/examples/demo
	$(BIN)/evalsuite demo --out reports/examples/demo

# Every level on SciFact, where the data set lies beside the checkout (about six minutes on two cores).
SCIFACT ?= ../shared/data/retrieval/scifact
PLAIN := float32,float16,bfloat16,float8_e4m3,float8_e5m2,int8,int8_affine,int8_percentile,int4,int4_block32,$\
	int4_affine,ternary,binary,binary_centred,sq8,sq4
TRAINED := pq_1bit,pq_2bit,opq_1bit,rabitq_1bit,rabitq_2bit,rabitq_4bit,$\
	turboquant_1bit,turboquant_2bit,turboquant_3bit,turboquant_4bit
COARSE := int4,ternary,binary,binary_centred,pq_1bit,pq_2bit,opq_1bit,rabitq_1bit,rabitq_2bit,rabitq_4bit,$\
	turboquant_1bit,turboquant_2bit,turboquant_4bit
comma := ,
ASYMMETRIC := $(subst $(comma),+asymmetric$(comma),$(COARSE))+asymmetric
OTHERS := binary+rescore4,binary+rescore4:int8,int8+mteb,int4+mteb,binary+mteb,int8+sbert,binary+sbert,$\
	int8+hakari,int8+hakari_rescore

examples-scifact: $(VENV)/.demo
	$(BIN)/evalsuite run all-MiniLM-L6-v2 --tasks $(SCIFACT) --dims 384,256,128,64 \
		--precisions $(PLAIN) --precisions $(TRAINED) --precisions $(ASYMMETRIC) --precisions $(OTHERS) \
		--out reports/examples/scifact-levels
	rm -rf $(addprefix reports/examples/scifact-levels/,per_query results.csv record.json)

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(INSTALL) --editable ".[demo,dev,docs]"
	@touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis reports/runs
