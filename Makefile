# Everything is done by the Python programs in dev/; `make help` lists what there is.
PYTHON ?= python3
export PORT DB TAGS PART ROWS ONLY

help:  ## show this list
	@echo "The commands, and what each does:"
	@awk -F ':  ## ' '/^[a-z]+:  ## / {printf "  make %-14s%s\n", $$1, $$2}' Makefile
	@echo "PYTHON=python3.12 names the Python to use, ORESTAPI_CACHE where the cache with everything that is downloaded goes,"
	@echo "ODOO_PATH an Odoo 19.0 to use in place of Debian's package, PGHOST a PostgreSQL in place of a private one."

run:  ## run Odoo with the addon and demo data until Ctrl-C (PORT=8069 DB=orestapi)
	@$(PYTHON) -m dev.run

debug:  ## run it in this terminal: breakpoint() works, views are read from their files (PORT=8069 DB=orestapi)
	@$(PYTHON) -m dev.debug

test:  ## run every test in a fresh database (TAGS=/orestapi:TestX or PART=lint|unit|odoo|package|live for a part)
	@$(PYTHON) -m dev.test

check:  ## run what is quick between two edits: style, unit tests, and the Odoo tests of what changed on this branch
	@PART=check TAGS= $(PYTHON) -m dev.test

live:  ## run the live tests in full, `make test` has a short form (ONLY=test_schemathesis.py or another of dev/live)
	@PART=live TAGS= FULL=1 $(PYTHON) -m dev.test

lint:  ## check the style: the hooks of .pre-commit-config.yaml, and Odoo's own test_lint for the addon
	@PART=lint TAGS= $(PYTHON) -m dev.test

coverage:  ## measure which branches the tests take, into docs/reports/coverage.md
	@$(PYTHON) -m dev.coverage

mutation:  ## change the rules of OAuth one by one and see that the tests notice, into docs/reports/mutation.md
	@$(PYTHON) -m dev.mutation

pins:  ## write the pins with hashes in dev/requirements again, after a change of a file .in there (needs uv)
	@for name in run test benchmark mutation parties odoo_client; do \
	    uv pip compile --quiet --universal --python-version 3.10 --no-deps --generate-hashes --no-header --no-annotate \
	        dev/requirements/$$name.in --output-file dev/requirements/$$name.txt || exit 1; done

hooks:  ## check the style of what changed before each commit, from now on in this clone
	@$(PYTHON) -m dev.tool pre-commit install

shell:  ## open an Odoo shell on the database of `make run` (DB=orestapi)
	@$(PYTHON) -m dev.shell

bench:  ## measure the speed beside Odoo's own and a peer's (ROWS=1000000 ONLY=introspect,refresh for less)
	@$(PYTHON) -m dev.benchmark

screenshots:  ## take the pictures of static/description and docs/screenshots again
	@$(PYTHON) -m dev.screenshots

translations:  ## write the terms of the addon into i18n/ again; what was translated stays
	@$(PYTHON) -m dev.translations

dist:  ## build the zip for an addons path and the wheel for pip, in dist/
	@$(PYTHON) -m dev.dist

clean:  ## remove the databases and the downloads of the cache
	@$(PYTHON) -m dev.clean

.PHONY: help run debug test check live lint coverage mutation bench pins hooks shell screenshots translations dist clean
