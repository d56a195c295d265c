# One command each; everything is installed into .venv (remove that folder to start afresh).
# Without make: python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e . \
#               && .venv/bin/influence compare

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=
BIN := .venv/bin

.PHONY: compare test lint benchmark setup setup-dev clean

compare: setup            ## run the default comparison; options by ARGS="--jobs 2 seed=7"
	$(BIN)/influence compare $(ARGS)

test: setup-dev           ## run the tests; options by PYTEST_ARGS="-m 'not slow'"
	$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

lint: setup-dev           ## style and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

benchmark: setup          ## print speed and memory of the engine on this machine
	$(BIN)/python -m experiments.benchmark $(ARGS)

setup: .venv/.installed          ## make .venv with what running needs
setup-dev: .venv/.installed-dev  ## make .venv with what developing needs as well

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one by PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	$(call install,-e .)
	@touch $@

.venv/.installed-dev: .venv/bin/python pyproject.toml constraints.txt
	$(call install,-e ".[dev]")
	@touch $@ .venv/.installed

# uv installs in a third of pip's time; where it cannot be had or finds no index, pip does it.
# Bytecode is written here, once: where PYTHONDONTWRITEBYTECODE is set, no command would keep it.
define install
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv 2>/dev/null \
	  && $(BIN)/python -m uv pip install --quiet --compile-bytecode --python $(BIN)/python \
	    -c constraints.txt $(1) \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --compile \
	    -c constraints.txt $(1)
	@$(BIN)/python -m compileall -q sim experiments
endef

clean:                    ## remove what make made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
