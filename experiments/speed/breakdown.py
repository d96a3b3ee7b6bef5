"""Where the time of a training step goes: the operations of its compiled program, as JAX's profiler saw them.

    python experiments/speed/breakdown.py --config=configs/two_digits.py [--stage=0] [--steps=3]

Prints milliseconds a step and their share, by the kind of operation and by the part of the networks. A loop's
body counts, the loop does not; what runs on several cores at once is added up.
"""

import collections
import functools
import pathlib
import re
import tempfile

import jax
import timing
from absl import app, flags
from step import one_update, stages, started

CONFIG = flags.DEFINE_string("config", None, "the file of a config", required=True)
STAGE = flags.DEFINE_integer("stage", 0, "which of its stages", lower_bound=0)
STEPS = flags.DEFINE_integer("steps", 3, "that are profiled", lower_bound=1)
ROWS = flags.DEFINE_integer("rows", 20, "of each table", lower_bound=1)

CONTAINERS = {"while", "call", "conditional"}  # their time is that of what they call
INSTRUCTION = re.compile(r"^ *(?:ROOT )?%?([\w.-]+) = .*? ([a-z-]+)\(")
ORIGIN = re.compile(r'op_name="([^"]*)"')
NO_MODULE = re.compile(r"jit\(.*\)|while|body|cond|closed_call|branch_\d+_fun|custom_vjp_call|vmap\(.*\)")


def compiled_step(path, stage):
    """The program of an update without penalties, its state and batch."""
    run, state, batch = started(path)
    frames = stages(run.config)[stage]
    update = functools.partial(one_update, run, frames)
    return timing.compiled(update, state, batch), state, batch


def milliseconds(program, arguments, steps) -> dict[str, float]:
    """{operation: milliseconds a step} of all that ran."""
    jax.block_until_ready(program(*arguments))
    with tempfile.TemporaryDirectory() as directory:
        with jax.profiler.trace(directory):
            for _ in range(steps):
                jax.block_until_ready(program(*arguments))
        (path,) = pathlib.Path(directory).rglob("*.xplane.pb")
        data = jax.profiler.ProfileData.from_file(str(path))
    spent = collections.Counter()
    for event in (event for plane in data.planes for line in plane.lines for event in line.events):
        if "hlo_op" in dict(event.stats):
            spent[event.name] += event.duration_ns / 1e6 / steps
    return spent


def origins(program) -> dict[str, tuple[str, str, str]]:
    """{operation: (opcode, primitive, module)} of a compiled program."""
    known = {}
    for line in program.as_text().splitlines():
        if found := INSTRUCTION.match(line):
            name, opcode = found.groups()
            origin = ORIGIN.search(line)
            known[name] = opcode, *_origin(origin[1] if origin else opcode)
    return known


def _origin(op_name):
    """jit(update)/transpose(jvp(Generator))/painter/up_32/conv/dot_general -> the last, and where it is."""
    *modules, primitive = op_name.split("/")
    modules = [module for module in modules if module and not NO_MODULE.fullmatch(module)]
    return primitive, "/".join(modules[:3]) or "(no module)"


def table(title, spent) -> str:
    """The ROWS that take longest, with their share."""
    whole = sum(spent.values())
    rows = [f"| {name} | {time:.1f} | {time / whole:.1%} |" for name, time in spent.most_common(ROWS.value)]
    return "\n".join([f"| {title} | ms a step | share |", "|---|---|---|", *rows])


def main(_):
    program, *arguments = compiled_step(CONFIG.value, STAGE.value)
    known, kinds, modules = origins(program), collections.Counter(), collections.Counter()
    for name, time in milliseconds(program, arguments, STEPS.value).items():
        opcode, primitive, module = known[name]
        if opcode not in CONTAINERS:
            kinds[f"{primitive} ({opcode})"] += time
            modules[module] += time
    print(f"{sum(kinds.values()):.0f} ms of operations a step\n")
    print(table("operation", kinds), table("part", modules), sep="\n\n")


if __name__ == "__main__":
    app.run(main)
