# Gudok. `make run` starts the demo, `make test` checks everything; `make help` tells the rest.
# Needs Python 3.11 or newer, no root. The environment lives in $(VENV) and is made again when it is outdated.

SHELL := /bin/sh
.DEFAULT_GOAL := help

VENV ?= .venv
PY := $(VENV)/bin/python
# The first Python that is new enough; `make PYTHON=/usr/bin/python3.12 test` chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
PIP := $(PY) -m pip --disable-pip-version-check --quiet
WORKERS ?= 2
PYTEST_ARGS ?=
BENCH_ARGS ?=

.PHONY: help run test test-services lint types flows-test unit asterisk prompts sample docs house bench bench-calls kill clean distclean \
	kill-calls environment-run environment-test

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' Makefile | while IFS=@ read -r name text; do \
		printf '%-22s %s\n' "$$name" "$$text"; done

run: environment-run ## start the demo: test SMSC, billing and a handset in the browser
	@exec $(VENV)/bin/gudok demo

# Everything, also when a part before it has failed: pytest comes last, so its closing line does too.
test: environment-test ## lint, types, flow tests with coverage, unit, wire, end to end
	@failed=; for part in lint types flows-test unit; do \
		$(MAKE) --no-print-directory VENV="$(VENV)" $$part || failed="$$failed $$part"; done; \
	if [ -n "$$failed" ]; then echo "make test: failed:$$failed" >&2; exit 1; fi

lint: environment-test ## ruff: rules and form
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: environment-test
	$(PY) -m mypy

flows-test: environment-test
	$(VENV)/bin/gudok check .
	$(VENV)/bin/gudok test . --min-cover 90

unit: environment-test
	$(PY) -m pytest tests/asterisk -q
	$(PY) -m pytest -n $(WORKERS) --dist loadfile -q --ignore=tests/asterisk $(PYTEST_ARGS)

# Other minds that the tests talk to: the npm package smpp, Kannel, Perl's Net::SMPP, Chromium.
test-services: ## install or find what some tests need: Node.js, Chromium, Kannel, Net::SMPP, espeak-ng
	@set -e; missing=; \
	command -v node >/dev/null && command -v npm >/dev/null || missing="$$missing nodejs npm"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v chromedriver >/dev/null || missing="$$missing chromium-driver"; \
	command -v espeak-ng >/dev/null || missing="$$missing espeak-ng"; \
	[ -x /usr/sbin/bearerbox ] || missing="$$missing kannel"; \
	perl -MNet::SMPP -MJSON::PP -e 1 2>/dev/null || missing="$$missing libnet-smpp-perl"; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			export DEBIAN_FRONTEND=noninteractive; \
			apt-get update -q && apt-get install -y -q --no-install-recommends $$missing; \
		else \
			echo "make test-services: missing:$$missing; as root: apt-get install$$missing" >&2; exit 1; \
		fi; \
	fi; \
	version="$$(sed -n 's/.*"smpp": "\([^"]*\)".*/\1/p' tests/peers/package.json)"; \
	grep -q "\"version\": \"$$version\"" tests/peers/node_modules/smpp/package.json 2>/dev/null || \
		npm install --prefix tests/peers --no-package-lock --no-audit --no-fund --loglevel=error; \
	echo "services: node $$(node --version), npm package smpp $$version, $$(chromium --version 2>/dev/null | head -n 1), Kannel, Net::SMPP"

asterisk: ## bring a private Asterisk 22 for the tests (root; a minute, 600 MB), in ASTERISK_TREE or .cache/asterisk
	@sh deploy/asterisk-tree.sh

prompts: environment-run ## synthesise the prompts of calls that are missing
	$(VENV)/bin/gudok prompts . --lang ru --make --prune

sample: ## renew the list of files that `gudok init` lays out
	@git ls-files --cached --others --exclude-standard flows config asterisk-dialplan | LC_ALL=C sort > gateway/sample.txt

docs: environment-test ## the documentation as a site, in build/site
	$(PY) -m sphinx -b html -W --keep-going -q -d build/trees docs build/site

house: environment-test ## sizes of the house beside the measure of good ones
	@$(PY) benchmarks/house.py

bench: environment-test ## speed beside three echoes: C, asyncio, Node.js
	$(PY) benchmarks/run.py $(BENCH_ARGS)

bench-calls: environment-test ## calls to a real Asterisk: the gateway beside a bare FastAGI echo (ten minutes)
	$(PY) -m benchmarks.calls $(BENCH_ARGS)

kill: environment-test ## fifty rounds of kill -9 under load, ledgers compared
	GUDOK_KILL_ROUNDS=50 $(PY) -m pytest tests/end_to_end/test_kill.py -q -s $(PYTEST_ARGS)

kill-calls: environment-test ## kill -9 of the gateway in the middle of a hundred calls on Asterisk
	GUDOK_REQUIRE_SERVICES=1 GUDOK_KILL_CALLS=100 $(PY) -m pytest tests/asterisk/test_kill_gateway.py -q -s \
		-k pay_once $(PYTEST_ARGS)

clean: ## what tools have left; data/ and the environment stay
	@find . -name __pycache__ -not -path './$(VENV)/*' -not -path './.git/*' -prune -exec rm -rf {} +
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist .coverage

distclean: clean ## the environment and the npm packages as well
	@rm -rf "$(VENV)" tests/peers/node_modules

# A stamp holds what the environment was made from: place, Python, pyproject.toml. Another value makes it again.
environment-run:
	@$(call environment,.,run)

environment-test:
	@$(call environment,.[test],test)

define environment
set -e; \
if [ ! -x "$(PY)" ] && [ -z "$(PYTHON)" ]; then \
	echo "make: no Python 3.11 or newer was found (PYTHON=... names one)" >&2; exit 1; fi; \
want="$$(pwd) $$(cksum < pyproject.toml)"; \
for stamp in "$(VENV)/.gudok-test" "$(VENV)/.gudok-$(2)"; do \
	if [ -x "$(PY)" ] && [ "$$(cat "$$stamp" 2>/dev/null)" = "$$want" ] && "$(PY)" -c 'import gateway' 2>/dev/null; then \
		exit 0; fi; done; \
if ! "$(PY)" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	rm -rf "$(VENV)"; \
	"$(PYTHON)" -m venv "$(VENV)" || { rm -rf "$(VENV)"; \
		echo "make: $(PYTHON) cannot make an environment (Debian: apt-get install python3-venv)" >&2; exit 1; }; \
fi; \
echo "making the environment in $(VENV) ..."; \
$(PIP) install -e "$(1)"; \
printf '%s' "$$want" > "$(VENV)/.gudok-$(2)"
endef
