"""What the compiled programs do, counted: the guard of their speed that no busy machine can upset."""

import functools
import re

import jax
import numpy as np
import pytest

import t2v_jax
from t2v_jax import train
from t2v_jax.nn.conv_lstm import conv
from tests import example


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    return example.started(example.small.get_config(), tmp_path_factory.mktemp("program") / "run")


@pytest.fixture(scope="module")
def lowered(started):
    """The update before it is compiled, by whether it has the penalties."""
    run, state, batch = started
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    frames, _ = train.variant_at(run.config, 0)

    @functools.cache
    def lowered(penalised):
        return train.compile_step(run, layout, frames, penalised).lower(state, batch)

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


@pytest.mark.parametrize("penalised", [False, True])
def test_no_loop_of_the_update_holds_a_gradient(program, penalised):
    """A weight gradient in a loop is a naive loop nest on the CPU, and a loop's arrays are copied."""
    unseen = 1  # the convolution of the scene's frames before a clip begins, forward alone
    assert looped_convolutions(program(penalised).as_text()) == unseen


def test_the_counter_finds_a_convolution_that_a_loop_calls():
    def body(image, _):
        return conv(image, np.ones((3, 3, 1, 1), np.float32)), None

    looped = jax.jit(lambda image: jax.lax.scan(body, image, length=5)[0])
    assert looped_convolutions(looped.lower(np.ones((1, 4, 4, 1), np.float32)).compile().as_text()) == 1


def test_the_generator_runs_once_an_update(lowered, started):
    """Both players' updates cost little more than G both ways, forward and backward, and D on two clips."""
    run, state, batch = started
    generator, discriminator = run.networks
    noise, config = example.noise(), run.config

    def paint(parameters):
        frames = jax.numpy.arange(2)
        return generator.apply(parameters, batch["captions"], noise, config.data.frames, frames).clips

    def judge(parameters, clips):
        return discriminator.apply(parameters, clips, batch["captions"], jax.numpy.arange(1))

    def both_ways(function, *arguments):
        gradient = jax.grad(lambda *inputs: jax.numpy.square(function(*inputs)).sum(), range(len(arguments)))
        return operations(jax.jit(gradient).lower(*arguments))

    clips = paint(state.generator)
    paints, judges = both_ways(paint, state.generator), both_ways(judge, state.discriminator, clips)
    # A second forward pass of G alone is an eighth.
    assert operations(lowered(False)) < 1.12 * (paints + 2 * judges)
    assert operations(lowered(True)) < 1.12 * (paints + 4 * judges)


def operations(lowered):
    """What a program asks for, whatever the compiler makes of it."""
    return lowered.cost_analysis()["flops"]


def test_the_state_is_updated_in_place(program, started):
    state = started[1]
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
    assert program(True).memory_analysis().alias_size_in_bytes >= size


def compilations(action):
    """The programs that an action compiles, by name."""
    names = []

    def listen(event, _, *, fun_name="", **__):
        if event == "/jax/core/compile/backend_compile_duration":
            names.append(fun_name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        action()
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return names


def test_videos_compile_once_for_each_power_of_two(trained):
    params = t2v_jax.load(trained)

    def paint(prompts):
        t2v_jax.generate(params, ["digit 3 is up and down."] * prompts, frames=5).block_until_ready()

    assert len(compilations(functools.partial(paint, 3))) > 0
    assert compilations(functools.partial(paint, 4)) == []
    assert len(compilations(functools.partial(paint, 5))) > 0
