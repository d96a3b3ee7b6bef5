"""What the clips of a shipped model show, by judges that learnt from real clips alone."""

import itertools
import pathlib
import sys
from collections.abc import Callable

import numpy as np

from t2v_jax.evaluation.classifier import Classifier

STUDIES = pathlib.Path(__file__).parents[1]
SEEDS = 5  # clips of a sentence that are judged
STILL = "still"  # the motion of a thing that does not move
PERSONS, TONES = (
    ("man", "woman", "person"),
    ("none", "light", "medium-light", "medium", "medium-dark", "dark"),
)
ACTS = (
    "biking",
    "bouncing ball",
    "bowing",
    "cartwheeling",
    "climbing",
    "dancing",
    "facepalming",
    "feeding baby",
    "fencing",
    "frowning",
    "gesturing NO",
    "gesturing OK",
    "getting haircut",
    "getting massage",
    "golfing",
    "in suit levitating",
    "juggling",
    "lifting weights",
    "mountain biking",
    "playing handball",
    "playing water polo",
    "pouting",
    "raising hand",
    "rowing boat",
    "running",
    "shrugging",
    "standing",
    "surfing",
    "swimming",
    "taking bath",
    "tipping hand",
    "walking",
    "wearing turban",
)

Judge = Callable[[np.ndarray], list[dict[str, str]]]


def judge_of(model: str) -> Judge:
    """What says of clips, uint8 [n, t, 64, 64, c], which value each attribute has in each."""
    return {"animated-emoji": _emoji, "pixel-characters": _characters}.get(model, _drawn)(model)


def shows(found: dict[str, str], asked: dict[str, str]) -> dict[str, bool]:
    """Whether each attribute that is asked for is there; of two things in either order, the better one."""
    swapped = {name.translate(str.maketrans("12", "21")): value for name, value in found.items()}
    right = [{name: read.get(name) == value for name, value in asked.items()} for read in (found, swapped)]
    return max(right, key=lambda each: sum(each.values()))


def _drawn(model):
    classifier = Classifier.shipped(model.replace("-", "_"))
    names = {name: (*values, STILL) for name, values in classifier.attributes.items()}

    def judge(clips):
        return [_named(names, row) for row in classifier(clips).values]

    return judge


def _characters(_):
    sys.path.append(str(STUDIES / "characters"))
    import reader

    parameters = reader.load()
    return lambda clips: [_named(reader.ATTRIBUTES, row) for row in reader.read(parameters, clips)]


def _emoji(_):
    """The best of all captions of a person, an act and a tone, also of those that no emoji has."""
    sys.path.append(str(STUDIES / "emoji"))
    import matcher

    captions = {
        f"{person} {act}" + (f", {tone} skin tone" if tone != "none" else ""): (person, act, tone)
        for person, act, tone in itertools.product(PERSONS, ACTS, TONES)
    }
    trained = matcher.load()

    def judge(clips):
        best = trained(clips, list(captions)).argmax(1)
        return [dict(zip(("person", "act", "tone"), list(captions.values())[row])) for row in best]

    return judge


def _named(names, row):
    return {name: values[index] for (name, values), index in zip(names.items(), row)}
