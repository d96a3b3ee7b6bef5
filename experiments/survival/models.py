"""Hostile model directories: `t2v generate` answers each with a video or in one line.

    python experiments/survival/models.py --number=300

Copies of a shipped model of which one file is damaged, replaced or made up to harm.
"""

import argparse
import collections
import hashlib
import io
import json
import os
import pathlib
import random
import resource
import shutil
import struct
import tempfile
import zipfile

import commands
import numpy as np

from t2v_jax.inference.model import SHIPPED

LIMIT, MEMORY = 10, 2**20  # seconds; KiB above a normal load
FILES = "weights.npz", "config.json", "language.json", "tokenizer.model"


def flipped(path, rng):
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice([1, 8, 64])):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut(path, rng):
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def noise(path, rng):
    path.write_bytes(rng.randbytes(rng.choice([0, 1, 100, 10**6])))


def missing(path, rng):
    path.unlink()


def pipe(path, rng):
    path.unlink()
    os.mkfifo(path)


def directory(path, rng):
    path.unlink()
    path.mkdir()


def brackets(path, rng):
    opening = rng.choice(["[", '{"a":', '{"data":'])
    path.write_text(opening * 200_000)


def value(path, rng):
    """A value of the JSON file becomes another one."""
    fields = json.loads(path.read_text())
    section, key = fields, rng.choice(list(fields))
    if isinstance(section[key], dict):
        section = section[key]
        key = rng.choice(list(section))
    extremes = [None, -1, 0, 1e300, 2**63, 10**30, "x", [], {}, [[[1]]], True, "\ud800", float("inf")]
    section[key] = rng.choice(extremes)
    path.write_text(json.dumps(fields))


def retokenised(path, rng):
    """Another tokenizer, whose digest is right."""
    model = path.with_name("tokenizer.model")
    rng.choice([flipped, cut, noise])(model, rng)
    fields = json.loads(path.read_text())
    fields["tokenizer_sha256"] = hashlib.sha256(model.read_bytes()).hexdigest()
    path.write_text(json.dumps(fields))


def _rewritten(path, change):
    """The archive with `change(name, content)` in place of each member's content."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))


def _array(content, change):
    file = io.BytesIO()
    np.save(file, change(np.load(io.BytesIO(content))), allow_pickle=True)
    return file.getvalue()


def arrays(path, rng):
    """All arrays become others: of another shape or type, or without finite numbers."""
    change = rng.choice(
        [
            lambda array: np.full_like(array, rng.choice([np.nan, np.inf])),
            lambda array: array.T if array.ndim > 1 else array[:1],
            lambda array: array.ravel(),
            lambda array: array.astype(rng.choice([int, complex, bool, object, "S8"])),
            lambda array: array[..., :0],
            lambda array: np.float16(0),
        ]
    )
    _rewritten(path, lambda _, content: _array(content, change))


def header(path, rng):
    """A header that claims much, or is deep."""
    claims = "{'descr': '<f2', 'fortran_order': False, 'shape': %s, }"
    shape = rng.choice(["(1000000000000,)", "(-1,)", "(" * 9000, "[" * 100, "(2**9,)", "(1," * 40, "None"])
    text = (claims % shape).encode()
    made = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text
    chosen = rng.random()
    _rewritten(path, lambda _, content: made if rng.random() < chosen else content)


def members(path, rng):
    """Other members, names that contradict one another, other methods of compression."""
    kind = rng.choice(["text", "conflict", "lzma", "many", "renamed"])
    if kind == "renamed":
        with zipfile.ZipFile(path) as archive:
            kept = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in kept.items():
                archive.writestr(name.replace("params", rng.choice(["x", "params/params", "\n"]), 1), content)
        return
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA if kind == "lzma" else zipfile.ZIP_STORED) as archive:
        some = archive.read(archive.namelist()[0])
        if kind == "text":
            archive.writestr("README", "not an array")
        if kind in ("lzma", "conflict"):
            archive.writestr(archive.namelist()[0].removesuffix(".npy") + "/a.npy", some)
        if kind == "many":
            for index in range(20_000):
                archive.writestr(f"params/{index}.npy", b"")


def bomb(path, rng):
    """A gibibyte of zeros in a mebibyte."""
    header = {"descr": "<f2", "fortran_order": False, "shape": (2**29,)}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("params/a.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(2**10):
            file.write(bytes(2**20))


ANY = [flipped, cut, noise, missing, pipe, directory]
HARMS = {
    "weights.npz": [*ANY, arrays, arrays, header, header, members, members],
    "config.json": [*ANY, brackets, value, value, value],
    "language.json": [*ANY, brackets, value, value, retokenised, retokenised],
    "tokenizer.model": ANY,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts, failures, slowest = collections.Counter(), [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        flags = ["--prompt=the digit 5 is moving up and down", "--frames=1"]
        normal = commands.run("generate", *flags, f"--output={folder}/a.png")
        assert normal.status == 0, normal
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for index in range(options.number):
            rng = random.Random(f"{options.seed} {index}")
            name = FILES[index % len(FILES)]
            harm = bomb if index % 100 == 0 else rng.choice(HARMS[name])
            model = shutil.copytree(SHIPPED / "moving-digits", folder / str(index))
            harm(model / name, rng)
            ending = commands.run("generate", *flags, f"--model={model}", f"--output={folder}/a.png")
            shutil.rmtree(model)
            counts["painted" if ending.status == 0 else "refused"] += ending.is_orderly
            slowest = max(slowest, ending.seconds)
            if not ending.is_orderly or ending.seconds > LIMIT:
                failures.append(index)
                print(
                    index, name, harm.__name__, ending.status, f"{ending.seconds:.1f} s", ending.errors[-600:]
                )
        more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(f"{dict(counts)}, {len(failures)} failures; slowest {slowest:.1f} s, {more / 1024:.0f} MiB more")


if __name__ == "__main__":
    main()
