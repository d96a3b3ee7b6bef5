"""Do generated characters show what their captions say? The reader's word for it, beside that on real clips.

    python experiments/characters/measure.py --output=experiments/characters/results.json

Held out are the captions of test clips that no training clip has. All real clips that the reader judges are
test clips. Writes clips.png beside this file too: generated clips, the real one of each caption below.
"""

import collections
import itertools
import json
import pathlib

import numpy as np
from absl import app, flags
from reader import ATTRIBUTES, COLOURS, NONE, load, named, read, source, wanted

import t2v_jax
from t2v_jax.evaluation.classifier import spread
from t2v_jax.evaluation.statistics import mean, share
from t2v_jax.inference.video import contact_sheet, save_image

MODEL = flags.DEFINE_string("model", "pixel-characters", "a training workdir, or a model")
OUTPUT = flags.DEFINE_string("output", None, "the numbers as JSON", required=True)

SEEDS = (0, 1)
PAIRS = 300  # of clips of one caption
COARSE = 4  # side of the blocks of pixels by which a clip is compared with all training clips
ROWS = 6  # of the sheet


def obedience(told, asked):
    """Shares of clips that show what is asked for: told int [seeds, n, attributes], asked [n, attributes]."""
    right, names = told == asked, named(asked)
    shares = {name: share(right[:, names[:, i], i]) for i, name in enumerate(ATTRIBUTES)}
    obeys = (right | ~names).all(-1)
    return shares | {"all": share(obeys)} | by_act(obeys, asked) | mixed(told, asked)


def by_act(obeys, asked):
    """The share of clips of each act that show all that is asked for."""
    acts = words(asked, "act")
    return {f"all, {act}": share(obeys[:, acts == act]) for act in ATTRIBUTES["act"]}


def mixed(told, asked):
    """Of clips whose caption gives two parts two colours: where one has the other's, and where both have."""
    shares = {}
    for first, second in itertools.combinations(COLOURS, 2):
        a, b = (words(asked, name) for name in (first, second))
        rows = (a != b) & (a != NONE) & (b != NONE)
        taken = np.stack([words(told, first) == b, words(told, second) == a])[..., rows]
        shares[f"{first}, {second}: one as the other"] = share(taken.any(0))
        shares[f"{first}, {second}: exchanged"] = share(taken.all(0))
    return shares


def words(values, name):
    """An attribute's values as words."""
    return np.array(ATTRIBUTES[name])[values[..., list(ATTRIBUTES).index(name)]]


def diversity(clips, captions, paint):
    """How far apart two clips of one caption are, generated and real, and two real ones of two captions."""
    rows = pairs(captions)
    prompts = [captions[row] for row in rows[:, 0]]
    first, second = (clips.batch(column)["clip"] for column in rows.T)
    return {
        "generated": mean(differences(*[paint(prompts, seed) for seed in SEEDS])),
        "real": mean(differences(first, second)),
        "real, two captions": mean(differences(first, np.roll(second, 1, axis=0))),
    }


def pairs(captions):
    """The rows of the first two clips of PAIRS captions that have two: int [PAIRS, 2]."""
    rows = collections.defaultdict(list)
    for row, caption in enumerate(captions):
        rows[caption].append(row)
    twice = np.array([found[:2] for found in rows.values() if len(found) > 1])
    return twice[np.linspace(0, len(twice) - 1, PAIRS).astype(int)]


def differences(first, second):
    """The root mean square difference of each two clips, pixels in [0, 1]: [1, n]."""
    squares = [np.square(np.subtract(*pair, dtype=np.float32)).mean() for pair in zip(first, second)]
    return np.sqrt([squares]) / 255


def scan(clips):
    """All clips of a source, coarsely, and their captions."""
    parts = [clips.batch(rows) for rows in np.array_split(np.arange(len(clips)), 40)]
    seen = np.concatenate([coarse(part["clip"]) for part in parts])
    return seen, [caption for part in parts for caption in part["caption"]]


def coarse(clips):
    """uint8 [n, t, h, w, c] -> a few frames, blocks of pixels averaged, in [0, 1]: float32 [n, values]."""
    n, t, h, w, c = (frames := spread(clips)).shape
    blocks = frames.reshape(n, t, h // COARSE, COARSE, w // COARSE, COARSE, c)
    return blocks.mean((3, 5), dtype=np.float32).reshape(n, -1) / 255


def nearest(clips, seen):
    """The root mean square difference of each clip from the nearest of those seen coarsely: [1, n]."""
    ours = coarse(clips)
    squares = (ours**2).sum(1)[:, None] + (seen**2).sum(1) - 2 * ours @ seen.T
    return np.sqrt(np.maximum(squares.min(1), 0) / ours.shape[1])[None]


def sheet(generated, real):
    """Each generated clip with the real one of its caption below, every other frame."""
    rows = np.linspace(0, len(real) - 1, ROWS).astype(int)
    both = np.stack([generated[rows], real[rows]], axis=1)
    return contact_sheet(both.reshape(-1, *real.shape[1:])[:, ::2])


def main(argv):
    """Measures and writes."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    model, reader = t2v_jax.load(MODEL.value), load()
    train, test = source("train"), source("test")
    seen, captions = scan(train)
    clips, told, _ = test.batch(range(len(test))).values()
    new = ~np.isin(told, captions)
    real = {"trained": ~new, "held out": new}
    held_out = np.array(told)[new].tolist()
    spaced = np.linspace(0, len(captions) - 1, len(held_out)).astype(int)
    prompts = {"trained": [captions[row] for row in spaced], "held out": held_out}

    def paint(prompts, seed):
        return np.asarray(t2v_jax.generate(model, prompts, seed))

    def obeys(clips, prompts):
        return obedience(np.stack([read(reader, part) for part in clips]), wanted(prompts))

    painted = {name: [paint(texts, seed) for seed in SEEDS] for name, texts in prompts.items()}
    results = {
        "generated": {name: obeys(parts, prompts[name]) for name, parts in painted.items()},
        "real": {name: obeys([clips[rows]], np.array(told)[rows]) for name, rows in real.items()},
        "difference of two clips of a caption": diversity(train, captions, paint),
        "difference from the nearest training clip": {
            "generated, held out": mean(nearest(painted["held out"][0], seen)),
            "real, held out": mean(nearest(clips[new], seen)),
        },
    }
    save_image(sheet(painted["held out"][0], clips[new]), pathlib.Path(__file__).with_name("clips.png"))
    pathlib.Path(OUTPUT.value).write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    app.run(main)
