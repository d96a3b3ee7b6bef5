"""NLTK's modules, imported without SciPy's statistics."""

import importlib
import sys
import threading

# NLTK's modules import one another in circles: a second thread would get some of them half made.
_importing = threading.Lock()


def nltk_module(name: str):
    """The module nltk.NAME.

    For one function, Fisher's exact test, NLTK imports all of scipy.stats, which takes longer than painting a
    clip. Here that import waits until the function is called.
    """
    with _importing:
        if "nltk" not in sys.modules and "scipy.stats" not in sys.modules:
            _import_without_statistics()
        return importlib.import_module(f"nltk.{name}")


def _import_without_statistics():
    sys.modules["scipy.stats"] = None  # importing it now raises ImportError, for which NLTK is prepared
    try:
        association = importlib.import_module("nltk.metrics.association")
    finally:
        del sys.modules["scipy.stats"]
    association.fisher_exact = _fisher_exact


def _fisher_exact(*table, **options):
    from scipy.stats import fisher_exact

    return fisher_exact(*table, **options)
