"""The shipped digits and the IDX reader."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from t2v_jax.data.worlds.mnist import load_digits
from t2v_jax.errors import UsageError
from tests.data.worlds.mnist_files import NAMES, idx, write_mnist


@pytest.fixture
def mnist(tmp_path):
    """A directory with a valid training split of three digits."""
    images = np.arange(3 * 28 * 28).reshape(3, 28, 28).astype(np.uint8)
    write_mnist(tmp_path, images, np.array([3, 1, 4], np.uint8))
    return tmp_path


def error_of(directory):
    """The one line that load_digits refuses a directory with."""
    with pytest.raises(UsageError) as caught:
        load_digits("train", directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("split", "per_class"), [("train", 1000), ("test", 200)])
def test_the_shipped_digits_are_balanced(split, per_class):
    images, labels = load_digits(split)
    assert images.dtype == np.uint8 and images.shape == (10 * per_class, 28, 28)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(labels), [per_class] * 10)


def test_the_shipped_digits_are_ink_on_a_clear_border():
    images, _ = load_digits("test")
    assert (images.max(axis=(1, 2)) > 200).all()
    assert images[:, [0, -1]].mean() < 1


def test_the_shipped_labels_belong_to_the_images():
    train, test = load_digits("train"), load_digits("test")
    means = np.stack([train.images[train.labels == label].mean(0) for label in range(10)])
    distances = ((test.images[:, None] / 255 - means / 255) ** 2).sum((2, 3))
    # Nearest class mean is a weak classifier; labels out of order would score 0.1.
    assert (distances.argmin(1) == test.labels).mean() > 0.75


def test_no_test_digit_is_a_training_digit():
    train = {image.tobytes() for image in load_digits("train").images}
    test = {image.tobytes() for image in load_digits("test").images}
    assert len(train) == 10_000 and len(test) == 2_000
    assert not train & test


@settings(max_examples=40, deadline=None)
@given(
    images=hnp.arrays(np.uint8, st.tuples(st.integers(0, 5), st.just(28), st.just(28))),
    data=st.data(),
    style=st.sampled_from(sorted(NAMES)),
    zipped=st.booleans(),
)
def test_idx_files_come_back_as_written(tmp_path_factory, images, data, style, zipped):
    labels = data.draw(hnp.arrays(np.uint8, len(images), elements=st.integers(0, 9)))
    directory = tmp_path_factory.mktemp("mnist")
    write_mnist(directory, images, labels, style, zipped)
    digits = load_digits("train", directory)
    np.testing.assert_array_equal(digits.images, images)
    np.testing.assert_array_equal(digits.labels, labels)
    assert digits.labels.dtype == np.int32


@pytest.mark.parametrize("name", NAMES["dash"])
@settings(max_examples=25, deadline=None)
@given(data=st.data(), zipped=st.booleans())
def test_a_file_cut_anywhere_is_refused_by_name(tmp_path_factory, name, data, zipped):
    directory = tmp_path_factory.mktemp("cut")
    write_mnist(directory, np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8), zipped=zipped)
    path = directory / (f"{name}.gz" if zipped else name)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    assert str(path) in error_of(directory)


def test_bytes_after_the_end_are_refused(mnist):
    path = mnist / NAMES["dash"][0]
    path.write_bytes(path.read_bytes() + b"\0")
    assert "after its end" in error_of(mnist)


def test_a_damaged_gzip_file_is_refused(tmp_path):
    write_mnist(tmp_path, np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8), zipped=True)
    path = tmp_path / f"{NAMES['dash'][0]}.gz"
    damaged = bytearray(path.read_bytes())
    damaged[-6] ^= 0xFF
    path.write_bytes(damaged)
    assert "gzip" in error_of(tmp_path)


def test_exchanged_files_are_refused_with_both_magic_numbers(mnist):
    images, labels = (mnist / name for name in NAMES["dash"])
    images.write_bytes(labels.read_bytes())
    message = error_of(mnist)
    assert "0x801" in message and "0x803" in message


def test_a_missing_file_is_named(mnist):
    (mnist / NAMES["dash"][1]).unlink()
    assert NAMES["dash"][1] in error_of(mnist)


def test_a_missing_directory_is_named(tmp_path):
    assert str(tmp_path / "nowhere") in error_of(tmp_path / "nowhere")


def test_images_and_labels_must_be_equally_many(mnist):
    (mnist / NAMES["dash"][1]).write_bytes(idx(np.zeros(4, np.uint8)))
    assert re.search("3 images.*4 labels", error_of(mnist))


def test_images_of_another_size_are_refused(mnist):
    (mnist / NAMES["dash"][0]).write_bytes(idx(np.zeros((3, 20, 28), np.uint8)))
    assert "20x28" in error_of(mnist)


def test_labels_beyond_nine_are_refused(mnist):
    (mnist / NAMES["dash"][1]).write_bytes(idx(np.array([0, 10, 9], np.uint8)))
    assert "label 10" in error_of(mnist)


def test_an_unknown_split_is_refused():
    with pytest.raises(UsageError, match="'validation'.*train, test"):
        load_digits("validation")
