import numpy as np
import pytest

from t2v_jax.text.word2vec import train_skip_gram


def corpus(rng, count=400):
    """Sentences of one topic each: ids 2 to 6 stand with 12, 13; ids 7 to 11 with 14, 15."""
    topics = rng.integers(2, size=count)
    return [[12 + 2 * topic, 2 + 5 * topic + rng.integers(5), 13 + 2 * topic, 0, 0] for topic in topics]


@pytest.fixture(scope="module")
def sentences():
    return corpus(np.random.default_rng(0))


@pytest.fixture(scope="module")
def vectors(sentences):
    return train_skip_gram(sentences, 20, 16, window=2, epochs=20, seed=1)


def test_words_of_the_same_contexts_are_nearer(vectors):
    unit = vectors[2:12] / np.linalg.norm(vectors[2:12], axis=1, keepdims=True)
    similarity = unit @ unit.T
    same = np.kron(np.eye(2), np.ones((5, 5))).astype(bool)
    assert similarity[same].min() > similarity[~same].max() + 0.5


def test_padding_and_unseen_tokens(vectors):
    assert vectors.shape == (20, 16) and vectors.dtype == np.float32
    assert not vectors[0].any()
    assert 0 < np.abs(vectors[16:]).max() <= 0.5 / 16 < np.abs(vectors[2:12]).max()


def test_the_seed_decides_every_bit(sentences, vectors):
    again = train_skip_gram(sentences, 20, 16, window=2, epochs=20, seed=1)
    other = train_skip_gram(sentences, 20, 16, window=2, epochs=20, seed=2)
    assert np.array_equal(again, vectors) and not np.array_equal(other, vectors)


@pytest.mark.parametrize("sequences", [[], [[3], [4]], [[0, 0]]])
def test_no_neighbours_no_training(sequences):
    vectors = train_skip_gram(sequences, 8, 4)
    assert np.abs(vectors).max() <= 0.5 / 4 and vectors[3:].any()


def test_id_outside_the_vocabulary():
    with pytest.raises(ValueError, match="0 to 7, got 8"):
        train_skip_gram([[1, 8]], 8, 4)
