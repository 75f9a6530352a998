.DEFAULT_GOAL := help
.PHONY: help setup demo test up check bench format lock clean

bin := .venv/bin
export COVERAGE_FILE := $(CURDIR)/dev/.state/coverage

# "exec" leaves no shell between make and the program, so an interruption reaches it once.

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## gets all that the other targets need; they do it by themselves
	@exec dev/bootstrap.sh

demo: setup ## shows an agent and a client meet, on real parts, step by step
	@exec $(bin)/python -m dev.demo

test: setup ## runs every test, and holds the core to its branch coverage
	@exec $(bin)/pytest --cov=lkps_core --cov=lkps_trail --cov-branch --cov-report=
	@exec $(bin)/coverage report --skip-covered --show-missing --fail-under=95
	@exec $(bin)/coverage report --skip-covered --show-missing --fail-under=100 --include='lkps_core/identity/*,lkps_core/policy/*,lkps_trail/*'

up: setup ## runs the local platform until Ctrl-C; LKPS_* variables override its settings
	@exec $(bin)/python -m dev.platform

check: setup ## looks at format, lint, types and the import contract
	@exec $(bin)/ruff format --check .
	@exec $(bin)/ruff check --quiet .
	@exec $(bin)/mypy --no-error-summary
	@exec $(bin)/lint-imports

bench: setup ## measures session start and registration against their references
	@exec $(bin)/python -m dev.bench

format: setup ## formats the code and sorts its imports
	@exec $(bin)/ruff check --quiet --select I --fix .
	@exec $(bin)/ruff format --quiet .

lock: setup ## pins the packages anew after a change of pyproject.toml or dev/package.json
	@uv=$$(dev/bootstrap.sh uv) && set -x && \
	$$uv pip compile --quiet pyproject.toml --universal --generate-hashes --python-version 3.13 -o requirements.txt && \
	$$uv pip compile --quiet pyproject.toml --group dev --universal --generate-hashes --python-version 3.13 -c requirements.txt -o requirements-dev.txt && \
	for minor in tests/sdk/minors/*.in; do \
	$$uv pip compile --quiet sdk/python/pyproject.toml $$minor --extra agents --universal --generate-hashes --python-version 3.13 --upgrade-package livekit-agents -o $${minor%.in}.txt || exit; done && \
	npm --prefix dev install --package-lock-only --ignore-scripts --silent

clean: ## removes all that the other targets made
	@rm -rf .venv dev/node_modules dev/.state .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
