# Everything that is done with this repository; `make` lists it. Set-up is part of each target: .ci/setup.
#   SOURCE, MQTT   for `make demo`: your own source and broker
#   PYTHON         the interpreter of a new .venv, e.g. PYTHON=python3.12
#   ARGS           passed on to pytest, e.g. make test ARGS="-k checksum -x"

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHON
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
python := .venv/bin/python
# Tests wait as much as they compute: two more at a time than there are cores.
workers = $(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 2)))
paths := $(wildcard src tests benchmarks native setup.py)

.PHONY: help demo test long coverage fuzz bench tables check-tables core lint clean ready-demo ready-test

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do \
	    printf '  make %-13s %s\n' "$$name" "$$text"; done

demo: ready-demo ## relay a sample to a broker inside the process, and show it (SOURCE=udp://... MQTT=mqtt://host:1883)
	@trap : INT; .venv/bin/klvrelay demo $${SOURCE:+"$$SOURCE"} $${MQTT:+--mqtt "$$MQTT"} || [ $$? = 130 ]

test: ready-test ## the whole fast test suite
	@exec $(python) -m pytest -n $(workers) --dist worksteal $(ARGS)

long: ready-test ## the long tests, and the table of promises (about three hours)
	@exec $(python) -m pytest -m "long or promise" $(ARGS)

coverage: ready-test ## which branches of the C core the fast tests take; fails below 97 %
	@exec .ci/coverage

fuzz: ready-test ## libFuzzer on the C core under ASan and UBSan, 60 s a target (FUZZ_SECONDS=10, FUZZ_RUNS=10000000, FUZZ_JOBS=2)
	@exec .ci/fuzz

bench: ready-test ## the benchmarks
	@exec $(python) -m benchmarks $(ARGS)

tables: ready-test ## make again what follows from native/spec/*.csv and from the settings
	@exec $(python) -m native.generate

check-tables: ready-test ## fail where a generated file is stale
	@exec $(python) -m native.generate --check

core: ready-demo ## build the C core

lint: ready-test ## ruff, and mypy --strict
	@$(python) -m ruff check --quiet --output-format concise $(paths) && ruff=0 || ruff=1; \
	    $(python) -m mypy --no-error-summary && exit $$ruff

clean: ## remove all that make made, .venv too
	rm -rf .venv build dist src/*.egg-info src/klvrelay/core/_core*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ready-demo ready-test:
	@.ci/setup $(@:ready-%=%)
