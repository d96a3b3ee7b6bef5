"""The table of encoded captions: made once a workdir, and again for what is not in it."""

import shutil

import numpy as np
import pytest

from t2v_jax.data.caption_table import caption_table
from t2v_jax.errors import UsageError
from t2v_jax.text.language import Captions, Language
from t2v_jax.training.loop import train

CAPTIONS = ["digit 3 is up and down.", "the digit 5 is left and right."]
OTHERS = ["digit 3 is up.", "digit 5 is down."]


@pytest.fixture
def encoded(monkeypatch):
    """All sentences that languages have encoded so far."""
    told, encode = [], Language.encode

    def counting(language, sentences):
        told.extend(sentences)
        return encode(language, sentences)

    monkeypatch.setattr(Language, "encode", counting)
    return told


def equal(captions, others):
    return all(map(np.array_equal, captions, others))


def test_a_run_that_goes_on_encodes_no_captions_again(small, trained, tmp_path, encoded):
    run = shutil.copytree(trained, tmp_path / "run")
    train(small, run)
    assert len(encoded) == 2  # those that the state's shapes are found with
    (run / "captions.npz").unlink()
    train(small, run)
    assert len(encoded) > 2 + 2


def test_what_is_read_is_what_was_encoded(tmp_path, encoded):
    path, language = tmp_path / "captions.npz", Language.train(CAPTIONS)
    table = caption_table(CAPTIONS, language, path)
    del encoded[:]
    assert equal(caption_table(CAPTIONS, language, path), table) and encoded == []
    assert equal(table, Captions(*(field[:, :7] for field in language.encode(CAPTIONS))))
    assert [field.dtype for field in table] == [np.int32, np.int32, np.int32, bool]


@pytest.mark.parametrize(
    ("captions", "language"),
    [
        (OTHERS, Language.train(CAPTIONS)),
        (CAPTIONS[::-1], Language.train(CAPTIONS)),
        (CAPTIONS, Language.train(CAPTIONS + OTHERS, model_type="bpe", vocabulary_size=40)),
        (CAPTIONS, Language.train(CAPTIONS, max_tokens=16)),
    ],
)
def test_a_table_of_others_is_made_anew(tmp_path, captions, language):
    path = tmp_path / "captions.npz"
    caption_table(CAPTIONS, Language.train(CAPTIONS), path)
    before = path.read_bytes()
    assert equal(caption_table(captions, language, path), caption_table(captions, language))
    assert path.read_bytes() != before


@pytest.mark.parametrize("damage", [lambda data: data[:-30], lambda _: b"", lambda _: b"no archive"])
def test_a_damaged_table_is_made_anew(tmp_path, damage):
    path, language = tmp_path / "captions.npz", Language.train(CAPTIONS)
    table = caption_table(CAPTIONS, language, path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert equal(caption_table(CAPTIONS, language, path), table)
    assert path.read_bytes() == whole


def test_only_one_process_writes(tmp_path):
    path = tmp_path / "captions.npz"
    caption_table(CAPTIONS, Language.train(CAPTIONS), path, write=False)
    assert not path.exists()


def test_captions_that_are_too_long_name_the_field():
    with pytest.raises(UsageError, match="config.text.max_tokens .* has 7 tokens, expected at most 6"):
        caption_table(CAPTIONS, Language.train(CAPTIONS, max_tokens=6))
