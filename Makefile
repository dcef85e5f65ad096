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
BOOKED = .venv-book/.ready
LINT = tools/lint
LINTED = .venv-lint/.ready
RUNS = $(filter --run,$(ARGS))

# One version of a package for every Python ("fewest").
COMPILE = .lock/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
--no-header --no-annotate

# What readers copy, and notebooks print: 88 columns, as in notebooks (notebooks/.ruff.toml says why).
COPIED = --config "line-length = 88" tasks.py celeryconfig.py shop.py project

.PHONY: help lab test odd storm outages cores compare noops refresh book lint lock python

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

lab: $(READY) ## open the course in JupyterLab
	@JUPYTER_CONFIG_PATH="$$PWD/jupyter" $(PY) -m jupyterlab $(ARGS)

test: $(READY) ## run every notebook and test, compare the outputs
	@$(PY) -m pytest --nbval $(ARGS)

odd: $(READY) ## a hundred starts of the lab in odd surroundings (ODD_FIRST=seed, ODD_COUNT=number; 2 minutes)
	@ODD_FIRST=$${ODD_FIRST:-$$(date +%s)} ODD_COUNT=$${ODD_COUNT:-100} $(PY) -m pytest tests/lab/services/test_odd.py --dist=load $(ARGS)

storm: $(READY) ## twenty storms of notebook 09b, with as many seeds (8 minutes)
	@$(PY) benchmarks/storm.py $(ARGS)

outages: $(READY) ## the outages of notebook 10 that take minutes, stored for its picture (3 minutes)
	@$(PY) benchmarks/outages.py $(ARGS)

cores: $(READY) ## how many processes a worker starts in a container (2 minutes, needs Docker)
	@$(PY) benchmarks/cores.py

compare: $(COMPARED) ## Celery beside RQ, Dramatiq, Huey, Taskiq and others (15 minutes)
	@PATH="$$PWD/.venv-compare/bin:$$PATH" python -E -m benchmarks.compare $(ARGS)

noops: $(COMPARED) ## where the time of a task that does nothing goes (4 minutes)
	@PATH="$$PWD/.venv-compare/bin:$$PATH" python -E -m benchmarks.compare.noops $(ARGS)

refresh: $(READY) ## run the notebooks and store their outputs
	@$(PY) -m tools.refresh $(ARGS)

# Only a run of the notebooks needs the course's own environment. "-W": a warning, such as a dead link, is an error.
book: $(BOOKED) $(if $(RUNS),$(READY)) ## make a site of the README and the notebooks (ARGS=--run: run these first)
	@rm -rf book/_build
	@$(if $(RUNS),$(PY) -m book.run book/_build/run)
	@.venv-book/bin/python -E -m sphinx -qEW --keep-going -c book $(if $(RUNS),-D outputs=book/_build/run) . book/_build/html
	@echo "book/_build/html/index.html: open it in a browser"

lint: $(READY) $(LINTED) ## check style, types, and which room of lab/ imports from which
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check $(COPIED)
	@.venv/bin/ruff format --check $(COPIED)
	@.venv-lint/bin/lint-imports --no-logo --no-cache
	@.venv-lint/bin/mypy --python-executable .venv/bin/python

# The old locks stay out of it, or nothing would move.
lock: python ## pin anew what each requirements.txt brings along
	@rm -rf .lock && $(PYTHON) -m venv .lock && .lock/bin/pip install --quiet uv
	@{ grep '^#' constraints.txt; grep -v '^-' requirements.txt | $(COMPILE) - ; } > .lock/constraints.txt
	@mv .lock/constraints.txt constraints.txt
	@{ grep '^#' book/constraints.txt; grep -v '^-' book/requirements.txt | $(COMPILE) - ; } > .lock/constraints.txt
	@mv .lock/constraints.txt book/constraints.txt
	@for folder in $(COMPARE) $(LINT); do \
	{ grep '^#' $$folder/constraints.txt; grep -v '^-' $$folder/requirements.txt | $(COMPILE) -c constraints.txt - ; } \
	> .lock/constraints.txt && mv .lock/constraints.txt $$folder/constraints.txt || exit 1; done
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

# An environment of its own for what no reader needs: $(1) is its name, $(2) the folder with its requirements.
define ENVIRONMENT
.venv-$(1)/.ready: $(2)/requirements.txt $(2)/constraints.txt
	@$$(MAKE) --no-print-directory python
	rm -rf .venv-$(1)
	$$(PYTHON) -E -m venv .venv-$(1)
	.venv-$(1)/bin/python -E -m pip install --quiet --disable-pip-version-check -r $(2)/requirements.txt
	@touch $$@
endef
$(eval $(call ENVIRONMENT,compare,$(COMPARE)))
$(eval $(call ENVIRONMENT,book,book))
$(eval $(call ENVIRONMENT,lint,$(LINT)))
$(COMPARED): requirements.txt constraints.txt
