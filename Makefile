# Everything a person types, in one place. `make help` explains each target.
# On a fresh machine with Python 3.11 or newer: `make demo`, then `make test`.

PYTHON ?= python3
ARGS ?=
IN_VENV := .venv/bin/python
UV ?= uv
COMPILE := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --quiet $(ARGS)

# Compiled files are kept: each of our programs and test processes would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo up test proof check lock accuracy bench-references bench-matching bench-billing bench-ingest compile clean clean-data installed installed-dev

help: ## Explain each target
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  PYTHON=python3.13 chooses the Python; ARGS="…" goes to the command, e.g. make demo ARGS="--once"\n'

demo: installed ## Play the main job on sample schools, then stay up (ARGS="--once --pupils N --port P")
	$(IN_VENV) -m service demo $(ARGS)

up: installed ## Run web, workers, sweeper and the embedded servers
	$(IN_VENV) -m service up $(ARGS)

test: installed-dev ## Run the tests: at most 6 minutes; on two cores still 13, which is too long (ARGS="-k name" for some)
	$(IN_VENV) -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not proof" $(ARGS)

proof: installed-dev ## Run races, kills and seeds in full counts, at most 60 minutes
	HOCPHI_PROOF=1 $(IN_VENV) -m pytest -m proof --timeout 900 $(ARGS)

check: installed-dev ## Check style, types, imports between rooms, migrations and locks
	$(IN_VENV) -m ruff check .
	$(IN_VENV) -m ruff format --check .
	$(IN_VENV) -m mypy
	.venv/bin/lint-imports
	$(IN_VENV) -m service db check
	@if grep -n '://' requirements.lock requirements-dev.lock; then echo 'a lock holds an address'; exit 1; fi

lock: ## Resolve the packages anew into both locks (needs uv; ARGS="--upgrade")
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock
	@if grep -n '://' requirements.lock requirements-dev.lock; then echo 'a lock holds an address'; exit 1; fi

accuracy: installed-dev ## Measure how often money finds the right child, beside pretix's way and the same sum within a day
	$(IN_VENV) -m benchmarks.accuracy $(ARGS)

bench-references: installed-dev ## Measure how often a memo without a reference looks like one
	$(IN_VENV) -m benchmarks.reference_memos $(ARGS)

bench-matching: installed-dev ## Measure matching against its limit, and settling through Celery
	$(IN_VENV) -m benchmarks.matching $(ARGS)

bench-billing: installed-dev ## Measure a province's billing run against bare SQL and SQLModel's add_all
	$(IN_VENV) -m benchmarks.billing_run $(ARGS)

bench-ingest: installed-dev ## Measure callbacks taken in against pgbench and a plain route (needs wrk)
	$(IN_VENV) -m benchmarks.ingest $(ARGS)

clean: ## Remove the installed packages and all caches; data stays
	rm -rf .venv .compiled .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

compile: installed-dev ## Compile the rules of matching from their own source (without it they run as plain Python)
	$(IN_VENV) -m tools.compile

clean-data: ## Delete the local data in .hocphi for good (refused while it is in use)
	$(PYTHON) -c 'from pathlib import Path; from service.embedded import erase; erase(Path(".hocphi"))'
	rm -rf .hocphi

installed:
	@tools/install.sh $(PYTHON) run

installed-dev:
	@tools/install.sh $(PYTHON) dev
