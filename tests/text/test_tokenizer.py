import hashlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t2v_jax import registry
from t2v_jax.errors import UsageError
from t2v_jax.text.tokenizer import PADDING, UNKNOWN, Tokenizer

TEXTS = [f"the digit {d} is moving {m}" for d in range(10) for m in ("up and down", "left")]


@pytest.fixture(scope="module", params=registry.names("tokenizer"))
def tokenizer(request):
    return Tokenizer.train(TEXTS, vocabulary_size=60, model_type=request.param)


def test_training_gives_the_same_bytes_in_another_process(tokenizer):
    program = (
        "import hashlib, sys; from t2v_jax.text.tokenizer import Tokenizer;"
        "models = [Tokenizer.train(eval(sys.argv[1]), vocabulary_size=60, model_type=m).model"
        " for m in ('word', 'unigram', 'bpe')];"
        "print(*[hashlib.sha256(model).hexdigest() for model in models])"
    )
    command = [sys.executable, "-c", program, repr(TEXTS)]
    digests = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert hashlib.sha256(tokenizer.model).hexdigest() in digests


def test_known_text_comes_back(tokenizer):
    tokens = tokenizer.encode(TEXTS[3])
    assert tokenizer.decode([token.id for token in tokens] + [PADDING]) == TEXTS[3]
    assert all(UNKNOWN < token.id < tokenizer.vocabulary_size for token in tokens)


def test_case_makes_no_difference(tokenizer):
    assert tokenizer.encode(TEXTS[0].upper()) == tokenizer.encode(TEXTS[0])


def test_unknown_neighbours_stay_apart():
    tokenizer = Tokenizer.train(TEXTS, vocabulary_size=60)
    tokens = tokenizer.encode("☃ the 😀😀 xyz")
    assert [token.id == UNKNOWN for token in tokens] == [True, False, True, True]
    assert [(token.start, token.end) for token in tokens] == [(0, 1), (2, 5), (6, 8), (9, 12)]


TOKENIZERS = [Tokenizer.train(TEXTS, vocabulary_size=60, model_type=m) for m in registry.names("tokenizer")]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_spans_cover_every_word_and_no_space(text):
    for tokenizer in TOKENIZERS:
        tokens = tokenizer.encode(text)
        covered = [i for token in tokens for i in range(token.start, token.end)]
        assert covered == [i for i, char in enumerate(text) if char != " "]


def test_equality_is_by_content(tokenizer):
    twin = Tokenizer(bytes(bytearray(tokenizer.model)))
    assert twin == tokenizer and hash(twin) == hash(tokenizer)
    assert twin != Tokenizer.train(TEXTS[:4], vocabulary_size=60)


@pytest.mark.parametrize("model_type", registry.names("tokenizer"))
def test_nothing_to_learn_from(model_type):
    with pytest.raises(UsageError, match="at least one text"):
        Tokenizer.train(["", " "], vocabulary_size=60, model_type=model_type)


def test_vocabulary_too_small_for_the_characters():
    with pytest.raises(UsageError, match="raise config.text.vocabulary_size"):
        Tokenizer.train(TEXTS, vocabulary_size=5, model_type="unigram")


def test_unknown_model_type():
    with pytest.raises(UsageError, match="no tokenizer 'wrod'; expected one of word, unigram, bpe"):
        Tokenizer.train(TEXTS, vocabulary_size=60, model_type="wrod")


@pytest.mark.parametrize("model", [b"", b"junk"])
def test_bytes_of_something_else(model):
    with pytest.raises(UsageError, match="tokenizer model is"):
        Tokenizer(model).encode("the digit")
