"""TensorFlow Datasets: the worlds as builders, and any captioned or labelled videos as clips."""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import t2v_jax  # noqa: F401, registers the worlds
from t2v_jax import config as configuration
from t2v_jax.data.source import drawn_worlds, make_source
from t2v_jax.data.tfds.clips import TfdsClips, fit
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.folder import read_folder
from t2v_jax.data.videos.prepared import PreparedClips, prepare
from t2v_jax.data.worlds.moving_shapes import MovingShapes
from t2v_jax.data.worlds.world import SPLITS
from t2v_jax.errors import UsageError
from t2v_jax.text.words import in_words
from tests.data.videos import files as videos

tfds = pytest.importorskip("tensorflow_datasets", reason="needs the extra tfds")

CLIPS, FRAMES, SIZE = 12, 5, 32
NAME = "moving_shapes/small"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A data_dir with a small data set of shapes, prepared under the name NAME."""
    from t2v_jax.data.tfds.builders import WorldConfig

    path = tmp_path_factory.mktemp("tfds")
    config = WorldConfig(name="small", clips=CLIPS, frames=FRAMES, size=SIZE)
    tfds.builder("moving_shapes", data_dir=path, config=config).download_and_prepare()
    return str(path)


@pytest.mark.parametrize("split", SPLITS)
def test_data_source_holds_the_worlds_clips(directory, split):
    world = MovingShapes(split, CLIPS, frames=FRAMES, size=SIZE)
    source = tfds.data_source(NAME, split=split, data_dir=directory)
    assert len(source) == CLIPS

    def as_bytes(example):
        return [(name, np.asarray(value).tobytes()) for name, value in sorted(example.items())]

    wanted = [
        as_bytes(world[index] | {"caption": world[index]["caption"].encode()}) for index in range(CLIPS)
    ]
    found = [as_bytes(source[index]) for index in range(CLIPS)]
    assert sorted(found) == sorted(wanted)


def test_every_world_has_a_builder_with_named_labels(tmp_path):
    for name, world in drawn_worlds().items():
        features = tfds.builder(name, data_dir=tmp_path).info.features
        for attribute, values in world.attributes.items():
            assert tuple(features[attribute].names) == values


def test_importing_t2v_jax_tfds_makes_the_worlds_known_without_tensorflow(tmp_path):
    script = (
        "import sys, tensorflow_datasets, t2v_jax.tfds\n"
        "builder = tensorflow_datasets.builder('moving_digits', data_dir=sys.argv[1])\n"
        "assert builder.info.features['clip'].shape == (16, 64, 64, 1)\n"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script, tmp_path], check=True)


def test_importing_the_package_imports_no_data_sets():
    script = "import sys, t2v_jax; assert not {'tensorflow_datasets', 'jax', 'numpy'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_clips_of_a_data_set_train_as_those_of_a_world(directory):
    config = configuration.default()
    config.data.update(world="tfds", dataset=NAME, directory=directory, frames=FRAMES, size=SIZE, channels=3)
    source = make_source(config)
    clips = [source[index] for index in range(CLIPS)]
    assert len(source) == CLIPS
    assert {clip["clip"].shape for clip in clips} == {(FRAMES, SIZE, SIZE, 3)}
    world = MovingShapes("train", CLIPS, frames=FRAMES, size=SIZE)
    caption_classes = {
        clip["caption"]: clip["caption_class"] for clip in (world[index] for index in range(CLIPS))
    }
    assert {clip["caption"]: clip["caption_class"] for clip in clips} == caption_classes == source.captions()


class LabelledVideos(tfds.core.GeneratorBasedBuilder):
    """Two videos of different length and shape, with labels and no text, as ucf101 has."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        video = tfds.features.Tensor(shape=(None, None, None, 3), dtype=np.uint8, encoding="zlib")
        label = tfds.features.ClassLabel(names=["ApplyEyeMakeup", "YoYo"])
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict({"video": video, "label": label})
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for label, shape in (("YoYo", (9, 20, 30, 3)), ("ApplyEyeMakeup", (3, 16, 16, 3))):
            yield label, {"video": np.full(shape, 7, np.uint8), "label": label}


def test_labels_become_captions_and_videos_become_clips(tmp_path):
    source = TfdsClips("labelled_videos", "train", frames=4, size=8, directory=str(tmp_path))
    assert list(source.captions()) == ["apply eye makeup", "yo yo"]
    caption_classes = {source[index]["caption"]: source[index]["caption_class"] for index in range(2)}
    assert caption_classes == {"apply eye makeup": 0, "yo yo": 1}
    for index in range(2):
        np.testing.assert_array_equal(source[index]["clip"], np.full((4, 8, 8, 3), 7))


@pytest.mark.parametrize(
    ("name", "split", "message"),
    [
        ("nosuch", "train", "cannot prepare dataset=nosuch"),
        (NAME, "validation", r"cannot read moving_shapes: Unknown split 'validation'.*'test'"),
    ],
)
def test_what_is_not_there_is_named(directory, name, split, message):
    with pytest.raises(UsageError, match=message):
        TfdsClips(name, split, directory=directory)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("ApplyEyeMakeup", "apply eye makeup"),
        ("apply_eye-makeup", "apply eye makeup"),
        ("TVShow", "tv show"),
        ("juggling balls", "juggling balls"),
    ],
)
def test_labels_in_words(label, words):
    assert in_words(label) == words


def test_frames_are_evenly_spread_and_square():
    video = np.zeros((9, 10, 20, 1), np.uint8)
    video[:, :, 5:15, 0] = 10 * np.arange(9)[:, None, None]
    clip = fit(video, ClipSpec(frames=3, size=5, channels=1))
    assert clip.shape == (3, 5, 5, 1)
    np.testing.assert_array_equal(clip, np.broadcast_to(np.reshape([0, 40, 80], (3, 1, 1, 1)), clip.shape))


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="TFDS decodes videos with tensorflow-cpu alone"
)
def test_ucf101_becomes_captioned_clips(tmp_path):
    with tfds.testing.mock_data(num_examples=2, data_dir=str(tmp_path)):
        source = TfdsClips("ucf101", "train", frames=4, size=16, directory=str(tmp_path))
        clips = [source[index] for index in range(len(source))]
    assert len(clips) == 2
    for clip in clips:
        assert clip["clip"].shape == (4, 16, 16, 3) and clip["caption"] in source.captions()
        assert clip["caption"] == clip["caption"].lower()


def test_a_folder_of_videos_is_a_data_set_of_its_clips(tmp_path):
    from t2v_jax.data.tfds.builders import ClipsConfig

    films, spec = tmp_path / "films", ClipSpec(frames=4, size=16)
    for index, (ending, data) in enumerate(videos.all_kinds().items()):
        path = films / f"a {('red', 'green')[index % 2]} square" / f"{index}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (films / "a red square/bad.mp4").write_bytes(b"no video")
    report = prepare(read_folder(films), tmp_path / "prepared", spec, 1)
    builder = tfds.builder("clips", data_dir=tmp_path, config=ClipsConfig(name="small", spec=spec))
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(manual_dir=films), file_format="array_record"
    )

    def rows(examples):
        return sorted((e["clip"].tobytes(), e["caption"], int(e["caption_class"])) for e in examples)

    splits = [split for split in ("train", "test") if report.clips(split)]
    assert set(builder.info.splits) == set(splits)
    for split in splits:
        prepared = PreparedClips(tmp_path / "prepared", split)
        found = [
            example | {"caption": example["caption"].decode()} for example in builder.as_data_source(split)
        ]
        assert rows(found) == rows(prepared[index] for index in range(len(prepared)))
