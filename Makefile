# Each target sets itself up: Python 3.11 or newer is all it needs, see `find_python`.
#
#   make demo   makes demo.gif from a sentence with the shipped model
#   make test   runs the tests
#   make lint   checks style and format
#
# By hand: python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[test,tfds]"

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/installed

.PHONY: demo test lint

demo: $(INSTALLED)
	$(VENV)/bin/t2v generate "the digit 5 is moving up and down" --output=demo.gif

test: $(INSTALLED)
	$(PYTHON) -m pytest --numprocesses=auto --maxprocesses=8 --dist=loadfile

lint: $(INSTALLED)
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check

# The first interpreter that is new enough and can make environments (Debian packs ensurepip apart).
define find_python
for name in python3 python3.13 python3.12 python3.11; do \
  $$name -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    && echo $$name && break; \
done
endef

# A whole environment is kept and brought up to date; one that is missing or broken is made anew.
$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  python=$$($(find_python)); \
	  test -n "$$python" || { \
	    echo "no Python 3.11 or newer with venv and ensurepip found: install one as python3" >&2; \
	    exit 1; \
	  }; \
	  echo "making $(VENV) with $$python"; \
	  $$python -m venv --clear $(VENV); \
	}
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test,tfds]"
	@touch $@
