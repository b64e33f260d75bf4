# make demo   sets up (Python >= 3.11, pip) and runs the main job, offline
# make test   sets up and runs the tests
#
# PYTHON chooses the interpreter, VENV the virtual environment's folder.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
BROWSER := build/.browser
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export HF_HUB_OFFLINE := 1
# Byte-compiled libraries start ten times faster; never leave them uncompiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-slow lint types docs check gallery gallery-levels gallery-weights format clean
.DEFAULT_GOAL := help

help:
	@echo "make demo       evaluate a real model on the bundled tasks and write a report"
	@echo "make test       run the tests"
	@echo "make test-slow  run the tests that encode whole public corpora"
	@echo "make lint types check the code"
	@echo "make docs       build the documentation into build/site, offline, warnings as errors"
	@echo "make check      all of these"
	@echo "make gallery    evaluate and draw reports/examples anew (gallery-levels: every level)"

demo: $(VENV)/.demo
	$(BIN)/evalsuite demo

# Two test processes of one thread each: libraries that start two threads each would only wait for one another.
test: $(VENV)/.dev $(BROWSER)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2 --durations 12

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

# What the report's browser tests need; they skip, and say why, where node, Chromium or a registry is missing.
$(BROWSER): tests/browser/package-lock.json
	@if command -v npm >/dev/null && { command -v chromium || command -v chromium-browser; } >/dev/null; then \
		cd tests/browser && npm ci --silent --no-audit --no-fund || true; fi
	@mkdir -p $(@D) && touch $@

# The theme's notice about its successor is no warning of ours.
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

check: lint types docs test test-slow

# The kept reports: runs go to build/gallery, their pages to reports/examples. SciFact and STSb lie beside the
# checkout; their texts have licences of their own, so the pages show ids. A verdict that is not "passed" is no
# reason to stop.
DATA ?= ../shared/data
RUNS := build/gallery
KEPT := reports/examples
SIDES := --baseline-checkpoint minilm-without-gor --candidate-checkpoint minilm-with-gor
GRID := --dims 384,256,192,128,96,64,32 --projections prefix,pca,random --ann \
	--precisions float32,int8,int4,binary,int4+asymmetric,binary+asymmetric,binary+rescore4

gallery: $(VENV)/.demo
	rm -rf $(addprefix $(KEPT)/,demo minilm compare)
	$(BIN)/evalsuite demo --quiet --out $(RUNS)/demo
	$(BIN)/evalsuite report --quiet $(RUNS)/demo --out $(KEPT)/demo
	$(BIN)/evalsuite compare --quiet $(RUNS)/demo $(RUNS)/demo $(SIDES) --out $(KEPT)/compare || test $$? -ne 2
	$(BIN)/evalsuite run all-MiniLM-L6-v2 --tasks $(DATA)/retrieval/scifact --tasks $(DATA)/sts/stsb/test.tsv \
		$(GRID) --quiet --no-report --out $(RUNS)/minilm
	$(BIN)/evalsuite report --quiet --paper --no-texts $(RUNS)/minilm --out $(KEPT)/minilm
	rm -f $(KEPT)/*/results.csv $(KEPT)/*/verdict.json $(KEPT)/minilm/paper/*.svg $(KEPT)/minilm/paper/*column*.png

# Every level on SciFact, where the data set lies beside the checkout (about six minutes on two cores).
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

gallery-levels: $(VENV)/.demo
	$(BIN)/evalsuite run all-MiniLM-L6-v2 --tasks $(DATA)/retrieval/scifact --dims 384,256,128,64 \
		--precisions $(PLAIN) --precisions $(TRAINED) --precisions $(ASYMMETRIC) --precisions $(OTHERS) \
		--quiet --no-report --out $(RUNS)/levels
	$(BIN)/evalsuite report --quiet --no-texts $(RUNS)/levels --out $(KEPT)/scifact-levels
	rm -f $(KEPT)/scifact-levels/results.csv

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
