# make run | test | lint | bench | format | readme | reset        What each does: README.md
PYTHON ?= python3
PORT ?= 8000
SHOP_PORT ?= 8001
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet install

.PHONY: run test lint bench format readme reset

run: $(VENV)/run.stamp
	@exec $(PY) -m tools.run --port $(PORT) --shop-port $(SHOP_PORT)

# ARGS="tests/backoffice -k ledger" goes to pytest; DB=sqlite or DB=postgres picks one database.
test: $(VENV)/dev.stamp
	@DB="$(DB)" $(PY) -m tools.runtests $(ARGS)

lint: $(VENV)/dev.stamp
	@$(PY) -m tools.lint

# QUICK=1 takes about a minute.
bench: $(VENV)/dev.stamp
	@QUICK="$(QUICK)" $(PY) -m bench

format: $(VENV)/dev.stamp
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

# The table of platforms, from what the adapters say of themselves. A test fails where it is stale.
readme: $(VENV)/run.stamp
	@$(PY) manage.py platform_table

reset:
	@if [ -e var ]; then du -sh var && rm -rf var && echo "Removed var/: the database, the practice shop, the keys, mails and screenshots."; \
	else echo "There is no var/: nothing to remove."; fi

$(VENV)/made.stamp: tools/make_venv.py
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make run PYTHON=/path/to/python3"; exit 1; }
	@[ -x $(PY) ] || $(PYTHON) tools/make_venv.py $(VENV)
	@touch $@

$(VENV)/run.stamp: requirements.txt $(VENV)/made.stamp
	@echo "Installing what CartSync needs into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@echo "Installing what the tests and checks need into $(VENV) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@
