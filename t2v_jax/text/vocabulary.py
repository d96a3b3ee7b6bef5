"""The words that captions teach, and in which case; those that have no room in a tokenizer are told."""

import collections
import sys
from collections.abc import Iterable, Sequence

from t2v_jax.text.tokenizer import UNKNOWN, Tokenizer
from t2v_jax.text.words import fold_case


def known_words(
    sentences: Iterable[Sequence[str]], tokenizer: Tokenizer, vocabulary_size: int
) -> tuple[str, ...]:
    """The distinct words of sentences that a tokenizer can write, the frequent first.

    Each is in the case in which it mostly stands where no sentence starts. What the tokenizer, trained for
    `vocabulary_size`, has no room for is told on stderr, in one line.
    """
    words = _truecase(sentences)
    known = tuple(word for word in words if _can_write(tokenizer, word))
    _tell_unknown(words, known, vocabulary_size)
    return known


def _truecase(sentences: Iterable[Sequence[str]]) -> list[str]:
    """Distinct words, frequent first, as mostly written where no sentence starts; else lower."""
    counts = collections.Counter()
    inside = collections.defaultdict(collections.Counter)
    for words in sentences:
        counts.update(map(fold_case, words))
        for word in words[1:]:
            inside[fold_case(word)][word] += 1
    frequent = sorted(counts, key=lambda word: (-counts[word], word))
    return [_most_common(inside[word], default=word) for word in frequent]


def _most_common(counts: collections.Counter, default: str) -> str:
    return max(counts, key=lambda word: (counts[word], word), default=default)


def _tell_unknown(words: Sequence[str], known: Sequence[str], vocabulary_size: int) -> None:
    """Tells on stderr of words that have no token."""
    written = set(known)
    unknown = [word for word in words if word not in written]
    if unknown:
        some, full = ", ".join(unknown[:5]), len(words) + 2  # padding and unknown
        print(
            f"{len(unknown)} of the captions' {len(words)} words, as {some}, have no room in a vocabulary "
            f"of {vocabulary_size} and all read the same; --config.text.vocabulary_size={full} would do",
            file=sys.stderr,
        )


def _can_write(tokenizer: Tokenizer, word: str) -> bool:
    return all(token.id != UNKNOWN for token in tokenizer.encode(word))
