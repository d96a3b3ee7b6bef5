"""The same networks and the same step in PyTorch, beside ours: equal weights, inputs and randomness.

    python experiments/speed/twin.py

Run alone it tells how far both are apart at the smallest configuration, and fails if that is too far. Needs
PyTorch, and for its compiled programs a C++ compiler. In a step torch works less: it is given what ours
draws, and computes no metrics but the losses.
"""

import functools
import pathlib
import sys
from collections.abc import Iterator

import conv_lstm
import convolutions
import generation
import jax
import jax.numpy as jnp
import numpy as np
import timing
import torch
import twin_networks
from step import one_update, started
from twin_networks import leaves, take_over
from twin_step import Draws, Game, Players

import t2v_jax
from t2v_jax.gan import sampling
from t2v_jax.gan.gradients import gradients as gradients_of
from t2v_jax.gan.state import State

ROOT = pathlib.Path(__file__).parents[2]
SEED = 0
TOLERANCE = 1e-3  # of the check


def measure(repeats) -> Iterator[dict]:
    """Convolutions and ConvLSTMs by shape, generation by batch, the step of each shipped config and stage."""
    yield from (row for shape in convolutions.SHAPES for row in _convolutions(shape, repeats))
    yield from (_conv_lstm(shape, repeats) for shape in conv_lstm.SHAPES)
    yield from (_clips(batch, repeats) for batch in (1, 64))
    for name in ("moving_digits", "moving_shapes"):
        run, state, batch = started(ROOT / "configs" / f"{name}.py")
        for stage in run.config.schedule.stages:
            yield _step(name, run, state, batch, sampling.Frames(*stage[1:]), repeats)


def _compile(function):
    torch.compiler.reset()  # what was compiled for other shapes would make this one's general, and slower
    return torch.compile(function, dynamic=False)


def _working(programs):
    """The programs that run, and for each other one why it does not."""
    working, failures = {}, {}
    for name, program in programs.items():
        try:
            program()
            working[name] = program
        except Exception as error:  # torch raises whatever its compiler does
            failures[f"{name} fails"] = f"{type(error).__name__}: {error}".splitlines()[0]
    return working, failures


def _convolutions(shape, repeats):
    """The forward pass, the images' gradient and the kernel's, each a call of torch's own."""
    for what, functions, arguments in convolutions.programs(*shape):
        ours = functools.partial(timing.compiled(functions["ours"], *arguments), *arguments)
        images, kernel, *cotangent = arguments
        images, *cotangent = (torch.tensor(np.asarray(array)) for array in (images, *cotangent))
        twins = functools.partial(_twin_of, what, shape[-1], images, take_over(kernel), *cotangent)
        programs = {"t2v_jax": ours, "torch eager": twins}
        label = convolutions.label(f"beside torch's, {what}", *shape)
        yield _row(label, programs, repeats, _apart(ours(), twins()))


def _twin_of(what, stride, images, kernel, cotangent=None):
    """What `convolutions.programs` compute, laid out as they: images [n, h, w, c], kernels [k, k, c, d]."""
    if cotangent is None:
        return twin_networks.convolve(images, kernel, stride=stride)
    images, cotangent = (array.permute(0, 3, 1, 2) for array in (images, cotangent))
    padding = (kernel.shape[-1] - 1) // 2
    form = None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1
    wanted = what == "images' gradient", what == "kernel's gradient", False
    of_images, of_kernel, _ = torch.ops.aten.convolution_backward(cotangent, images, kernel, *form, wanted)
    return of_images.permute(0, 2, 3, 1) if wanted[0] else of_kernel.permute(2, 3, 1, 0)


def _conv_lstm(shape, repeats):
    frames = jax.random.normal(jax.random.key(0), shape)
    module = conv_lstm.OurConvLSTM(shape[-1])
    parameters = jax.jit(module.init)(jax.random.key(1), frames)

    def loss(parameters, frames):
        return jnp.sum(jnp.square(module.apply(parameters, frames)))

    forward = timing.compiled(module.apply, parameters, frames)
    both = timing.compiled(jax.grad(loss, argnums=(0, 1)), parameters, frames)
    programs = {
        "t2v_jax, forward": lambda: forward(parameters, frames),
        "t2v_jax, both ways": lambda: both(parameters, frames),
    }
    (tree,) = take_over(parameters["params"]).values()
    inputs = [leaf.requires_grad_() for leaf in (torch.tensor(np.asarray(frames)), *leaves(tree))]
    torch.compiler.reset()
    for name, function in {
        "torch eager": twin_networks.conv_lstm,
        "torch compiled": torch.compile(twin_networks.conv_lstm, dynamic=False),
    }.items():
        programs |= _torch_programs(name, function, tree, inputs)
    differences = _apart(programs["t2v_jax, forward"](), programs["torch eager, forward"]())
    programs, failures = _working(programs)
    times = timing.interleaved(programs, repeats)
    return {
        "row": f"ConvLSTM beside torch's {' x '.join(map(str, shape))}",
        "ratios": _conv_lstm_ratios(times),
        "times": times,
        "largest_difference": differences,
        **failures,
    }


def _torch_programs(name, function, tree, inputs):
    def forward():
        with torch.no_grad():
            return function(tree, inputs[0])

    def both():
        return torch.autograd.grad(function(tree, inputs[0]).square().sum(), inputs)

    return {f"{name}, forward": forward, f"{name}, both ways": both}


def _conv_lstm_ratios(times):
    both = {
        name.removesuffix(", both ways"): time["milliseconds"]
        for name, time in times.items()
        if name.endswith(", both ways")
    }
    backward = {name: time - times[f"{name}, forward"]["milliseconds"] for name, time in both.items()}
    ratios = {}
    for kind, milliseconds in {"both ways": both, "backward": backward}.items():
        ours = milliseconds.pop("t2v_jax")
        ratios[f"{kind}, torch best / t2v_jax"] = round(min(milliseconds.values()) / ours, 2)
    return ratios


def _key(state):
    return jax.random.fold_in(jax.random.key(SEED), state.step)


def _inputs(run, frames, state, batch):
    """A batch, and what `gan.step.gradients` draws for it at a state, both as torch's step takes them."""
    noise_key, frames_key, start_key, attention_key, *_ = jax.random.split(_key(state), 6)
    config, captions = run.config, batch["captions"]
    noise = jax.random.normal(noise_key, (len(batch["caption_class"]), config.generator.noise_width))
    painted_frames, scored_frames = sampling.sample_frames(frames_key, frames)
    gumbel = start_offsets = None
    if config.generator.hard_attention:
        apply = functools.partial(
            run.networks.generator.apply,
            frames=1,
            rngs={"attention": attention_key},
            mutable="intermediates",
            capture_intermediates=lambda _, method: method == "_noise",
        )
        _, captured = jax.jit(apply)(state.generator, captions, noise)
        (gumbel,) = captured["intermediates"]["appearance"]["_noise"]
    if config.schedule.max_start_offset:
        start_offsets = sampling.sample_start_offsets(start_key, config.schedule.max_start_offset, len(noise))
    with_negatives = jax.tree.map(lambda *parts: jnp.concatenate(parts), captions, batch["negatives"])
    return take_over(
        (
            batch | {"with_negatives": with_negatives},
            Draws(noise, painted_frames, scored_frames, gumbel, start_offsets),
        )
    )


def _step(name, run, state, batch, frames, repeats):
    update = functools.partial(one_update, run, frames)
    ours = functools.partial(timing.compiled(update, state, batch), state, batch)
    inputs = _inputs(run, frames, state, batch)
    eager, compiled = (Players(run.config, frames, state.generator, state.discriminator) for _ in range(2))
    compiled.game.compile()
    metrics, terms = ours()[1], eager.step(*inputs)
    difference = max(abs(float(metrics[term]) - float(value)) for term, value in terms.items())
    return _row(
        f"training step beside torch's, {name}, {frames.computed} frames computed, {frames.painted} painted",
        {
            "t2v_jax": ours,
            "torch eager": lambda: eager.step(*inputs),
            "torch compiled": lambda: compiled.step(*inputs),
        },
        repeats,
        difference,
    )


def _clips(size, repeats):
    params = t2v_jax.load(generation.MODEL)
    captions = params.language.encode([generation.PROMPT] * size)
    noise = jax.random.normal(jax.random.key(SEED), (size, params.config.generator.noise_width))
    frames = params.config.data.frames

    def apply(generator, captions, noise):
        return params.network.apply(generator, captions, noise, frames).clips

    paint = timing.compiled(apply, params.generator, captions, noise)
    generator = twin_networks.Generator(params.config)
    tree, *inputs = take_over((params.generator["params"], captions, noise))
    # Without a key ours adds no noise either: each head hears the likeliest word.
    gumbel = torch.zeros(size, params.config.generator.heads, captions.mask.shape[1])

    def twins(function):
        with torch.inference_mode():
            return function(tree, *inputs, frames, gumbel=gumbel)[0]

    programs = {
        "t2v_jax": lambda: paint(params.generator, captions, noise),
        "torch eager": functools.partial(twins, generator),
        "torch compiled": functools.partial(twins, _compile(generator.__call__)),
    }
    difference = _apart(programs["t2v_jax"](), programs["torch eager"]())
    return _row(f"{frames} frames of 64 x 64 beside torch's, batch {size}", programs, repeats, difference)


def _row(name, programs, repeats, difference):
    programs, failures = _working(programs)
    times = timing.interleaved(programs, repeats)
    return {
        "row": name,
        "ratios": timing.ratios(times, "t2v_jax"),
        "times": times,
        "largest_difference": difference,
        **failures,
    }


def _apart(ours, twins):
    """The largest difference between arrays and tensors, or lists of them."""
    pairs = zip(jax.tree.leaves(ours), jax.tree.leaves(twins), strict=True)
    return max(float(np.abs(np.asarray(a) - b.detach().numpy()).max()) for a, b in pairs)


def check() -> dict:
    """{what: the largest difference} of clips, logits and both gradients at the smallest configuration."""
    run, state, batch = started(ROOT / "tests" / "small.py")
    state, frames = _shaken(state), sampling.Frames(4, 3, 2)
    parameters = state.generator, state.discriminator
    inputs, draws = _inputs(run, frames, state, batch)
    trees = [take_over(tree["params"]) for tree in parameters]
    for leaf in leaves(trees[0]) + leaves(trees[1]):
        leaf.requires_grad_()
    game, captions, networks = Game(run.config, frames), batch["captions"], run.networks

    output = jax.jit(networks.generator.apply, static_argnums=3)(
        state.generator, captions, draws.noise.numpy(), frames.computed
    )
    gumbel = torch.zeros_like(draws.gumbel)
    clips, _ = game.generator(trees[0], inputs["captions"], draws.noise, frames.computed, gumbel=gumbel)
    scored_frames = draws.scored_frames.numpy()
    output = jax.jit(networks.discriminator.apply)(state.discriminator, output.clips, captions, scored_frames)
    seen = torch.tensor(np.asarray(output.clips))
    twins = game.discriminator(trees[1], seen, inputs["captions"], draws.scored_frames)

    lost = functools.partial(gradients_of, networks, run.config, frames, False, _key(state))
    *ours, _ = jax.jit(lost)(*parameters, batch, state.step)
    *theirs, _ = game.losses(*trees, inputs, draws, torch.tensor(run.config.loss.contrast_weight))
    gradients = [leaves(take_over(gradient["params"])) for gradient in ours]
    return {
        "clips": _apart(output.clips, clips),
        "logits": _apart(output.logits[:, 0], twins),
        "generator's gradient": _apart(gradients[0], list(theirs[0])),
        "discriminator's gradient": _apart(gradients[1], list(theirs[1])),
    }


def _shaken(state) -> State:
    """A state whose parameters are all far from zero, as first ones are not."""
    keys = iter(jax.random.split(jax.random.key(SEED), len(jax.tree.leaves(state))))

    def shake(leaf):
        return leaf + 0.1 * jax.random.normal(next(keys), leaf.shape)

    shaken = (jax.tree.map(shake, tree) for tree in (state.generator, state.discriminator))
    return state._replace(**dict(zip(("generator", "discriminator"), shaken)))


if __name__ == "__main__":
    differences = check()
    for what, difference in differences.items():
        print(f"{what}: {difference:.1e}")
    sys.exit(max(differences.values()) > TOLERANCE)
