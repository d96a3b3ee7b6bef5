"""The captions of a folder of videos, by the first of five conventions that it follows.

1. captions.jsonl: {"file": "cats/a.mp4", "caption": "a cat jumps"}, one line a caption
2. captions.csv: a header with the columns file and caption, one row a caption
3. metadata.jsonl or metadata.csv, as Hugging Face's VideoFolder has them: the same of file_name and text
4. cats/a.txt beside cats/a.mp4: its text is the caption
5. the name of the sub-folder that a video lies in: cats/a.mp4 is captioned "cats"

A video may have several captions by the first three. Commas, semicolons or tabs part the columns of a CSV
file. Endings may be in capitals, and names in any Unicode form.
"""

import csv
import io
import json
import pathlib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import open_regular, to_text
from t2v_jax.text.language import LONGEST_SENTENCE, length_of
from t2v_jax.text.words import in_words, normalise, split_words

NAMES = ("captions.jsonl", "captions.csv", "metadata.jsonl", "metadata.csv")
TEXT = ".txt"
_COLUMNS = ("file", "file_name"), ("caption", "text")


def read_captions(
    root: pathlib.Path, names: Collection[str], others: Collection[str]
) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The captions of the videos `names` (paths relative to `root`, with slashes), and what is wrong.

    The first is a dict of video -> captions in normal form, one or more, the second of video, or place in a
    file, -> flaw. Every video is in one of them, and in both where some of its captions cannot be used.
    `others` are the files of the folder that are no videos.
    """
    convention, found, flaws = _follow(root, names, others)
    captions = {}
    for name in names:
        of_each = {caption: _flaw(caption) for caption in found.get(name, ())}
        usable = [normalise(caption) for caption, flaw in of_each.items() if not flaw]
        its_flaws = [flaw for flaw in of_each.values() if flaw]
        if usable:
            captions[name] = tuple(dict.fromkeys(usable))
        if its_flaws or not usable:
            flaws[name] = its_flaws[0] if its_flaws else f"no caption: {convention}"
    return captions, flaws


def caption_classes(files: Iterable[Sequence[str]]) -> dict[str, int]:
    """Every caption of some files, sorted, with its class: two captions of one file say the same.

    The class is the place of the first caption of the first file that has the caption. Where a caption is
    said of several files, the classes of those stay apart, or few would be left.
    """
    first = {}
    for captions in files:
        said = first.setdefault(captions[0], captions[0])
        for caption in captions:
            first.setdefault(caption, said)
    places = {caption: place for place, caption in enumerate(sorted(first))}
    return {caption: places[first[caption]] for caption in places}


def _follow(root, names, others) -> tuple[str, dict, dict]:
    """What a video without captions lacks; video -> its captions; place -> flaw."""
    tables = {other.lower(): other for other in others}
    for file in NAMES:
        if file in tables:
            found, flaws = _pair(_rows(root / tables[file]), names)
            if found or file.startswith("captions"):  # others' metadata may be of anything
                return f"{file} does not name it", found, flaws
    texts = {_stem(other): other for other in others if other.lower().endswith(TEXT)}
    found = {name: [_text(root / texts[_stem(name)])] for name in names if _stem(name) in texts}
    if found:
        return f"it has no {TEXT} beside it", found, {}
    folders = {name: pathlib.PurePosixPath(name).parent.name for name in names}
    found = {name: [in_words(folder)] for name, folder in folders.items() if folder}
    tables = ", no ".join(NAMES[:2])
    return f"there is no {tables}, no {TEXT} beside it, and it lies in no sub-folder", found, {}


def _stem(name: str) -> str:
    """A file's path without its ending, in one Unicode form: some systems take letters and accents apart."""
    return unicodedata.normalize("NFC", str(pathlib.PurePosixPath(name).with_suffix("")))


def _pair(rows: Iterator[tuple[str, object]], names: Collection[str]) -> tuple[dict, dict]:
    """Captions of the videos by the rows of a file, and the flaws of rows, by their place."""
    found, flaws, composed = {}, {}, {unicodedata.normalize("NFC", name): name for name in names}
    for place, row in rows:
        row = row if isinstance(row, dict) else {}
        name, captions = (row.get(ours, row.get(theirs)) for ours, theirs in _COLUMNS)
        captions = captions if isinstance(captions, list) and captions else [captions]
        if not isinstance(name, str) or not all(isinstance(caption, str) for caption in captions):
            flaws[place] = "expected a file and a caption"
            continue
        name = unicodedata.normalize("NFC", str(pathlib.PurePosixPath(name)))
        if name in composed:
            found.setdefault(composed[name], []).extend(captions)
        else:
            flaws[place] = f"there is no video {name!r}"
    return found, flaws


def _rows(path: pathlib.Path) -> Iterator[tuple[str, object]]:
    rows_of = _rows_of_csv if path.suffix.lower() == ".csv" else _rows_of_json_lines
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
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        for fields in reader:
            if any(fields):
                yield reader.line_num, _row(columns, fields, delimiter)
    except csv.Error:  # a field without an end: nothing after it can be told apart
        yield reader.line_num, None


def _row(columns: list[str], fields: list[str], delimiter: str) -> dict | None:
    """The fields by their columns; None where there are too many and the last one is no caption."""
    if columns and columns[-1] in _COLUMNS[1]:  # a caption, which may have commas that nobody quoted
        last = len(columns) - 1
        fields = [*fields[:last], f"{delimiter} ".join(filter(None, fields[last:]))]
    return dict(zip(columns, fields)) if not any(fields[len(columns) :]) else None


def _text(path: pathlib.Path) -> str:
    """A file's text, none where it cannot be read."""
    try:
        with open_regular(path) as file:
            return to_text(file.read())
    except (OSError, UsageError):
        return ""


def _flaw(caption: str) -> str | None:
    """Why a caption cannot be used."""
    if "\ufffd" in caption:
        return "its caption is no UTF-8 text"
    if (length := length_of(caption)) > LONGEST_SENTENCE:
        return f"its caption has {length} characters, expected at most {LONGEST_SENTENCE}"
    if foreign := _foreign(normalise(caption)):
        return f"its caption is in another script than Latin: {foreign[0]!r}"
    return None if split_words(caption) else "its caption has no words"


def _foreign(caption: str) -> list[str]:
    """The letters of other scripts. Not a Greek letter alone in a word, as in µm, nor what only modifies."""
    foreign = []
    for word in caption.split():
        letters = [char for char in word if char.isalpha() and unicodedata.category(char) != "Lm"]
        others = [char for char in letters if not _is_of(char, "LATIN")]
        foreign += others if others[1:] or not all(_is_of(char, "GREEK") for char in others) else []
    return foreign


def _is_of(letter: str, script: str) -> bool:
    return unicodedata.name(letter, "").startswith(script)
