"""Part-of-speech tags by NLTK's averaged perceptron."""

import functools
from collections.abc import Sequence

from t2v_jax.text.assets import load_asset
from t2v_jax.text.lazy_nltk import nltk_module

TAGS = tuple(
    "# $ '' , -LRB- -RRB- . : CC CD DT EX FW IN JJ JJR JJS LS MD NN NNP NNPS NNS PDT POS PRP "
    "PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP VBZ WDT WP WP$ WRB ``".split()
)
"""The tags of the Penn Treebank (Marcus et al. 1993) in order."""


# The treebank spells brackets so; the tagger takes bare ones for proper nouns.
_BRACKETS = dict(zip("()[]{}", "-LRB- -RRB- -LSB- -RSB- -LCB- -RCB-".split(), strict=True))


def tag_words(words: Sequence[str]) -> list[str]:
    """One tag per word; case matters, since capitals mark proper nouns."""
    written = [_BRACKETS.get(word, word) for word in words]
    return [tag for _, tag in _tagger().tag(written)]


class _Weights(dict):
    """{feature: {tag: weight}}, each row read when it is looked up: a sentence has few of so many."""

    def __getitem__(self, feature):
        row = super().__getitem__(feature).split()
        return dict(zip(row[::2], map(float, row[1::2])))


@functools.cache
def _tagger():
    asset = load_asset("perceptron_tagger")
    tagger = nltk_module("tag.perceptron").PerceptronTagger(load=False)
    tagger.tagdict = asset["tagdict"]
    tagger.model.weights = _Weights(asset["weights"])
    tagger.classes = tagger.model.classes = set(TAGS)
    return tagger
