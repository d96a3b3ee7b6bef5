"""Moving shapes in RGB, 64 x 64 pixels, 16 frames (labels of TFGAN, IJCAI 2019).

    t2v train --config=configs/moving_shapes.py --workdir=runs/shapes

Hardware: two CPU cores (AVX-512). Minutes: 57, half of them beside another run. Of 3,000 clips of trained
combinations: shape 40 %, size 95 %, color 100 %, motion 50 %, direction 99 %, all five 20 %
(`t2v evaluate --workdir=runs/shapes`, experiments/obedience).
"""

from t2v_jax import config as configuration


def get_config():
    """See the module's docstring."""
    config = configuration.default()
    config.steps = 3_000
    config.log_every = 50
    config.sample_every = 500
    config.checkpoint_every = 250
    config.data.world = "moving_shapes"
    config.data.channels = 3
    config.game.penalty_decay_steps = 3_000
    config.game.stages = ((0, 2, 2, 2), (1_500, 16, 6, 2))
    return config
