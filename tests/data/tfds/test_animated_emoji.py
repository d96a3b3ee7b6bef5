"""Animated emoji: who they are, in which words, what is held out, and the loop as a clip."""

import numpy as np
import pytest

from t2v_jax.data.tfds import animated_emoji
from t2v_jax.data.tfds.animated_emoji import TONES, Emoji
from t2v_jax.data.tfds.clips import TfdsClips
from t2v_jax.errors import UsageError
from tests.data.tfds import emoji


def test_each_emoji_is_read_once_under_its_name_and_tone(tmp_path):
    read = [found[:3] for found in animated_emoji.read(emoji.packages(tmp_path))]
    bikers = [("woman biking", "People & Body", tone) for tone in TONES]
    assert sorted(read) == sorted(
        [("grinning face", "Smileys & Emotion", "none"), ("people holding hands", "People & Body", "none")]
        + bikers
    )


def test_captions_name_the_emoji_and_its_tone():
    biker = Emoji("woman biking", "People & Body", "dark", b"")
    assert biker.captions[0] == "woman biking, dark skin tone"
    assert len(set(biker.captions)) > 2
    assert all("woman biking" in caption and "dark skin" in caption for caption in biker.captions)
    assert "people and body: woman biking, dark skin tone" in biker.captions
    face = Emoji("grinning face", "Smileys & Emotion", "none", b"")
    assert face.captions[0] == "grinning face" and not any("skin" in caption for caption in face.captions)


def test_a_fifth_of_the_emoji_with_tones_keep_one_or_two_from_training():
    names = [f"emoji {number}" for number in range(2_000)]
    kept = [sum(Emoji(name, "", tone, b"").held_out for tone in TONES[1:]) for name in names]
    assert set(kept) == {0, 1, 2}
    assert 0.17 < np.mean(np.array(kept) > 0) < 0.23
    assert not any(Emoji(name, "", "none", b"").held_out for name in names)


def test_a_clip_is_the_whole_loop_on_a_plain_background():
    clip = animated_emoji.clip(emoji.picture((250, 200, 150, 100)), 8, 4, "#0000ff")
    assert clip.shape == (8, 4, 4, 3) and clip.dtype == np.uint8
    np.testing.assert_array_equal(clip[:, 0, 0, 0], np.repeat((250, 200, 150, 100), 2))
    np.testing.assert_array_equal(clip[:, :, 2:], np.broadcast_to((0, 0, 255), (8, 4, 2, 3)))


def test_frames_stand_as_long_as_they_say():
    clip = animated_emoji.clip(emoji.picture((250, 100), duration=[150, 50]), 4, 4, "white")
    np.testing.assert_array_equal(clip[:, 0, 0, 0], (250, 250, 250, 100))


def test_a_still_is_no_clip():
    assert animated_emoji.clip(emoji.picture((250,)), 4, 4, "white") is None


def test_missing_packages_are_named_with_the_command_that_fetches_them(tmp_path):
    emoji.packages(tmp_path)
    (tmp_path / animated_emoji.PICTURES[2]).unlink()
    with pytest.raises(UsageError, match=r"no lobehub-fluent-emoji-anim-3-1\.0\.0\.tgz .* npm pack"):
        next(animated_emoji.read(tmp_path))


@pytest.mark.parametrize("name", [animated_emoji.NAMES, animated_emoji.PICTURES[0]])
@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_damaged_packages_are_named(tmp_path, name, content):
    path = emoji.packages(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    with pytest.raises(UsageError, match="damaged .*; fetch it again"):
        list(animated_emoji.read(tmp_path))


def test_the_builder_trains_as_any_data_set(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")
    packages = tmp_path / "downloads" / "manual"
    packages.mkdir(parents=True)
    emoji.packages(packages)
    source = TfdsClips("animated_emoji", "train", frames=16, size=64, directory=str(tmp_path))
    examples = [source[index] for index in range(len(source))]
    trained = [found for found in animated_emoji.read(packages) if not found.held_out]
    animated = [found for found in trained if found.name != "people holding hands"]
    assert sorted(example["caption"] for example in examples) == sorted(
        caption for found in animated for caption in found.captions
    )
    assert list(source.captions()) == sorted({example["caption"] for example in examples})
    caption_classes = {example["caption"]: example["caption_class"] for example in examples}
    for found in animated:
        assert len({caption_classes[caption] for caption in found.captions}) == 1
    assert len(set(caption_classes.values())) == len(animated)
    assert examples[0]["clip"].shape == (16, 64, 64, 3)
    info = tfds.builder("animated_emoji", data_dir=tmp_path).info
    assert info.features["tone"].names == list(TONES)
    actions = TfdsClips("animated_emoji/actions", "train", frames=16, size=64, directory=str(tmp_path))
    assert set(actions.captions().items()) == {
        (caption, caption_class)
        for caption, caption_class in caption_classes.items()
        if "woman biking" in caption
    }
