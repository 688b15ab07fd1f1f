# Project Operations Sync. `make help` lists what there is.
SHELL := /bin/sh
PYTHON := .venv/bin/python
SETUP := .venv/setup-seconds
PORTS := --dataverse-port 8801 --finance-port 8802 --dataverse-tls-port 8811 --finance-tls-port 8812
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-browser screenshots up down users sandbox lint golden memory lock chaos fire load backlog fuzz bench plantings

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(SETUP) ## make .venv from the lock (again only when the lock changes)

$(SETUP): requirements-dev.lock pyproject.toml bin/setup
	@bin/setup

demo: $(SETUP) ## both systems, Airflow and every map, end to end; FRESH=1 begins anew
	@$(PYTHON) -m runner demo $(if $(FRESH),--fresh)

test: $(SETUP) ## all tests but the long ones, or one PART of them: alone, airflow
	@bin/test $(PART)

test-browser: $(SETUP) ## the console in headless Chromium, beside Airflow and sandbox; WITH=tests/e2e on the same Airflow
	@bin/test-browser $(WITH) tests/browser

screenshots: $(SETUP) ## the same, and docs/images/console-*.png are taken anew
	@bin/test-browser tests/browser --screenshots docs/images

up: $(SETUP) ## leave the sandbox and Airflow's UI running on 127.0.0.1
	@$(PYTHON) -m runner up $(if $(PORT),--port $(PORT))

down: $(SETUP) ## stop what `make up` started
	@$(PYTHON) -m runner down

users: $(SETUP) ## the passwords of Airflow's users, one of each role, that `make up` has made
	@$(PYTHON) -m runner users

sandbox: $(SETUP) ## only the sandbox, in the foreground
	@$(PYTHON) -m sandbox serve $(PORTS) --seed demo

lint: $(SETUP) ## style, types, security and the mapping files; AUDIT=strict insists on the advisory service
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m mypy bin/audit
	@$(PYTHON) -m bandit -q -c pyproject.toml -r plugins sandbox runner dags config bin/audit
	@AUDIT=$(AUDIT) $(PYTHON) bin/audit requirements-dev.lock audit-excuses.txt
	@bin/projops maps lint

chaos: $(SETUP) ## kill KILLS workers (1000) at random points among faults, from SEED (1); DATABASE=postgres too
	@$(PYTHON) -m tests.chaos --kills $(or $(KILLS),1000) --seed $(or $(SEED),1) --database $(or $(DATABASE),sqlite)

plantings: $(SETUP) ## plant COUNT (10000) differences in MAPS (20) maps from SEED (1), find and repair them; then a live sync
	@$(PYTHON) -m tests.plantings --count $(or $(COUNT),10000) --maps $(or $(MAPS),20) --seed $(or $(SEED),1) --database $(or $(DATABASE),sqlite)
	@$(PYTHON) -m tests.plantings.live --minutes $(or $(MINUTES),5)

fire: $(SETUP) ## eight writers and readers of delta links for SECONDS (60), TIMES (1) over; DATABASE=postgres too
	@$(PYTHON) -m tests.fire --seconds $(or $(SECONDS),60) --times $(or $(TIMES),1) --database $(or $(DATABASE),sqlite)

memory: $(SETUP) ## peak memory of each stage for 100,000 rows and for a million
	@$(PYTHON) -m bench.constant_memory 100000 1000000

bench: $(SETUP) ## all that is promised in numbers, measured beside peers, or one SUITE of it; about half an hour
	@$(PYTHON) -m bench $(or $(SUITE),all)

load: $(SETUP) ## eight legs at once within a tenth of the limits of Dataverse; 45 minutes
	@$(PYTHON) -m tests.chaos.load

fuzz: $(SETUP) ## REQUESTS (20000) hostile requests to the sandbox, from SEED (1); DATABASE=postgres too
	@$(PYTHON) -m tests.fuzz --requests $(or $(REQUESTS),20000) --seed $(or $(SEED),1) --database $(or $(DATABASE),sqlite)

backlog: $(SETUP) ## ROWS (1000000) changed rows after a pause of 30 days: time, and memory against a tenth of them
	@$(PYTHON) -m tests.chaos.backlog --rows $(or $(ROWS),1000000)

golden: $(SETUP) ## write the golden files anew; review them with git diff
	@$(PYTHON) -m pytest -q tests/golden --refresh-golden

lock: $(SETUP) ## resolve requirements*.txt into the locks (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q requirements.txt -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url -q -c requirements.lock requirements-dev.txt -o requirements-dev.lock
