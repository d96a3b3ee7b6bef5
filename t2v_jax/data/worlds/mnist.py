"""Handwritten digits (MNIST): the shipped subset, or the four IDX files of the whole set."""

import gzip
import importlib.resources
import io
import math
import pathlib
import zlib
from typing import NamedTuple

import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path

SIZE = 28
SPLITS = {"train": "train", "test": "t10k"}
_IMAGES_MAGIC = 0x803  # unsigned bytes, three axes
_LABELS_MAGIC = 0x801  # unsigned bytes, one axis


class Digits(NamedTuple):
    """Images uint8 [n, 28, 28], 0 = paper and 255 = ink, and their labels int32 [n] in 0..9."""

    images: np.ndarray
    labels: np.ndarray


def load_digits(split: str, directory: str | pathlib.Path | None = None) -> Digits:
    """The "train" or "test" digits: of the shipped subset, or of the IDX files in `directory`.

    The subset holds 10,000 training and 2,000 test digits, equally many of each class. A directory
    holds `train-images-idx3-ubyte` and its three siblings (`train-images.idx3-ubyte` is understood
    too), raw or as .gz. Raises UsageError for an unknown split and for a missing or damaged file.
    """
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}: expected one of {', '.join(SPLITS)}")
    if directory is None:
        return _load_subset(split)
    directory = local_path(directory)
    images_path = _find(directory, f"{SPLITS[split]}-images", "idx3-ubyte")
    labels_path = _find(directory, f"{SPLITS[split]}-labels", "idx1-ubyte")
    images = read_idx(images_path, _IMAGES_MAGIC)
    labels = read_idx(labels_path, _LABELS_MAGIC)
    _check_pair(images, images_path, labels, labels_path)
    return Digits(images, labels.astype(np.int32))


def read_idx(path: str | pathlib.Path, magic: int) -> np.ndarray:
    """The uint8 array in an IDX file, raw or .gz, whose first four bytes are the number `magic`.

    Format: magic number, then the length of each axis, both 32-bit big-endian, then the bytes in
    C order (LeCun et al., the MNIST page). Raises UsageError where the file is anything else.
    """
    path = pathlib.Path(path)
    data = _read_bytes(path)
    header = 4 * (1 + (magic & 0xFF))
    found = int.from_bytes(data[:4], "big")
    if len(data) >= 4 and found != magic:
        raise UsageError(
            f"{path} is not the IDX file expected: magic number {found:#x} instead of {magic:#x}; "
            "check that images and labels are not exchanged"
        )
    if len(data) < header:
        raise UsageError(f"{path} is truncated: {len(data)} bytes, too short for an IDX header")
    shape = [int.from_bytes(data[i : i + 4], "big") for i in range(4, header, 4)]
    expected = header + math.prod(shape)
    if len(data) != expected:
        fault = "is truncated" if len(data) < expected else "has bytes after its end"
        raise UsageError(f"{path} {fault}: {len(data)} bytes, its header promises {expected}; fetch it again")
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)


def _load_subset(split: str) -> Digits:
    asset = importlib.resources.files("t2v_jax") / "assets" / "digits.npz"
    with np.load(io.BytesIO(asset.read_bytes()), allow_pickle=False) as arrays:
        return Digits(arrays[f"{split}_images"], arrays[f"{split}_labels"].astype(np.int32))


def _find(directory: pathlib.Path, stem: str, kind: str) -> pathlib.Path:
    names = [f"{stem}{joint}{kind}{zipped}" for zipped in ("", ".gz") for joint in "-."]
    for name in names:
        if (directory / name).is_file():
            return directory / name
    raise UsageError(
        f"no {names[0]} in directory={directory}: expected it there, raw or as .gz; "
        "name the directory that holds the four MNIST files"
    )


def _read_bytes(path: pathlib.Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{path} is not a whole gzip file ({error}); fetch it again") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}; check the path") from error


def _check_pair(images, images_path, labels, labels_path) -> None:
    if images.shape[1:] != (SIZE, SIZE):
        height, width = images.shape[1:]
        raise UsageError(f"{images_path} holds {height}x{width} images: expected {SIZE}x{SIZE}")
    if len(images) != len(labels):
        raise UsageError(
            f"{images_path} holds {len(images)} images, {labels_path} {len(labels)} labels: "
            "expected equally many; take both from one release"
        )
    if len(labels) and labels.max() > 9:
        raise UsageError(f"{labels_path} holds the label {labels.max()}: expected 0 to 9")
