# One home for every command: `make` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
PORT ?= 8000
Q ?= 다 쓴 건전지는 어디에 버려요?
ARGS ?=
MINUTES ?= 5
SEED ?=
VERSION ?= 0.1.0
# For the engine's build, such as --secret id=pip,src=/etc/pip.conf where pip has settings of its own.
BUILD_ARGS ?=
# Folders whose tests start real servers or a browser; looked up only when it is needed.
WITH_SERVERS = $(sort $(dir $(shell grep -rlE 'eco2_devservers|playwright' --include='*.py' tests/*/)))
CACHES := .pytest_cache .ruff_cache .hypothesis .import_linter_cache out dist
# As typed: make would take a dollar sign for a variable of its own.
export QUESTION := $(value Q)

.PHONY: help install run demo observe format lint test-fast test chaos programs bench page-figures page-picture flood dead-letters eval load test-jaeger lock reference dashboards proto images compose-check k8s-check audit audit-hosts release-check clean

help: ## List the commands
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

##@ Run it

install: $(INSTALLED) ## Make .venv with the exact pins of requirements.lock and our packages, editable

$(INSTALLED): requirements.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
	@scripts/install.sh
	@touch $@

run: $(INSTALLED) ## Serve the whole product in one process: PORT=8000
	@$(PYTHON) -m all_in_one --port $(PORT)

demo: $(INSTALLED) ## Ask one question and print the answer as it streams: Q="..."
	@$(PYTHON) -m all_in_one.demo --question "$$QUESTION"

observe: $(INSTALLED) programs ## Serve everything with Prometheus and Jaeger beside it: PORT=8000
	@scripts/jaeger.sh || echo 'Going on without Jaeger.'
	@nice -n 19 $(PYTHON) scripts/observe.py --port $(PORT)

dead-letters: $(INSTALLED) ## List, show, replay or discard the jobs that were given up: ARGS="list"
	@$(PYTHON) -m chat_api.dead_letters $(ARGS)

##@ Change it

format: $(INSTALLED) ## Put imports and layout in order
	.venv/bin/ruff check --select I --fix
	.venv/bin/ruff format

lint: $(INSTALLED) ## Check style, format, types and the direction of imports
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/pyright
	.venv/bin/lint-imports

test-fast: $(INSTALLED) ## Run the tests that need no server and no browser: ARGS="..."
	@$(PYTHON) -m pytest $(WITH_SERVERS:%=--ignore=%) $(ARGS)

test: $(INSTALLED) programs ## Run every test, on private servers; installs what is missing: ARGS="..."
	@$(PYTHON) -m pytest $(ARGS)

chaos: $(INSTALLED) programs ## Break everything for minutes and account for every job and byte: MINUTES=5 SEED=...
	@nice -n 19 $(PYTHON) -m chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(ARGS)

programs: $(INSTALLED) ## Install the Debian packages that the tests need, or say which are missing
	@missing=$$($(PYTHON) -m eco2_devservers) && scripts/install-debian.sh $$missing

##@ Measure it

bench: $(INSTALLED) programs ## Measure the token path over real RabbitMQ and Redis: ARGS="..."
	@$(PYTHON) -m bench $(ARGS)

flood: $(INSTALLED) programs ## 5,000 viewers on one API process, its restart, and how they all come back: ARGS="--kill"
	@$(PYTHON) -m bench.flood $(ARGS)

page-figures: $(INSTALLED) programs ## Measure the page's weight, first paint, long tasks and layout shifts
	@$(PYTHON) -m tests.browser.figures

eval: $(INSTALLED) ## Measure how well it understands, finds and answers: ARGS="--quick"
	@$(PYTHON) -m evaluation $(ARGS)

load: $(INSTALLED) ## Load the product with k6 and hold it to the service levels: DURATION=7m USERS=50
	@scripts/load.sh

test-jaeger: $(INSTALLED) ## Follow one question through a real Jaeger; builds it once, from the Go registry
	@scripts/jaeger.sh
	@nice -n 19 $(PYTHON) scripts/jaeger_trace.py

##@ Make anew what is made

# uv.lock names registry hosts and stays out of git; the export carries pins and hashes only.
lock: $(INSTALLED) ## Make requirements.lock anew from the pyproject files
	.venv/bin/uv lock
	.venv/bin/uv export --quiet --all-packages --no-emit-workspace --no-annotate --no-header -o requirements.lock

reference: $(INSTALLED) ## Make docs/reference/api.md anew from the API's OpenAPI document
	@$(PYTHON) -m release reference

dashboards: $(INSTALLED) ## Make grafana/dashboards and the service-level rules anew from observability/
	@$(PYTHON) -m observability

page-picture: $(INSTALLED) programs ## Make the README's picture of the page anew
	@$(PYTHON) -m tests.browser.photograph

proto: $(INSTALLED) ## Make the code of the gRPC interface anew from its .proto
	@scripts/make-proto.sh

##@ Put it out

images: ## Build the four images, with docker or podman: ENGINE=podman VERSION=0.1.0
	@engine=$${ENGINE:-docker}; for service in chat-api chat-worker character sandbox; do \
	  BUILDAH_FORMAT=docker $$engine build $(BUILD_ARGS) --build-arg VERSION=$(VERSION) \
	    --build-arg REVISION=$$(git rev-parse --short HEAD) --file docker/$$service/Dockerfile \
	    --tag eco2/$$service:$(VERSION) . || exit 1; done

compose-check: $(INSTALLED) ## Check docker-compose.yml, .env.example and the Dockerfiles, without an engine
	@$(PYTHON) -m pytest -q tests/deploy/test_compose.py tests/deploy/test_guide.py tests/deploy/test_images.py

k8s-check: $(INSTALLED) ## Check k8s/ against the API's schemas, rendered where kustomize or kubectl is there
	@$(PYTHON) -m pytest -q tests/deploy/test_k8s.py tests/deploy/test_k8s_settings.py tests/deploy/test_network.py

audit: $(INSTALLED) ## Look for secrets in what is committed, and for known faults of the pinned packages
	@$(PYTHON) scripts/audit_secrets.py
	@$(PYTHON) scripts/audit_dependencies.py $(ARGS)

audit-hosts: ## Fail if a committed file names a package registry
	@scripts/audit-hosts.sh

release-check: $(INSTALLED) ## Hold this version to what a release needs, and build its packages: ARGS="--final"
	@nice -n 19 $(PYTHON) -m release check $(ARGS)

##@ Tidy up

clean: ## Remove caches and output; .venv and .data stay
	rm -rf $(CACHES)
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
