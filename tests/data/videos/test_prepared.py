"""Prepared clips: written once, whole, and read as a source of captioned clips; the commands; training."""

import json
import shutil

import numpy as np
import pytest

from t2v_jax import config as configuration
from t2v_jax.data.source import make_source
from t2v_jax.data.videos import prepared as prepared_clips
from t2v_jax.data.videos.decode import ClipSpec, decode
from t2v_jax.data.videos.folder import SPLITS, read_folder
from t2v_jax.data.videos.prepared import PreparedClips, prepare
from t2v_jax.errors import UsageError
from t2v_jax.runtime.locks import locked
from t2v_jax.training.loop import train
from tests.data.videos import files as videos

RECIPE, TEST_SHARE = videos.RECIPE, videos.TEST_SHARE


def sources(prepared):
    """The clips of each split that has any."""
    output, report = prepared
    return {split: PreparedClips(output, split) for split in SPLITS if report.clips(split)}


def test_clips_are_those_of_the_files(films, prepared):
    report = prepared[1]
    expected = {"train": [], "test": []}
    for video in read_folder(films).videos:
        if "bad" not in video.name:
            clips = decode(films / video.name, RECIPE).clips
            expected[report.split(video)] += [(*video.captions, clip) for clip in clips]
    for split, source in sources(prepared).items():
        elements = [source[index] for index in range(len(source))]
        assert len(elements) == report.clips(split)
        for element, (caption, clip) in zip(elements, expected[split], strict=True):
            assert element["caption"] == caption and type(element["caption_class"]) is int
            assert element["clip"].dtype == np.uint8
            np.testing.assert_array_equal(element["clip"], clip)
        said = {element["caption"]: element["caption_class"] for element in elements}
        assert list(source.captions().items()) == sorted(said.items())
    assert report.clips("train", "test") == 9 * 5
    assert report.left_out.keys() == {"a red square/bad.mp4"}


def test_many_clips_are_read_at_once(prepared):
    source = sources(prepared)["train"]
    indices = np.random.default_rng(0).permutation(len(source))[:9]
    batch, elements = source.batch(indices), [source[index] for index in indices]
    assert batch.keys() == {"clip", "caption", "caption_class"}
    for field, column in batch.items():
        np.testing.assert_array_equal(column, [element[field] for element in elements])


def test_clips_of_a_class_stand_side_by_side(prepared):
    plain = sources(prepared)["train"]
    every = plain.batch(range(len(plain)))
    for clips_per_caption in (2, 3):
        source = PreparedClips(prepared[0], "train", clips_per_caption)
        groups = [
            source.batch(range(start, start + clips_per_caption))
            for start in range(0, len(source), clips_per_caption)
        ]
        for group in groups:
            assert len(set(group["caption"])) == len(set(group["caption_class"])) == 1
        clips = {clip.tobytes() for group in groups for clip in group["clip"]}
        assert clips == {clip.tobytes() for clip in every["clip"]}  # none is left out
        most = max(map(every["caption"].count, every["caption"]))
        assert most >= clips_per_caption and any(
            len({c.tobytes() for c in g["clip"]}) == clips_per_caption for g in groups
        )


def test_a_class_is_a_caption_in_every_split(prepared):
    caption_classes = {}
    for source in sources(prepared).values():
        for index in range(len(source)):
            element = source[index]
            assert (
                caption_classes.setdefault(element["caption"], element["caption_class"])
                == element["caption_class"]
            )
    assert sorted(caption_classes.values()) == [0, 1, 2]


def test_the_report_tells_what_is_used(films, prepared):
    report = prepared[1]
    assert str(report) == str(prepared_clips.check(read_folder(films, TEST_SHARE), RECIPE, 2))
    lines = str(report).splitlines()
    assert lines[0].split() == "files 9 used, 1 left out".split()
    assert lines[1].endswith("4 frames of 16 x 16 x 3, 0.4 s each, 18 s in all")
    assert lines[2].split() == "sizes 48 x 32 (9)".split()
    assert lines[3].endswith("3 distinct, the longest of 3 words")
    assert lines[4].endswith("5 distinct: a (9), square (9), blue (3), green (3), red (3)")
    assert lines[5] == "left out" and lines[6].startswith("  a red square/bad.mp4: damaged, or no .mp4 file")


def test_an_interrupted_preparation_goes_on(films, prepared, copy, monkeypatch):
    monkeypatch.setattr(prepared_clips, "FILES_A_SHARD", 4)
    kept, torn = (copy / "shards" / name / "clips.array_record" for name in ("00000", "00002"))
    (copy / "manifest.json").unlink()
    shutil.rmtree(torn.parent)
    with pytest.raises(UsageError, match="manifest.json: No such file.*t2v data prepare"):
        PreparedClips(copy)
    before = kept.stat().st_mtime_ns
    told = []
    report = prepare(read_folder(films, TEST_SHARE), copy, RECIPE, 1, lambda: told.append(1))
    assert report == prepared[1] and len(told) == 10
    assert kept.stat().st_mtime_ns == before
    assert torn.read_bytes() == (prepared[0] / torn.relative_to(copy)).read_bytes()
    assert (copy / "manifest.json").read_text() == (prepared[0] / "manifest.json").read_text()


def test_another_recipe_makes_other_clips(films, copy):
    prepare(read_folder(films), copy, ClipSpec(frames=4, size=8, channels=1), 1)
    source = PreparedClips(copy)
    assert source.shape == source[0]["clip"].shape == (4, 8, 8, 1)


def test_an_interrupted_shard_leaves_nothing(films, tmp_path):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(read_folder(films), tmp_path / "out", RECIPE, 1, stop)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".lock"]


def test_what_a_killed_preparation_left_is_removed(films, copy):
    for name in (".0a.part", "shards/.1b.part"):
        (copy / name).mkdir()
        (copy / name / "clips.array_record").write_bytes(b"half")
    (copy / ".2c.part").write_bytes(b"half")
    with locked(copy), pytest.raises(UsageError, match="another run is writing in"):
        prepare(read_folder(films), copy, RECIPE, 1)
    assert len([*copy.rglob("*.part")]) == 3
    prepare(read_folder(films), copy, RECIPE, 1)
    assert [*copy.rglob("*.part")] == []


def test_all_captions_of_a_video_are_used(films, copy):
    """As if the manifest had been written of a folder with several captions a video."""
    manifest = json.loads((copy / "manifest.json").read_text())
    named = ["a", "b", "c"], ["b", "d"], ["e"], ["f", "b"]
    for number, file in enumerate(manifest["files"]):
        file.update(split="train", captions=named[number % 4])
    (copy / "manifest.json").write_text(json.dumps(manifest))
    source = PreparedClips(copy)
    assert (source.clips, len(source)) == (45, 5 * (3 * 3 + 2 * 2 + 2 * 1 + 2 * 2))
    assert source.captions() == {"a": 0, "b": 0, "c": 0, "d": 0, "e": 4, "f": 5}
    read = source.batch(range(len(source)))
    for number, captions in enumerate(named):
        clip = source._read(5 * number).tobytes()
        of_clip = [text for found, text in zip(read["clip"], read["caption"]) if found.tobytes() == clip]
        assert set(captions) <= set(of_clip)
    for first in range(0, 44, 4):
        grouped = PreparedClips(copy, clips_per_caption=4).batch(range(first, first + 4))
        assert len(set(grouped["caption_class"])) == 1


def test_folders_of_an_older_version_are_read(prepared, copy):
    manifest = json.loads((copy / "manifest.json").read_text())
    for file in manifest["files"]:
        (file["caption"],) = file.pop("captions")
    (copy / "manifest.json").write_text(json.dumps(manifest | {"version": 1}))
    ours, theirs = PreparedClips(copy), sources(prepared)["train"]
    assert ours.captions() == theirs.captions() and len(ours) == len(theirs)
    np.testing.assert_array_equal(ours[3]["clip"], theirs[3]["clip"])


SHARD = "shards/00001/clips.array_record"


def cut(path):
    path.write_bytes(path.read_bytes()[:-100_000])


@pytest.mark.parametrize(
    ("file", "damage", "told"),
    [
        ("manifest.json", lambda path: path.write_text("{"), "is no JSON"),
        ("manifest.json", lambda path: path.write_text("[]"), "of no version that is known here"),
        (SHARD, lambda path: path.unlink(), "a shard cannot be read"),
        (SHARD, lambda path: path.write_bytes(b""), "a shard cannot be read"),
        (SHARD, cut, "a shard cannot be read"),
        (SHARD, lambda path: shutil.copy(path.parents[1] / "00002" / path.name, path), "its shards hold"),
    ],
)
def test_a_damaged_directory_is_told(file, damage, told, copy):
    damage(copy / file)
    with pytest.raises(UsageError, match=f"{told}.*t2v data prepare"):
        PreparedClips(copy)


def test_a_damaged_clip_is_told(prepared, copy):
    path = copy / "shards/00000/clips.array_record"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1  # a pixel of the shard's first clip
    path.write_bytes(data)
    source = PreparedClips(copy, prepared[1].split(prepared[1].used[0]))
    for read in (lambda: source[0], lambda: source.batch([1, 0, 2])):
        with pytest.raises(UsageError, match="clip 0 cannot be read.*t2v data prepare"):
            read()
    assert source[1]["clip"].shape == (4, 16, 16, 3)


def test_a_split_without_clips_is_told(copy):
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"split": "test"', '"split": "train"'))
    assert len(PreparedClips(copy)) == 45
    with pytest.raises(UsageError, match="no clips of the split 'test': prepare a larger folder"):
        PreparedClips(copy, "test")


@pytest.fixture
def config(small, prepared):
    small.data.update(world="clips", directory=str(prepared[0]), channels=3)
    small.steps = 2
    return small


# ml_collections loads a configuration so.
@pytest.mark.filterwarnings("ignore:the load_module:DeprecationWarning")
def test_training_on_prepared_clips_of_one_caption(config, copy, tmp_path):
    manifest = json.loads((copy / "manifest.json").read_text())
    for file in manifest["files"]:
        file["captions"] = ["a square"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    config.data.directory = str(copy)
    assert train(config, tmp_path / "run").step == 2
    assert (tmp_path / "run/metrics.jsonl").is_file()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("channels", 1, r"\[4, 16, 16, 3\], the other fields of config.data say \[4, 16, 16, 1\]"),
        ("directory", "", "config.data.directory is empty.*t2v data prepare"),
        ("directory", "nosuch", "no prepared clips in 'nosuch'.*t2v data prepare"),
    ],
)
def test_a_config_that_does_not_fit_is_told(field, value, told, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config.data[field] = value
    with pytest.raises(UsageError, match=told):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_no_held_out_split(config):
    with pytest.raises(UsageError, match="'held_out'.*expected train or test"):
        make_source(configuration.check(config), "held_out")


def test_an_output_with_other_files_is_left_alone(films, tmp_path):
    (tmp_path / "manifest.json").write_text("mine")
    with pytest.raises(UsageError, match="holds other files; name a new directory"):
        prepare(read_folder(films), tmp_path, RECIPE, 1)
    assert (tmp_path / "manifest.json").read_text() == "mine"


def test_an_output_that_cannot_be_written_is_told(films, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write .*choose another place"):
        prepare(read_folder(films), tmp_path / "file/out", RECIPE, 1)
