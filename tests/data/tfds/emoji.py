"""Small stand-ins for the packages of animated emoji."""

import io
import json
import tarfile

import numpy as np
from PIL import Image

from t2v_jax.data.tfds import animated_emoji

NAMES = {
    "😀": ("grinning face", "Smileys & Emotion"),
    "🚴‍♀️": ("woman biking", "People & Body"),
    "🧑‍🤝‍🧑": ("people holding hands", "People & Body"),
}
TONES = range(0x1F3FB, 0x1F400)


def picture(levels, size=16, duration=50):
    """WebP of so many frames: the left half red with opacity 1, brighter and brighter, the rest clear."""
    frames = []
    for level in levels:
        # Black that is clear the encoder would drop together with its opacity.
        pixels = np.full((size, size, 4), (9, 9, 9, 0), np.uint8)
        pixels[:, : size // 2] = level, 0, 0, 255
        frames.append(Image.fromarray(pixels))
    file = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:], "duration": duration} if len(frames) > 1 else {}
    frames[0].save(file, "WEBP", lossless=True, **more)
    return file.getvalue()


def packages(directory):
    """Writes all packages: a face, a still, a woman biking in six tones, pairs of one tone and of two."""
    loop, biker = picture((250, 200, 150, 100)), "200d-2640-fe0f"
    files = [
        {"1f600.webp": loop, "1f3f4-e0067_e0062.webp": loop},
        {f"1f6b4-{tone:x}-{biker}.webp": loop for tone in TONES},
        {f"1f6b4-{biker}.webp": loop, "1f9d1-200d-1f91d-200d-1f9d1.webp": picture((250,))},
        {"1f9d1-1f3fb-200d-1f91d-200d-1f9d1-1f3fc.webp": loop, "1f600-fe0f.webp": loop},
    ]
    for name, members in zip(animated_emoji.PICTURES, files):
        archive(directory / name, members)
    names = {emoji: {"name": name, "group": group} for emoji, (name, group) in NAMES.items()}
    archive(directory / animated_emoji.NAMES, {"data-by-emoji.json": json.dumps(names).encode()})
    return directory


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
