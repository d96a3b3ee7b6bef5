"""Kinds of a model's words: nouns, verbs, numbers and so on, by their tags in its example sentences."""

import collections
import functools

from t2v_jax.text.language import Language
from t2v_jax.text.tags import tag_words
from t2v_jax.text.words import fold_case, split_words

OTHERS = "others"
TAG_KINDS = {  # the first letters of a tag of the Penn Treebank -> what it is called here
    "NN": "nouns",
    "VB": "verbs",
    "JJ": "adjectives",
    "CD": "numbers",
    "RB": "adverbs",
    "IN": "prepositions",
    "TO": "prepositions",
}
KINDS = (*dict.fromkeys(TAG_KINDS.values()), OTHERS)


def kind_of(language: Language, word: str) -> str:
    """The kind, one of KINDS, of a word in any case: by its commonest tag in the examples, else by itself."""
    if word.isdecimal():
        return "numbers"
    seen = _tags_in_examples(language).get(fold_case(word))
    tag = max(seen, key=seen.get) if seen else tag_words([word])[0]
    return TAG_KINDS.get(tag[:2], OTHERS)


@functools.lru_cache(maxsize=8)
def _tags_in_examples(language):
    tags = {}
    for example in language.examples:
        words = split_words(example)
        for word, tag in zip(words, tag_words(words)):
            tags.setdefault(fold_case(word), collections.Counter())[tag] += 1
    return tags
