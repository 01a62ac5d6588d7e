# `make` explains the targets. POSIX sh and GNU make 3.81 are enough.

# A Python that .venv was made with stays: `make setup PYTHON=python3.13`, then plain `make test`.
PYTHON ?= $(shell .venv/bin/python -c "" 2>/dev/null && echo .venv/bin/python || echo python3)
# PyTorch's CPU index, https://download.pytorch.org/whl/cpu, saves about 3 GB on Linux. Only torch comes from it.
TORCH_INDEX ?=
# A folder filled by `make wheelhouse`: set-up then needs no network.
WHEELHOUSE ?=
# Passed on to JupyterLab and to pytest.
LAB_ARGS ?=
TEST_ARGS ?=

BIN := .venv/bin
SETUP = "$(PYTHON)" tools/setup_venv.py --torch-index "$(TORCH_INDEX)" --wheelhouse "$(WHEELHOUSE)"
# Stored outputs are compared where they were made: on Linux x86-64 with Python 3.11, whose own texts pydocs reads.
# Elsewhere cells must run.
HERE = `uname -sm` `$(BIN)/python -V`
NBVAL = $(shell case "$(HERE)" in ("Linux x86_64 Python 3.11."*) echo --nbval;; (*) echo --nbval-lax;; esac)
# tests/ must be among the arguments: its conftest.py makes pytest and the kernels run offline, with a fresh home.
PYTEST = $(BIN)/python -m pytest $(NBVAL) --nbval-current-env
# JupyterLab asks no server for news, updates or extensions.
QUIET = --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate \
	--LabApp.extension_manager=readonly
FIRST = --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/notebooks/00_setup.ipynb

.PHONY: help setup lab warm warm-tests test test-slow lint notebooks timings pages lock-check wheelhouse clean clean-all

help:
	@echo "make lab         set up .venv, check the machine, build pydocs, open JupyterLab"
	@echo "make test        set up .venv, encode pydocs once, then lint, unit tests, doctests, notebooks"
	@echo "make test-slow   the slow tests: solutions, side notebooks, browser, wheel"
	@echo "make warm        encode all of pydocs once, about 5 minutes; can be interrupted"
	@echo "make notebooks   build notebooks/*.ipynb and the solutions from notebooks/src"
	@echo "make timings     run each notebook and write docs/timings.md: minutes, seconds, silences"
	@echo "make pages       export the notebooks as HTML pages into site/"
	@echo "make lint        ruff, import contract, tests without assertions"
	@echo "make lock-check  prove that constraints.txt resolves on 3 platforms and 3 Pythons"
	@echo "make wheelhouse  fill wheelhouse/, from which laptops install without a network"
	@echo "make setup       only set up .venv"
	@echo "make clean       remove caches and builds; make clean-all: .venv and wheelhouse too"
	@echo ""
	@echo "PYTHON=python3.12     the Python to use, 3.11 to 3.13 (now: $(PYTHON))"
	@echo "TORCH_INDEX=URL       where torch comes from, for example PyTorch's CPU index:"
	@echo "                      https://download.pytorch.org/whl/cpu"
	@echo "WHEELHOUSE=wheelhouse install from that folder, without a network"
	@echo "LAB_ARGS=...          passed on to JupyterLab, for example \"--no-browser --port 8890\""
	@echo "TEST_ARGS=...         passed on to pytest, for example \"-k lock -x\""

setup:
	@$(SETUP)

lab: setup
	$(BIN)/labkit doctor
	$(BIN)/labkit warm --build-only
	PYTHONSTARTUP="$(CURDIR)/tools/kernel_start.py" $(BIN)/jupyter lab $(QUIET) $(FIRST) $(LAB_ARGS)

warm: setup
	$(BIN)/labkit warm

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/lint-imports
	$(BIN)/python tools/lint_tests.py tests

# The notebooks rerank some thousand passages. They are encoded once, here, into the cache that all tests share.
warm-tests: setup
	TQDM_MININTERVAL=5 LABKIT_CACHE="$${LABKIT_CACHE:-$(CURDIR)/data/cache}" $(BIN)/labkit warm

test: lint warm-tests
	$(PYTEST) -m "not slow and not browser" tests labkit $(wildcard notebooks/*.ipynb) $(TEST_ARGS)

# pytest says 5 when nothing was selected. That is no failure here.
test-slow: warm-tests
	$(PYTEST) -m "slow or browser" tests $(wildcard notebooks/side/*.ipynb notebooks/solutions/*.ipynb notebooks/solutions/*/*.ipynb) $(TEST_ARGS) \
	  || { code=$$?; test $$code -eq 5; }

notebooks: setup
	$(BIN)/python notebooks/build.py

timings: warm
	$(BIN)/python tools/timings.py

pages: setup
	$(BIN)/python tools/export_pages.py

lock-check: setup
	$(BIN)/python tools/check_lock.py

# torch comes first, so that a CPU build in the folder wins over the usual index: 2.13.0+cpu sorts above 2.13.0.
wheelhouse: setup
	rm -rf wheelhouse && mkdir wheelhouse
	test -z "$(TORCH_INDEX)" || $(BIN)/python -m pip download --no-deps --only-binary=:all: --dest wheelhouse \
	  --index-url "$(TORCH_INDEX)" `grep '^torch==' constraints.txt`
	$(BIN)/python -m pip download --only-binary=:all: --find-links wheelhouse --dest wheelhouse -r constraints.txt
	$(BIN)/python -m pip wheel --no-deps --no-build-isolation --wheel-dir wheelhouse .
	cp constraints.txt wheelhouse/
	@echo ""
	@echo "On laptops with this system and Python `$(BIN)/python -c 'import sys; print(*sys.version_info[:2], sep=".")'`, with the checkout and wheelhouse/ copied over:"
	@echo "    make lab WHEELHOUSE=wheelhouse"
	@echo "or, into any environment, labkit and JupyterLab without the notebooks:"
	@echo "    python -m pip install --no-index --find-links wheelhouse -c wheelhouse/constraints.txt \"late-interaction-lab[notebooks]\""

clean:
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage tests/browser/artefacts
	find labkit data tests tools notebooks -name __pycache__ -prune -exec rm -rf {} +
	find notebooks -name .ipynb_checkpoints -prune -exec rm -rf {} +

clean-all: clean
	rm -rf .venv wheelhouse data/cache
