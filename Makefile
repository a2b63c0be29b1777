# Every target sets up what it needs in .venv. Python: make PYTHON=python3.12 lab
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JOBS ?= 2
# Jupyter refuses to run as root, the only user in many containers, unless it is told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: setup lab test lint figures student slides book links page bench clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "vsodlib needs Python 3.11, 3.12 or 3.13; set PYTHON=..."; exit 2; }
	@echo "Setting up $(VENV): PyTorch, JupyterLab and the rest, a few minutes and about 6 GB."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	@touch $(READY)

lab: setup
	$(BIN)/jupyter lab $(AS_ROOT) --ServerApp.root_dir='$(CURDIR)' notebooks/00_start_here.ipynb

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n $(JOBS) -q --cov --cov-report=term tests
	$(BIN)/python -m pytest -n $(JOBS) -q --nbmake --nbmake-kernel=python3 notebooks

figures: setup
	$(BIN)/python tests/notebooks/refresh.py notebooks/*.ipynb

student: setup
	$(BIN)/python tests/notebooks/student.py student

slides: setup
	$(BIN)/python tests/notebooks/slides.py build/slides

book: setup
	$(BIN)/sphinx-build -W --keep-going -q -c book . build/book
	@echo "The book: build/book/book/index.html"

# Needs a network, unlike everything else here: `make test` checks the links between our own files.
links: setup
	$(BIN)/sphinx-build -q -b linkcheck -t links -c book . build/links
	@echo "Every address answers; build/links/output.txt lists them."

page: setup
	PYTHONPATH=. $(BIN)/python page/make.py build/page --serve

bench: setup
	$(BIN)/python -m benchmarks metrics

clean:
	rm -rf $(VENV)
