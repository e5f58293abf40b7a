# Everything one does here; CI calls only these. `make help` lists them.
SHELL := /bin/sh
PY := .venv/bin/python
PYTEST := $(PY) -m pytest

.DEFAULT_GOAL := help
.PHONY: help venv dev up down reset demo test unit integration contract architecture e2e faults \
        faults-slice soak compose-test fuzz fuzz-slice bench bench-big webhooks-bench trace lint \
        types imports contracts contracts-release lock

# Tests start Python by the hundred: what is compiled is kept.
unexport PYTHONDONTWRITEBYTECODE

help: ## what can be done here
	@awk -F ':.*## ' '/^[a-z][a-z0-9 -]*:.*## / {printf "  make %-45s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: venv ## start Linli on this machine; Ctrl-C stops all of it (LINLI_HOME, LINLI_HTTP_PORT)
	@exec $(PY) -m deploy.local up --with-parent

down: venv ## stop what `make up` started
	@exec $(PY) -m deploy.local down

reset: venv ## stop it and throw its data away
	@exec $(PY) -m deploy.local reset

demo: venv ## play a month of a whole community against what `make up` runs
	@exec $(PY) -W ignore::DeprecationWarning -m deploy.demo

test: dev ## unit, integration, contract, architecture and end-to-end tests on servers of their own
	$(PYTEST) -n 4 --dist loadscope --no-loadscope-reorder

unit integration contract architecture e2e: dev ## one of these suites alone
	$(PYTEST) tests/$@

faults: dev ## break things and hold the ledgers against the databases
	$(PYTEST) tests/faults

faults-slice: dev ## the part of it that fits into CI
	$(PYTEST) tests/faults -m slice

soak: dev ## the drills for hours on one system, in any order (HOURS=8)
	HOURS=$(or $(HOURS),1) $(PYTEST) tests/faults/soak.py -s

fuzz: dev ## hold every answer to every role against the OpenAPI document
	$(PYTEST) tests/fuzz -m "not slice"

fuzz-slice: dev ## the part of it that fits into CI, the same every time
	LINLI_FUZZ_SEED=1 $(PYTEST) tests/fuzz -m slice

compose-test: dev ## the compose project on a real engine, brought up for it where there is none
	tests/compose/run

bench: dev ## Linli beside two peers, in a quarter of an hour (ROUNDS=3 ONLY=filing,sse JSON=file)
	$(PY) -W ignore -m bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(JSON),--json $(JSON))

bench-big: dev ## ten million tickets beside ten thousand, in half an hour and on 40 GB of disk
	$(PY) -W ignore -m bench --only growth --tickets 10000,10000000 $(if $(ROUNDS),--rounds $(ROUNDS))

webhooks-bench: dev ## ten thousand webhooks to a hundred endpoints, three of them dead
	$(PY) -m bench.webhooks

trace: dev ## file one ticket in a system of its own, and see where the time goes
	$(PY) -m tests.stack.one_ticket

SCRIPTS = linli deploy/local/venv deploy/compose/image-tree deploy/compose/secrets deploy/compose/roll tests/compose/run \
          tests/compose/bases.sh tests/compose/engine/* tests/compose/standins/*-entrypoint
# SC2016: what stands in single quotes is for another shell. SC1091: the system's files are not ours to read.
lint: dev ## ruff, and what reads Dockerfiles and shell scripts
	$(PY) -m ruff check .
	.venv/bin/hadolint deploy/Dockerfile tests/compose/standins/*.Dockerfile
	.venv/bin/shellcheck --exclude=SC2016,SC1091 $(SCRIPTS)

types: dev ## mypy
	$(PY) -m mypy

imports: dev ## who may import whom
	.venv/bin/lint-imports --no-cache

contracts: dev ## write contracts/ and the tables of docs/ anew from what runs
	$(PY) -m deploy.contracts

contracts-release: dev ## keep them as those of this version, which later ones must not break
	$(PY) -m deploy.contract_release

# One set of versions everywhere: each service's lock holds those of requirements/dev.txt it needs.
PIP_COMPILE = cd requirements && ../$(PY) -m piptools compile --quiet --generate-hashes --strip-extras \
	--allow-unsafe --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock: dev ## compile requirements/*.in into their locks
	$(PIP_COMPILE) dev.in -o dev.txt
	grep -oE '^[A-Za-z0-9_.-]+==[^ ;]+' requirements/dev.txt > requirements/versions.tmp
	for name in chassis residents tickets notifications gateway operator local; do \
	  ($(PIP_COMPILE) -c versions.tmp $$name.in -o $$name.txt) || exit 1; done
	rm requirements/versions.tmp

venv:
	@deploy/local/venv local

dev:
	@deploy/local/venv dev
