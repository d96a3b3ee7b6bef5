"""The commands `t2v data check` and `t2v data prepare`."""

import itertools
import shlex

from absl import flags


def define_check(values, _):
    """The flags that say what clips are to be."""
    flags.DEFINE_integer("frames", 16, "frames a clip", flag_values=values)
    flags.DEFINE_float("fps", 10.0, "frames a second at which videos are seen", flag_values=values)
    text = "height and width of a clip, pixels: 16, 32, 64, 128, 256 or more"
    flags.DEFINE_integer("size", 64, text, flag_values=values)
    flags.DEFINE_integer("channels", 3, "1 gray, 3 RGB", flag_values=values)
    text = "frames from the start of a clip to that of the next (default: as many as it has)"
    flags.DEFINE_integer("stride", None, text, flag_values=values)
    flags.DEFINE_integer("segments", 16, "clips of one video at most", flag_values=values)
    text = "share of the videos kept for the test (default: a tenth, of fewer than 50 videos none)"
    flags.DEFINE_float("test_share", None, text, flag_values=values)
    flags.DEFINE_integer("workers", None, "processes (default: one a core)", flag_values=values)


def define_prepare(values, arguments):
    """Those of `define_check`, and where the clips go."""
    flags.DEFINE_string("output", None, "the directory to make, or to go on with", flag_values=values)
    define_check(values, arguments)


def check(values, directory):
    """Print what would be used of a folder of videos, and what not and why."""
    from t2v_jax.data.videos import prepared as prepared_clips

    _run(prepared_clips.check, values, directory)


def prepare(values, directory):
    """Print the same, write the clips, and say how to train on them."""
    from t2v_jax.data.videos import prepared as prepared_clips
    from t2v_jax.runtime.files import local_path

    output = local_path(values.output)
    _run(lambda folder, *rest: prepared_clips.prepare(folder, output, *rest), values, directory)
    print(f"train on it with: t2v train --data={shlex.quote(str(output))} --workdir=runs/{output.name}")


def _run(use, values, directory):
    from t2v_jax.config.resolution import SIZES, is_size
    from t2v_jax.data.videos.decode import ClipSpec
    from t2v_jax.data.videos.folder import read_folder
    from t2v_jax.errors import UsageError
    from t2v_jax.progress import Progress

    if values.workers is not None and values.workers < 1:
        raise UsageError(f"--workers={values.workers}; expected 1 or more")
    if not is_size(values.size):  # nothing could be trained on such clips
        raise UsageError(f"--size={values.size}; expected {SIZES}")
    fields = "frames", "fps", "size", "channels", "stride", "segments"
    spec = ClipSpec(**{name: values[name].value for name in fields})
    folder = read_folder(directory, values.test_share)
    done = itertools.count(1)
    with Progress(len(folder.videos), 1, every=100) as progress:
        report = use(folder, spec, values.workers, lambda: progress.update(next(done), {}))
    print(report)
    report.check()
