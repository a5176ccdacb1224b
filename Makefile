.PHONY: test slow lint types format docs bench ci

test:    ## the fast tests
	pytest

slow:    ## the tests that take longer
	pytest -m slow

lint:
	ruff check .
	ruff format --check .

types:
	mypy

format:
	ruff check --fix .
	ruff format .

docs:    ## the pages, into site/
	mkdocs build --strict

bench:   ## the measured figures of the README
	for name in visits enumeration startup memory whole_run; do python benchmarks/$$name.py; done
	python docs/fill.py

ci:      ## all of it, in a fresh environment
	.ci/run
