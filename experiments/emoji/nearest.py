"""Generated emoji, and below each the real clip of the split train that is nearest to it in its pixels.

    python experiments/emoji/nearest.py --workdir=runs/emoji --output=experiments/emoji/nearest.png

A row of frames each, every other one; the first captions are trained ones, the others held out. If the
nearest clip of a held-out caption is another tone of the same emoji, the model has put together what it never
saw together.
"""

import numpy as np
from absl import app, flags
from loops import HELD_OUT, TRAIN, read

import t2v_jax
from t2v_jax.inference.video import contact_sheet, save_image

WORKDIR = flags.DEFINE_string("workdir", "animated-emoji", "a training workdir, or a model")
OUTPUT = flags.DEFINE_string("output", None, "the sheet, as PNG", required=True)
CAPTIONS = flags.DEFINE_integer("captions", 6, "of each split", lower_bound=1)


def nearest(clip, clips) -> int:
    """The row of `clips` uint8 [n, ...] with the least mean square difference from the clip."""
    return int(np.argmin([np.square(clip - other.astype(np.float32)).mean() for other in clips]))


def main(_):
    params, train = t2v_jax.load(WORKDIR.value), read(TRAIN)
    rows = []
    for loops in (train, read(HELD_OUT)):
        chosen = np.linspace(0, len(loops.names) - 1, CAPTIONS.value).round().astype(int)
        prompts = [loops.captions[row] for row in chosen]
        for prompt, clip in zip(prompts, np.asarray(t2v_jax.generate(params, prompts))):
            row = nearest(clip.astype(np.float32), train.clips)
            print(f"{prompt}: nearest is {train.captions[row]}")
            rows += [clip[::2], train.clips[row][::2]]
    save_image(contact_sheet(np.stack(rows)), OUTPUT.value)


if __name__ == "__main__":
    app.run(main)
