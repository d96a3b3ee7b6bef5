"""What a video was made from, as its file keeps it: a GIF comment, WebP and MP4 tags, PNG text."""

import json
import pathlib

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path

EXIF_DESCRIPTION = 0x010E  # ImageDescription, the tag that WebP files carry
_VERSION = "version"


def made_from(prompt: str | list[str], seed: int, model: str, frames: int, seeds: int = 1) -> dict:
    """What to say of a video: its sentence or sentences, and what else `t2v generate` takes to make it anew.

    `model`: a name or path, whose last part is kept; `seeds`: so many takes in the file, from `seed` on.
    """
    name = pathlib.Path(model).resolve().name
    takes = {"seeds": seeds} if seeds > 1 else {}
    return {"prompt": prompt, "model": name, "seed": seed, **takes, "frames": frames}


def to_text(made_from: dict) -> str:
    """The metadata of a file: JSON in ASCII, which every format keeps, with this program's version."""
    return json.dumps({"program": "t2v_jax", **made_from, _VERSION: t2v_jax.__version__})


def read(path: str | pathlib.Path) -> dict:
    """What `save_video` was given as `made_from` for this file, and the version that wrote it.

    Raises UsageError for a file that cannot be read, or that no `t2v generate` wrote.
    """
    path = local_path(path)
    if not path.is_file():
        raise UsageError(f"no file {path}; expected a .gif, .mp4, .webp or .png that t2v generate wrote")
    try:
        found = json.loads(_text(path))
        if found.pop("program") == "t2v_jax":
            return found
    except Exception as error:  # a damaged file makes its readers raise almost anything
        reason = f" ({type(error).__name__})"
    else:
        reason = ""
    raise UsageError(
        f"{path} does not say what it was made from{reason}; expected a .gif, .mp4, .webp or .png that "
        "t2v generate wrote"
    )


def _text(path):
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["GIF", "PNG", "WEBP"]) as image:
            found = image.info.get("comment") or image.info.get("Comment")
            return found or image.getexif()[EXIF_DESCRIPTION]
    except UnidentifiedImageError:
        import av

        with av.open(str(path)) as container:
            return container.metadata["comment"]
