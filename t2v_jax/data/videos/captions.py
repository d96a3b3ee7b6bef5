"""The captions of a folder of videos, by the first of four conventions that it follows.

1. captions.jsonl: {"file": "cats/a.mp4", "caption": "a cat jumps"}, one line a video
2. captions.csv: a header with the columns file and caption, one row a video
3. cats/a.txt beside cats/a.mp4: its text is the caption
4. the name of the sub-folder that a video lies in: cats/a.mp4 is captioned "cats"
"""

import csv
import io
import json
import pathlib
import unicodedata
from collections.abc import Callable, Collection, Iterator

from t2v_jax.text.language import LONGEST_SENTENCE
from t2v_jax.text.words import normalise, split_words

NAMES = ("captions.jsonl", "captions.csv")


def read_captions(root: pathlib.Path, names: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The captions of the videos `names` (paths relative to `root`, with slashes), and what is wrong.

    Both are dicts of str: video -> caption in normal form; video, or place in a file -> the flaw.
    Every video is in one of them.
    """
    convention, found, flaws = _follow(root, names)
    captions = {}
    for name in names:
        flaw = _flaw(found[name]) if name in found else f"no caption: {convention}"
        if flaw:
            flaws[name] = flaw
        else:
            captions[name] = normalise(found[name])
    return captions, flaws


def _follow(root, names) -> tuple[str, dict, dict]:
    for file, rows_of in zip(NAMES, (_rows_of_json_lines, _rows_of_csv)):
        if (root / file).is_file():
            return f"{file} does not name it", *_pair(_rows(root / file, rows_of), names)
    texts = {name: (root / name).with_suffix(".txt") for name in names}
    if any(path.is_file() for path in texts.values()):
        found = {name: _text(path) for name, path in texts.items() if path.is_file()}
        return "it has no .txt beside it", found, {}
    folders = {name: pathlib.PurePosixPath(name).parent.name for name in names}
    found = {name: folder.replace("_", " ").replace("-", " ") for name, folder in folders.items() if folder}
    return f"there is no {', no '.join(NAMES)}, no .txt beside it, and it lies in no sub-folder", found, {}


def _pair(rows: Iterator[tuple[str, object]], names: Collection[str]) -> tuple[dict, dict]:
    """Captions of the videos by the rows of a file, and the flaws of rows, by their place."""
    found, flaws = {}, {}
    for place, row in rows:
        row = row if isinstance(row, dict) else {}
        name, caption = row.get("file"), row.get("caption")
        if not isinstance(name, str) or not isinstance(caption, str):
            flaws[place] = "expected a file and a caption"
            continue
        name = str(pathlib.PurePosixPath(name))
        if name not in names:
            flaws[place] = f"there is no video {name!r}"
        elif found.setdefault(name, caption) != caption:
            flaws[place] = f"a second caption for {name!r}"
    return found, flaws


def _rows(path: pathlib.Path, rows_of: Callable) -> Iterator[tuple[str, object]]:
    for line, row in rows_of(_text(path)):
        yield f"{path.name} line {line}", row


def _rows_of_json_lines(text: str) -> Iterator[tuple[int, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError):
                yield number, None


def _rows_of_csv(text: str) -> Iterator[tuple[int, object]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error:  # a field without an end: nothing after it can be told apart
        yield reader.line_num, None


def _text(path: pathlib.Path) -> str:
    """A file's text; what is no UTF-8 shows as U+FFFD, what cannot be read as no text."""
    try:
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return ""


def _flaw(caption: str) -> str | None:
    """Why a caption cannot be used."""
    if "\ufffd" in caption:
        return "its caption is no UTF-8 text"
    if len(caption) > LONGEST_SENTENCE:
        return f"its caption has {len(caption)} characters, expected at most {LONGEST_SENTENCE}"
    foreign = [char for char in normalise(caption) if char.isalpha() and not _is_latin(char)]
    if foreign:
        return f"its caption is in another script than Latin: {foreign[0]!r}"
    return None if split_words(caption) else "its caption has no words"


def _is_latin(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("LATIN")
