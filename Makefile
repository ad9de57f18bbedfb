# Everything needs Python 3.11+ and make alone; the first target that runs makes .venv.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PY := $(BIN)/python
DATASET ?= $(or $(TARS_SHARED),../shared)/data/petshop

.DEFAULT_GOAL := help
.PHONY: help demo test thorough coverage golden check style types layers bench fuzz lab docs size lock clean

help: ## Show this list
	@$(PYTHON) -c "import re,sys; [print(f'  make {m[1]:<8} {m[2]}') for m in re.finditer(r'(?m)^(\w+):.*?## (.*)$$', open('Makefile', encoding='utf-8').read())]"

.venv/core.stamp: requirements/core.lock pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'Python 3.11 or newer is needed, this is ' + sys.version.split()[0] + '; set PYTHON=...')"
	@echo "Making .venv with $(PYTHON); this happens once."
	@$(PYTHON) -m venv .venv
	@$(PY) scripts/install.py requirements/core.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@$(PY) -c "open('$@', 'w').close()"

# dev, lab and fuzz
.venv/%.stamp: .venv/core.stamp requirements/%.lock
	@$(PY) scripts/install.py requirements/$*.lock
	@$(PY) -c "open('$@', 'w').close()"

demo: .venv/core.stamp ## Run the main job on the demo organisation; prints where HTML and PDF are
	@$(BIN)/tars demo

# the workers are as many as the processors: threads of the linear algebra beside them would only wait for each other.
# Hundreds of commands and kernels start, and each worker reads all tests: what is compiled is kept, whatever the shell says
test: export OPENBLAS_NUM_THREADS := 1
test: export PYTHONDONTWRITEBYTECODE :=
test: .venv/dev.stamp ## Run the tests
	@$(PY) -m compileall -q tars_lib
	$(PY) -m pytest -n auto --dist loadgroup

thorough: export OPENBLAS_NUM_THREADS := 1
thorough: .venv/dev.stamp ## Run the tests, also those that go over every page of the site and more seeds
	$(PY) -m pytest -n auto --dist loadgroup -m "thorough or not thorough"

# a room's own tests, so that a line is not covered by chance; the limit is the least of the three rooms'
coverage: export OPENBLAS_NUM_THREADS := 1
coverage: .venv/dev.stamp ## Measure which branches of stats, engines and model their own tests take; fails below 90 %
	$(PY) -m pytest -n auto --cov --cov-report= tests/stats tests/engines tests/model
	$(PY) scripts/coverage_rooms.py --limit 90

golden: .venv/dev.stamp ## Renew the golden files of what pages show; look at the difference before you commit it
	$(PY) -m pytest -n auto --dist loadgroup --renew-golden tests/workbook tests/reports

check: style types layers ## Format, lint, types, import layers

style: .venv/dev.stamp
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: .venv/dev.stamp
	$(PY) -m mypy

layers: .venv/dev.stamp
	$(BIN)/lint-imports

bench: .venv/dev.stamp ## Measure speed and accuracy; prints tables with ratios
	$(PY) benchmarks/startup.py
	$(PY) benchmarks/report.py
	$(PY) benchmarks/engines.py
	$(PY) benchmarks/pipeline.py --large
	$(PY) benchmarks/loading.py
	$(PY) benchmarks/pull.py
	$(PY) benchmarks/pairs.py
	$(PY) benchmarks/edges.py --sets 20 --granger-sets 5
	$(PY) benchmarks/calm.py
	$(PY) benchmarks/planted.py
	$(PY) benchmarks/simulated.py --sets 20
	$(PY) benchmarks/outlooks.py --seeds 40
	$(if $(wildcard $(DATASET)),$(PY) benchmarks/rca.py --dataset $(DATASET),@echo "rca: no dataset at $(DATASET); set TARS_SHARED")

fuzz: .venv/fuzz.stamp ## Spoil inputs, kill writers and commands, feed every reader; prints counts (15 to 20 minutes)
	$(PY) fuzz/roots.py --number 2000
	$(PY) fuzz/misreadings.py --number 500
	$(PY) fuzz/kills.py --number 100
	$(PY) fuzz/incident_kills.py --kills 100
	$(PY) fuzz/command_kills.py --number 100
	$(PY) fuzz/bundle_bytes.py
	$(PY) fuzz/bundle_handling.py
	$(PY) fuzz/readers.py --examples 500
	$(PY) fuzz/guided.py --seconds 10

lab: .venv/lab.stamp ## Open JupyterLab on the welcome notebook
	$(BIN)/jupyter lab --ServerApp.root_dir=. notebooks/welcome.ipynb

docs: export NO_MKDOCS_2_WARNING = 1
docs: .venv/dev.stamp ## Build the documentation into site/; a link that leads nowhere fails it
	$(PY) -m mkdocs build --strict --quiet --site-dir site
	@echo site/index.html

size: .venv/core.stamp ## Print who takes what of an environment
	@$(PY) scripts/size.py

lock: .venv/dev.stamp ## Resolve the lock files anew
	$(PY) -m pip install --quiet uv
	$(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --no-emit-find-links --output-file requirements/core.lock
	$(PY) -m uv pip compile pyproject.toml --extra test --extra dev --extra docs --constraint requirements/core.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --no-emit-find-links --output-file requirements/dev.lock
	$(PY) -m uv pip compile pyproject.toml --extra lab --constraint requirements/core.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --no-emit-find-links --output-file requirements/lab.lock
	$(PY) -m uv pip compile pyproject.toml --extra test --extra fuzz --constraint requirements/core.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --no-emit-find-links --output-file requirements/fuzz.lock

clean: ## Remove what the targets made
	$(PYTHON) -c "import shutil; [shutil.rmtree(p, ignore_errors=True) for p in ('.venv', 'site', 'outputs/demo', '.pytest_cache', '.mypy_cache', '.ruff_cache')]"
