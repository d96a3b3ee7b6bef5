"""The configuration that is read from prepared clips, and a run that it makes."""

import json
import shutil

import numpy as np
import pytest

import t2v_jax
from t2v_jax import cli
from t2v_jax import config as configuration
from t2v_jax.data.videos import prepared as prepared_clips
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.folder import read_folder
from t2v_jax.evaluation import matcher_training
from t2v_jax.training import auto_config, reports
from tests import launch
from tests.data.videos import files as videos


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Four clips on gray, of two captions, 16 x 16 pixels, 4 frames."""
    root = tmp_path_factory.mktemp("fit")
    for number, caption in enumerate(["a red square goes", "the box moves"] * 2):
        path = root / "films" / caption / f"{number}.gif"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(videos.encode(videos.moving(colour=(255, 40 * number, 0)), ".gif"))
    prepared_clips.prepare(
        read_folder(root / "films"), root / "clips", ClipSpec(size=16, frames=4, segments=1)
    )
    return root / "clips"


def test_what_clips_tell_is_read_from_them(prepared):
    config = configuration.check(auto_config.fitted_config(prepared))
    data = config.data
    assert (data.world, data.directory) == ("clips", str(prepared))
    assert (data.frames, data.size, data.channels) == (4, 16, 3)
    assert data.background == pytest.approx(100 / 127.5 - 1, abs=0.03)
    assert config.generator.painter_channels == (48,)  # no more than a frame has room for
    assert config.schedule.stages == ((0, 4, 2, 2), (auto_config.LOOKS // 2, 4, 4, 2))
    assert config.batch_size == 8 and config.discriminator.augment  # few clips are soon known by heart
    assert str(prepared) in auto_config.describe(config) and "background -0.2" in auto_config.describe(config)


@pytest.mark.parametrize(
    ("clips", "captions", "decided", "reconstruction", "energy", "together"),
    [
        (10_000, 8_000, True, 30, 0, 1),
        (2_000, 100, False, 0, 1, 4),
        (2_000, 1_000, False, 0, 1, 1),
        (499, 100, False, 0, 0, 1),
    ],
)
def test_what_a_caption_means(clips, captions, decided, reconstruction, energy, together):
    """One clip, or many, whose variety G is to match."""
    config = configuration.default()
    auto_config._fit_training(config, clips, captions, decided)
    assert (config.loss.reconstruction_weight, config.loss.energy_weight) == (reconstruction, energy)
    assert config.data.clips_per_caption == together
    assert (config.batch_size, bool(config.discriminator.augment)) == (
        (32, False) if clips >= 500 else (8, True)
    )


@pytest.mark.parametrize(
    ("canvas", "picture", "share", "painted"), [(32, False, 1, 2), (64, False, 2, 2), (32, True, 2, 3)]
)
def test_some_motion_is_shown_whole_sooner(canvas, picture, share, painted):
    config = configuration.default()
    config.generator.update(canvas_size=canvas, picture=picture)
    config.discriminator.moving = picture
    auto_config._fit_training(config, 2_000, 100, False)
    assert config.schedule.stages == ((0, 8, painted, 2), (auto_config.LOOKS // share, 16, 5, 2))
    assert config.loss.balance == (0.3 if picture else 0.5)


@pytest.mark.parametrize(("size", "batch"), [(32, 64), (64, 32), (128, 16), (256, 8), (512, 8)])
def test_a_cpu_takes_fewer_clips_of_larger_frames_at_once(size, batch):
    config = configuration.default()
    config.data.size = size
    auto_config._fit_training(config, 2_000, 100, False)
    assert config.batch_size == batch


def test_an_accelerator_takes_whole_clips_and_larger_batches_at_once(monkeypatch):
    monkeypatch.setattr(auto_config.jax, "default_backend", lambda: "gpu")
    config = configuration.default()
    auto_config._fit_training(config, 2_000, 100, False)
    assert config.batch_size == 64 and config.schedule.stages == ((0, 16, 5, 2),)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 100, 0)])
def test_the_background_is_what_most_borders_show(colour):
    clips = np.tile(np.array(colour, np.uint8), (3, 2, 16, 16, 1))
    clips[:, :, 4:] = 77  # most of the picture, and most of two borders, is something else
    clips[:, :, :, [0, -1]] = colour
    assert auto_config.brightness_of_background(clips) == pytest.approx(
        np.mean(colour) / 127.5 - 1, abs=0.001
    )


def moving(backgrounds, side, frames=8):
    """Clips [n, frames, 32, 32, 3] of a square that crosses a background [32, 32, 3] of each."""
    clips = np.repeat(np.asarray(backgrounds, np.uint8)[:, None], frames, axis=1)
    for time in range(frames):
        clips[:, time, 8 : 8 + side, 3 * time : 3 * time + side] = 0, 200, 0
    return clips


FLAT = np.full((6, 32, 32, 3), 240)
COLOURS = np.broadcast_to(np.linspace(0, 250, 18).reshape(6, 1, 1, 3), FLAT.shape)  # one for each clip
PICTURES = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3))


@pytest.mark.parametrize(
    ("backgrounds", "side", "canvas", "picture", "actors"),
    [
        (FLAT, 6, 16, False, 1),
        (COLOURS, 6, 16, True, 1),
        (PICTURES, 6, 16, True, 2),
        (FLAT, 20, 32, False, 1),
        (COLOURS, 20, 32, True, 1),
        (PICTURES, 20, 32, True, 1),
    ],
    ids=[f"{side} before {what}" for side in (6, 20) for what in ("one colour", "a colour each", "pictures")],
)
def test_canvases_are_as_large_as_what_moves(backgrounds, side, canvas, picture, actors):
    config = configuration.default()
    config.data.size = 32
    auto_config._fit_networks(config, moving(backgrounds, side), ["a square"] * len(backgrounds))
    generator = config.generator
    assert (generator.canvas_size, generator.picture) == (canvas, picture)
    assert (generator.actors, config.discriminator.moving) == (actors, actors == 2)


def test_a_thing_that_stays_does_not_count_as_its_clips_ground():
    """As a letter that spins: what most frames show in its middle is the letter."""
    clips = np.repeat(COLOURS.astype(np.uint8)[:, None], 8, axis=1)
    clips[:, :, 12:20, 12:20] = 0, 200, 0
    still = auto_config.backgrounds(clips, auto_config.each_is_plain(clips))
    np.testing.assert_array_equal(still, COLOURS.astype(np.uint8))
    assert auto_config.moving_share(clips, still) == 8 / 32


def test_the_picture_is_told_the_words_where_these_tell_its_colours():
    names, colours = ("red", "green", "blue"), 200 * np.eye(3, dtype=int)
    of = np.arange(60) % 3
    told = colours[of][:, None, None] + np.random.default_rng(0).integers(0, 50, (60, 32, 32, 3))
    captions = [f"a square before a {names[place]} wall" for place in of]
    shuffled = list(np.random.default_rng(1).permutation(captions))
    still = auto_config.backgrounds(moving(told, 6), plain=False)
    for texts, tell in ((captions, True), (shuffled, False), (["a square"] * 60, False)):
        assert auto_config.captions_tell_backgrounds(still, texts) == tell
        config = configuration.default()
        config.data.size = 32
        auto_config._fit_networks(config, moving(told, 6), texts)
        assert config.generator.captioned_picture == tell
        assert ("that captions tell" in auto_config.describe(config)) == tell
        auto_config._fit_networks(config, moving(told, 20), texts)  # what moves is the whole frame
        assert config.generator.captioned_picture


def test_a_panning_camera_moves_the_whole_frame():
    wide = np.random.default_rng(0).integers(0, 256, (6, 32, 64, 3))
    clips = np.stack([wide[:, :, 3 * time : 3 * time + 32] for time in range(8)], axis=1)
    clips = clips.astype(np.uint8)
    assert auto_config.moving_share(clips, auto_config.backgrounds(clips, plain=False)) == 1


def test_the_longest_caption_has_room():
    text = configuration.default().text
    for caption, most in (("a " * 20, 40), ("a," * 250 + "b", 1000), ("a," * 500, 1000)):
        auto_config._fit_text(text, [caption, "b"])
        assert text.max_tokens == most


def test_captions_decide_where_their_clips_are_alike():
    clips = moving(PICTURES, 6)
    nearly = np.clip(clips.astype(int) + 3, 0, 255).astype(np.uint8)
    assert auto_config.captions_decide(np.stack([clips, nearly], axis=1))
    assert not auto_config.captions_decide(np.stack([clips, np.roll(clips, 1, axis=0)], axis=1))
    assert auto_config.captions_decide(np.stack([clips, clips], axis=1))  # one clip of each


SMALL = [
    "--config.steps=1",
    "--config.batch_size=2",
    "--config.generator.style_width=8",
    "--config.generator.scene_channels=8",
    "--config.text.width=8",
]


SMALLER = [
    "--config.discriminator.frame_channels=(8,)",
    "--config.discriminator.clip_channels=(8,)",
    "--config.text.sentence=mean",
    "--config.generator.style_animation=False",
    "--config.loss.penalty=none",
    "--config.schedule.stages=((0,4,1,1),)",
]


def test_a_prepared_folder_trains_without_a_config(prepared, unburdened, tmp_path, capsys):
    command = ["train", f"--data={prepared}", f"--workdir={tmp_path / 'run'}", *SMALL]
    assert cli.main(command) == 0
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'run'}: step 1\n"
    assert told.err.startswith(f"read from {prepared}: 4 frames of 16 x 16 x 3, background -0.2")
    video = t2v_jax.generate(t2v_jax.load(tmp_path / "run"), "the box moves")
    assert video.shape == (4, 16, 16, 3)
    assert cli.main(command) == 0  # there is nothing left to do


def test_two_processes_train_on_a_folder_until_the_first_ones_time_is_up(prepared, tmp_path):
    """What is read of the clips depends on the devices, which are not there before the processes meet."""
    clock = ["--config.steps=100", "--config.minutes=0.001", "--config.log_every=2"]
    command = [f"--data={prepared}", f"--workdir={tmp_path / 'run'}", *SMALL, *SMALLER, *clock]
    statuses, outputs, errors = launch.finish(launch.start_all(2, command))
    assert statuses == [0, 0], errors
    assert outputs[0] == f"{tmp_path / 'run'}: step 2\n"  # the first at which they hear of the clock
    assert "batches of 2" in errors[0] and (outputs[1], errors[1]) == ("", "")


def test_a_folder_that_is_missing_ends_two_processes_in_one_line(tmp_path):
    started = launch.start_all(2, ["--data=nosuch", f"--workdir={tmp_path / 'run'}"])
    statuses, outputs, errors = launch.finish(started)
    assert statuses == [2, 2] and set(outputs) == {""}
    assert "no prepared clips in 'nosuch'" in errors[0] and errors[0].count("\n") == 1 and errors[1] == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--data=nosuch"], "no prepared clips in 'nosuch'"),
        (["--data=nosuch", "--config.stepz=3"], "no prepared clips in 'nosuch'"),
        (["--data=nosuch", "--processes=two"], "--processes"),
        ([], "needs --data=... or --config=..."),
    ],
)
def test_what_cannot_be_trained_on_is_told_in_one_line(arguments, told, tmp_path, capsys):
    assert cli.main(["train", *arguments, f"--workdir={tmp_path / 'run'}"]) == 2
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1


@pytest.fixture(scope="module")
def run(prepared, tmp_path_factory):
    """The workdir of three steps, a checkpoint after each, the matcher made after the first."""
    workdir = tmp_path_factory.mktemp("run")
    settings = [*SMALL[1:], "--config.steps=3", "--config.checkpoint_every=1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matcher_training, "FEWEST_STEPS", 2)
        patch.setattr(reports, "FIRST_STEP", 1)
        assert cli.main(["train", f"--data={prepared}", f"--workdir={workdir}", *settings]) == 0
    return workdir


def test_checkpoints_are_scored_by_the_captions_that_match(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    scores = {line["step"]: line["caption_match"] for line in lines if "caption_match" in line}
    assert sorted(scores) == [2, 3]
    assert {score * 2 for score in scores.values()} <= {0, 1, 2}  # of two captions


def test_a_model_of_ones_own_clips_is_evaluated(prepared, run, tmp_path, capsys):
    moved, output = shutil.copytree(prepared, tmp_path / "moved"), tmp_path / "report.json"
    command = ["evaluate", f"--workdir={run}", "--seeds=0", f"--output={output}"]
    assert cli.main(command) == 0
    told, found = capsys.readouterr(), output.read_text()
    assert "training the matcher" not in told.err and "held-back captions" in told.out
    report = json.loads(found)
    assert report["clips"] == report["matcher"]["held_back_clips"]
    assert report["clips"] + report["matcher"]["training_clips"] == 4
    hidden = prepared.rename(tmp_path / "hidden")
    assert cli.main(command) == 2
    error = capsys.readouterr().err
    assert str(prepared) in error and "--data=DIR" in error and error.count("\n") == 1
    assert cli.main([*command, f"--data={moved}"]) == 0
    assert output.read_text() == found
    hidden.rename(prepared)
