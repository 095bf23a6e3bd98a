# All that is needed is Python >= 3.11 and make; every target sets up what it needs itself.
# To make of the BSDs, the next line is an error with a message; to GNU make, a target that nobody asks for.
.error : this Makefile is written for GNU make, which is called gmake here

PYTHON ?= python3
VENV := .venv
override VENV := $(VENV:/=)
# Where a virtual environment has its programs: Scripts on Windows, bin elsewhere.
WINDOWS := $(filter Windows_NT,$(OS))
BIN := $(VENV)/$(if $(WINDOWS),Scripts,bin)
# By its whole name: without .exe, make on Windows would not find it, and would make the environment at every call.
INTERPRETER := $(BIN)/python$(if $(WINDOWS),.exe)
PIP := $(INTERPRETER) -m pip --quiet --disable-pip-version-check
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade
# Tests take nearly twice as long while it is measured which lines they reach.
COVERED = $(if $(CI),--cov --cov-report=term:skip-covered --cov-fail-under=95)
ENDURE = $(if $(COUNT),--count $(COUNT)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

# What a shell sets for other Pythons, or for other uses of pip, would lead past the virtual environment.
unexport PYTHONHOME PYTHONPATH PIP_PREFIX PIP_REQUIRE_HASHES PIP_ROOT PIP_TARGET
export PIP_USER := 0

# What was installed for a Python that has been removed since is not there for the next one. Programs in a virtual
# environment do not run once its checkout was moved; .serve holds the place, or nothing if an older Makefile made it.
IS_HERE := test ! -s $(VENV)/.serve || test "$$(cat $(VENV)/.serve)" = "$$(pwd -P)"
STALE := $(shell { $(IS_HERE); } || rm -f $(INTERPRETER)) \
	$(shell test -x $(INTERPRETER) || rm -f $(VENV)/.serve $(VENV)/.test $(VENV)/.mutants)

# Without this, a virtual environment that could not be made whole, as on Debian without python3-venv, would be used.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help serve setup check test format docs pictures bench mutants fuzz positions pairs large soak floods chaos lock clean

help:  ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV)/.serve  ## Start the emulator on http://127.0.0.1:8018.
	@exec $(BIN)/foas-emulator serve

setup: $(VENV)/.test  ## Install what the tests need, as it is locked.

check: $(VENV)/.test  ## Lint and check types, those of Windows too.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows

test: check  ## Lint, check types and run every test; with CI=true, also measure which lines they reach.
	$(BIN)/pytest -n auto --dist loadgroup --no-loadscope-reorder $(COVERED)

format: $(VENV)/.test  ## Format the code and fix what can be fixed.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.test  ## Write the pages and documents that are made from the code.
	$(BIN)/python -m scripts.generate

pictures: $(VENV)/.test  ## Take the pictures of docs/console.md (needs chromium).
	$(BIN)/python -m tests.console.pictures

bench: $(VENV)/.test  ## Compare the emulator with its peers; see benchmarks/README.md.
	$(BIN)/python -m benchmarks

mutants: $(VENV)/.mutants  ## Report changes of the code that no test notices: MINUTES=30 MODULES="foas_emulator.world.*".
	$(BIN)/python scripts/mutants.py $(if $(MINUTES),--minutes $(MINUTES)) $(MODULES)

fuzz: $(VENV)/.test  ## Fuzz both APIs: COUNT=1000000 SECONDS=3600 SEED=1, as for the next six.
	$(BIN)/python -m tests.endurance.fuzz $(ENDURE)

positions: $(VENV)/.test  ## Put hostile contents into every position of every input and look at what they cost.
	$(BIN)/python -m tests.endurance.positions $(ENDURE)

pairs: $(VENV)/.test  ## Let requests store hostile contents, read them everywhere and look at what that costs.
	$(BIN)/python -m tests.endurance.pairs $(ENDURE)

large: $(VENV)/.test  ## Make every request in large worlds and look at how long each holds the event loop.
	$(BIN)/python -m tests.endurance.large $(ENDURE)

soak: $(VENV)/.test  ## Use one server for long and look for what grows.
	$(BIN)/python -m tests.endurance.soak $(ENDURE)

floods: $(VENV)/.test  ## Flood each budget of memory and look at what it really holds (Linux).
	$(BIN)/python -m tests.endurance.floods $(ENDURE)

chaos: $(VENV)/.test  ## Kill servers in the middle of writes, cut their files, refuse them calls of the system (Linux).
	$(BIN)/python -m tests.endurance.chaos $(ENDURE)

lock:  ## Pin the dependencies anew (needs uv).
	$(COMPILE) pyproject.toml --group build -o requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) --group mutants -c requirements-dev.lock -o requirements-mutants.lock

clean:  ## Remove the virtual environment and what was built.
	rm -rf $(VENV) $(VENV).lock build dist app/*.egg-info

# What is said meanwhile goes to standard error: the server's first line is to be the first line of standard output.
$(INTERPRETER):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and sys.executable + " is Python " + \
		sys.version.split()[0] + ", and 3.11 or later is needed; name one, as in PYTHON=python3.13")'
	@echo "making the virtual environment $(VENV)" >&2
	@$(PYTHON) -m venv $(if $(wildcard $(VENV)/pyvenv.cfg),--clear) $(VENV)

# A variable of a shell is not one that the next make here is given.
ifneq ($(origin LOCKED),command line)
# Two that install at once would break each other's files: the later one waits, and then finds what it needs.
$(VENV)/.serve: requirements.lock pyproject.toml
$(VENV)/.test: requirements-dev.lock pyproject.toml
$(VENV)/.mutants: requirements-mutants.lock $(VENV)/.test
$(VENV)/.serve $(VENV)/.test $(VENV)/.mutants:
	@trap 'exit 130' HUP INT TERM; mkdir -p $(dir $(VENV)); until mkdir $(VENV).lock 2>/dev/null; do \
		test -w $(dir $(VENV)) || { echo "nothing can be written in $(dir $(VENV))" >&2; exit 1; }; \
		test "$$told" || echo "waiting for another make; if none is at work here, remove $(VENV).lock" >&2; \
		told=1; sleep 1; \
	done; trap 'rmdir $(VENV).lock' EXIT; $(MAKE) --silent LOCKED=1 $@
else
$(VENV)/.serve: requirements.lock pyproject.toml | $(INTERPRETER)
	@echo "installing what the emulator needs (requirements.lock)" >&2
	@$(PIP) install --no-deps --require-hashes -r requirements.lock >&2
	@echo "installing the emulator" >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >&2
	@pwd -P > $@

$(VENV)/.test: requirements-dev.lock pyproject.toml | $(INTERPRETER)
	@echo "installing what the tests need (requirements-dev.lock)" >&2
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock >&2
	@echo "installing the emulator" >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >&2
	@pwd -P > $(VENV)/.serve
	@touch $@

$(VENV)/.mutants: requirements-mutants.lock $(VENV)/.test
	@echo "installing what makes mutants (requirements-mutants.lock)" >&2
	@$(PIP) install --no-deps --require-hashes -r requirements-mutants.lock >&2
	@touch $@
endif
