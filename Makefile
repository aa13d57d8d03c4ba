# `make help` lists the targets. Two commands do all the set-up: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
PY := $(BIN)/python
RUNTIME := .venv/.installed-runtime
DEV := .venv/.installed-dev
AUDIT := .venv/audit/.installed
MINUTES := 10
TEST_ENV := DJANGO_SETTINGS_MODULE=tradeswim.settings.test
# Tests that share what runs go in the order they are written, so that a verdict can be had again.
IN_ORDER := -p no:randomly
CODE := tradeswim orders accounts brokerage strategies tests benchmarks scripts manage.py

.PHONY: help setup demo run worker beat migrate format lint types imports templates migrations test e2e screenshots faults soak deploy-test test-postgresql faults-postgresql soak-postgresql check bench bench-keep bench-check bench-exit bench-pages bench-live bench-polling bench-fleet bench-fills bench-scale-out requirements audit sbom vendor

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

$(RUNTIME): requirements.txt
	@scripts/install requirements.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@scripts/install requirements-dev.txt
	@touch $@

setup: $(DEV) ## make .venv and install everything, developers' tools too

demo: $(RUNTIME) ## start everything with a paper broker and 45 accounts; Ctrl-C stops it
	@exec $(PY) manage.py up

run: $(RUNTIME) ## start the web server alone (needs a REDIS_URL or a running `make demo`)
	@exec $(PY) -m gunicorn -c python:tradeswim.gunicorn_conf

worker: $(RUNTIME) ## start one worker for every queue
	@exec $(PY) -m celery -A tradeswim.celery worker -P threads -c 16 \
		-Q placement,stocks,options,accounts,logins,recon,maint --without-mingle --without-gossip

beat: $(RUNTIME) ## start the beat
	@exec $(PY) -m celery -A tradeswim.celery beat

migrate: $(RUNTIME) ## bring the database up to date
	@$(PY) manage.py migrate

format: $(DEV) ## format Python and templates
	@$(BIN)/ruff check --fix --quiet $(CODE); $(BIN)/ruff format $(CODE)
	@$(BIN)/djlint --reformat --quiet templates

lint: $(DEV) imports templates migrations ## ruff, layers, templates, missing migrations
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

imports: $(DEV) ## the layers, proved by import-linter
	@$(BIN)/lint-imports --no-cache

templates: $(DEV) ## djLint
	@$(BIN)/djlint --check --lint --quiet templates

migrations: $(DEV) ## no model without its migration
	@$(TEST_ENV) $(PY) manage.py makemigrations --check --dry-run --verbosity 1

types: $(DEV) ## mypy --strict
	@$(BIN)/mypy $(CODE)

test: $(DEV) ## install what it needs and run all tests
	@$(PY) -m pytest -n 2 --dist loadfile

e2e: $(DEV) ## the site in a real browser, with all its processes (needs Debian's chromium)
	@$(PY) -m pytest tests/e2e $(IN_ORDER) -n 2 --dist loadfile --no-loadscope-reorder

screenshots: $(DEV) ## every page and state as PNG files in var/screenshots
	@$(PY) -m tests.e2e.screenshots

faults: $(DEV) ## break the running installation on purpose, with all its processes
	@$(PY) -m pytest tests/faults $(IN_ORDER) -n 2 --dist loadfile

soak: $(DEV) ## random faults for MINUTES=10 under broadcasts to 45 accounts (SEED=… repeats one)
	@$(PY) -m tests.faults.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

deploy-test: $(DEV) ## deploy/: its units and the real nginx before the whole (needs nginx, systemd, openssl)
	@$(PY) -m pytest tests/deploy $(IN_ORDER)

test-postgresql: $(DEV) ## all tests on a throw-away PostgreSQL (needs it installed)
	@scripts/with-postgresql $(MAKE) test

faults-postgresql: $(DEV) ## the fault suite on a throw-away PostgreSQL
	@scripts/with-postgresql $(MAKE) faults

soak-postgresql: $(DEV) ## the soak on a throw-away PostgreSQL
	@scripts/with-postgresql $(MAKE) soak MINUTES=$(MINUTES) $(if $(SEED),SEED=$(SEED))

check: lint types test e2e faults deploy-test ## everything that CI checks

bench: $(DEV) ## measure everything (minutes), or NAMES="clicks pages": var/bench has figures and plots
	@$(PY) -m benchmarks $(NAMES)

bench-keep: $(DEV) ## show the last figures of `make bench` in docs/performance.md
	@$(PY) -m benchmarks --keep

bench-check: $(DEV) ## compare ratios with the figures that are kept; fails if one is much worse
	@$(PY) -m benchmarks.check

bench-exit: $(DEV) ## measure EXIT in 45 accounts beside its entry
	@$(PY) -m benchmarks.exit

bench-fills: $(DEV) ## measure how soon a fill at the broker is on record, with streams and without
	@$(PY) -m benchmarks.fills

bench-polling: $(DEV) ## measure what a simulated trading day costs in reads (takes minutes)
	@$(PY) -m benchmarks.polling

bench-fleet: $(DEV) ## let the beats run over 2,000 accounts under 200 keys
	@$(PY) -m benchmarks.fleet

bench-scale-out: $(DEV) ## broadcast to 10,000 accounts with two placement workers on a throw-away PostgreSQL
	@scripts/with-postgresql $(PY) -m benchmarks scale-out

bench-live: $(DEV) ## measure how soon a changed cell is on 20 open pages in Chromium
	@$(PY) -m benchmarks.live

bench-pages: $(DEV) ## measure server time, queries and bytes of every page and panel
	@$(PY) -m benchmarks.pages

requirements: $(DEV) ## compile the pinned requirements with hashes, for every supported Python
	@for name in requirements requirements-dev requirements-audit; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-header --no-emit-index-url $$name.in -o $$name.txt || exit 1; \
	done

# Apart from what they look at, so that they neither change nor excuse it.
$(AUDIT): requirements-audit.txt $(RUNTIME)
	@$(PY) -m venv .venv/audit
	@.venv/audit/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes \
		-r requirements-audit.txt
	@touch $@

audit: $(AUDIT) ## look all pinned packages up among known vulnerabilities (needs a network)
	@scripts/audit requirements.txt requirements-dev.txt requirements-audit.txt

sbom: $(AUDIT) ## write what the product is made of as CycloneDX to var/sbom.json
	@mkdir -p var
	@.venv/audit/bin/cyclonedx-py requirements requirements.txt \
		--output-reproducible --of JSON -o var/sbom.json
	@echo "var/sbom.json: $$(grep -c '"purl"' var/sbom.json) packages"

vendor: $(DEV) ## fetch the pinned front-end files again (needs npm)
	@$(PY) scripts/vendor.py
