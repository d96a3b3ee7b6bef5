"""The arrays of a model's file, from wherever: what it declares is looked at before it is read."""

import math
import pathlib
import zipfile

import numpy as np
from flax.traverse_util import unflatten_dict

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import open_regular

MOST_ARRAYS = 10_000
# Weights are noise to a compressor: a small file that declares much more than this is no model.
COMPRESSION, SMALL = 8, 2**28  # times the size of the file, bytes
_LONGEST_HEADER = 512  # characters: names no more than a type and a shape


def load_weights(path: pathlib.Path) -> dict:
    """The nested dictionary of float32 arrays in a file .npz.

    Raises UsageError where it is damaged, is no such file, declares more than it can hold, or has a number
    that is not finite.
    """
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_size(members, path.stat().st_size)
            arrays = {member.filename.removesuffix(".npy"): _read(archive, member) for member in members}
        if not arrays:
            raise ValueError("it holds no arrays")
        return unflatten_dict(arrays, sep="/")
    except UsageError:
        raise
    except Exception as error:  # the readers raise anything, even tokenize.TokenError
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(f"{path} is damaged ({reason}); fetch or save the model again") from error


def _check_size(members, size):
    if len(members) > MOST_ARRAYS:
        raise ValueError(f"{len(members)} arrays, expected at most {MOST_ARRAYS}")
    declared = sum(member.file_size for member in members)
    if declared > COMPRESSION * size + SMALL:
        raise ValueError(f"{size} bytes that declare {declared} bytes of arrays")


def _read(archive, member):
    """One array; as many bytes are read as the archive declares, of which `_check_size` has the sum."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename!r} is compressed by another method than deflate")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        if version not in headers:
            raise ValueError(f"{member.filename!r} has version {version} of .npy")
        shape, by_columns, kind = headers[version](file, max_header_size=_LONGEST_HEADER)
        if kind.kind != "f":
            raise ValueError(f"{member.filename!r} has the type {kind}, expected a float")
        count = math.prod(shape)
        if min(shape, default=1) < 1 or count * kind.itemsize > member.file_size:
            raise ValueError(f"{member.filename!r} declares the shape {shape}, more than it holds")
        content = file.read(count * kind.itemsize + 1)  # past the end, where the check sum is compared
    array = np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C").astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{member.filename!r} has numbers that are not finite")
    return array
