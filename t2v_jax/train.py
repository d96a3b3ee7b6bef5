"""Training: restore or start, then step, log, sample and save until the last step or a request to stop."""

import collections
import contextlib
import functools
import math
import pathlib
import sys
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from t2v_jax import compiler, sharding
from t2v_jax import config as configuration
from t2v_jax.budget import Budget
from t2v_jax.checkpoint import Checkpoints
from t2v_jax.data.pipeline import clip_batches
from t2v_jax.data.worlds import make_source
from t2v_jax.errors import UsageError
from t2v_jax.files import check_writable, local
from t2v_jax.gan import state as states
from t2v_jax.gan.step import Frames, minimax_step
from t2v_jax.hosts import unanimous, wait_for_all
from t2v_jax.interruption import Interruption
from t2v_jax.metrics import MetricWriter, Progress, Timed
from t2v_jax.model import CONFIG, Params, load_definition, save_definition
from t2v_jax.nn.discriminator import Discriminator
from t2v_jax.nn.generator import Generator
from t2v_jax.programs import Programs
from t2v_jax.sampling import generate
from t2v_jax.text.embedding import first_vectors
from t2v_jax.text.language import Language
from t2v_jax.transfer import transferred, with_parts
from t2v_jax.video import contact_sheet, save_image

SHEET_ROWS = 10  # prompts of a sample sheet

# Fields that a run may change when it continues: none of them touches what is learned.
CHANGEABLE = ("steps", "minutes", "log_every", "sample_every", "checkpoint_every", "keep", "mesh")

# A program that runs once, in a moment, which is less than XLA takes to optimise it.
RUNS_ONCE = {"xla_backend_optimization_level": 0}


class Networks(NamedTuple):
    """Both players' modules."""

    generator: Generator
    discriminator: Discriminator


class Trained(NamedTuple):
    """The last step of a run, and whether nothing is left of it."""

    step: int
    done: bool


class Run(NamedTuple):
    """What stays the same from the first step to the last."""

    config: Any
    workdir: pathlib.Path
    mesh: jax.sharding.Mesh
    source: Any
    language: Language
    networks: Networks
    optimizers: states.Optimizers


def train(config, workdir):
    """Train `config` in `workdir`, from its newest checkpoint if it has one -> `Trained`.

    Raises UsageError for a configuration that does not fit itself, the devices or the workdir, and
    FloatingPointError when a loss or a parameter is no longer finite.
    """
    with unanimous():
        run = prepare(configuration.check(config), local(workdir))
    return play(run)


def play(run):
    """The training of a `Run`; see `train`."""
    batches = clip_batches(run.source, run.language, run.config.batch_size, seed=run.config.seed)
    with (
        Interruption() as interruption,
        contextlib.closing(batches),
        Checkpoints(run.workdir, run.config.keep) as checkpoints,
    ):
        state = restore_or_start(run, checkpoints, batches)
        timed = Timed(batches)
        budget = Budget(run.config, int(state.step), float(state.progress))
        with Reports(run, int(state.step), timed, budget) as reports:
            return _train(run, state, batches, timed, budget, checkpoints, reports, interruption)


def prepare(config, workdir):
    """Build the `Run`: devices, clips, language, networks; make a new workdir."""
    mesh = sharding.make_mesh(config.mesh.data, config.mesh.model)
    sharding.check_batch(mesh, config.batch_size)
    if config.minutes and jax.process_count() > 1:
        raise UsageError(
            f"config.minutes={config.minutes}: processes tell time apart; expected 0 and config.steps"
        )
    source = make_source(config)
    _check_clips(config.data, source[0]["clip"].shape)
    language = _language(config, workdir, source)
    sizes = config, language.vocabulary_size
    networks = Networks(Generator(*sizes), Discriminator(*sizes))
    optimizers = states.optimizers(config.game)
    if not config.text.train_vectors:
        optimizers = states.Optimizers(*map(_sparing_vectors, optimizers))
    return Run(config, workdir, mesh, source, language, networks, optimizers)


def _check_clips(data, shape):
    expected = data.frames, data.size, data.size, data.channels
    if shape != expected:
        raise UsageError(
            f"config.data.world={data.world} has clips of [frames, height, width, channels] = "
            f"{list(shape)}, the other fields of config.data say {list(expected)}; make them equal"
        )


def _language(config, workdir, source):
    """The workdir's language; in a new workdir one trained on the captions and the extra words."""
    if (workdir / CONFIG).exists():
        stored, language = load_definition(workdir)
        _check_same(config, stored, workdir)
        return language
    text = config.text
    language = Language.train(
        [*source.captions(), *text.extra_words],
        vocabulary_size=text.vocabulary_size,
        model_type=text.model,
        max_tokens=text.max_tokens,
    )
    if jax.process_index() == 0:
        try:
            workdir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot write {workdir}: {error.strerror}"
            raise UsageError(f"{reason}; choose another --workdir") from error
        check_writable(workdir / CONFIG)
    return language


def _check_same(config, stored, workdir):
    changed = [
        f"{name} ({ours} here, {theirs} there)"
        for name, (ours, theirs) in configuration.differences(config, stored).items()
        if name.split(".")[0] not in CHANGEABLE
    ]
    if changed:
        raise UsageError(
            f"{workdir} was made by another config: {'; '.join(changed)}; "
            "use that config or another --workdir"
        )


def restore_or_start(run, checkpoints, batches):
    """The newest checkpoint's state, or a new one; moves `batches` to where the state left off."""
    abstract = abstract_state(run)
    if checkpoints.latest_step() is None:
        layout = jax.tree.map(lambda leaf: leaf.sharding, abstract)
        first_state = functools.partial(_first_state, run)
        create = jax.jit(first_state, out_shardings=layout, compiler_options=RUNS_ONCE)
        vectors = first_vectors(run.config.text, run.language, run.source.captions(), run.config.seed)
        parts = {}
        if run.config.start_from:
            players = {"generator": abstract.generator, "discriminator": abstract.discriminator}
            parts = transferred(run.config, run.language, vectors, players)
        if jax.process_index() == 0:  # the others have trained the same language
            # Not before: a workdir holds on to its config, which a wrong text.vectors must not be in.
            save_definition(run.workdir, run.config, run.language)
        return create(vectors, parts)
    state, position = checkpoints.restore(abstract)
    batches.set_state(position)
    return state


def abstract_state(run):
    """Shapes, types and layout of the state, without its values."""
    state = jax.eval_shape(functools.partial(_first_state, run), _vectors_shape(run), {})
    return jax.tree.map(
        lambda leaf, place: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place),
        state,
        sharding.state_sharding(run.mesh, state),
    )


def _vectors_shape(run):
    shape = (run.language.vocabulary_size, run.config.text.word_width)
    return jax.ShapeDtypeStruct(shape, jnp.float32)


def _first_state(run, vectors, parts):
    """The state at step 0: both text encoders start from the word vectors, each player from its `parts`."""
    config, captions = run.config, run.language.encode(list(run.source.captions())[:2])
    g_key, d_key = jax.random.split(jax.random.key(config.seed))
    noise = jnp.zeros((2, config.generator.noise_width))
    clips = jnp.zeros((2, 2, config.data.size, config.data.size, config.data.channels))
    generator = run.networks.generator.init(g_key, captions, noise, 1)
    discriminator = run.networks.discriminator.init(d_key, clips, captions, jnp.arange(1))
    players = {"generator": generator, "discriminator": discriminator}
    players = {
        player: with_parts(_with_vectors(parameters, vectors), parts.get(player, {}))
        for player, parameters in players.items()
    }
    return states.create(**players, optimizers=run.optimizers)


def _with_vectors(parameters, vectors):
    """The same parameters, but the word vectors, wherever a network has them, are these."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: vectors if _names(path)[-2:] == ["words", "vectors"] else leaf, parameters
    )


def _names(path):
    return [getattr(key, "key", None) for key in path]


def _sparing_vectors(optimizer):
    """The same optimiser, but the word vectors have no gradient, so that Adam leaves them alone."""

    def is_vectors(parameters):
        return _with_vectors(jax.tree.map(lambda _: False, parameters), True)

    return optax.chain(optax.masked(optax.set_to_zero(), is_vectors), optimizer)


def compile_step(run, layout, frames, penalised):
    """The jitted update of a stage, (state, batch, progress) -> (state, metrics); the layout stays."""
    game, seed = run.config.game, run.config.seed
    update = functools.partial(minimax_step, run.networks, run.optimizers, game, frames, penalised, seed)
    out_shardings = layout, sharding.replicated(run.mesh)
    return jax.jit(update, donate_argnums=0, out_shardings=out_shardings, compiler_options=compiler.options())


def variant_at(config, step):
    """The `Frames` of the stage that the update of a step belongs to, and whether it is penalised."""
    frames = [Frames(*stage[1:]) for stage in config.game.stages if stage[0] <= step][-1]
    return frames, (step + 1) % config.game.penalty_every == 0


def variants_from(config, step):
    """The variants of all updates from a step on, in the order in which they are first needed."""
    starts = [first for first, *_ in config.game.stages if step < first < config.steps]
    firsts = [first + late for first in [step, *starts] for late in range(config.game.penalty_every)]
    return dict.fromkeys(variant_at(config, first) for first in firsts)


def _train(run, state, batches, timed, budget, checkpoints, reports, interruption):
    config, step, metrics = run.config, int(state.step), None
    if budget.done:
        return Trained(step, True)
    reports.start(state)
    layout = jax.tree.map(lambda leaf: leaf.sharding, state)
    batch = sharding.shard_batch(run.mesh, next(timed))
    shapes = jax.tree.map(_shape, (state, batch))

    def compiled(variant):
        return compile_step(run, layout, *variant).lower(*shapes, np.float32(0)).compile()

    with Programs(compiled, variants_from(config, step)) as programs:
        compiled_by_all = set()
        while True:
            asked, variant = time.monotonic(), variant_at(config, step)
            program = programs[variant]
            if variant not in compiled_by_all:
                wait_for_all(f"compiling for step {step}")
                compiled_by_all.add(variant)
            waited = time.monotonic() - asked
            state, new_metrics = program(state, batch, np.float32(budget.progress))
            # The device works on the new step while the host reads the one before and the next batch.
            _report(run, step, metrics, checkpoints, reports)
            step, metrics = step + 1, new_metrics
            budget.stepped(waited)
            done = budget.done
            last = done or interruption.requested(step)
            if last or step % config.checkpoint_every == 0:
                _report(run, step, metrics, checkpoints, reports)
                _check_finite(run, step, state, metrics, checkpoints)
                checkpoints.save(step, state, batches.get_state())
                metrics = None
            if done or step % config.sample_every == 0:
                # Put together by all processes, painted by the first.
                average = jax.device_put(state.average, sharding.replicated(run.mesh))
                reports.sheet(step, average)
            if last:
                break
            batch = sharding.shard_batch(run.mesh, next(timed))
    checkpoints.wait()
    return Trained(step, done)


def _shape(array):
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=array.sharding)


def _report(run, step, metrics, checkpoints, reports):
    """Tell the metrics of the update that made this step; FloatingPointError if a due one is not finite."""
    if metrics is None:
        return
    jax.block_until_ready(metrics)  # the host is one step ahead, not more: batches take memory
    if _is_due(run.config, step):  # to read is to stop: only then
        metrics = {name: float(value) for name, value in jax.device_get(metrics).items()}
        if not all(map(math.isfinite, metrics.values())):
            raise _diverged(run, step, metrics, checkpoints)
    reports.metrics(step, metrics)


def _is_due(config, step):
    return step % config.log_every == 0 or step == config.steps


def _check_finite(run, step, state, metrics, checkpoints):
    """FloatingPointError rather than a checkpoint that nothing can go on from."""
    if not _all_finite(state):
        raise _diverged(run, step, metrics, checkpoints)


@jax.jit
def _all_finite(tree):
    return jnp.stack([jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(tree)]).all()


def _diverged(run, step, metrics, checkpoints):
    told = ", ".join(f"{name} {float(value):.4g}" for name, value in metrics.items())
    good = checkpoints.latest_step()
    kept = "there is no checkpoint" if good is None else f"the last good checkpoint is step {good}"
    return FloatingPointError(
        f"a loss or a parameter is not finite at step {step} ({told}); {kept} in {run.workdir}; train "
        "in a new --workdir with lower config.game.generator_rate and discriminator_rate or a larger "
        "config.game.penalty_weight"
    )


class Reports:
    """What the first process tells of a run: metrics, progress and sample sheets."""

    def __init__(self, run, start, batches, budget):
        self._run = run
        self._open = contextlib.ExitStack()
        self._first = jax.process_index() == 0
        if self._first:
            config, enter = run.config, self._open.enter_context
            self._writer = enter(MetricWriter(run.workdir, start))
            progress = Progress(
                None if config.minutes else config.steps,
                config.batch_size,
                start=start,
                every=config.log_every,
                batches=batches,
                left=lambda: budget.left,
            )
            self._progress = enter(progress)

    def start(self, state):
        """Say what is about to train, and where: until the first program is compiled, nothing else is."""
        if self._first:
            devices = collections.Counter(device.device_kind for device in self._run.mesh.devices.flat)
            where = ", ".join(f"{count} x {kind}" for kind, count in devices.items())
            counts = (
                f"{name} {sum(leaf.size for leaf in jax.tree.leaves(player)) / 1e6:.2f} M"
                for name, player in (("G", state.generator), ("D", state.discriminator))
            )
            text = f"training on {where}: {', '.join(counts)} parameters, {len(self._run.source)} clips"
            print(f"{text}; compiling", file=sys.stderr, flush=True)

    def metrics(self, step, metrics):
        """Log and show a step's metrics, when they are due."""
        if not self._first:
            return
        losses = {name: metrics[f"{name}_loss"] for name in ("discriminator", "generator")}
        self._progress.update(step, losses)
        if _is_due(self._run.config, step):
            self._writer.scalars(step, metrics)

    def sheet(self, step, average):
        """Paint fixed prompts with fixed noise, a row a prompt: as PNG and to TensorBoard."""
        if not self._first:
            return
        here = jax.tree.map(lambda leaf: leaf.addressable_data(0), average)
        run = self._run
        params = Params(here, run.config, run.language, type(run.networks.generator))
        captions = list(run.source.captions())
        rows = np.linspace(0, len(captions) - 1, min(SHEET_ROWS, len(captions))).round().astype(int)
        prompts = [captions[row] for row in rows]
        sheet = contact_sheet(np.asarray(generate(params, prompts)))
        self._writer.images(step, {"samples": sheet})
        samples = self._run.workdir / "samples"
        samples.mkdir(exist_ok=True)
        save_image(sheet, samples / f"{step:07d}.png")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return self._open.__exit__(*error)
