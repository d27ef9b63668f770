# Every target that needs the virtual environment makes it first. A failure of any command becomes
# make's own exit code 2, so through make only zero and non-zero mean anything.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
TIME_SCALE ?= 0.1
WORKERS ?= 2
SEED ?= 42
RUNS ?= 5
SELECT ?=
SELECT_DOCKER ?=
RUNS_DOCKER ?= 2
# Of each family of faults that containers offer at least one.
FAMILIES := a_slow_portal or dead_database or a_killed_orchestrator or a_frozen_portal or \
  failing_calls or postgresql_is_full or without_file_descriptors or a_partition or dead_resolver or \
  a_starved_portal or oom_killed or a_full_disk or a_wrong_clock or all_gateways_down

.DEFAULT_GOAL := help
.PHONY: docker-ready chaos-docker chaos-docker-families docker-tests slow help setup test chaos demo lint types unit bench report docker-up docker-down clean lock

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

setup: $(STAMP) ## make .venv with everything that is needed, and the real Toxiproxy where Go is

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	scripts/install_toxiproxy.sh
	@touch $@

test: lint types unit slow ## format, lint, types, the fast tests with coverage, then the slow ones

lint: setup ## format and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## static types, strict
	$(BIN)/mypy

slow: setup ## the tests that start processes or wait for real time
	$(BIN)/python -m pytest -m slow -n $(WORKERS) -q --durations=10

unit: setup ## the fast tests; coverage is measured
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow" -n $(WORKERS) --dist worksteal -q
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --skip-empty

chaos: setup ## run the bundled scenarios on real processes; reports in reports/latest
	$(BIN)/atlas-chaos run scenarios --report-dir reports/latest --time-scale $(TIME_SCALE) --seed $(SEED) -n $(RUNS) $(if $(SELECT),-k "$(SELECT)")

docker-ready:
	scripts/docker_engine.sh start
	scripts/docker_images.sh

chaos-docker: setup docker-ready ## run the bundled scenarios in containers; reports in reports/docker
	$(BIN)/atlas-chaos run scenarios --environment compose --report-dir reports/docker --seed $(SEED) -n $(RUNS_DOCKER) $(if $(SELECT_DOCKER),-k "$(SELECT_DOCKER)")

chaos-docker-families: ## of the same a dozen, with at least one fault of each family
	$(MAKE) chaos-docker SELECT_DOCKER="$(FAMILIES)" RUNS_DOCKER=4

docker-tests: setup docker-ready ## the tests that start containers
	ATLAS_DOCKER=1 $(BIN)/python -m pytest tests/docker -n 3 -q --durations=10

demo: setup ## one scenario, to a report, within a minute
	$(BIN)/atlas-chaos run scenarios/lookups_survive_a_dead_database.chaos.yaml --report-dir reports/demo

bench: setup ## benchmarks, as ratios within one run
	$(BIN)/python -m pytest benchmarks -q

report: setup ## an Allure page of the last suite that opens from disk; needs node
	scripts/make_report.sh

docker-up: docker-ready ## start Shadow Atlas in containers, with the vendor's Toxiproxy on every link
	docker compose --env-file .tools/docker.env up -d --wait --wait-timeout 240

docker-down: ## remove its containers, networks and volumes
	docker compose down -v

clean: setup ## remove what killed runs left behind
	$(BIN)/atlas-chaos clean

lock: setup ## pin every dependency anew
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --group dev --extra atlas --extra postgres --extra compose pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  -c requirements.lock docker/requirements.in -o docker/requirements.lock
