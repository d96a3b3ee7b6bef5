"""Model directories of strangers: each is refused in one line, after little reading, or loaded."""

import io
import json
import os
import shutil
import struct
import threading
import tracemalloc
import zipfile

import numpy as np
import pytest

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.inference import model
from t2v_jax.text.examples import load_examples

LIMIT, MEMORY = 30, 2**27  # seconds on a busy machine; bytes that reading takes at most


@pytest.fixture
def directory(tmp_path):
    """A copy of a shipped model."""
    return shutil.copytree(model.SHIPPED / "moving-digits", tmp_path / "model")


def refusal(directory):
    """The one line in which a directory is refused, after so much time and memory at most."""
    told, peak = [], []

    def load():
        tracemalloc.start()
        try:
            t2v_jax.load(directory)
        except UsageError as error:
            told.append(str(error))
        peak.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert len(told) == 1 and "\n" not in told[0] and len(told[0]) < 1000
    assert peak[0] < MEMORY
    return told[0]


def changed(directory, file, section, name, value):
    path = directory / file
    fields = json.loads(path.read_text())
    (fields[section] if section else fields)[name] = value
    path.write_text(json.dumps(fields))


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"data":'])
@pytest.mark.parametrize("file", ["config.json", "language.json"])
def test_deep_json(directory, file, opening):
    (directory / file).write_text(opening * 200_000)
    assert file in refusal(directory)


@pytest.mark.parametrize("file", ["config.json", "language.json", "tokenizer.model", "weights.npz"])
def test_what_is_no_file(directory, file):
    (directory / file).unlink()
    os.mkfifo(directory / file)
    refusal(directory)
    (directory / file).unlink()
    (directory / file).mkdir()
    refusal(directory)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("data", "frames", None),
        ("data", "frames", 10**9),
        ("data", "size", 2**20),
        ("generator", "burn_in", 10**9),
        ("generator", "scene_channels", 2**32 - 1),
        ("generator", "painter_channels", [[8]]),
        ("generator", "heads", 1e999),
        (None, "batch_size", 99999999999),
    ],
)
def test_a_config_out_of_range(directory, section, name, value):
    changed(directory, "config.json", section, name, value)
    assert name in refusal(directory)


@pytest.mark.parametrize("value", [-1, 0, 10**12, 1e999, None, "x", True])
def test_a_language_out_of_range(directory, value):
    changed(directory, "language.json", None, "max_tokens", value)
    assert "language.json" in refusal(directory)


@pytest.mark.parametrize("words", [5, [5], None, [["a"]]])
def test_words_that_are_none(directory, words):
    changed(directory, "language.json", None, "words", words)
    assert "language.json" in refusal(directory)


def member(path, content, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("params/a.npy", content)


def array(values):
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def header(text):
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text.encode()


def claimed(shape):
    return header(f"{{'descr': '<f2', 'fortran_order': False, 'shape': {shape}, }}") + bytes(8)


def marked(flags, method):
    """An archive whose member is marked as encrypted, or as packed by some method."""

    def write(path):
        member(path, array(np.zeros(3, np.float16)))
        content = bytearray(path.read_bytes())
        for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            place = content.index(sign) + at
            content[place : place + 4] = struct.pack("<HH", flags, method)
        path.write_bytes(content)

    return write


def bomb(path):
    """A gibibyte of zeros in a mebibyte."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("params/a.npy", "w", force_zip64=True) as file,
    ):
        file.write(claimed("(536870912,)"))
        for _ in range(2**6):
            file.write(bytes(2**24))


WEIGHTS = {
    "no array": lambda path: member(path, b"text"),
    "lzma": lambda path: member(path, array(np.zeros(3)), zipfile.ZIP_LZMA),
    "encrypted": marked(1, 0),
    "unknown method": marked(0, 77),
    "objects": lambda path: member(path, array(np.array([{}], object))),
    "whole numbers": lambda path: member(path, array(np.arange(3))),
    "brackets": lambda path: member(path, header("(" * 9000)),
    "sixty gigabytes": lambda path: member(path, claimed("(30000000000,)")),
    "a negative size": lambda path: member(path, claimed("(-1,)")),
    "no numbers": lambda path: member(path, array(np.full(3, np.nan, np.float16))),
    "a bomb": bomb,
    "no archive": lambda path: path.write_bytes(b"PK" * 1000),
}


@pytest.mark.parametrize("write", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_are_none(directory, write):
    write(directory / "weights.npz")
    assert "weights.npz" in refusal(directory)


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_examples_in_any_coding_do_no_harm(directory, coding):
    text = "digit 3 is up and down.\n\n  \ncaf\xe9\n"
    (directory / "prompts.txt").write_bytes(text.encode(coding))
    found = load_examples(directory)
    assert "" not in found and t2v_jax.load(directory).language.examples == found
    if coding.startswith("utf-8"):
        assert found == ("digit 3 is up and down.", "caf\xe9")
