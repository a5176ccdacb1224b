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
	for script in benchmarks/*.py; do python $$script; done

ci:      ## all of it, in a fresh environment
	.ci/run
