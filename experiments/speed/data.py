"""Data: the clips a second that one process reads of each source, and batches of them with captions.

Beside them the processor time of a clip, of all cores together.
"""

import contextlib
import pathlib
import statistics
import tempfile
import time
from collections.abc import Iterator

import numpy as np
import timing
from PIL import Image

from t2v_jax import config as configuration
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.source import drawn_worlds, make_source
from t2v_jax.data.videos import prepared as prepared_clips
from t2v_jax.data.videos.decode import ClipSpec
from t2v_jax.data.videos.folder import read_folder
from t2v_jax.data.worlds.moving_shapes import MovingShapes
from t2v_jax.text.language import Language

CLIPS = 2048  # read in a turn
PREPARED = 512  # in each of the sources that are written first
BATCH = 64


def measure(repeats) -> Iterator[dict]:
    """Clips of 16 frames of 64 x 64: the worlds as they are drawn, shapes in a folder and in TFDS."""
    with tempfile.TemporaryDirectory() as name:
        sources = dict(_sources(pathlib.Path(name)))
        programs = {key: lambda source=source: _read(source) for key, source in sources.items()}
        yield _row("clips read one by one, one thread", programs, repeats)
        for threads in (1, 2):
            with contextlib.ExitStack() as opened:
                programs = {key: _batches(source, threads, opened) for key, source in sources.items()}
                row = f"batches of {BATCH} with captions and rivals, threads={threads}"
                yield _row(row, programs, repeats)


def _row(row, programs, repeats):
    used = {key: [] for key in programs}
    watched = {key: _watched(program, used[key]) for key, program in programs.items()}
    times = timing.interleaved(watched, repeats)
    rates = {key: round(1e3 * CLIPS / spread["milliseconds"]) for key, spread in times.items()}
    processor = {key: round(1e6 * statistics.median(values) / CLIPS, 1) for key, values in used.items()}
    return {"row": row, "clips_per_second": rates, "processor_us_a_clip": processor, "times": times}


def _watched(program, used):
    """The program, which adds the seconds that it used of all cores: what a busy machine upsets least."""

    def watched():
        begun = time.process_time()
        result = program()
        used.append(time.process_time() - begun)
        return result

    return watched


def _sources(directory):
    for world in drawn_worlds():
        yield f"{world}, drawn", _source(world=world, channels=3 if world == "moving_shapes" else 1)
    yield "clips, prepared", _source(world="clips", directory=str(_prepared(directory)), channels=3)
    built = _built(directory)
    yield "tfds, moving_shapes", _source(world="tfds", dataset=built, directory=str(directory), channels=3)


def _source(**data):
    config = configuration.default()
    config.data.update(data)
    return make_source(configuration.check(config))


def _prepared(directory):
    """What `t2v data prepare` makes of shapes in GIF files."""
    shapes = MovingShapes("train", PREPARED)
    for number in range(PREPARED):
        first, *rest = map(Image.fromarray, shapes[number]["clip"])
        path = directory / "folder" / shapes[number]["caption"] / f"{number}.gif"
        path.parent.mkdir(parents=True, exist_ok=True)
        first.save(path, save_all=True, append_images=rest, duration=100)
    prepared_clips.prepare(read_folder(directory / "folder"), directory / "prepared", ClipSpec())
    return directory / "prepared"


def _built(directory):
    """The name of a data set of as many shapes, which TFDS has written to `directory`."""
    import tensorflow_datasets as tfds

    from t2v_jax.data.tfds import builders

    config = builders.WorldConfig(name="small", clips=PREPARED)
    tfds.builder("moving_shapes", data_dir=str(directory), config=config).download_and_prepare()
    return "moving_shapes/small"


def _read(source):
    """CLIPS clips in the order of training, any."""
    order = np.random.default_rng(0).permutation(len(source))
    return [source[int(index)]["clip"] for index in np.resize(order, CLIPS)]


def _batches(source, threads, opened):
    language = Language.train(source.captions())
    batches = opened.enter_context(contextlib.closing(clip_batches(source, language, BATCH, threads=threads)))
    return lambda: [next(batches)["clip"] for _ in range(CLIPS // BATCH)]
