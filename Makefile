# Two commands on a fresh machine with Python 3.11 or 3.12: `make demo` and `make test`.
PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
INPUTS = pyproject.toml constraints.txt

# Pip first: the one that comes with Python 3.11 takes twice as long to choose among the versions of each package.
# Packages are installed uncompiled, which halves the installation: their first import writes the bytecode. It must be
# allowed to, and for torch, the slowest, it comes here: later commands may run where writing bytecode is switched off.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint coverage bench clean

demo: .venv/ready
	.venv/bin/lineshaft demo

test: .venv/test-ready lint
	.venv/bin/python -m pytest -n 2 --dist loadfile

lint: .venv/test-ready
	.venv/bin/ruff format --check src tests benchmarks tools examples
	.venv/bin/ruff check src tests benchmarks tools examples
	.venv/bin/mypy --strict src/lineshaft
	.venv/bin/lint-imports
	.venv/bin/deptry src

coverage: .venv/test-ready
	rm -f .coverage .coverage.*
	COVERAGE_FILE=$(CURDIR)/.coverage .venv/bin/python -m coverage run -m pytest -n 2 --dist loadfile \
	  tests/engine tests/contract tests/end_to_end
	-.venv/bin/python -m coverage combine --quiet 2>/dev/null  # processes that tests kill leave torn files
	.venv/bin/python -m coverage report --skip-covered

bench: .venv/bench-ready
	.venv/bin/python -m benchmarks.engine --json
	.venv/bin/python -m benchmarks.pic --json

.venv/ready: $(INPUTS)
	$(PYTHON) -m venv .venv
	$(PIP) 'pip>=25.1'
	$(PIP) -e '.[all]'
	.venv/bin/python -c 'import torch._dynamo'
	touch $@

.venv/test-ready: .venv/ready
	$(PIP) -e '.[all,test]'
	touch $@

.venv/spark-ready: .venv/test-ready
	$(PIP) -e '.[all,test,spark]'
	touch $@

.venv/bench-ready: .venv/test-ready
	$(PIP) -e '.[all,test,bench]'
	touch $@

clean:
	rm -rf .venv
