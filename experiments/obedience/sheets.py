"""Sheets of a model: a clip of each caption in turn, and many clips of one caption.

    python experiments/obedience/sheets.py --model=moving-digits

A row a clip, a column a frame, every other one; writes captions.png and one_caption.png into the folder of
the model's world beside this file.
"""

import pathlib

import numpy as np
from absl import app, flags

import t2v_jax
from t2v_jax.data.source import make_source
from t2v_jax.evaluation import prompts as prompts_of
from t2v_jax.inference.video import contact_sheet, save_image

MODEL = flags.DEFINE_string("model", "moving-digits", "a shipped model, a saved one, or a training workdir")
ROWS = 12


def main(_):
    params = t2v_jax.load(MODEL.value)
    world = make_source(params.config, "test")
    folder = pathlib.Path(__file__).parent / params.config.data.world
    folder.mkdir(exist_ok=True)
    samples = {
        "captions": prompts_of.balanced(world, ROWS),
        "one_caption": prompts_of.repeated(world, 1, ROWS),
    }
    for name, sample in samples.items():
        print(f"{name}.png", *dict.fromkeys(prompt.text for prompt in sample), sep="\n  ")
        videos = np.asarray(t2v_jax.generate(params, [prompt.text for prompt in sample], seed=0))
        save_image(contact_sheet(videos[:, ::2]), folder / f"{name}.png")


if __name__ == "__main__":
    app.run(main)
