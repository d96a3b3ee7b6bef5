"""Damaged checkpoints: `train`, `generate`, `evaluate` and `export` take the newest whole one, and say so.

    python experiments/survival/damage.py --number=500

Each trial damages a copy of a small run, mostly its newest checkpoint, and gives it to one of the commands
in turn. A restore is right where the arrays that the command reads are those that were saved at the step
that it names, to the bit, and where it names none, those of the newest. `train` has no step left to train,
`evaluate` no clip to paint: both end once all is restored. One in 25 runs in a process of its own, of
which the files that it writes are compared.
"""

import argparse
import collections
import faulthandler
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
ALONE = 25  # trials of which one has a process of its own


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


class Recorder:
    """Keeps what commands of this process restore, as [(item, arrays)]."""

    def __init__(self):
        self.restored = []
        read, restore = Checkpoints.restore_arrays, Checkpoints.restore

        def restore_arrays(checkpoints, item, step=None):
            arrays = read(checkpoints, item, step)
            self.restored.append((item, by_name(arrays)))
            return arrays

        def restore_state(checkpoints, abstract):
            restored = restore(checkpoints, abstract)
            training = restored.state._replace(ema=None)._asdict()
            self.restored += [("ema", by_name(restored.state.ema)), ("training", by_name(training))]
            return restored

        Checkpoints.restore_arrays, Checkpoints.restore = restore_arrays, restore_state


def flags(command, workdir, output):
    return {
        "generate": [f"--model={workdir}", "--prompt=digit 3 is up and down", f"--output={output}/a.png"],
        "evaluate": [f"--workdir={workdir}", "--clips=0"],
        "export": [f"--workdir={workdir}", f"--output={output}/exported"],
        "train": [*commands.SMALL, "--config.steps=2", f"--workdir={workdir}"],
    }[command]


def outcome(ending, restored, output, saved):
    """What a command made of a workdir, as one word.

    restored: what it read, None where that is not known. saved: step -> item, or name of a file -> content.
    """
    told = re.findall(r"step (\d+) is taken instead$", ending.errors, re.MULTILINE)
    if not ending.is_orderly or len(told) > 1:
        return "FAILED"
    if ending.status and "clips=0" not in ending.errors:  # which is refused once the model is read
        return "refused"
    expected = saved[int(told[0]) if told else STEPS]
    found = [*(restored or []), *written(output)]
    if restored == [] or any(values != expected[name] for name, values in found):
        return "WRONG"
    return f"step {told[0]} told" if told else "whole"


def written(output):
    """What a command has written, as [(name, content)]."""
    files = [("a.png", path.read_bytes()) for path in output.glob("a.png")]
    models = [t2v_jax.load(path).generator for path in output.glob("exported")]
    return files + [("exported", by_name(model)) for model in models]


def by_name(tree):
    """{the names on an array's path: its bytes and shape}, the same for a named tuple as for a dictionary."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): (leaf.shape, np.asarray(leaf).tobytes())
        for path, leaf in leaves
    }


def run(command, workdir, output, run_one=commands.run):
    """A command that has written nothing yet."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    return run_one(command, *flags(command, workdir, output))


def trained(whole, copied, output, recorder):
    """A run with two checkpoints, in `whole`; what commands restore and write of each alone, by step."""
    ending = commands.run("train", *commands.SMALL, f"--config.steps={STEPS}", f"--workdir={whole}")
    assert ending.status == 0, ending
    saved = {}
    for step in (2, STEPS):
        shutil.copytree(whole, copied)
        shutil.rmtree(copied / "checkpoints" / str(2 + STEPS - step))
        recorder.restored.clear()
        saved[step] = {}
        for command in ("train", "generate", "export"):
            assert run(command, copied, output).status == 0
            saved[step] |= dict(written(output))
        saved[step] |= dict(recorder.restored)
        shutil.rmtree(copied)
    return saved


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=500)
    options = parser.parse_args()
    counts, given, slowest, recorder = collections.Counter(), collections.Counter(), 0.0, Recorder()
    with tempfile.TemporaryDirectory() as folder:
        whole, copied, output = (pathlib.Path(folder, name) for name in ("whole", "copy", "output"))
        saved = trained(whole, copied, output, recorder)
        for index in range(options.number):
            faulthandler.dump_traceback_later(commands.LIMIT, exit=True)
            rng = random.Random(index)
            shutil.copytree(whole, copied)
            harm = rng.choice(HARMS)
            harm(copied / "checkpoints" / rng.choice("4442"), rng)
            command = ["generate", "evaluate", "export", "train"][index % 4]
            recorder.restored.clear()
            alone = index % ALONE == 0
            ending = run(command, copied, output, commands.run_alone if alone else commands.run)
            told = outcome(ending, None if alone else recorder.restored, output, saved)
            counts[told] += 1
            given[f"{command}{', alone' if alone else ''}"] += 1
            slowest = max(slowest, ending.seconds)
            if told.isupper():
                print(index, harm.__name__, command, told, ending.errors[-800:], flush=True)
            if index % 50 == 49:
                print(index + 1, dict(counts), f"slowest {slowest:.1f} s", flush=True)
            shutil.rmtree(copied)
    print(f"{dict(counts)}; {dict(given)}; slowest {slowest:.1f} s")


if __name__ == "__main__":
    main()
