# Both targets do all their own set-up; all they need is Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: serve test format docs pictures lock bench clean

serve: $(VENV)/.serve  ## Start the emulator on http://127.0.0.1:8018.
	@exec $(BIN)/foas-emulator serve

test: $(VENV)/.test  ## Lint, check types and run every test.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered --cov-fail-under=95

format: $(VENV)/.test  ## Format the code and mend what can be mended.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.test  ## Write the pages and documents that are made from the code.
	$(BIN)/python scripts/generate.py

pictures: $(VENV)/.test  ## Take the pictures of docs/console.md (needs chromium).
	$(BIN)/python -m tests.console.pictures

bench: $(VENV)/.test  ## Compare the emulator with its peers; see benchmarks/README.md.
	$(BIN)/python -m benchmarks

lock:  ## Pin the dependencies anew (needs uv).
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --upgrade -o requirements.lock
	uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --upgrade -o requirements-dev.lock

clean:
	rm -rf $(VENV) build dist app/*.egg-info

$(VENV)/bin/python:
	@echo "setting up $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)

# What is said meanwhile goes to standard error: the server's first line is to be the first line of standard output.
$(VENV)/.serve: requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
	@touch $@

$(VENV)/.test: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.serve
