"""The arrays of a model's file: saved, and read from wherever after a look at what it declares."""

import math
import pathlib
import zipfile

import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import open_regular

ENDINGS = ".npz", ".safetensors"
MOST_ARRAYS = 10_000
# Weights are noise to a compressor: a small file that declares much more than this is no model.
COMPRESSION, SMALL = 8, 2**28  # times the size of the file, bytes
_LONGEST_HEADER = 512  # characters: names no more than a type and a shape


def find_weights(directory: pathlib.Path, name: str) -> pathlib.Path | None:
    """The file of arrays of that name, without its ending, in a directory; None where there is none."""
    paths = (directory / f"{name}{ending}" for ending in ENDINGS)
    return next((path for path in paths if path.is_file()), None)


def save_weights(tree: dict, path: pathlib.Path) -> None:
    """Writes a nested dictionary of arrays as float16, in the format that `path` ends in.

    Raises UsageError where that is .safetensors and the package of that name is missing.
    """
    arrays = {name: np.float16(array) for name, array in flatten_dict(tree, sep="/").items()}
    if path.suffix == ".safetensors":
        _safetensors().save_file(arrays, path)
    else:
        np.savez_compressed(path, **arrays)


def load_weights(path: pathlib.Path) -> dict:
    """The nested dictionary of float32 arrays in a file .npz or .safetensors.

    Raises UsageError where it is damaged, is no such file, declares more than it can hold, or has a number
    that is not finite.
    """
    read = _read_safetensors if path.suffix == ".safetensors" else _read_npz
    try:
        arrays = {name: _checked(name, array) for name, array in read(path).items()}
        if not arrays:
            raise ValueError("it holds no arrays")
        return unflatten_dict(arrays, sep="/")
    except UsageError:
        raise
    except Exception as error:  # the readers raise anything, even tokenize.TokenError
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UsageError(f"{path} is damaged ({reason}); fetch or save the model again") from error


def _safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        needs = "no package safetensors, which .safetensors needs: pip install safetensors"
        raise UsageError(needs) from error
    return safetensors.numpy


def _read_safetensors(path):
    package = _safetensors()
    open_regular(path).close()
    return package.load_file(path)  # which compares all that the file declares with its size


def _read_npz(path):
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_size(members, path.stat().st_size)
        return {member.filename.removesuffix(".npy"): _read(archive, member) for member in members}


def _checked(name, array):
    if array.dtype.kind != "f" or not array.size:
        raise ValueError(f"{name!r} is {array.dtype} {list(array.shape)}, expected a float, not empty")
    array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise ValueError(f"{name!r} has numbers that are not finite")
    return array


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
    return np.frombuffer(content, kind).reshape(shape, order="F" if by_columns else "C")
