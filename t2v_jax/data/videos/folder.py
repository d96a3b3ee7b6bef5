"""A folder of captioned videos: which files can be used, under which captions, and why others cannot."""

import collections
import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from t2v_jax.data.videos.captions import NAMES, read_captions
from t2v_jax.data.videos.readers import ENDINGS
from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path

SPLITS = ("train", "test")
_ONE_IN = 10  # files are kept for the test


class Video(NamedTuple):
    """A file to use: its path in the folder, with slashes, and its caption."""

    name: str
    caption: str


@dataclasses.dataclass(frozen=True)
class Folder:
    """The videos of a directory, sorted by name, and name -> reason of all that is left out."""

    directory: pathlib.Path
    videos: list[Video]
    left_out: dict[str, str]


def split_of(name: str) -> str:
    """The split of a video: a function of its name alone, so that it stays when others come or go."""
    digest = hashlib.sha256(os.fsencode(name)).digest()
    return "test" if int.from_bytes(digest) % _ONE_IN == 0 else "train"


def read_folder(directory: str | os.PathLike) -> Folder:
    """Finds the videos below a directory and their captions (see `captions`); decodes nothing.

    Hidden files are passed over. Raises UsageError where there is no video at all.
    """
    root = local_path(directory)
    if not root.is_dir():
        raise UsageError(f"{root} is no directory; name the folder that holds the videos")
    found = sorted(_files(root))
    names = [name for name in found if _ending(name) in ENDINGS]
    if not names:
        raise UsageError(f"no videos in {root}: expected files that end in {' '.join(ENDINGS)}")
    captions, left_out = read_captions(root, names)
    flaws = {name: flaw for name in captions if (flaw := _flaw(root / name))}
    usable = [name for name in captions if name not in flaws]
    copies = _duplicates(root, usable)
    videos = [Video(name, captions[name]) for name in usable if name not in copies]
    return Folder(root, videos, left_out | flaws | copies | _others(found))


def _files(root: pathlib.Path) -> Iterable[str]:
    """Paths below `root`, with slashes."""
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                yield (pathlib.Path(folder) / name).relative_to(root).as_posix()


def _ending(name: str) -> str:
    return pathlib.PurePosixPath(name).suffix.lower()


def _others(names: Iterable[str]) -> dict[str, str]:
    """One entry for each ending that is neither of a video nor of captions."""
    endings = collections.Counter(_ending(name) for name in names if name not in NAMES)
    unknown = [ending for ending in endings if ending not in (*ENDINGS, ".txt")]
    return {f"*{ending}": f"no video by the ending (files: {endings[ending]})" for ending in unknown}


def _flaw(path: pathlib.Path) -> str | None:
    if not path.is_file():  # a pipe would never end
        return "no file: a broken link, or something else than a file"
    if not path.stat().st_size:
        return "empty file"
    return None if os.access(path, os.R_OK) else "permission denied"


def _duplicates(root: pathlib.Path, names: Iterable[str]) -> dict[str, str]:
    """Files whose content an earlier one has; files of different length are not looked into."""
    same_length, first, copies = collections.defaultdict(list), {}, {}
    for name in names:
        same_length[(root / name).stat().st_size].append(name)
    for name in (name for group in same_length.values() if len(group) > 1 for name in group):
        with (root / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        if first.setdefault(digest, name) != name:
            copies[name] = f"the same content as {first[digest]}"
    return copies
