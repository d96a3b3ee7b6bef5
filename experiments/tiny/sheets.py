"""Sheets of the tiny model: every digit, and many clips of one caption.

    python experiments/tiny/sheets.py

A row a clip, a column a frame; writes captions.png and one_caption.png beside this file.
"""

import pathlib

import numpy as np
from absl import app

import t2v_jax
from t2v_jax.video import contact_sheet, save_image

HERE = pathlib.Path(__file__).parent
MOTIONS = ("left and right", "up and down")
ZOOM = 2


def write(params, prompts, name):
    videos = np.asarray(t2v_jax.generate(params, prompts, seed=0))
    sheet = contact_sheet(videos).repeat(ZOOM, 0).repeat(ZOOM, 1)
    save_image(sheet, HERE / name)


def main(_):
    params = t2v_jax.load(HERE / "model")
    prompts = [f"the digit {digit} is moving {MOTIONS[digit % 2]}" for digit in range(10)]
    write(params, prompts, "captions.png")
    write(params, ["the digit 3 is moving up and down"] * 10, "one_caption.png")


if __name__ == "__main__":
    app.run(main)
