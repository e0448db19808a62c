# Everything starts from Python >= 3.11 and make. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
POSTGRES_URL ?= postgresql://postgres@127.0.0.1:5432/shuren
JOBS ?= auto
FULL_COUNTS := SHUREN_KILLS=20 SHUREN_FUZZ_FILES=10000 SHUREN_FUZZ_STATEMENTS=10000 SHUREN_FUZZ_REQUESTS=5000 HYPOTHESIS_PROFILE=soak
# Tests start many processes: compiled modules are kept, whatever the machine says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup lock messages frontend demo run test test-postgres journeys spark soak check bench format lint types arch migrations docs smoke wheel clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

$(VENV)/installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

setup: $(VENV)/installed messages frontend ## make the virtual environment, the messages and the front end

messages: $(VENV)/installed ## compile the translations that changed
	@$(BIN)/python tools/messages.py

frontend: $(VENV)/installed ## build the front end when its sources changed
	@$(BIN)/python tools/frontend.py

lock: $(VENV)/installed ## lock the dependencies anew, with hashes and without index addresses
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --extra postgres --extra ldap --extra pkcs11 --group dev pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group pyproject.toml:node -o requirements-node.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group pyproject.toml:spark -o requirements-spark.txt

demo: setup ## build the demonstration region on real data and serve it
	$(BIN)/shuren demo $(DEMO)

run: setup ## serve the installation in ./var
	$(BIN)/shuren init && $(BIN)/shuren serve

test: setup ## the quick suite on SQLite
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --durations=30 -m "not journey and not soak and not spark"

test-postgres: setup ## what asks a database, on PostgreSQL
	SHUREN_DATABASE_URL=$(POSTGRES_URL) $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --durations=30 --ignore=src/edmeasure --ignore=tests/house --ignore=tests/faults -m "database and not packs and not tables and not doors and not journey and not soak and not spark"

build/smoke/demo.json:
	$(MAKE) --no-print-directory smoke

journeys: setup build/smoke/demo.json ## whole paths of people in a real browser, each of two on a copy of the demonstration
	$(BIN)/python -m pytest -n 2 --dist worksteal --durations=10 -m journey tests/journeys

$(VENV)/spark: $(VENV)/installed requirements-spark.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-spark.txt
	touch $@

spark: setup $(VENV)/spark ## sums and questions over a local Spark cluster of two workers (needs Java)
	$(BIN)/python -m pytest -m spark src/edmeasure/tests/test_spark.py
	$(BIN)/python -m pytest -m spark src/shuren/datahub/tests/test_spark.py

soak: setup ## full fault and fuzz counts, the faults on PostgreSQL too (hours)
	$(FULL_COUNTS) $(BIN)/python -m pytest -m soak
	$(FULL_COUNTS) $(BIN)/python -m pytest src/shuren/directory/tests/roster/test_roster_fuzz.py src/shuren/directory/tests/roster/test_roster_kills.py
	$(FULL_COUNTS) $(BIN)/python -m pytest src/shuren/records/tests/test_malformed.py tests/interop/test_api_fuzz.py tests/interop/test_oneroster_fuzz.py
	$(FULL_COUNTS) SHUREN_DATABASE_URL=$(POSTGRES_URL) $(BIN)/python -m pytest tests/faults
	SHUREN_DATABASE_URL=$(POSTGRES_URL) $(BIN)/python -m pytest -n $(JOBS) -m "database and doors and not journey and not soak and not spark"

format: setup ## rewrite the code in the house format
	$(BIN)/ruff format src tests tools bench && $(BIN)/ruff check --fix src tests tools bench

lint: setup ## format, lint and templates
	$(BIN)/ruff format --check src tests tools bench
	$(BIN)/ruff check src tests tools bench
	$(BIN)/djlint --quiet --lint src

types: setup ## mypy, strict
	$(BIN)/mypy

arch: setup ## floors, stairs, faces, purity, no circles
	PYTHONPATH=.:src $(BIN)/lint-imports

migrations: setup ## no model change without its migration
	$(BIN)/python -m django makemigrations --check --dry-run --settings shuren.conf.test_settings

docs: setup ## the documentation holds what the code says
	$(BIN)/python -m pytest -q tests/house

smoke: setup ## the demonstration builds in a fresh folder and its truth check holds
	rm -rf build/smoke && $(BIN)/shuren demo --no-serve --data-dir build/smoke

check: ## everything CI runs; what keeps one core busy goes two at a time
	$(MAKE) --no-print-directory -j2 --output-sync=target lint types arch migrations smoke spark
	$(MAKE) --no-print-directory test test-postgres journeys

bench: setup ## the figures of docs/performance.md
	$(BIN)/python -m bench

wheel: setup ## build dist/shuren-*.whl with the front end and the messages inside
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove what was built
	rm -rf $(VENV) dist build src/shuren/front/static/front/dist frontend/node_modules
