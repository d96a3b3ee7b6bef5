"""What a model understands of a sentence: its words as captions write them, and what is left out."""

import functools
import re
from collections.abc import Collection
from typing import NamedTuple

from t2v_jax.text.kinds import kind_of
from t2v_jax.text.language import Language
from t2v_jax.text.lazy_nltk import nltk_module
from t2v_jax.text.words import fold_case, is_punctuation, split_words

NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
FUNCTION_WORDS = frozenset("a an the this that and or of in on at to with is are who which while".split())
SHORTEST_STEM = 3  # letters: "use" and "us" have one stem and nothing else in common
NEAREST = 2  # captions shown in place of a sentence that is far from all of them
# Not verbs: "moves", "goes" and "is moving" often say the same, and a sentence does well without.
TELLING_KINDS = frozenset(("nouns", "adjectives", "numbers", "adverbs"))
FEWEST_EXAMPLES = 3  # of which to conclude what all captions have
LIKE = 3  # words shown of a kind that a sentence lacks
_SAME_NUMBER = {str(value): word for value, word in enumerate(NUMBERS)}
_SAME_NUMBER |= {word: digits for digits, word in _SAME_NUMBER.items()}


class Understanding(NamedTuple):
    """`sentence`, what the model reads: known words alone.

    replaced: word as typed -> the known one that stands for it. unknown: words left out -> at most three
    known ones that look like them. missing: kinds of words (numbers, adverbs) that the examples all have and
    the sentence has not -> the commonest such words. nearest: captions like the sentence, where a kind is
    missing, or fewer than half of its words, FUNCTION_WORDS aside, are known; else empty. As text: all that
    in one line, empty where all is as typed.
    """

    sentence: str
    replaced: dict[str, str]
    unknown: dict[str, list[str]]
    missing: dict[str, list[str]]
    nearest: list[str]

    def __str__(self):
        parts = [f"{typed} → {word}" for typed, word in self.replaced.items()]
        if self.unknown:
            *others, last = map(repr, self.unknown)
            words = f"{', '.join(others)} and {last} are" if others else f"{last} is"
            like = [f"{', '.join(known)} for {word!r}" for word, known in self.unknown.items() if known]
            hint = f" (known: {'; '.join(like)})" if like else ""
            parts.append(f"{words} unknown and left out{hint}")
        if self.nearest:
            captions = " or ".join(f'"{caption}"' for caption in self.nearest)
            lacks = "; none like ".join(map(", ".join, self.missing.values()))
            reason = f" (no word like {lacks})" if lacks else ""
            parts.append(f"the sentence is far from all that was trained{reason}: try {captions}")
        return "; ".join(parts)


def understand(language: Language, sentence: str) -> Understanding:
    """Put known words in place of unknown ones that mean the same, leave out the rest.

    Number words and digits stand for each other, and so do a plural and its singular, "upwards" and "up",
    and words of one stem (Porter 1980) where exactly one known word has it. Raises UsageError for a sentence
    that is blank, too long or has no known word.
    """
    unknown = language.unknown_words(sentence)
    known = _known_words(language)
    found = {word: _same_word(language, known, word) for word in unknown}
    replaced = {word: other for word, other in found.items() if other}
    words = [replaced.get(fold_case(word), word) for word in split_words(sentence)]
    read = language.known(" ".join(words))
    unknown = {word: near for word, near in unknown.items() if word not in replaced}
    telling = [word for word in map(fold_case, words) if _is_telling(word)]
    missing = _missing(language, [word for word in telling if word in known])
    far = missing or 2 * sum(word in known for word in telling) < len(telling)
    return Understanding(read, replaced, unknown, missing, _nearest(language, read) if far else [])


def _is_telling(word):
    return word not in FUNCTION_WORDS and not is_punctuation(word)


def _missing(language, words):
    """The kinds of words that these known ones lack, with the commonest words that captions have of them.

    None where there are as many words as in an example: the tagger may mistake one, as it takes "rose" for
    a verb.
    """
    common = _common(language)
    if len({*words} - common.words) >= common.fewest:
        return {}
    missing = common.kinds - {kind_of(language, word) for word in words}
    return {kind: _telling_words(language)[kind][:LIKE] for kind in sorted(missing)}


class _Common(NamedTuple):
    """What all examples have: words, the kinds of the other words, and at least so many of these."""

    words: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    fewest: int = 0


@functools.lru_cache(maxsize=8)
def _common(language) -> _Common:
    if len(language.examples) < FEWEST_EXAMPLES:  # of which nothing follows
        return _Common()
    examples = [
        frozenset(filter(_is_telling, map(fold_case, split_words(text)))) for text in language.examples
    ]
    always = frozenset.intersection(*examples)
    others = [words - always for words in examples]
    kinds = (frozenset(kind_of(language, word) for word in words) for words in others)
    return _Common(always, frozenset.intersection(*kinds) & TELLING_KINDS, min(map(len, others)))


@functools.lru_cache(maxsize=8)
def _telling_words(language) -> dict[str, list[str]]:
    """Kind -> the captions' words of it, the frequent ones first."""
    words = {}
    for word in filter(_is_telling, map(fold_case, language.words)):
        words.setdefault(kind_of(language, word), []).append(word)
    return words


def _same_word(language, known, word):
    """The known word that means the same as an unknown one, or None."""
    direction = re.fullmatch("(up|down|left|right|back|in|out)wards?", word)
    for other in (_SAME_NUMBER.get(word), re.sub("men$", "man", word), direction and direction[1]):
        if other in known:
            return known[other]
    stem = _stem(word)
    same = _words_of_stems(language).get(stem, ()) if len(stem) >= SHORTEST_STEM else ()
    return same[0] if len(same) == 1 else None


@functools.lru_cache(maxsize=8)
def _known_words(language) -> dict[str, str]:
    return {fold_case(word): word for word in language.words}


@functools.lru_cache(maxsize=8)
def _words_of_stems(language) -> dict[str, Collection[str]]:
    words = {}
    for word in language.words:
        words.setdefault(_stem(word), []).append(word)
    return words


def _stem(word):
    return _stemmer().stem(word)


@functools.cache
def _stemmer():
    return nltk_module("stem.porter").PorterStemmer()


def _nearest(language, read):
    """The examples that share most words with what is read of a sentence."""

    def shared(example):
        ours, theirs = ({*map(fold_case, split_words(text))} for text in (read, example))
        return len(ours & theirs) / len(ours | theirs)

    return sorted(language.examples, key=shared, reverse=True)[:NEAREST]
