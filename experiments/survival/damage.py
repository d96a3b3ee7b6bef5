"""Damaged checkpoints: `train`, `generate`, `evaluate` and `export` take the newest whole one, and say so.

    python experiments/survival/damage.py --number=500

Each trial damages a copy of a small run, mostly its newest checkpoint, and gives it to one of the commands
in turn. A restore is right where what comes back equals what was saved at its step, to the bit.
"""

import argparse
import collections
import contextlib
import pathlib
import random
import re
import shutil
import tempfile

import commands
import jax
import numpy as np

import t2v_jax
from t2v_jax.training.checkpoints import Checkpoints

STEPS = 4  # checkpoints at 2 and 4


def flip(step, rng):
    path = rng.choice(_files(step))
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def flip_metadata(step, rng):
    path = rng.choice([path for path in _files(step) if path.parent.name != "d"])
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def cut(step, rng):
    path = rng.choice(_files(step))
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def delete(step, rng):
    rng.choice(_files(step)).unlink()


def delete_item(step, rng):
    shutil.rmtree(rng.choice([path for path in step.iterdir() if path.is_dir()]))


def exchange(step, rng):
    """An item, or a file of the same name, of the two checkpoints."""
    other = step.with_name("2" if step.name == "4" else "4")
    names = {path.relative_to(step) for path in step.rglob("*")}
    common = sorted(names & {path.relative_to(other) for path in other.rglob("*")})
    name = rng.choice(common)
    (step / name).rename(step / "exchanged")
    (other / name).rename(step / name)
    (step / "exchanged").rename(other / name)


def rename(step, rng):
    step.rename(step.with_name(rng.choice("3579")))


def copy(step, rng):
    shutil.copytree(step, step.with_name(rng.choice(["6", "007", "99999"])))


def empty(step, rng):
    shutil.rmtree(step)
    step.mkdir()


def partial(step, rng):
    for path in _files(step):
        if rng.random() < 0.5:
            path.unlink()


HARMS = [flip, flip, flip_metadata, cut, delete, delete_item, exchange, rename, copy, empty, partial]


def _files(step):
    return sorted(path for path in step.rglob("*") if path.is_file() and path.stat().st_size)


def outcome(workdir, command, folder, saved):
    """What a command made of a workdir, as one word, and what it said."""
    told = {
        "generate": [f"--model={workdir}", "--prompt=digit 3 is up and down", f"--output={folder}/a.png"],
        "evaluate": [f"--workdir={workdir}", "--clips=0"],
        "export": [f"--workdir={workdir}", f"--output={folder}/exported"],
        "train": [*commands.SMALL, "--config.steps=2", f"--workdir={workdir}"],
    }
    shutil.rmtree(folder / "exported", ignore_errors=True)
    ending = commands.run(command, *told[command])
    if command == "evaluate" and "clips=0" in ending.errors:  # refused once the model is read: quick
        ending = ending._replace(status=0)
    if not ending.is_orderly:
        return "FAILED", ending
    if ending.status:
        return "refused", ending
    with contextlib.redirect_stderr(None), Checkpoints(workdir) as checkpoints:
        step = checkpoints.best_step()
        restored = checkpoints.restore_arrays("ema"), checkpoints.restore_arrays("training")
    equal = jax.tree.map(np.array_equal, restored, saved[step])
    if not all(jax.tree.leaves(equal)):
        return "WRONG", ending
    told = re.findall(r"step (\d+) is taken", ending.errors)
    if command == "export":
        exported = t2v_jax.load(folder / "exported").generator
        same = jax.tree.map(lambda a, b: np.array_equal(a, np.float16(b)), exported, saved[step][0])
        if not all(jax.tree.leaves(same)):
            return "WRONG", ending
    return f"step {told[0] if told else step}{' told' if told else ''}", ending


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=500)
    options = parser.parse_args()
    counts, slowest = collections.Counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        whole, copied = folder / "whole", folder / "copy"
        ending = commands.run("train", *commands.SMALL, f"--config.steps={STEPS}", f"--workdir={whole}")
        assert ending.status == 0, ending
        with Checkpoints(whole) as checkpoints:
            saved = {
                step: tuple(checkpoints.restore_arrays(item, step) for item in ("ema", "training"))
                for step in (2, 4)
            }
        for index in range(options.number):
            rng = random.Random(index)
            shutil.copytree(whole, copied)
            harm = rng.choice(HARMS)
            harm(copied / "checkpoints" / rng.choice("4442"), rng)
            command = ["generate", "evaluate", "export", "train"][index % 4]
            told, ending = outcome(copied, command, folder, saved)
            counts[told] += 1
            slowest = max(slowest, ending.seconds)
            if told.isupper():
                print(index, harm.__name__, command, told, ending.errors[-800:])
            shutil.rmtree(copied)
    print(f"{dict(counts)}; slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
