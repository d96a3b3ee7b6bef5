"""The generator as a recurrence: frames follow from frames, and can be painted sparsely."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from t2v_jax import config as configuration
from t2v_jax.networks.generator import layered
from tests import example, small

CONFIG = example.config()
GENERATOR = example.networks(CONFIG).generator
PARAMETERS = example.generator_parameters(GENERATOR)
CAPTIONS = example.batch()["captions"]
NOISE = example.noise()


@functools.cache
def paint(generator):
    """`generator.apply` in one program: (parameters, captions, noise, frames, ...) -> its output."""
    return jax.jit(generator.apply, static_argnums=3)


PAINT = paint(GENERATOR)
# What rounding leaves between two programs of the same frames: a four-hundredth of a level.
ROUNDING = 2e-5


@jax.jit
def whole():
    return PAINT(PARAMETERS, CAPTIONS, NOISE, 6).clips


def test_clips_have_the_promised_shape_and_are_not_plain():
    clips = whole()
    assert clips.shape == (example.BATCH, 6, 16, 16, 1)
    assert float(jnp.std(clips, axis=(2, 3)).min()) > 0.03


def test_a_clip_can_go_on_where_it_stopped():
    first = PAINT(PARAMETERS, CAPTIONS, NOISE, 2)
    second = PAINT(PARAMETERS, CAPTIONS, NOISE, 4, carry=first.carry)
    clips = jnp.concatenate([first.clips, second.clips], axis=1)
    np.testing.assert_allclose(clips, whole(), atol=ROUNDING)


def test_painting_some_frames_is_the_same_as_dropping_the_others():
    frame_indices = jnp.array([1, 4])
    sparse = PAINT(PARAMETERS, CAPTIONS, NOISE, 6, frame_indices)
    np.testing.assert_allclose(sparse.clips, whole()[:, frame_indices], atol=ROUNDING)


def recorded(part, config, frames, noise=NOISE, carry=None, parameters=None):
    """What a part of the generator hands on."""
    generator = example.networks(config).generator
    parameters = parameters or example.generator_parameters(generator)
    wanted = {
        "capture_intermediates": lambda module, _: module.name == part,
        "mutable": "intermediates",
    }

    @jax.jit
    def handed_on(parameters, noise, carry):
        _, parts = generator.apply(parameters, CAPTIONS, noise, frames, carry=carry, **wanted)
        return parts["intermediates"][part]["__call__"][0]

    return handed_on(parameters, noise, carry)


def carry_at(generator, parameters, start_offsets, latest):
    """What a clip that begins late goes on from."""
    at = functools.partial(generator.apply, method="carry_at")
    return jax.jit(at, static_argnums=4)(parameters, CAPTIONS, NOISE, start_offsets, latest)


def recorded_lines(*args, **options):
    return recorded("motion_rnn", *args, **options)[2]


def attention(captions=CAPTIONS, config=CONFIG, frames=6):
    networks = example.networks(config)
    parameters = example.generator_parameters(networks.generator)
    return np.asarray(paint(networks.generator)(parameters, captions, NOISE, frames).attention)


def test_attention_is_recomputed_for_every_frame():
    weights = attention()
    batch, words = CAPTIONS.mask.shape
    assert weights.shape == (6, batch, 2, words)  # of the looks, of the deeds
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-5)
    change = np.abs(np.diff(weights, axis=0)).max((1, 3))
    assert change[:, 1].min() > 1e-6
    assert change[:, 0].max() == 0  # what a thing looks like does not hang on what it has done


def test_each_actor_has_a_place_in_the_frame_and_words_of_its_own():
    motion = recorded_lines(changed(actors=2), 3)
    places = np.asarray(motion.place).reshape(3, example.BATCH, 2, 2)
    assert places.min() > 0 and places.max() < 1
    assert np.abs(places[:, :, 0] - places[:, :, 1]).min((0, 1)).max() > 1e-6
    weights = attention(config=changed(actors=2)).reshape(6, example.BATCH, 2, 2, -1)
    assert np.abs(weights[:, :, 0] - weights[:, :, 1]).max((0, 3)).min() > 1e-6


def test_before_a_picture_the_first_actor_moves_about_where_the_other_stands():
    config = changed(actors=2, picture=True)

    def places(parameters):
        motion = recorded_lines(config, 3, parameters=parameters)
        return np.asarray(motion.place).reshape(3, example.BATCH, 2, 3).swapaxes(0, 2)

    parameters = example.generator_parameters(example.networks(config).generator)
    moving, standing = places(parameters)
    assert np.abs(np.diff(moving, axis=1)).max((1, 2)).min() > 1e-4
    np.testing.assert_array_equal(standing, np.repeat(standing[:, :1], 3, axis=1))
    assert np.ptp(standing[:, 0], axis=0).min() > 0.01  # elsewhere in each clip
    layer = parameters["params"]["motion_rnn"]["cell"]["place"]
    parameters["params"]["motion_rnn"]["cell"]["place"] = jax.tree.map(jnp.zeros_like, layer)
    np.testing.assert_array_equal(*places(parameters))


def roles(generator):
    return generator.roles(generator.text(CAPTIONS), NOISE)


def test_an_actor_hears_no_word_that_another_hears():
    config = changed(actors=2)
    network = example.networks(config).generator
    parameters = example.generator_parameters(network)
    rngs = {"attention": jax.random.key(0)}
    appearance = network.apply(parameters, rngs=rngs, method=roles)[0]
    output = np.asarray(appearance.sampled_weights).reshape(example.BATCH, 2, -1).round(4)
    np.testing.assert_array_equal(output.sum(-1), 1)
    assert np.all(output[:, 0].argmax(-1) != output[:, 1].argmax(-1))


def test_several_actors_of_all_words_know_in_which_order_these_stand():
    fields = small.get_config()
    fields.text.sentence = "gru"
    fields.generator.update(actors=2, hard_attention=False, attention="uniform")
    networks = example.networks(configuration.check(fields))
    parameters = example.generator_parameters(networks.generator)
    sentences = ["digit 3 is left and right.", "digit 3 is right and left."]
    captions = jax.tree.map(jnp.asarray, example.language().encode(sentences))

    def contexts(generator):
        sentence = generator.text(captions)
        return generator.roles(sentence, NOISE[:2])[0].contexts, sentence.words.shape[-1]

    read, width = networks.generator.apply(parameters, method=contexts)
    change = np.abs(read[:2] - read[2:])  # two actors of each sentence
    assert change[:, width:].max() > 1e-3  # the words themselves are the same


def test_of_two_actors_each_is_known_by_its_word_too():
    network = example.networks(changed(actors=2)).generator
    parameters = example.generator_parameters(network)
    actors = np.asarray(network.apply(parameters, method=roles)[2])
    actors = actors.reshape(example.BATCH, 2, -1)
    np.testing.assert_array_equal(actors[..., :2], np.broadcast_to(np.eye(2), (example.BATCH, 2, 2)))
    assert np.abs(actors[:, 0, 2:] - actors[:, 1, 2:]).max(-1).min() > 1e-3


def test_two_actors_paint_sparsely_and_go_on_too():
    networks = example.networks(changed(actors=2))
    parameters = example.generator_parameters(networks.generator)
    clips = paint(networks.generator)(parameters, CAPTIONS, NOISE, 3).clips
    assert clips.shape == (example.BATCH, 3, 16, 16, 1)
    carry = paint(networks.generator)(parameters, CAPTIONS, NOISE, 1).carry
    later = paint(networks.generator)(parameters, CAPTIONS, NOISE, 2, jnp.array([1]), carry=carry)
    np.testing.assert_allclose(later.clips, clips[:, 2:], atol=ROUNDING)


def test_a_picture_stands_still_behind_the_actors_and_differs_between_clips():
    """Until its camera has learnt to move."""
    clips = painted(picture=True, actors=2)
    corner = clips[:, :, :2, :2]  # no canvas reaches it
    np.testing.assert_allclose(corner, np.broadcast_to(corner[:, :1], corner.shape), atol=ROUNDING)
    assert corner.std(0).min() > 1e-3


def test_a_camera_moves_over_the_picture_and_goes_on_where_it_stopped():
    networks = example.networks(changed(picture=True))
    apply, parameters = paint(networks.generator), example.generator_parameters(networks.generator)
    still = apply(parameters, CAPTIONS, NOISE, 3).clips
    layer = parameters["params"]["camera"]["cell"]["place"]
    layer["kernel"] = jax.random.normal(jax.random.key(0), layer["kernel"].shape)
    clips = apply(parameters, CAPTIONS, NOISE, 3).clips
    assert np.abs(clips - still).max() > 0.01
    carry = apply(parameters, CAPTIONS, NOISE, 1).carry
    later = apply(parameters, CAPTIONS, NOISE, 2, jnp.array([1]), carry=carry)
    np.testing.assert_allclose(later.clips, clips[:, 2:], atol=ROUNDING)
    late = carry_at(networks.generator, parameters, jnp.full(example.BATCH, 1), 2)
    np.testing.assert_allclose(late.camera, carry.camera, atol=1e-5)


def test_a_picture_that_is_not_told_the_words_is_noise_alone():
    words = example.language().encode(["digit 9 is left and right."] * example.BATCH)
    words = jax.tree.map(jnp.asarray, words)
    corners = [
        painted(captions, picture=True, captioned_picture=False)[:, :, :2, :2]
        for captions in (CAPTIONS, words)
    ]
    np.testing.assert_array_equal(*corners)


def test_a_picture_is_of_the_words():
    networks = example.networks(changed(picture=True, style_animation=True))
    parameters = example.generator_parameters(networks.generator)
    pictures = [
        paint(networks.generator)(parameters, jax.tree.map(lambda part: part[:1], captions), NOISE[:1], 1)
        for captions in (CAPTIONS, jax.tree.map(lambda part: part[1:], CAPTIONS))
    ]
    assert np.abs(pictures[0].clips - pictures[1].clips).max() > 1e-3


def test_a_canvas_that_moves_before_a_picture_stays_mostly_inside():
    far = [painted(place=place, picture=True) for place in (-100.0, 100.0)]
    low, high = (np.abs(clips - painted(place=0.0, picture=True)).max((0, 1, 4)) for clips in far)
    assert low[:12, :12].max() > 1e-3 and high[-12:, -12:].max() > 1e-3  # 12 of 16 pixels are inside


def test_a_canvas_that_fills_the_frame_before_a_picture_stays():
    networks = example.networks(changed(picture=True, style_animation=True))
    parameters = example.generator_parameters(networks.generator)
    clips = paint(networks.generator)(parameters, CAPTIONS, NOISE, 2).clips
    layer = parameters["params"]["motion_rnn"]["cell"]["place"]
    layer["kernel"] = jax.random.normal(jax.random.key(0), layer["kernel"].shape)
    np.testing.assert_array_equal(paint(networks.generator)(parameters, CAPTIONS, NOISE, 2).clips, clips)


def painted(captions=CAPTIONS, place=0.0, **generator):
    """Clips of 32 x 32 pixels whose canvases, of 16 x 16, stand where the logit `place` says: the middle."""
    return np.asarray(painted_output(captions, place, **generator).clips)


def painted_output(captions=CAPTIONS, place=0.0, **generator):
    fields = small.get_config()
    fields.data.size = 32
    fields.generator.update(canvas_size=16, **generator)
    networks = example.networks(configuration.check(fields))
    parameters = example.generator_parameters(networks.generator)
    layer = parameters["params"]["motion_rnn"]["cell"]["place"]
    layer.update(kernel=jnp.zeros_like(layer["kernel"]), bias=jnp.full_like(layer["bias"], place))
    return paint(networks.generator)(parameters, captions, NOISE, 3)


def test_actors_hide_the_picture_and_the_nearer_those_behind():
    behind = jnp.full((1, 1, 2, 2, 1), 0.5)
    opaque, clear = (jnp.array([value, hides]) for value, hides in ((-0.25, 1.0), (0.125, 0.0)))
    placed = jnp.zeros((1, 2, 1, 2, 2, 2)).at[0, 0, 0, 0].set(opaque).at[0, 1, 0, :, 0].set(clear)

    def frame(placed, first, second):
        return np.asarray(layered(behind, placed, jnp.array([[[first], [second]]])))[0, 0, ..., 0]

    wanted = [[-0.25 + 0.125, -0.25], [0.5 + 0.125, 0.5]]
    np.testing.assert_allclose(frame(placed, 0.0, 1.0), wanted, atol=1e-6)
    placed = placed.at[0, 1, 0, 0, 0].set(jnp.array([-0.5, 1.0]))
    for nearness, shown in (((0.0, 1.0), -0.5), ((1.0, 0.0), -0.25), ((0.3, 0.3), (-0.5 - 0.25) / 2)):
        assert frame(placed, *nearness)[0, 0] == pytest.approx(shown, abs=1e-6)


def test_what_the_first_actor_paints_before_a_picture_is_told_by_itself():
    output = painted_output(picture=True, actors=2)
    assert output.things.shape == (example.BATCH, 3, 16, 16, 2)
    hides = output.things[..., 1:]
    assert hides.min() > 0 and hides.max() < 1
    assert painted_output().things is None


def test_the_edges_of_canvases_fade_out():
    cut, soft = painted(), painted(soft_edges=True)
    assert np.abs(soft - cut)[..., 8:24, 8, :].max() > 1e-3  # the canvas's first column
    np.testing.assert_allclose(soft[..., 10:22, 10:22, :], cut[..., 10:22, 10:22, :], atol=1e-6)


def test_words_and_noise_of_motion_leave_the_appearance_alone():
    """What was learnt of a digit in one motion holds for the other."""
    motion, others = (recorded_lines(CONFIG, 3, noise) for noise in (NOISE, with_other_deeds(NOISE)))
    assert np.abs(motion.place - others.place).min((0, 2)).max() > 1e-3
    first, second = (recorded("mapping", CONFIG, 3, noise) for noise in (NOISE, with_other_deeds(NOISE)))
    np.testing.assert_array_equal(first, second)


def test_a_word_counts_for_the_appearance_alike_in_every_motion():
    sentences = ["digit 3 is up and down.", "digit 3 is left and right."]
    captions = example.language().encode(sentences * (example.BATCH // 2))
    same = np.flatnonzero((captions.tokens[0] == captions.tokens[1]) & captions.mask[0])
    odds = np.log(attention(captions)[0, :2, 0][:, same])
    assert len(same) > 2 and odds.std(1).min() > 1e-3
    np.testing.assert_allclose(*(row - row[0] for row in odds), atol=1e-5)


def test_style_animation_paints_motion_goes_on_and_is_sparse():
    networks = example.networks(changed(style_animation=True))
    parameters = example.generator_parameters(networks.generator)
    # They begin in the middle of the frame; here where those without do.
    parameters["params"]["motion_rnn"]["cell"]["place"] = PARAMETERS["params"]["motion_rnn"]["cell"]["place"]
    apply = paint(networks.generator)
    # Until they are learnt there are none: the clips are those of a generator without.
    np.testing.assert_allclose(apply(parameters, CAPTIONS, NOISE, 3).clips, whole()[:, :3], atol=ROUNDING)
    layer = parameters["params"]["style_animation"]["change"]
    layer["kernel"] = jax.random.normal(jax.random.key(0), layer["kernel"].shape)
    clips = apply(parameters, CAPTIONS, NOISE, 3).clips
    assert np.abs(clips - whole()[:, :3]).max() > 0.1
    carry = apply(parameters, CAPTIONS, NOISE, 1).carry
    later = apply(parameters, CAPTIONS, NOISE, 2, jnp.array([1]), carry=carry)
    np.testing.assert_allclose(later.clips, clips[:, 2:], atol=ROUNDING)


def test_a_scene_is_still_until_it_learns_to_move():
    states, last = recorded("scene", CONFIG, 6)
    assert states.std((0, 2, 3)).min() > 0
    np.testing.assert_allclose(states, jnp.broadcast_to(last.hidden, states.shape), atol=1e-6)


def with_other_deeds(noise):
    return jnp.concatenate([noise[:, :4], -noise[:, 4:]], axis=1)


def test_a_clip_that_begins_late_goes_on_as_if_its_start_had_been_seen():
    """Where the script alone decides, in the places; each clip has its own moment."""
    start_offsets = jnp.arange(example.BATCH)
    late = carry_at(GENERATOR, PARAMETERS, start_offsets, 5)
    assert late.scene is None
    motion = recorded_lines(CONFIG, 6)
    later = recorded_lines(CONFIG, 2, carry=late)
    for clip, moment in enumerate(start_offsets.tolist()):
        wanted = motion.place[moment : moment + 2, clip]
        np.testing.assert_allclose(later.place[:, clip], wanted, atol=1e-5)


def test_a_scene_runs_on_from_frames_that_were_not_seen():
    parameters = moving_scene(PARAMETERS)
    whole = PAINT(parameters, CAPTIONS, NOISE, 6).carry.scene

    @jax.jit
    def late(burn_in):
        return PAINT(parameters, CAPTIONS, NOISE, 2, burn_in=burn_in).carry.scene

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), late(4), whole)
    assert np.abs(late(0).hidden - whole.hidden).max() > 1e-3


def test_a_scene_burns_in_before_a_clip_not_when_it_goes_on():
    parameters = moving_scene(PARAMETERS)
    settled = paint(example.networks(changed(burn_in=3)).generator)
    clips = settled(parameters, CAPTIONS, NOISE, 4).clips
    burn_in = PAINT(parameters, CAPTIONS, NOISE, 4, burn_in=3).clips
    np.testing.assert_allclose(clips, burn_in, atol=ROUNDING)
    late = settled(parameters, CAPTIONS, NOISE, 4, burn_in=2).clips
    np.testing.assert_allclose(late, PAINT(parameters, CAPTIONS, NOISE, 4, burn_in=5).clips, atol=ROUNDING)
    first = settled(parameters, CAPTIONS, NOISE, 1)
    later = settled(parameters, CAPTIONS, NOISE, 3, carry=first.carry).clips
    np.testing.assert_allclose(jnp.concatenate([first.clips, later], 1), clips, atol=ROUNDING)
    assert np.abs(clips - PAINT(parameters, CAPTIONS, NOISE, 4).clips).max() > 1e-3


def test_a_smooth_painter_has_no_pattern_of_single_pixels():
    kernel = PARAMETERS["params"]["painter"]["up_16"]["conv"]["kernel"]
    unlike = jax.random.normal(jax.random.key(0), kernel.shape)  # the four pixels of one
    parameters = jax.tree.map(lambda leaf: unlike if leaf is kernel else leaf, PARAMETERS)

    def stripes(blur_upsample):
        networks = example.networks(changed(blur_upsample=blur_upsample))
        clips = np.asarray(paint(networks.generator)(parameters, CAPTIONS, NOISE, 2).clips)
        alternating = (-1) ** np.arange(clips.shape[2])[:, None, None]
        return np.abs((clips * alternating).mean(2)).mean()

    assert 0 < stripes(True) < stripes(False) / 2


def moving_scene(parameters):
    """The same parameters, with a scene that has learnt to move."""
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: leaf + 0.1 if "hidden_kernel" in jax.tree_util.keystr(path) else leaf, parameters
    )


def test_no_gradient_comes_from_before_a_clip_begins():
    def state(parameters, moment):
        start_offsets = jnp.full(example.BATCH, moment)
        late = carry_at(GENERATOR, parameters, start_offsets, 5)
        return jnp.square(late.motion).sum()

    for moment, learns in ((0, True), (3, False)):
        gradient = jax.grad(state)(PARAMETERS, moment)
        assert any(np.any(leaf) for leaf in jax.tree.leaves(gradient)) == learns


def changed(**generator):
    """The small configuration with other fields of config.generator."""
    fields = small.get_config()
    fields.generator.update(generator)
    return configuration.check(fields)


def test_whole_canvases_that_change_in_place_begin_in_the_middle():
    motion = recorded_lines(changed(style_animation=True), 3)
    np.testing.assert_array_equal(motion.place, 0.5)
