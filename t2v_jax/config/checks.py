"""What each field may be: a range, a choice, or a rule of its own; then what fields ask of one another."""

from ml_collections import FrozenConfigDict

from t2v_jax import registry
from t2v_jax.config import resolution
from t2v_jax.config.fields import flat, get
from t2v_jax.errors import UsageError
from t2v_jax.runtime.files import local_path

AUGMENT, EXTRA_WORDS = "discriminator.augment", "text.extra_words"
# field -> kind of choice in the registry
CHOICES = {field: kind for kind, field in registry.FIELDS.items() if field != AUGMENT}
MANY, WEIGHT = 10**9, (0, 1e6)
LEARNING_RATE, FRACTION = (1e-12, 10), (0, 1 - 1e-9)
RANGES = {  # field -> lowest, highest
    "batch_size": (1, 2**20),
    "steps": (1, 2**31 - 1),
    "minutes": (0, 1e6),
    "seed": (0, 2**32 - 1),
    "log_every": (1, MANY),
    "sample_every": (1, MANY),
    "checkpoint_every": (1, MANY),
    "keep_checkpoints": (1, MANY),
    "data.size": (16, 1024),
    "data.channels": (1, 3),
    "data.frames": (1, 4096),
    "data.background": (-1, 1),
    "data.digit_size": (0, 1024),
    "data.clips": (1, 2**40),
    "data.clips_per_caption": (1, 2**20),
    "text.vocabulary_size": (2, 2**20),
    "text.max_tokens": (1, 1000),
    "text.word_width": (1, 4096),
    "text.tag_width": (1, 4096),
    "text.width": (1, 4096),
    "generator.noise_width": (2, 2**16),
    "generator.style_width": (1, 4096),
    "generator.heads": (1, 64),
    "generator.actors": (1, 64),
    "generator.burn_in": (0, 4096),
    "generator.scene_channels": (1, 4096),
    "generator.canvas_size": (0, 1024),
    "discriminator.clip_pooling": (0, 1024),
    "loss.mismatch_weight": WEIGHT,
    "loss.contrast_weight": WEIGHT,
    "loss.reconstruction_weight": WEIGHT,
    "loss.energy_weight": WEIGHT,
    "loss.penalty_sigma": (1e-6, 10),
    "loss.penalty_weight": (1e-9, 1e6),
    "loss.final_penalty_weight": (1e-9, 1e6),
    "loss.penalty_every": (1, MANY),
    "loss.balance": FRACTION,
    "optimizer.generator_learning_rate": LEARNING_RATE,
    "optimizer.discriminator_learning_rate": LEARNING_RATE,
    "optimizer.final_learning_rate_fraction": FRACTION,
    "optimizer.warmup_steps": (0, MANY),
    "optimizer.beta_1": FRACTION,
    "optimizer.beta_2": FRACTION,
    "optimizer.ema_decay": FRACTION,
    "schedule.max_start_offset": (0, 4096),
    "mesh.data": (-1, 2**20),
    "mesh.model": (1, 2**20),
}
PATHS = "init_from", "data.directory", "text.vectors"
CHANNELS = "generator.painter_channels", "discriminator.frame_channels", "discriminator.clip_channels"
MOST_CHANNELS = 4096


def check(config) -> FrozenConfigDict:
    """The same configuration, `resolved` and frozen; UsageError names the first field that cannot be."""
    for name, value in flat(config.to_dict()).items():
        _require(value is not None, "a value", config, name)
        _require(*_rule(name, value), config, name)
    _require(resolution.is_size(config.data.size), resolution.SIZES, config, "data.size")
    canvas = config.generator.canvas_size
    expected = f"0, or {resolution.SIZES}, up to data.size={config.data.size}"
    fits = resolution.is_size(canvas) and canvas <= config.data.size
    _require(not canvas or fits, expected, config, "generator.canvas_size")
    config = resolution.resolved(config)
    for together in (
        _check_data,
        _check_sizes,
        _check_stages,
        _check_clips_per_caption,
        _check_words,
        _check_moving,
    ):
        together(config)
    return FrozenConfigDict(config)


def _rule(name, value):
    """Whether a field's value can be, looked at alone, and what is expected of it."""
    if name in CHOICES:
        return registry.known(CHOICES[name], value), registry.expected(CHOICES[name])
    if name in RANGES:
        low, high = RANGES[name]
        fits = type(value) in (int, float) and low <= value <= high
        return fits, f"a number from {low} to {high}"
    if name in PATHS:
        return _is_local(value), "a path on this machine, whose home directory is there; mount or copy it"
    if name in CHANNELS:
        whole = all(isinstance(number, int) and 0 < number <= MOST_CHANNELS for number in value)
        return bool(value) and whole, f"whole numbers from 1 to {MOST_CHANNELS}, one a level, as (8,)"
    if name == AUGMENT:
        known = isinstance(value, tuple) and set(value) <= set(registry.names("augmentation"))
        return known, f"some of {', '.join(registry.names('augmentation'))}, as ('translation',)"
    if name == EXTRA_WORDS:
        words = isinstance(value, tuple) and all(isinstance(word, str) and word for word in value)
        return words, "words, as ('ball', 'disc')"
    return True, ""


def _is_local(path):
    try:
        local_path(path)
    except UsageError:
        return False
    return True


def _check_data(config):
    _require(config.data.channels != 2, "1 (gray) or 3 (RGB)", config, "data.channels")
    _require(config.mesh.data != 0, "-1 or a number above 0", config, "mesh.data")


def _check_words(config):
    frozen = config.text.vectors and not config.text.train_vectors
    expected = "none, or else text.vectors that have them, and text.train_vectors=False"
    _require(frozen or not config.text.extra_words, expected, config, EXTRA_WORDS)


def _check_moving(config):
    expected = "False, or else generator.picture=True, before which things move"
    allowed = config.generator.picture or not config.discriminator.moving
    _require(allowed, expected, config, "discriminator.moving")


def _check_clips_per_caption(config):
    together, loss = config.data.clips_per_caption, config.loss
    expected = f"a divisor of batch_size, {config.batch_size}"
    _require(config.batch_size % together == 0, expected, config, "data.clips_per_caption")
    expected = "1, for a TFDS data set does not know which of its clips have the same class"
    ordered = config.data.world != "tfds"
    _require(together == 1 or ordered, expected, config, "data.clips_per_caption")
    expected = (
        "0, or else schedule.max_start_offset=0: a clip that begins late has no real one to compare with"
    )
    compared = loss.reconstruction_weight and config.schedule.max_start_offset
    _require(not compared, expected, config, "loss.reconstruction_weight")


def _check_sizes(config):
    size, discriminator = config.data.size, config.discriminator
    shares = 2 * config.generator.actors
    expected = f"a multiple of {shares}, one part for the appearance and one for the motion of each actor"
    _require(config.generator.noise_width % shares == 0, expected, config, "generator.noise_width")
    expected = f"a divisor of data.size={size}"
    _require(size % discriminator.clip_pooling == 0, expected, config, "discriminator.clip_pooling")
    pooled = size // discriminator.clip_pooling
    expected = f"at most as many levels as {pooled} pixels can be halved"
    fits = pooled % (1 << len(discriminator.clip_channels)) == 0
    _require(fits, expected, config, "discriminator.clip_channels")


def _check_stages(config):
    stages, frames = config.schedule.stages, config.data.frames
    expected = (
        "rows (first step, computed, painted, scored), the first from step 0, steps rising, "
        f"data.frames={frames} >= computed >= painted >= scored >= 1"
    )
    fits = bool(stages) and all(_is_stage(stage, frames) for stage in stages)
    starts = [stage[0] for stage in stages] if fits else []
    rising = all(a < b for a, b in zip(starts, starts[1:]))
    _require(fits and starts[0] == 0 and rising, expected, config, "schedule.stages")


def _is_stage(stage, frames):
    if not isinstance(stage, tuple) or [type(number) for number in stage] != [int] * 4:
        return False
    return frames >= stage[1] >= stage[2] >= stage[3] >= 1


def _require(holds, expected, config, name):
    if not holds:
        raise UsageError(f"config.{name} is {get(config, name)!r}; expected {expected}")
