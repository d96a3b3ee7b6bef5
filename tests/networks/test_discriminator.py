"""Two judges of clip and caption: what each sees, and what it hears of the other clips of a batch."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from t2v_jax.networks.discriminator import distances, standardise
from t2v_jax.nn import statistics
from t2v_jax.nn.cutouts import cutouts
from t2v_jax.nn.statistics import caption_similarity
from tests import example

CONFIG = example.config()
DISCRIMINATOR = example.networks(CONFIG).discriminator
PARAMETERS = example.discriminator_parameters(DISCRIMINATOR)
CLIPS = jax.random.uniform(jax.random.key(0), (example.BATCH, 4, 16, 16, 1), minval=-1)
SENTENCES = [
    "digit 3 is up and down.",
    "digit 4 is left and right.",
    "digit 3 is up and down.",
    "digit 5 is up and down.",
]
CAPTIONS = jax.tree.map(jnp.asarray, example.language().encode(SENTENCES))


@jax.jit
def score(clips, captions=CAPTIONS):
    """Scores, the frame judge seeing the first frame and the third."""
    return DISCRIMINATOR.apply(PARAMETERS, clips, captions, jnp.array([0, 2])).logits[:, 0]


def test_every_clip_is_scored_with_every_caption():
    frame_discriminator, clip_discriminator = score(CLIPS)
    assert frame_discriminator.shape == clip_discriminator.shape == (example.BATCH, example.BATCH)
    np.testing.assert_allclose(
        frame_discriminator[:, 0], frame_discriminator[:, 2], atol=1e-5
    )  # the same caption
    assert np.abs(frame_discriminator[:, 0] - frame_discriminator[:, 1]).min() > 1e-4


def test_one_discriminator_sees_frames_the_other_their_order():
    frames, clips = score(CLIPS)
    elsewhere_frames, elsewhere_clips = score(CLIPS.at[:, 1].multiply(-1))
    np.testing.assert_allclose(elsewhere_frames, frames, atol=1e-5)
    assert np.abs(elsewhere_clips - clips).max() > 1e-4
    turned_frames, turned_clips = score(CLIPS[:, jnp.array([2, 1, 0, 3])])
    np.testing.assert_allclose(turned_frames, frames, atol=1e-5)
    assert np.abs(turned_clips - clips).max() > 1e-4


def test_two_more_discriminators_see_what_moves_alone():
    discriminator = example.networks(example.config(moving=True)).discriminator
    parameters = example.discriminator_parameters(discriminator)

    @jax.jit
    def scores(clips, things=None):
        frames = jnp.array([0, 2])
        return discriminator.apply(parameters, clips, CAPTIONS, frames, things).logits[:, 0]

    def differ(*inputs):
        return np.abs(scores(*inputs) - seen).max((1, 2))

    things = cutouts(CLIPS + 1, count=2, side=16)  # the background is -1
    seen = scores(CLIPS, things)
    assert seen.shape == (4, example.BATCH, example.BATCH)
    assert differ(CLIPS).max() < 1e-4  # by itself D cuts them out
    before_a_picture = CLIPS + jax.random.uniform(jax.random.key(1), (example.BATCH, 1, 16, 16, 1))
    frames, clips, moving, thing = differ(before_a_picture, things)
    assert min(frames, clips) > 1e-3 and max(moving, thing) < 1e-4
    assert differ(CLIPS.at[:, 0].multiply(-1), things)[2] > 1e-3
    *others, thing = differ(CLIPS, -things)
    assert thing > 1e-3 and max(others) == 0


def test_similar_captions_are_equal_or_close_never_the_clips_own():
    names = jax.random.normal(jax.random.key(2), (4, 64))
    sentences = standardise(jnp.stack([names[0], names[1], names[0], (names[1] + names[2]) / 2, names[3]]))
    similarity = np.asarray(caption_similarity(sentences))
    np.testing.assert_allclose(similarity.sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(np.diag(similarity), 0)
    assert similarity[0, 2] > 0.9 and similarity[2, 0] > 0.9
    assert similarity[1].argmax() == 3 and similarity[3].argmax() == 1


def test_distances_are_the_mean_of_those_to_the_fellows():
    features = jnp.array([[1.0, 5.0], [4.0, 6.0], [9.0, 9.0]])
    similarity = jnp.array([[0, 0.5, 0.5], [1, 0, 0], [0.25, 0.75, 0]])
    wanted = [[(3 + 8) / 2, (1 + 4) / 2], [3, 1], [(8 + 3 * 5) / 4, (4 + 3 * 3) / 4]]
    np.testing.assert_allclose(distances(features, similarity), wanted)


def test_captions_of_no_clip_are_scored_too():
    negatives = jax.tree.map(lambda array: jnp.concatenate([array, array[jnp.array([1, 0, 2, 3])]]), CAPTIONS)
    scores = score(CLIPS, negatives)
    assert scores.shape == (2, example.BATCH, 2 * example.BATCH)
    np.testing.assert_allclose(scores[..., 4:6], scores[..., 1::-1], atol=1e-5)


def test_a_clip_is_scored_beside_the_others_of_its_caption():
    """Twins of one caption lower or raise each other's scores, more than twins of two captions do."""
    scores = score(CLIPS)[:, 0]
    of_one, of_two = (score(CLIPS.at[other].set(CLIPS[0]))[:, 0] for other in (2, 1))
    assert np.abs(of_one - scores).max() > 2 * np.abs(of_two - scores).max() > 0


def test_sentences_are_standardised_over_the_batch():
    sentences = jax.random.normal(jax.random.key(1), (6, 5))
    output = standardise(sentences)
    np.testing.assert_allclose(output.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(output.std(0), 1, atol=1e-2)
    np.testing.assert_allclose(standardise(sentences + 7), output, atol=1e-4)


def test_clips_of_one_group_are_scored_apart_from_another(monkeypatch):
    """But for what D hears of the whole batch, its captions and how varied it is."""
    whole = score(CLIPS)  # first: a program keeps the size of group that it was traced with
    monkeypatch.setattr(statistics, "GROUP", 2)
    apply = jax.jit(functools.partial(DISCRIMINATOR.apply, PARAMETERS))
    scores = apply(CLIPS, CAPTIONS, jnp.array([0, 2])).logits
    assert scores.shape == (2, 2, 2, 2)
    assert np.abs(scores[:, 0] - whole[:, :2, :2]).max() > 1e-5  # the fellow of clip 0 is clip 2
    turned = jax.tree.map(lambda field: field[::-1], CAPTIONS)
    swapped = apply(CLIPS[::-1], turned, jnp.array([0, 2])).logits
    np.testing.assert_allclose(swapped[:, ::-1, ::-1, ::-1], scores, atol=1e-5)
