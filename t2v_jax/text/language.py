"""A language: from sentences to the arrays of tokens, tags and entities that the networks read."""

import bisect
import dataclasses
import difflib
import functools
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import read_bounded, write_atomically
from t2v_jax.text.entities import ENTITIES, Entity, find_entities
from t2v_jax.text.examples import choose_examples, load_examples, save_examples
from t2v_jax.text.tags import TAGS, tag_words
from t2v_jax.text.tokenizer import Token, Tokenizer
from t2v_jax.text.vocabulary import known_words
from t2v_jax.text.words import fold_case, is_punctuation, normalise, split_words

LONGEST_SENTENCE = 1000  # characters, a check that costs nothing, before any work is done
MOST_TOKENS = 1000  # of a sentence, in any language
LARGEST_FILE = 2**23  # bytes of a stored language, and of its tokenizer
_HINTS = 8  # looking for similar words takes a while
_TOKENIZER_FILE = "tokenizer.model"
_LANGUAGE_FILE = "language.json"


class Captions(NamedTuple):
    """n encoded sentences; mask is true where a token stands, and the rest is zero.

    tokens int32 [n, max_tokens]; tags and entities int32 [n, max_tokens], where i stands for
    TAGS[i - 1] and ENTITIES[i - 1], and 0 for no entity; mask bool [n, max_tokens].
    """

    tokens: np.ndarray
    tags: np.ndarray
    entities: np.ndarray
    mask: np.ndarray


class Parse(NamedTuple):
    """Tokens of a sentence, a tag for each, and entities as spans over the tokens."""

    tokens: list[Token]
    tags: list[str]
    entities: list[Entity]

    @property
    def kinds(self) -> list[str | None]:
        """The kind of entity that each token is of, None outside entities."""
        kinds = [None] * len(self.tokens)
        for kind, start, end in self.entities:
            kinds[start:end] = [kind] * (end - start)
        return kinds


@dataclasses.dataclass(frozen=True)
class Language:
    """A tokenizer, the most tokens a sentence may have, and the words that captions taught it.

    words: the frequent first, each in the case in which captions mostly write it inside a
    sentence; a prompt's known words take that case, so that its capitals make no difference
    (truecasing, Lita et al. 2003). examples: captions to show. Equal by content but for these, hashable:
    static data of a JAX pytree.
    """

    tokenizer: Tokenizer
    max_tokens: int
    words: tuple[str, ...] = dataclasses.field(repr=False, hash=False)
    examples: tuple[str, ...] = dataclasses.field(default=(), repr=False, compare=False)

    @classmethod
    def train(
        cls,
        captions: Iterable[str],
        *,
        vocabulary_size: int = 1000,
        model_type: str = "word",
        max_tokens: int = 32,
    ) -> "Language":
        """The language of captions; model_type and vocabulary_size as in Tokenizer.train."""
        captions = [*captions]
        sentences = [_checked_words(caption) for caption in captions]
        texts = (" ".join(words) for words in sentences)
        tokenizer = Tokenizer.train(texts, vocabulary_size=vocabulary_size, model_type=model_type)
        words = known_words(sentences, tokenizer, vocabulary_size)
        return cls(tokenizer, max_tokens, words, choose_examples(captions))

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, padding and unknown included."""
        return self.tokenizer.vocabulary_size

    def encode(self, sentences: Sequence[str]) -> Captions:
        """Captions of n sentences.

        Errors: UsageError for a sentence that is blank, too long or has no known word.
        """
        if isinstance(sentences, str):
            raise UsageError("expected a list of prompts, got one string: write [prompt]")
        shape = (len(sentences), self.max_tokens)
        captions = Captions(*(np.zeros(shape, np.int32) for _ in range(3)), np.zeros(shape, bool))
        for row, sentence in enumerate(sentences):
            for array, values in zip(captions, _encode(self, sentence), strict=True):
                array[row, : len(values)] = values
        return captions

    def parse(self, sentence: str) -> Parse:
        """Tokens, tags and entities of a sentence. Errors: as encode."""
        words = self._words(sentence)
        tokens = self.tokenizer.encode(" ".join(words))
        if len(tokens) > self.max_tokens:
            raise UsageError(
                f"{_quoted(sentence)} has {len(tokens)} tokens, "
                f"expected at most {self.max_tokens}: shorten it"
            )
        tags = tag_words(words)
        entity_of = {
            index: entity
            for entity in find_entities(words, tags)
            for index in range(entity.start, entity.end)
        }
        owners = _word_of_each(tokens, words)
        spans = _spans([entity_of.get(index) for index in owners])
        return Parse(tokens, [tags[index] for index in owners], spans)

    def whole_words(self) -> dict[str, int]:
        """Word -> token id, of the captions' words that are one token."""
        encoded = {word: self.tokenizer.encode(word) for word in self.words}
        return {word: tokens[0].id for word, tokens in encoded.items() if len(tokens) == 1}

    def unknown_words(self, sentence: str) -> dict[str, list[str]]:
        """Words that no caption has -> at most three known ones that look like them, for the first _HINTS.

        Errors: UsageError for a sentence that is blank or has too many characters.
        """
        words = dict.fromkeys(map(fold_case, _checked_words(sentence)))
        unknown = [word for word in words if word not in self._case_of and not is_punctuation(word)]
        return {word: _similar(self, word) if i < _HINTS else [] for i, word in enumerate(unknown)}

    def known(self, sentence: str) -> str:
        """The sentence without the words that no caption has, which would spoil the others.

        Errors: as encode, but for the number of tokens.
        """
        words = self._words(sentence)
        return " ".join(word for word in words if fold_case(word) in self._case_of)

    def save(self, directory: str | os.PathLike) -> None:
        """Writes tokenizer.model (a SentencePiece model), language.json and prompts.txt into a directory."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        description = {
            "max_tokens": self.max_tokens,
            "words": self.words,
            "tokenizer_sha256": hashlib.sha256(self.tokenizer.model).hexdigest(),
        }
        write_atomically(directory / _TOKENIZER_FILE, self.tokenizer.model)
        if self.examples:
            save_examples(directory, self.examples)
        write_atomically(directory / _LANGUAGE_FILE, json.dumps(description, ensure_ascii=False).encode())

    @classmethod
    def load(cls, directory: str | os.PathLike) -> "Language":
        """The language that save wrote. Errors: UsageError for a missing or damaged file."""
        path = Path(directory) / _LANGUAGE_FILE
        try:
            description = json.loads(read_bounded(path, LARGEST_FILE))
            language = cls(
                Tokenizer(read_bounded(Path(directory) / _TOKENIZER_FILE, LARGEST_FILE)),
                _most_tokens(description["max_tokens"]),
                tuple(map(_word, description["words"])),
                load_examples(directory),
            )
            digest = description["tokenizer_sha256"]
        except UsageError:
            raise
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise UsageError(f"{path} is damaged: restore it or train again") from error
        if digest != hashlib.sha256(language.tokenizer.model).hexdigest():
            raise UsageError(
                f"{path.with_name(_TOKENIZER_FILE)} is damaged or belongs to another "
                f"{_LANGUAGE_FILE}: restore both or train again"
            )
        return language

    @functools.cached_property
    def _case_of(self) -> dict[str, str]:
        """Known word in lower case -> the case that captions write it in."""
        return {fold_case(word): word for word in self.words}

    def _words(self, sentence: str) -> list[str]:
        """Words of a sentence in the captions' case, without punctuation that no caption has."""
        words = [self._case_of.get(fold_case(w), w) for w in _checked_words(sentence)]
        if not any(fold_case(word) in self._case_of for word in words):
            near = itertools.chain(*self.unknown_words(sentence).values())
            example = f', as in "{self.examples[0]}"' if self.examples else ""
            raise UsageError(
                f"no word of {_quoted(sentence)} is known to this model: "
                f"use words such as {', '.join(sorted(set(near)) or self.words[:8])}{example}"
            )
        return [w for w in words if fold_case(w) in self._case_of or not is_punctuation(w)]


@functools.lru_cache(maxsize=2**14)
def _similar(language: Language, word: str) -> list[str]:
    return difflib.get_close_matches(word, language._case_of)


@functools.lru_cache(maxsize=2**14)
def _encode(language: Language, sentence: str) -> Captions:
    """One row of Captions without its padding, as lists."""
    parse = language.parse(sentence)
    return Captions(
        tokens=[token.id for token in parse.tokens],
        tags=[1 + TAGS.index(tag) for tag in parse.tags],
        entities=[1 + ENTITIES.index(kind) if kind else 0 for kind in parse.kinds],
        mask=[True] * len(parse.tokens),
    )


def length_of(sentence: str) -> int:
    """Characters of a sentence, in normal form too, where that has more: one may stand for eighteen."""
    return max(len(sentence), len(normalise(sentence[: LONGEST_SENTENCE + 1])))


def _checked_words(sentence: str) -> tuple[str, ...]:
    if not isinstance(sentence, str):
        raise UsageError(f"expected a sentence as text, got {type(sentence).__name__}")
    if (length := length_of(sentence)) > LONGEST_SENTENCE:
        raise UsageError(
            f"{_quoted(sentence)} has {length} characters, expected at most {LONGEST_SENTENCE}: shorten it"
        )
    words = split_words(sentence)
    if not words:
        raise UsageError("the sentence has no words: say what the video is to show")
    return words


def _quoted(sentence: str) -> str:
    """The start of a sentence in quotes, on one line, for a message."""
    return f'"{normalise(sentence[:60])[:60]}{"..." if len(sentence) > 60 else ""}"'


def _word_of_each(tokens: Sequence[Token], words: Sequence[str]) -> list[int]:
    """For each token of the words joined by spaces, the index of the word its span lies in."""
    ends = list(itertools.accumulate(len(word) + 1 for word in words))
    return [bisect.bisect_right(ends, token.start) for token in tokens]


def _spans(owners: Sequence[Entity | None]) -> list[Entity]:
    """Entities over tokens, from the entity (over words) that owns each token."""
    spans, start = [], 0
    for owner, group in itertools.groupby(owners):
        end = start + len(list(group))
        if owner:
            spans.append(Entity(owner.kind, start, end))
        start = end
    return spans


def _most_tokens(number) -> int:
    if type(number) is not int or not 1 <= number <= MOST_TOKENS:
        raise ValueError(f"max_tokens is {number}")
    return number


def _word(word) -> str:
    if not isinstance(word, str):
        raise TypeError(f"{word!r} is no word")
    return word
