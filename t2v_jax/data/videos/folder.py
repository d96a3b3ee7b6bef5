"""A folder of captioned videos: which files can be used, under which captions, and why others cannot."""

import collections
import dataclasses
import hashlib
import os
import pathlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from t2v_jax.data.videos.captions import NAMES, TEXT, read_captions
from t2v_jax.data.videos.readers import ENDINGS
from t2v_jax.errors import UsageError, printable
from t2v_jax.runtime.files import local_path

SPLITS = ("train", "test")
TEST_SHARE = 0.1  # of the videos, kept for the test
FEW = 50  # videos of which none are kept: a word might be in those alone


class Video(NamedTuple):
    """A file to use: its path in the folder, with slashes, and its captions, one or more."""

    name: str
    captions: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Folder:
    """The videos of a directory, sorted by name, and name -> reason of all that is left out.

    About `test_share` of the videos are kept for the test.
    """

    directory: pathlib.Path
    videos: list[Video]
    left_out: dict[str, str]
    test_share: float = TEST_SHARE


def split_of(name: str, test_share: float = TEST_SHARE) -> str:
    """The split of a video: a function of its name alone, so that it stays when others come or go."""
    number = int.from_bytes(hashlib.sha256(os.fsencode(name)).digest())
    tenths = number % 10 + number // 10 % 1000 / 1000  # a larger share has all videos of a smaller one
    return "test" if tenths < 10 * test_share else "train"


def read_folder(directory: str | os.PathLike, test_share: float | None = None) -> Folder:
    """Finds the videos below a directory and their captions (see `captions`); decodes nothing.

    Hidden files are passed over, links are followed. `test_share` of the videos are for the test, from 0 to
    below 1 (None: TEST_SHARE, of fewer than FEW videos none). Raises UsageError where there is no video at
    all, and for another share.
    """
    if test_share is not None and not 0 <= test_share < 1:
        raise UsageError(f"test_share={test_share:g}: expected 0 or more, and less than 1")
    root = local_path(directory)
    if not root.is_dir():
        raise UsageError(f"{root} is no directory; name the folder that holds the videos")
    unread = {}
    found = sorted(_files(root, unread))
    names = [name for name in found if _ending(name) in ENDINGS]
    if not names:
        raise UsageError(f"no videos in {root}: expected files that end in {' '.join(ENDINGS)}")
    others = [name for name in found if _ending(name) not in ENDINGS]
    captions, left_out = read_captions(root, names, others)
    flaws = {name: flaw for name in captions if (flaw := _flaw(root / name))}
    usable = [name for name in captions if name not in flaws]
    copies = _duplicates(root, usable)
    videos = [Video(name, captions[name]) for name in usable if name not in copies]
    if test_share is None:
        test_share = TEST_SHARE if len(videos) >= FEW else 0.0
    return Folder(root, videos, left_out | flaws | copies | _others(others) | unread, test_share)


def _files(root: pathlib.Path, unread: dict[str, str]) -> Iterator[str]:
    """Paths below `root`, with slashes; why folders could not be read is put into `unread`."""

    def tell(error):
        unread[pathlib.Path(error.filename).relative_to(root).as_posix() + "/"] = error.strerror.lower()

    pending, seen = collections.deque([root]), set()
    while pending:  # links last, each folder once: under its own name, if it has one, and in no circle
        for folder, folders, files in os.walk(pending.popleft(), onerror=tell):
            folders[:] = [name for name in folders if not name.startswith(".")]
            here, real = pathlib.Path(folder), os.path.realpath(folder)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            pending += [here / name for name in sorted(folders) if (here / name).is_symlink()]
            yield from ((here / name).relative_to(root).as_posix() for name in files if name[0] != ".")


def _ending(name: str) -> str:
    return pathlib.PurePosixPath(name).suffix.lower()


def _others(names: Iterable[str]) -> dict[str, str]:
    """One entry for each ending that is neither of a video nor of captions."""
    endings = collections.Counter(_ending(name) for name in names if name.lower() not in NAMES)
    return {
        f"*{ending}": f"no video by the ending (files: {count})"
        for ending, count in endings.items()
        if ending != TEXT
    }


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
            copies[name] = f"the same content as {printable(first[digest])}"
    return copies
