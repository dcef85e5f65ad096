# Everything runs in .venv, which the first target makes. All paths are relative, so that a checkout
# in a folder with spaces works. More options: make test ARGS="-k 03", make lab ARGS="--no-browser".

PYTHON ?= python3
ARGS ?=

# The celery command is found by notebooks and terminals as if .venv were activated. With -E, Python ignores variables
# that somebody has set for other work, such as PYTHONOPTIMIZE, which would take the asserts out.
RUN = PATH="$$PWD/.venv/bin:$$PATH"
PY = $(RUN) python -E

# The file appears when the install is complete: an interrupted one starts again from nothing.
READY = .venv/.ready
COMPARE = benchmarks/compare
COMPARED = .venv-compare/.ready
LINT = tools/lint
LINTED = .venv-lint/.ready

.PHONY: help lab test odd storm compare refresh book lint lock python

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

lab: $(READY) ## open the course in JupyterLab
	@JUPYTER_CONFIG_PATH="$$PWD/jupyter" $(PY) -m jupyterlab $$(test "$$(id -u)" != 0 || echo --allow-root) $(ARGS)

test: $(READY) ## run every notebook and test, compare the outputs
	@$(PY) -m pytest --nbval $(ARGS)

odd: $(READY) ## a hundred starts of the lab in odd surroundings (ODD_FIRST=seed, ODD_COUNT=number; 2 minutes)
	@ODD_FIRST=$${ODD_FIRST:-$$(date +%s)} ODD_COUNT=$${ODD_COUNT:-100} $(PY) -m pytest tests/lab/services/test_odd.py --dist=load $(ARGS)

storm: $(READY) ## twenty storms of notebook 08, with as many seeds (8 minutes)
	@$(PY) benchmarks/storm.py $(ARGS)

compare: $(COMPARED) ## Celery beside RQ, Dramatiq, Huey, Taskiq and others (15 minutes)
	@PATH="$$PWD/.venv-compare/bin:$$PATH" python -E -m benchmarks.compare $(ARGS)

refresh: $(READY) ## run the notebooks and store their outputs
	@$(PY) -m tools.refresh $(ARGS)

book: $(READY) ## run the notebooks and render them to one static site (ARGS=--stored: run nothing)
	@$(PY) -m tools.book $(ARGS)

lint: $(READY) $(LINTED) ## check style, types, and which room of lab/ imports from which
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv-lint/bin/lint-imports --no-logo --no-cache
	@.venv-lint/bin/mypy --python-executable .venv/bin/python

# The old lock stays out of it, or nothing would move. "fewest": one version of a package for every Python.
lock: python ## pin anew what each requirements.txt brings along
	@rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/pip install --quiet uv
	@{ grep '^#' constraints.txt; grep -v '^-c' requirements.txt | .lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --no-header --no-annotate - ; } > .lock/constraints.txt
	@mv .lock/constraints.txt constraints.txt
	@for folder in $(COMPARE) $(LINT); do \
	{ grep '^#' $$folder/constraints.txt; grep -v '^-' $$folder/requirements.txt | .lock/bin/uv pip compile --quiet --universal \
	--python-version 3.11 --fork-strategy fewest --no-header --no-annotate -c constraints.txt - ; } > .lock/constraints.txt && \
	mv .lock/constraints.txt $$folder/constraints.txt || exit 1; done
	@rm -rf .lock

python:
	@$(PYTHON) -E -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
	"Python 3.11 or newer is needed; name yours, as in: make lab PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -E -c 'import ensurepip, venv' 2>/dev/null || { echo \
	"Python's venv module is missing; on Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }

$(READY): requirements.txt constraints.txt
	@$(MAKE) --no-print-directory python
	rm -rf .venv
	$(PYTHON) -E -m venv .venv
	@echo "Installing the packages of requirements.txt: 170 MB to download, once; half a minute on a fast line."
	.venv/bin/python -E -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@

$(COMPARED): $(COMPARE)/requirements.txt $(COMPARE)/constraints.txt requirements.txt constraints.txt
	@$(MAKE) --no-print-directory python
	rm -rf .venv-compare
	$(PYTHON) -E -m venv .venv-compare
	.venv-compare/bin/python -E -m pip install --quiet --disable-pip-version-check -r $(COMPARE)/requirements.txt
	@touch $@

$(LINTED): $(LINT)/requirements.txt $(LINT)/constraints.txt
	@$(MAKE) --no-print-directory python
	rm -rf .venv-lint
	$(PYTHON) -E -m venv .venv-lint
	.venv-lint/bin/python -E -m pip install --quiet --disable-pip-version-check -r $(LINT)/requirements.txt
	@touch $@
