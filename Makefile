# Two commands do all the set-up: `make compare` and `make test`. Python 3.11 or newer and make are all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
OUT ?= runs/compare

.PHONY: help compare test check-long site bench clean
help:
	@echo "make compare     train every rule on the embedded digits and write $(OUT)/report.html"
	@echo "make test        linters, types and the tests that continuous integration runs"
	@echo "make check-long  what takes longer: learning results on real data"
	@echo "make site        the documentation as pages, in site/"
	@echo "make bench       ratios to PyTorch, NumPy and the limits of this machine"

compare: $(VENV)/.package
	$(BIN)/apical compare --dataset digits --seeds 3 --resume --out $(OUT)

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pytest -n 2 -m "not long" --durations=10

check-long: $(VENV)/.dev
	$(BIN)/pytest -m long --durations=0

site: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py

$(VENV)/.package: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.package
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	touch $@

$(VENV)/.docs: $(VENV)/.package
	$(PIP) install --quiet -c constraints.txt -e '.[docs]'
	touch $@

$(VENV)/.bench: $(VENV)/.package
	$(PIP) install --quiet -c constraints.txt -e '.[bench]'
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
