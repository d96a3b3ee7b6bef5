"""How the cost of a clip grows with frames, batch, resolution and width.

    python experiments/speed/growth.py [--output=DIRECTORY] [--repeats=5]

One quantity grows, the others stay those of `configs/moving_digits.py` with first parameters. For each step
of the way: the time, the memory that the compiled program holds beside its arguments and results, and the
operations that it asks for; of each the exponent, the slope of a line through the logarithms. With --output,
writes growth.json and growth.png, which needs matplotlib.
"""

import json
import math
import pathlib
import runpy

import jax
import jax.numpy as jnp
import numpy as np
import operations
import timing
from absl import app, flags

from t2v_jax import config as configuration
from t2v_jax.data.source import make_source
from t2v_jax.networks.generator import Generator
from t2v_jax.text.language import Language

REPEATS = flags.DEFINE_integer("repeats", 5, "timed runs of each program, in turns")
OUTPUT = flags.DEFINE_string("output", None, "write growth.json and growth.png to this directory")

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "moving_digits.py"
GROWTH = {
    "frames": (16, 64, 256, 1024),
    "batch": (1, 4, 16, 64),
    "size": (32, 64, 128, 256),
    "width": (0.5, 1, 2, 4),
}
COSTS = "milliseconds", "mebibytes", "megaflops"


def main(_):
    curves = {name: _curve(name, REPEATS.value) for name in GROWTH}
    print(json.dumps(curves, indent=1))
    if OUTPUT.value:
        directory = pathlib.Path(OUTPUT.value)
        directory.mkdir(parents=True, exist_ok=True)
        facts = {"device": jax.devices()[0].device_kind, "jax": jax.__version__}
        (directory / "growth.json").write_text(json.dumps(facts | {"curves": curves}, indent=1))
        _plot(curves, directory / "growth.png")


def _curve(name, repeats):
    programs, points = {}, []
    for value in GROWTH[name]:
        paint, arguments = _painter(**{name: value})
        compiled = timing.compiled(paint, *arguments)
        programs[str(value)] = lambda compiled=compiled, arguments=arguments: compiled(*arguments)
        points.append(
            {
                name: value,
                "mebibytes": round(timing.memory(compiled), 2),
                "megaflops": round(operations.count(paint, *arguments) / 1e6, 1),
            }
        )
    times = timing.interleaved(programs, repeats)
    points = [point | times[str(point[name])] for point in points]
    return {"exponents": {cost: _exponent(points, name, cost) for cost in COSTS}, "points": points}


def _painter(frames=16, batch=1, size=64, width=1):
    """A function of parameters, captions and noise that paints clips, and such arguments."""
    config = runpy.run_path(str(CONFIG))["get_config"]()
    generator = config.generator
    config.data.size = size
    # The canvas stays half as wide as the frame: from 8 cells a side, a level for each doubling.
    levels = int(math.log2(size)) - 4
    first, last = generator.painter_channels
    channels = first, *[last] * (levels - 1)
    generator.painter_channels = tuple(int(width * number) for number in channels)
    for name in ("style_width", "scene_channels"):
        generator[name] = int(width * generator[name])
    config = configuration.check(config)
    source = make_source(config)
    language = Language.train(source.captions())
    network = Generator(config, language.vocabulary_size)
    captions = language.encode([source[index]["caption"] for index in range(batch)])
    noise = jax.random.normal(jax.random.key(0), (batch, generator.noise_width))
    parameters = jax.jit(network.init, static_argnums=3)(jax.random.key(1), captions, noise, 1)

    def paint(parameters, captions, noise):
        return network.apply(parameters, captions, noise, frames).clips

    return paint, jax.tree.map(jnp.asarray, (parameters, captions, noise))


def _exponent(points, name, cost):
    logarithms = np.log([[point[name], max(point[cost], 1e-3)] for point in points])
    return round(float(np.polyfit(*logarithms.T, 1)[0]), 2)


def _plot(curves, path):
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(COSTS), figsize=(12, 4), layout="constrained")
    for axis, cost in zip(axes, COSTS):
        for name, curve in curves.items():
            points = curve["points"]
            label = f"{name} {points[0][name]:g} to {points[-1][name]:g}: {curve['exponents'][cost]:.2f}"
            growth = [point[name] / points[0][name] for point in points]
            axis.loglog(growth, [point[cost] for point in points], "o-", label=label)
        axis.set(xlabel="times as much", ylabel=f"{cost} a call")
        axis.legend(title="exponents", fontsize=8)
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    app.run(main)
