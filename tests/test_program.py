"""What the compiled programs do, counted: the guard of their speed that no busy machine can upset."""

import functools
import pathlib
import re
import runpy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import t2v_jax
from t2v_jax.nn.conv_lstm import conv
from t2v_jax.runtime import jit
from t2v_jax.training import steps
from tests import example

ACCELERATOR = pathlib.Path(__file__).parents[1] / "experiments" / "accelerator"
PROGRAMS, COSTS = (runpy.run_path(str(ACCELERATOR / f"{name}.py")) for name in ("programs", "costs"))


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    return example.started(example.small.get_config(), tmp_path_factory.mktemp("program") / "run")


@pytest.fixture(scope="module")
def lowered(started):
    """The update before it is compiled, by whether it has the penalties."""
    run, state, batch = started
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    frames, _ = steps.variant_at(run.config, 0)

    @functools.cache
    def lowered(penalised):
        return steps.compile_step(run, layout, frames, penalised).lower(state, batch, np.float32(0))

    return lowered


@pytest.fixture(scope="module")
def program(lowered):
    """The compiled update, by whether it has the penalties."""
    return functools.cache(lambda penalised: lowered(penalised).compile())


def looped_convolutions(text):
    """How many convolutions the bodies of loops hold, with all that they call, in a program's text."""
    bodies = dict(re.findall(r"^%?([\w.-]+) [^\n]*\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))
    called = {name: set(re.findall(r"%([\w.-]+)", body)) & bodies.keys() for name, body in bodies.items()}
    reached, waiting = set(), re.findall(r"body=%?([\w.-]+)", text)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += called[name]
    return sum(len(re.findall(r" convolution\(", bodies[name])) for name in reached)


def test_loops_hold_the_recurrences_convolutions_alone(program):
    """No weight gradient is in a loop: XLA's CPU compiler runs one there as a naive loop nest."""
    burn_in = 1  # the scene's frames before a clip begins, forward alone
    scene = 2  # forward and backward; its input is one for all frames
    real = moved = 3  # in D, whose inputs' convolution is in the loop too
    fake = real + 1  # generated clips send a gradient to both players
    assert looped_convolutions(program(False).as_text()) == burn_in + scene + real + fake
    assert looped_convolutions(program(True).as_text()) == burn_in + scene + real + fake + 2 * moved


def test_the_counter_finds_a_convolution_that_a_loop_calls():
    def body(image, _):
        return conv(image, np.ones((3, 3, 1, 1), np.float32)), None

    looped = jax.jit(lambda image: jax.lax.scan(body, image, length=5)[0])
    assert looped_convolutions(looped.lower(np.ones((1, 4, 4, 1), np.float32)).compile().as_text()) == 1


def test_the_generator_runs_once_an_update(lowered, started):
    """Both players' updates cost less than half as much again as G once and D on two clips, both ways."""
    run, state, batch = started
    generator, discriminator = run.networks
    noise, config = example.noise(), run.config

    @jax.jit
    def paint(parameters):
        return generator.apply(
            parameters, batch["captions"], noise, config.data.frames, jax.numpy.arange(2)
        ).clips

    @jax.jit
    def classifier(parameters, clips):
        return discriminator.apply(parameters, clips, batch["captions"], jax.numpy.arange(1))

    clips = paint(state.generator)
    once = operations(paint.lower(state.generator)), operations(classifier.lower(state.discriminator, clips))
    both_ways = 3  # backward is two times forward: to the inputs and to the kernels
    assert operations(lowered(False)) < 1.5 * both_ways * (once[0] + 2 * once[1])
    assert operations(lowered(True)) < 1.5 * both_ways * (once[0] + 4 * once[1])


def operations(lowered):
    """What a program asks for, whatever the compiler makes of it."""
    return lowered.cost_analysis()["flops"]


def test_the_state_is_updated_in_place(program, started):
    state = started[1]
    # Not the progress, which is told anew.
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state._replace(progress=None)))
    assert program(True).memory_analysis().alias_size_in_bytes >= size


def compilations(action):
    """The programs that an action compiles, by name."""
    names = []

    def encode_captions(event, _, *, fun_name="", **__):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(encode_captions)
    try:
        action()
    finally:
        jax.monitoring.unregister_event_duration_listener(encode_captions)
    return names


def test_videos_compile_once_for_each_power_of_two(trained):
    params = t2v_jax.load(trained)

    def paint(prompts):
        t2v_jax.generate(params, ["digit 3 is up and down."] * prompts, frames=5)

    assert len(compilations(functools.partial(paint, 3))) > 0
    assert compilations(functools.partial(paint, 4)) == []
    assert len(compilations(functools.partial(paint, 5))) > 0


@pytest.fixture
def accelerated(monkeypatch):
    """Programs are traced as they are on an accelerator."""
    jit.options()  # which stay those of this machine
    monkeypatch.setattr(jax, "default_backend", lambda: "cuda")


@pytest.mark.parametrize("path", PROGRAMS["CONFIGS"], ids=lambda path: path.stem)
def test_the_programs_of_shipped_configs_are_made_for_accelerators(path, accelerated):
    names = set()
    for name, function, arguments in PROGRAMS["programs"](PROGRAMS["prepared"](path)):
        jax.export.export(function, platforms=["cuda", "tpu"])(*arguments)
        names.add(name)
    assert names == {"step", "penalised step", "generate", "frame"}


CALLS = """
  %images = bf16[2,8,6,4]{3,2,1,0} parameter(0)
  %kernel = f32[3,3,4,16]{3,2,1,0} parameter(1)
  %result = (f32[2,4,3,16]{3,2,1,0}, u8[0]{0}) custom-call(%images, %kernel), W, "__cudnn$convForward"
  %back = (f32[3,3,4,16]{3,2,1,0}, u8[0]{0}) custom-call(%images, %result), W, "__cudnn$convBackwardFilter"
  %gathering = (bf16[250000]{0}, bf16[1000000]{0}) all-gather-start(%part), dimensions={0}
  %gathered = bf16[1000000]{0} all-gather-done(%gathering)
  ROOT %sum = (f32[250000]{0}, f32[]) all-reduce(%one, %other), to_apply=%add
""".replace(" W,", " window={size=3x3 pad=0_1x0_1 stride=2x2},")


def test_the_costs_of_a_program_are_read_from_its_text():
    assert COSTS["library_operations"](CALLS) == 2 * (2 * 2 * 4 * 3 * 3 * 3 * 4 * 16)
    assert COSTS["collectives"](CALLS) == {"all-gather": [1, 2_000_000], "all-reduce": [1, 1_000_004]}


def test_all_turns_of_a_loop_are_counted():
    """But one turn where the program draws how many there are."""

    def turns(number):
        def run(matrix):
            return jax.lax.fori_loop(0, number(matrix), lambda _, state: jnp.tanh(state @ matrix), matrix)

        return COSTS["Program"](jax.jit(run).lower(np.ones((8, 8), np.float32)).compile().as_text())

    one, five = (turns(lambda _, number=number: number).entry() for number in (1, 5))
    drawn = turns(lambda matrix: matrix[0, 0].astype(int))
    assert five.flops == pytest.approx(5 * one.flops, rel=0.02) and one.flops == 2 * 8**3
    assert five.launches > 5 and drawn.unknown()["unknown"] == 1
    assert drawn.entry().flops == pytest.approx(one.flops, rel=0.02)
