"""Trains the caption-clip matcher on the real clips of a data set."""

import functools
import pathlib
import sys
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from t2v_jax.data.source import ClipSource, make_source, read_batch
from t2v_jax.errors import UsageError
from t2v_jax.evaluation.matcher import Matcher, MatcherNetwork, Vocabulary, spread, to_frames
from t2v_jax.evaluation.retrieval import Retrieval
from t2v_jax.evaluation.statistics import share
from t2v_jax.progress import Progress
from t2v_jax.runtime import jit
from t2v_jax.runtime.files import check_writable

MATCHER = "matcher.npz"  # in a workdir, or beside a model
BATCH = 64
RATE, DECAY = 2e-3, 1e-2
CLIPS_A_STEP = 3  # a step for so many clips, within these bounds
FEWEST_STEPS, MOST_STEPS = 300, 2_000
NEGATIVES_PER_CLIP = 1_024  # captions that a clip chooses among, at most
ONE_IN = 10  # clips are held back, where there is no split for the test
SCORED = 1_000  # held-back clips, at most
FURTHEST = 4  # shift, pixels
STRONGEST_NOISE = 0.3  # of [-1, 1]


class Subset:
    """Some clips of a source, by their places: a `ClipSource`."""

    def __init__(self, source: ClipSource, places: np.ndarray):
        self._source, self._places = source, places

    def __len__(self):
        return len(self._places)

    def __getitem__(self, index):
        return self._source[self._places[index]]

    def batch(self, indices):
        """As `source.read_batch`."""
        return read_batch(self._source, self._places[indices])

    def captions(self):
        """All captions of the source: of some nobody knows to which clip they belong."""
        return self._source.captions()


class RealClips(NamedTuple):
    """The clips that a matcher learns from, and those that it never sees."""

    training: ClipSource
    held_back: ClipSource

    def captions(self) -> dict[str, int]:
        """All that either is captioned with, and their classes."""
        return self.training.captions() | self.held_back.captions()


def real_clips(config) -> RealClips:
    """Of a run's configuration: its training split and the test split, or where there is none a tenth."""
    source = make_source(config)
    try:
        return RealClips(source, make_source(config, "test"))
    except UsageError:
        if len(source) < 2:
            raise
        places = np.random.default_rng(0).permutation(len(source))
        few = -(-len(source) // ONE_IN)
        return RealClips(Subset(source, places[few:]), Subset(source, places[:few]))


def matcher_for(directory: pathlib.Path, clips: RealClips) -> Matcher:
    """The matcher that is kept in a workdir, or beside a model; trained where there is none yet."""
    path = directory / MATCHER
    if path.is_file():
        return Matcher.load(path)
    check_writable(path)
    print(f"training the matcher on {len(clips.training)} real clips, once: {path}", file=sys.stderr)
    matcher = train_matcher(clips)
    matcher.save(path)
    right, held_back = (matcher.held_back[name] for name in ("right", "clips"))
    print(f"the matcher knows the caption of {right} of {held_back} held-back clips", file=sys.stderr)
    return matcher


def train_matcher(clips: RealClips) -> Matcher:
    """A matcher that chooses among the captions of the training clips; shows its progress on stderr."""
    source = clips.training
    steps = min(max(len(source) // CLIPS_A_STEP, FEWEST_STEPS), MOST_STEPS)
    batches = _Batches(source)
    network = MatcherNetwork(len(batches.vocabulary.terms))
    key = jax.random.key(0)
    frames, numbers, *_ = next(batches)
    parameters = network.init(key, to_frames(frames[:2]), numbers[:2])["params"]
    optimizer = optax.adamw(
        optax.warmup_cosine_decay_schedule(0, RATE, steps // 20, steps), weight_decay=DECAY
    )
    state = optimizer.init(parameters)
    update = functools.partial(_update, network, optimizer)
    step = jax.jit(update, donate_argnums=(0, 1), compiler_options=jit.options())
    with Progress(steps, BATCH, every=100) as progress:
        for number in range(steps):
            key, batch = jax.random.fold_in(key, number), next(batches)
            jax.block_until_ready(state)  # the host is one step ahead, not more: batches take memory
            parameters, state, loss = step(parameters, state, key, *batch)
            progress.update(number + 1, {"loss": loss})
    matcher = Matcher(jax.device_get(parameters), batches.vocabulary)
    matcher.held_back = held_back_score(matcher, clips)
    return matcher


def held_back_score(matcher: Matcher, clips: RealClips) -> dict:
    """The share of held-back clips that choose their own caption, as `statistics.share`."""
    retrieval = Retrieval(matcher, clips.captions())
    rows = np.random.default_rng(0).permutation(len(clips.held_back))[:SCORED]
    found = []
    for start in range(0, len(rows), BATCH):
        batch = read_batch(clips.held_back, rows[start : start + BATCH])
        found.append(retrieval(matcher.clips(batch["clip"]).vectors, batch["caption"], start))
    return share(np.concatenate(found)[None])


class _Batches:
    """Batches without end: frames, terms of captions, their classes, and which caption is whose.

    Captions are those of the batch, and others to tell them from.
    """

    def __init__(self, source: ClipSource):
        self._source, captions = source, source.captions()
        self._rows = {caption: row for row, caption in enumerate(captions)}
        self._classes = np.array(list(captions.values()))
        self.vocabulary = Vocabulary.of(captions)
        self._numbers = self.vocabulary(list(captions))
        self._rng = np.random.default_rng(0)

    def __next__(self):
        places = self._rng.choice(len(self._source), min(BATCH, len(self._source)), replace=False)
        batch = read_batch(self._source, places)
        own = np.array([self._rows[caption] for caption in batch["caption"]])
        rows = self._with_rivals(np.unique(own))
        column = {row: place for place, row in enumerate(rows.tolist())}
        columns = np.array([column[row] for row in own.tolist()])
        return spread(batch["clip"]), self._numbers[rows], self._classes[rows], columns

    def _with_rivals(self, own):
        """These rows and others, as many in all as there are, or NEGATIVES_PER_CLIP."""
        others = np.setdiff1d(np.arange(len(self._numbers)), own)
        few = min(len(others), NEGATIVES_PER_CLIP - len(own))
        return np.concatenate([own, self._rng.choice(others, few, replace=False)])


def _update(network, optimizer, parameters, state, key, frames, numbers, caption_classes, columns):
    def loss(parameters):
        logits = network.apply({"params": parameters}, disturb(key, to_frames(frames)), numbers)
        # Another wording of a clip's class is neither right nor wrong.
        same = caption_classes[columns][:, None] == caption_classes[None]
        own = columns[:, None] == jnp.arange(len(caption_classes))[None]
        logits = jnp.where(same & ~own, -jnp.inf, logits)
        return optax.softmax_cross_entropy_with_integer_labels(logits, columns).mean()

    value, gradient = jax.value_and_grad(loss)(parameters)
    updates, state = optimizer.update(gradient, state, parameters)
    return optax.apply_updates(parameters, updates), state, value


def disturb(key, clips):
    """What clips of one caption differ by, and generated ones suffer from: shifted, softened, noisy.

    [n, t, h, w, c] in [-1, 1]. The noise is the same in all frames, for so much of it takes long to draw.
    """
    keys, (n, _, *frame) = jax.random.split(key, 4), clips.shape
    each = n, 1, 1, 1, 1
    clips = _shifted(keys[0], clips)
    clips = clips + jax.random.uniform(keys[1], each) * (_blurred(clips) - clips)
    deviation = STRONGEST_NOISE * jax.random.uniform(keys[2], each) ** 2
    return clips + deviation * jax.random.normal(keys[3], (n, 1, *frame))


def _shifted(key, clips):
    """Each clip by up to FURTHEST pixels, beyond its edges as there."""
    far = min(FURTHEST, clips.shape[2] // 4)
    padded = jnp.pad(clips, ((0, 0), (0, 0), (far, far), (far, far), (0, 0)), mode="edge")
    starts = jax.random.randint(key, (len(clips), 2), 0, 2 * far + 1)

    def cut(clip, start):
        return jax.lax.dynamic_slice(clip, (0, *start, 0), clips.shape[1:])

    return jax.vmap(cut)(padded, starts)


def _blurred(clips):
    """By the weights 1, 2, 1 along either axis."""
    for axis in (2, 3):
        clips = (jnp.roll(clips, 1, axis) + 2 * clips + jnp.roll(clips, -1, axis)) / 4
    return clips
