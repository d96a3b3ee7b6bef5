"""A sentence in normal form: its words in order, cased as written."""

import functools
import re
import string
import unicodedata

from t2v_jax.text.lazy_nltk import nltk_module

_STRAIGHT_QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u2581": " "})
_SENTENCE_GAP = re.compile(r"(?<=[.!?])\s+")
_END_MARKS = frozenset(".!?")


def normalise(text: str) -> str:
    """Text in Unicode form NFKC, single spaces, no control characters, case kept.

    U+2581 counts as a space, since SentencePiece writes spaces that way.
    """
    spaced = "".join(" " if char.isspace() else char for char in text)
    visible = "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    composed = unicodedata.normalize("NFKC", visible).translate(_STRAIGHT_QUOTES)
    return " ".join(composed.split())


def fold_case(text: str) -> str:
    """Lower-case text of the same length, so that character spans hold for both."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def in_words(label: str) -> str:
    """A label's words: ApplyEyeMakeup, apply_eye_makeup or apply-eye-makeup -> "apply eye makeup"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", label)
    return " ".join(re.split(r"[\s_-]+", apart)).strip().lower()


def is_punctuation(word: str) -> bool:
    """Whether a word is made of punctuation marks alone."""
    return all(c in string.punctuation or unicodedata.category(c)[0] == "P" for c in word)


@functools.lru_cache(maxsize=2**14)
def split_words(sentence: str) -> tuple[str, ...]:
    """Words of a sentence by the Penn Treebank conventions, without the marks that end sentences.

    Double quotes come out as `` and '', contractions in two parts ("it's": it 's).
    """
    parts = _SENTENCE_GAP.split(normalise(sentence))
    return tuple(word for part in parts for word in _words_of_one_sentence(part))


def _words_of_one_sentence(sentence: str) -> list[str]:
    words = _word_tokenizer().tokenize(sentence)
    while words and _END_MARKS.issuperset(words[-1]):
        words.pop()
    return words


@functools.cache
def _word_tokenizer():
    # NLTK's import takes a while: paid by the first sentence only.
    return nltk_module("tokenize.destructive").NLTKWordTokenizer()
