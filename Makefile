# Two commands do everything on a fresh machine with Python 3.11+ and make:
#   make report   execute the notebooks and write HTML reports to reports/output
#   make test     prove that the numbers and the reports are right
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

# tests and reports start many short processes: each would compile every module anew where the shell forbids to keep bytecode
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report publish test run-tests read-code prove-new-rows lab notebooks check lock bench accuracy fuzz clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

# The stamp is written last: a set-up that was interrupted starts again.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tokcost needs Python 3.11 or newer, this is %s; try make PYTHON=python3.11" % sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

## make report      execute the default notebooks, write reports/output/index.html
report: $(READY)
	$(BIN)/tokcost report reports

## make publish     the same, with a feed of changed answers: reports/output is then a web site
publish: $(READY)
	$(BIN)/tokcost schedule reports --once

## make test        run every test (unit, doctest, property, notebooks, reports in a browser, environment)
test: $(READY)
	@$(MAKE) --no-print-directory --jobs=2 run-tests read-code

# two workers for two processors: linear algebra in a worker starts no threads of its own
run-tests: $(READY)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# what needs no run; pyright works on one processor, so beside the tests
read-code: $(READY)
	$(BIN)/ruff check .
	$(BIN)/tokcost data check
	$(BIN)/pyright

## make lab         open JupyterLab on the notebooks
lab: $(READY)
	$(BIN)/tokcost lab

## make notebooks   execute the notebooks and rewrite their committed outputs
notebooks: $(READY)
	$(BIN)/python -m tokcost.report.execution.refresh_outputs notebooks/*.ipynb --figure reports/cost-ratio.svg

## make prove-new-rows  add made-up rows to a copy of the project, and run there what reads data/
prove-new-rows: $(READY)
	$(BIN)/python tests/prove_new_rows.py

## make lock        derive requirements.lock and environment.yml from pyproject.toml
lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --group build --group test --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade --quiet -o requirements.lock
	$(BIN)/python tests/environment/environment_yml.py > environment.yml.new
	@mv environment.yml.new environment.yml

## make bench       time and memory, side by side with peers
bench: $(READY)
	$(BIN)/uv pip install --quiet --target .venv/bench chaospy monaco
	$(BIN)/python -m benchmarks

## make accuracy    how far off estimates of throughput are, beside aiconfigurator on the same runs (about ten minutes)
accuracy: $(READY)
	@test -x .venv/aiconfigurator/bin/python || { $(BIN)/uv venv --quiet .venv/aiconfigurator \
	    && $(BIN)/uv pip install --quiet --python .venv/aiconfigurator/bin/python aiconfigurator==0.12.0; } || rm -rf .venv/aiconfigurator
	$(BIN)/python -m benchmarks.bench_accuracy

## make fuzz        damage real files at random for a few minutes and import them (FUZZ_SECONDS=180); draw parameters and properties anew
FUZZ_SECONDS ?= 180
fuzz: $(READY)
	$(BIN)/python -W error tests/importers/fuzz.py $(FUZZ_SECONDS)
	TOKCOST_DRAWS=10 $(BIN)/pytest -q tests/notebooks/test_any_parameters.py
	$(BIN)/pytest -q -n 2 -m hypothesis --hypothesis-profile default tests

## make clean       remove the environment and everything that was generated
clean:
	rm -rf .venv reports/output .pytest_cache .hypothesis .ruff_cache
