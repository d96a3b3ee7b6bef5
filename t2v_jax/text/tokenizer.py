"""SentencePiece tokenizer, trained in memory."""

import dataclasses
import functools
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from t2v_jax import registry
from t2v_jax.errors import UsageError
from t2v_jax.text.words import fold_case

PADDING = 0
UNKNOWN = 1


class Token(NamedTuple):
    """A piece of a text, its id, and the characters text[start:end] it stands for."""

    piece: str
    id: int
    start: int
    end: int


@dataclasses.dataclass(frozen=True, repr=False)
class Tokenizer:
    """SentencePiece model (Kudo and Richardson 2018), equal to another when its bytes are.

    Ids: 0 padding, 1 unknown, from 2 the pieces. Texts are lower-cased.
    """

    model: bytes

    @classmethod
    def train(cls, texts: Iterable[str], *, vocabulary_size: int, model_type: str = "word") -> "Tokenizer":
        """A model of words, or of subwords ("unigram", "bpe"), the same bytes for the same texts.

        vocabulary_size: an upper bound that counts padding and unknown. Errors: UsageError when
        there is no text, or the bound leaves no room for the characters of a subword model.
        """
        if not registry.known("tokenizer", model_type):
            raise UsageError(f"no tokenizer {model_type!r}; expected {registry.expected('tokenizer')}")
        folded = [fold_case(text) for text in texts if text.strip()]
        if not folded:
            raise UsageError("a tokenizer needs at least one text to learn from, got none")
        return cls(_train_sentencepiece(folded, vocabulary_size, model_type))

    @functools.cached_property
    def _processor(self):
        import sentencepiece

        if not self.model:  # SentencePiece accepts no bytes at all and fails later
            raise UsageError("the tokenizer model is empty, expected a SentencePiece model")
        try:
            return sentencepiece.SentencePieceProcessor(model_proto=self.model)
        except RuntimeError as error:
            raise UsageError("the tokenizer model is damaged: restore or retrain it") from error

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, padding and unknown included."""
        return self._processor.vocab_size()

    def encode(self, text: str) -> list[Token]:
        """Tokens of a text in order; none crosses a space."""
        return [token for word, start in _words_at(text) for token in self._encode(word, start)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; padding is left out, an unknown token reads ⁇."""
        return self._processor.decode(list(map(int, ids)))

    def _encode(self, word: str, start: int) -> Iterator[Token]:
        # Word by word, because SentencePiece would join unknown neighbours into one token.
        folded = fold_case(word)
        pieces = self._processor.encode(folded, out_type=str)
        ids = self._processor.encode(folded, out_type=int)
        # The first piece opens with SentencePiece's sign for a space, which the word has not.
        end = start - 1
        for piece, number in zip(pieces, ids, strict=True):
            begin, end = max(start, end), end + len(piece)
            yield Token(piece, number, begin, end)

    def __repr__(self) -> str:
        digest = hashlib.sha256(self.model).hexdigest()[:8]
        return f"Tokenizer({len(self.model)} bytes, sha256 {digest})"


def _words_at(text: str) -> Iterator[tuple[str, int]]:
    start = 0
    for word in text.split(" "):
        if word:
            yield word, start
        start += len(word) + 1


def _train_sentencepiece(texts: list[str], vocabulary_size: int, model_type: str) -> bytes:
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            model_type=model_type,
            vocab_size=vocabulary_size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",  # spans are exact: texts come normalised
            remove_extra_whitespaces=False,
            max_sentence_length=2**20,
            pad_id=PADDING,
            unk_id=UNKNOWN,
            bos_id=-1,
            eos_id=-1,
            num_threads=1,  # the pieces change with it
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UsageError(
            f"a {model_type} tokenizer of {vocabulary_size} pieces cannot be trained on these "
            "texts: raise config.text.vocabulary_size above their number of different characters"
        ) from error
    return model.getvalue()
