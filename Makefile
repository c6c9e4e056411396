# The two commands: make demo, make test. Everything else is listed by make help.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] <= (3,13))' 2>/dev/null && { echo $$p; break; }; done)
NODE_CLIENTS := tests/sandbox/clients
NODE_STAMP := $(NODE_CLIENTS)/node_modules/.package-lock.json
OURS := accounts audit catalog integrations journal notifications orders portal provisioning sandbox subscriptions support tests benchmarks

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(STAMP): requirements-dev.txt requirements.txt
	@test -n "$(PYTHON)" || { echo "make: Python 3.11, 3.12 or 3.13 is missing; install one of them (Debian: apt-get install python3 python3-venv)." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "make: Python cannot make a virtual environment; install its venv module (Debian: apt-get install python3-venv)." >&2; exit 2; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: install
install: $(STAMP) ## the virtual environment with everything pinned

.PHONY: demo
demo: $(STAMP) ## the whole portal and its outside world here; ONCE=1 ends after one order
	@exec $(BIN)/python -m sandbox.demo $(if $(ONCE),--once)

.PHONY: code
code: $(STAMP) ## the second factor of the demo's member of staff, this half minute
	@$(BIN)/python -m sandbox.demo.code

.PHONY: test
test: $(STAMP) browser node-clients lint types contracts ## everything: lint, types, contracts, unit, end to end, browser
	$(BIN)/python -m pytest -n $${TEST_WORKERS:-2} --dist loadgroup

.PHONY: lint
lint: $(STAMP) ## ruff and djlint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint templates --lint --quiet

.PHONY: types
types: $(STAMP) ## mypy, strict
	$(BIN)/mypy $(OURS)

.PHONY: contracts
contracts: $(STAMP) ## the layers of docs/architecture.md
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

.PHONY: proto
proto: $(STAMP) ## the message classes of the Pub/Sub API, from eventbus.proto
	integrations/salesforce/proto/generate.sh $(BIN)/python

.PHONY: browser
browser: ## Chromium, installed where that is possible without asking
	@command -v chromium >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Chromium and Japanese fonts"; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium fonts-noto-cjk >/dev/null; \
	fi || true

.PHONY: node-clients
node-clients: ## other people's clients for Node, which the sandbox is tried with, installed where that is possible
	@command -v npm >/dev/null || if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Node"; \
	  apt-get update -qq && apt-get install -qq -y --no-install-recommends nodejs npm >/dev/null; \
	fi || true
	@if command -v npm >/dev/null; then $(MAKE) -s --no-print-directory $(NODE_STAMP) || echo "Without them their tests are skipped."; fi

$(NODE_STAMP): $(NODE_CLIENTS)/package.json $(NODE_CLIENTS)/package-lock.json
	@echo "Installing clients for Node"
	@cd $(NODE_CLIENTS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: model
model: $(STAMP) ## provisioning under every fault, by chance and for longer; EXAMPLES=2000
	MODEL_EXAMPLES=$${EXAMPLES:-500} $(BIN)/python -m pytest tests/provisioning/model/test_model.py -q

.PHONY: bench
bench: $(STAMP) ## approval to Provisioned, remote calls, what pages cost, and how fast events are taken in
	$(BIN)/python -m benchmarks

.PHONY: bench-burst
bench-burst: $(STAMP) ## 10,000 approvals at once; ORDERS=1000 for fewer
	$(BIN)/python -m benchmarks.burst $(if $(ORDERS),--orders $(ORDERS))

.PHONY: bench-sandbox
bench-sandbox: $(STAMP) ## the sandbox alone: memory over 100,000 orders, and what its calls take
	$(BIN)/python -m benchmarks.sandbox

.PHONY: campaign
campaign: $(STAMP) ## the crash campaign, SEEDS=5000 in CELLS=12 at once; goes on where it stopped
	$(BIN)/python -m tests.campaign --seeds $${SEEDS:-5000} --cells $${CELLS:-12} --report docs/crash-campaign.md

.PHONY: campaign-proof
campaign-proof: $(STAMP) ## without each of its safeguards the portal must fail the campaign
	$(BIN)/python -m tests.campaign.proof

.PHONY: journeys
journeys: $(STAMP) browser ## every browser journey in both languages, both widths, with scripts and without; JOURNEY=sim
	$(BIN)/python -m pytest tests/whole/journeys -m browser $(if $(JOURNEY),-k test_$(JOURNEY)) -q
	@echo "What was seen: .artifacts/journeys/"

.PHONY: shots
shots: $(STAMP) browser ## photographs of every page of a running demo, in .shots/
	$(BIN)/python -m benchmarks.shots

.PHONY: format
format: $(STAMP) ## ruff's formatting and safe mends
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: pins
pins: $(STAMP) ## compiles requirements*.in to pinned, hashed requirements*.txt
	$(BIN)/uv pip compile --quiet --no-header --generate-hashes --universal --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --no-header --generate-hashes --universal --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --no-header --generate-hashes --universal --python-version 3.11 -c requirements-dev.txt requirements-sandbox.in -o requirements-sandbox.txt

.PHONY: clean
clean: ## forgets the demo's data and every test's leavings
	rm -rf .demo .test .shots .bench .artifacts .campaign staticfiles
