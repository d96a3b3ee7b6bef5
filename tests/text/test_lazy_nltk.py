"""NLTK comes without SciPy's statistics, and has them still where they are asked for."""

import subprocess
import sys

import pytest

QUICK = "from t2v_jax.text.tags import tag_words; assert tag_words(['dogs']) == ['NNS']"
LOADED = "import sys; assert 'scipy.stats' {} sys.modules"
FISHER = (
    "from nltk.metrics import BigramAssocMeasures; assert 0 < BigramAssocMeasures.fisher(5, (9, 8), 20) < 1"
)
THREADS = (
    "from concurrent.futures import ThreadPoolExecutor; from t2v_jax.text import tags, words; "
    "calls = [lambda: tags.tag_words(['dogs']), lambda: words.split_words('a dog')] * 4; "
    "[*ThreadPoolExecutor(8).map(lambda call: call(), calls)]"
)


@pytest.mark.parametrize(
    "program",
    [
        [QUICK, LOADED.format("not in")],
        [QUICK, FISHER, LOADED.format("in")],
        ["import scipy.stats", QUICK, FISHER],
        ["import nltk", QUICK, FISHER],
        [THREADS, LOADED.format("not in")],
    ],
    ids=["none are imported", "looked up when called", "SciPy first", "NLTK first", "by several threads"],
)
def test_statistics_are_imported_only_where_they_are_used(program):
    subprocess.run([sys.executable, "-W", "error", "-c", "; ".join(program)], check=True)
