"""A folder of captioned clips: animated WebP files that lose nothing, and captions.csv."""

import csv
import functools
import multiprocessing
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from absl import app, flags

FRAMES, SIZE, FPS = 16, 64, 10

_OUTPUT = flags.DEFINE_string("output", None, "The folder to make.", required=True)


def command(scenes: Callable[[], Iterable], render: Callable[[Any], np.ndarray]) -> Callable:
    """The function that `absl.app` runs: it makes the folder of these scenes."""

    def main(argv):
        if len(argv) > 1:
            raise app.UsageError(f"unexpected argument {argv[1]!r}")
        make(scenes(), render)

    return main


def make(scenes: Iterable, render: Callable[[Any], np.ndarray]) -> None:
    """Makes the folder that --output names, a process a core.

    A scene tells its `caption`; `render` paints it, uint8 [FRAMES, height, width, 3].
    """
    directory = begin()
    with multiprocessing.get_context("fork").Pool() as pool:  # which know the flags
        write = functools.partial(_write, directory, render)
        finish(list(pool.imap(write, enumerate(scenes), chunksize=8)))


def begin() -> pathlib.Path:
    """The new folder, empty."""
    directory = pathlib.Path(_OUTPUT.value)
    directory.mkdir(parents=True)
    return directory


def finish(told: Sequence[tuple[str, str]], fps: int = FPS) -> None:
    """Writes the captions of the folder's files, by name, and says how to go on."""
    directory = pathlib.Path(_OUTPUT.value)
    with (directory / "captions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "caption"), *told])
    captions = len({caption for _, caption in told})
    prepared = directory.with_name(f"{directory.name}-prepared")
    print(f"{directory}: {len(told)} files, {captions} captions;", end=" ")
    print(f"next: t2v data prepare {directory} --output={prepared} --fps={fps}")


def _write(directory: pathlib.Path, render: Callable, numbered: tuple[int, Any]) -> tuple[str, str]:
    from PIL import Image

    number, scene = numbered
    name = f"{number:05d}.webp"
    first, *rest = map(Image.fromarray, render(scene))
    first.save(directory / name, save_all=True, append_images=rest, duration=1000 // FPS, lossless=True)
    return name, scene.caption
