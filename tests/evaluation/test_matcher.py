"""The matcher learns from real clips which caption is whose, and is kept in a file."""

import numpy as np
import pytest

from t2v_jax.data.source import read_batch
from t2v_jax.errors import UsageError
from t2v_jax.evaluation import matcher_training
from t2v_jax.evaluation.matcher import FEATURES, WIDTH, Matcher
from t2v_jax.evaluation.matcher_training import RealClips, matcher_for, train_matcher
from t2v_jax.evaluation.retrieval import Retrieval
from tests.evaluation.squares import PAIRS, Squares

REAL = RealClips(Squares(), Squares(48, seed=1))


@pytest.fixture(scope="module")
def matcher():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matcher_training, "FEWEST_STEPS", 160)
        patch.setattr(matcher_training, "BATCH", 24)
        return train_matcher(REAL)


@pytest.fixture
def one_step(monkeypatch):
    monkeypatch.setattr(matcher_training, "FEWEST_STEPS", 1)


def clips(number=24, seed=2):
    return read_batch(Squares(number, seed), range(number))


def test_colours_and_directions_of_new_clips_are_told(matcher):
    assert matcher.held_back["clips"] == 48 and matcher.held_back["value"] >= 0.9
    retrieval, batch = Retrieval(matcher, REAL.captions()), clips()
    assert retrieval.among == len(PAIRS)
    vectors = matcher.clips(batch["clip"]).vectors
    assert retrieval(vectors, batch["caption"], 0).mean() >= 0.9
    backwards = matcher.clips(batch["clip"][:, ::-1]).vectors
    assert retrieval(backwards, batch["caption"], 0).mean() <= 0.1


def test_a_clip_without_a_match_is_not_right(matcher):
    retrieval = Retrieval(matcher, REAL.captions())
    assert not retrieval(np.zeros((2, WIDTH), np.float32), clips(2)["caption"], 0).any()


def test_who_does_what_is_told_by_the_order_of_words(one_step):
    class Ordered(Squares):
        def captions(self):
            return {"a cat behind a dog": 0, "a dog behind a cat": 1}

        def __getitem__(self, index):
            caption = list(self.captions())[index % 2]
            return {**super().__getitem__(index), "caption": caption, "caption_class": index % 2}

    matcher = train_matcher(RealClips(Ordered(), Ordered()))
    first, second = matcher.captions(list(Ordered().captions()))
    assert first @ second < 0.99
    assert np.linalg.norm(matcher.captions(["unknown words alone"])) < 1e-2


def test_other_wordings_of_a_meaning_are_not_told_apart(one_step, capsys):
    class OneMeaning(Squares):
        def captions(self):
            return dict.fromkeys(super().captions(), 0)

        def __getitem__(self, index):
            return {**super().__getitem__(index), "caption_class": 0}

    source = OneMeaning(wordings=2)
    matcher = train_matcher(RealClips(source, source))
    assert "loss 0" in capsys.readouterr().err
    assert matcher.held_back["value"] == 1


@pytest.mark.parametrize("shape", [(1, 16, 16, 3), (5, 8, 8, 3), (20, 96, 96, 3)])
def test_clips_of_any_length_and_size_are_encoded_one_by_one(matcher, shape):
    batch = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
    together = matcher.clips(batch)
    assert together.vectors.shape == (3, WIDTH) and together.features.shape == (3, FEATURES)
    np.testing.assert_allclose(np.linalg.norm(together.vectors, axis=1), 1, rtol=1e-3)
    for row in range(3):
        alone = matcher.clips(batch[row : row + 1])
        np.testing.assert_allclose(alone.vectors[0], together.vectors[row], atol=1e-4)


def test_it_is_trained_once_and_kept(matcher, tmp_path, one_step, capsys):
    first = matcher_for(tmp_path, REAL)
    told = capsys.readouterr().err
    assert f"training the matcher on 96 real clips, once: {tmp_path / 'matcher.npz'}" in told
    again = matcher_for(tmp_path, REAL)
    assert capsys.readouterr().err == ""
    assert again.held_back == first.held_back
    batch = clips()
    np.testing.assert_allclose(
        again.clips(batch["clip"]).vectors, first.clips(batch["clip"]).vectors, atol=5e-3
    )
    np.testing.assert_allclose(again.captions(batch["caption"]), first.captions(batch["caption"]), atol=5e-3)


def test_a_damaged_file_is_named(matcher, tmp_path):
    path = tmp_path / "matcher.npz"
    matcher.save(path)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(UsageError, match=r"matcher\.npz is damaged") as caught:
        Matcher.load(path)
    assert "\n" not in str(caught.value)
