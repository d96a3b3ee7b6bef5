"""Animated pictures, which Pillow reads: GIF, WebP, APNG."""

from collections.abc import Iterator

from t2v_jax.data.videos import pictures
from t2v_jax.data.videos.pictures import TimedPicture, UnusableVideo, check_size

_BROWSERS_DELAY = 0.1  # seconds that browsers show a frame which asks for next to none


def animation_pictures(file, kind: str, _) -> Iterator[TimedPicture]:
    """The pictures of an open file of a format that Pillow knows as `kind`."""
    from PIL import Image, UnidentifiedImageError

    if file.seek(0, 2) > pictures.MOST_BYTES:
        size = f"{file.tell()} bytes, at most {pictures.MOST_BYTES} of a {kind} are read"
        raise UnusableVideo(f"too large: {size}")
    file.seek(0)
    start = 0.0
    try:
        opened = Image.open(file, formats=[kind])
    except UnidentifiedImageError as error:  # whose text names the file object
        raise ValueError(f"not recognised as {kind}") from error
    with opened as image:
        check_size(*image.size)
        for index in range(min(getattr(image, "n_frames", 1), pictures.MOST_FRAMES)):
            image.seek(index)
            check_size(*image.size)  # a GIF's canvas may grow
            image.load()
            delay = image.info.get("duration", 0) / 1000
            end = start + (delay if delay > 0.01 else _BROWSERS_DELAY)
            yield TimedPicture(start, end, lambda: on_background(image, "white"))
            start = end


def on_background(image, colour: str):
    """A PIL image as a page of a colour that Pillow knows shows it where it is transparent."""
    from PIL import Image

    above = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", above.size, colour), above).convert("RGB")
