"""Writes digits as MNIST's files."""

import gzip

NAMES = {
    "dash": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "dot": ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
}


def idx(array):
    """The IDX bytes of a uint8 array."""
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


def write_mnist(directory, images, labels, style="dash", zipped=False):
    """Writes a training split as the two MNIST files."""
    for name, array in zip(NAMES[style], (images, labels), strict=True):
        data = idx(array)
        if zipped:
            name, data = f"{name}.gz", gzip.compress(data)
        (directory / name).write_bytes(data)
