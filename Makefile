# Everything sets itself up; all of it leaves the program at .venv/bin/readingroom.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
unexport PYTHONDONTWRITEBYTECODE  # every command starts twice as fast from compiled files

.PHONY: setup demo serve test test-deep check fix docs bench lock model clean

setup: $(STAMP)  ## make .venv with hash-locked dependencies

$(STAMP): pyproject.toml requirements/bootstrap.txt requirements/all.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Reading Room needs Python 3.11 or newer; try: make PYTHON=python3.11 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/all.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

demo: setup  ## the whole story on the real model; leaves the portal open
	$(BIN)/readingroom demo

serve: setup  ## a development house on the echo engine
	@test -d readingroom-home || $(BIN)/readingroom init --dev --engine echo
	$(BIN)/readingroom serve

test: setup  ## every test but the deep ones
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

test-deep: setup  ## the slow, thorough ones
	$(BIN)/python -m pytest -n 2 -m deep

check: setup  ## format, lint, types, floor plan, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/docs.py --check

fix: setup  ## what tools can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup  ## regenerate the generated pages
	$(BIN)/python tools/docs.py
	READINGROOM_WRITE_DOCS=1 $(BIN)/python -m pytest -q tests/admissions/test_matrix.py

bench: setup  ## the benchmarks
	$(BIN)/python -m benchmarks

lock: setup  ## write the lock files anew
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --generate-hashes requirements/bootstrap.in -o requirements/bootstrap.txt
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --generate-hashes --all-extras --group dev pyproject.toml -o requirements/all.txt
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --generate-hashes requirements/clients.in -o requirements/clients.txt

clean:
	rm -rf $(VENV) readingroom-home
