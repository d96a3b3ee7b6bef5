"""Animated emoji of people who do something, in six skin tones, 64 x 64 pixels, 16 frames of RGB.

    t2v train --config=configs/animated_emoji.py --workdir=runs/emoji

Needs the packages that docs/data_sets.md names. The model that ships goes on from
there, with a new D (as from an export of runs/emoji without its discriminator.npz) and more contrast, for the
tones' sake:

    t2v train --config=configs/animated_emoji.py --workdir=runs/tones --config.init_from=runs/emoji \
      --config.steps=4200 --config.loss.contrast_weight=0.5 \
      --config.loss.penalty_weight=0.5 --config.optimizer.generator_learning_rate=5e-4

(to its step 3,000 with --config.steps=3000, a contrast_weight of 2 and
"--config.schedule.stages=((0,16,2,2),(2200,16,5,2))"). Hardware: one CPU core (AVX-512), another training
beside it. Minutes: 89 and 110. The right caption among 64 for 97.1 % of clips of trained captions and 91.7 %
of held-out combinations, the right tone for 90.7 % and 66.1 % (experiments/emoji/measure.py).
"""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 5_000
    config.log_every = 50
    config.sample_every = 500
    config.checkpoint_every = 250
    config.data.world = "tfds"
    config.data.dataset = "animated_emoji/actions"
    config.data.channels = 3
    config.data.background = 1.0
    config.text.sentence = "mean"
    # Who, what and which tone are read at once, so all words are heard; the canvas is the whole frame.
    config.generator.hard_attention = False
    config.generator.heads = 4
    config.generator.style_animation = True
    config.generator.style_width = 192
    config.generator.scene_channels = 48
    config.generator.painter_channels = (48, 32, 16)
    config.discriminator.frame_channels = (24, 48, 96)
    config.optimizer.beta_1 = 0.5
    # Each caption means one clip here: G is told how far off it is, and D sharpens.
    config.loss.reconstruction_weight = 100.0
    config.loss.penalty_weight = 1.0
    config.loss.final_penalty_weight = 0.1
    config.schedule.max_start_offset = 0  # every clip begins where the loop does
    config.discriminator.augment = ("translation", "cutout")
    config.schedule.stages = ((0, 16, 2, 2),)
    return config
