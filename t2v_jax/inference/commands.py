"""The commands `t2v generate`, `t2v models` and `t2v show`."""

import contextlib
import gc
import pathlib
import re
import sys
import warnings

from absl import flags

from t2v_jax.errors import UsageError, printable

EXAMPLE = 't2v generate "the digit 5 is moving up and down"'
MOST_TAKES = 64
_NAME_LENGTH = 50  # characters of a file that is named after its sentence


def define_model(values):
    """--model, of each command that reads one."""
    text = "a shipped model (t2v models lists them), a model directory, or a training workdir"
    flags.DEFINE_string("model", "moving-digits", text, flag_values=values)


def define_generate(values, _):
    """The flags of `t2v generate`."""
    options = {"flag_values": values}
    flags.DEFINE_string("prompt", None, "the sentence, if it is not given without a flag", **options)
    flags.DEFINE_string("prompts", None, "a file of sentences, one a line", **options)
    text = (
        "file to write: .gif .mp4 .webp .png (a row a video) .npy (the array). Default: a .gif named after "
        "the sentence. Of several sentences each has a numbered file, but a .png shows them all"
    )
    flags.DEFINE_string("output", None, text, **options)
    define_model(values)
    flags.DEFINE_integer("seed", 0, "0 to 4294967295; another seed, another video", **options)
    text = f"1 to {MOST_TAKES} takes side by side in a file, with the seeds from --seed on"
    flags.DEFINE_integer("seeds", 1, text, lower_bound=1, upper_bound=MOST_TAKES, **options)
    text = "number of frames, 1 or more (default: as in training, after the last sentence of a schedule)"
    flags.DEFINE_integer("frames", None, text, **options)
    flags.DEFINE_float("fps", 10.0, "frames a second: 0.01 to 50 (.gif), 90 (.webp), 1000 (.mp4)", **options)
    text = "make a clip whose end leads to its beginning, of a model whose clips repeat"
    flags.DEFINE_bool("loop", False, text, **options)
    text = "colour to put behind what is seen, where the background is one colour: navy, #203040"
    flags.DEFINE_string("background", None, text, **options)
    text = "also write a .png that shows how much each word counted in each frame, for one sentence and seed"
    flags.DEFINE_string("explain", None, text, **options)
    flags.DEFINE_bool("strict", False, "make a word that the model never saw an error", **options)


def generate(values, *sentences):
    """Paint the sentences and write their videos, saying what was understood otherwise than typed."""
    from t2v_jax.inference import generation, loop, model, schedule, video

    gc.freeze()  # what the imports have made stays to the end: not to be searched for garbage again and again
    prompts = _prompts(values, sentences)
    schedules = [schedule.parse_schedule(prompt) for prompt in prompts]
    paths = _outputs(values.output, prompts)
    for path in paths:
        video.check_output(path, values.fps)
    _check_flags(values, schedules)
    params = model.load(values.model)
    with _reporting(values.strict):
        generation.encode(params.language, [text for each in schedules for text in each.values()])
    frames = values.frames
    if frames is None:
        frames = max(map(max, schedules)) + params.config.data.frames
    if values.loop:
        loop.check_loop(params, values.model, frames)
    seeds = range(values.seed, values.seed + values.seeds)
    takes = ([_paint(params, each, seed, frames, values) for seed in seeds] for each in schedules)
    _write(takes, prompts, paths, values)
    if values.explain is not None:
        paths.append(_explain(params, prompts[0], frames, values))
    print(*paths, sep="\n")


def _prompts(values, sentences):
    """The different sentences asked for, as arguments, by --prompt and by --prompts."""
    prompts = [*sentences, *([] if values.prompt is None else [values.prompt])]
    if values.prompts is not None:
        prompts += _lines(values.prompts)
    if not prompts:
        raise UsageError(f"t2v generate needs a sentence, as in {EXAMPLE}; see t2v generate --help")
    return [*dict.fromkeys(prompts)]


def _lines(path):
    from t2v_jax.runtime.files import local_path

    try:
        text = local_path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"cannot read --prompts={path}: {reason}; expected sentences, one a line") from error
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise UsageError(f"--prompts={path} is empty; expected sentences, one a line")
    return lines


def _outputs(output, prompts):
    """The files to write: one a sentence, numbered if there are several; one in all for a contact sheet."""
    if len(prompts) == 1 or pathlib.Path(output or "").suffix.lower() == ".png":
        return [output or f"{_slug(prompts[0])}.gif"]
    numbers = [str(number).zfill(len(str(len(prompts)))) for number in range(1, len(prompts) + 1)]
    if output is None:
        return [f"{number}-{_slug(prompt)}.gif" for number, prompt in zip(numbers, prompts)]
    path = pathlib.Path(output)
    return [str(path.with_stem(f"{path.stem}-{number}")) for number in numbers]


def _slug(sentence):
    """A sentence as a file's name without ending."""
    words = re.sub(r"\W+", "-", sentence.lower()).strip("-")
    return words[:_NAME_LENGTH].rstrip("-") or "video"


def _paint(params, schedule, seed, frames, values):
    from t2v_jax.inference import background, generation, loop
    from t2v_jax.inference.schedule import paint_schedule
    from t2v_jax.inference.stream import Stream

    with _quiet():
        if len(schedule) > 1:
            clip = paint_schedule(Stream(params, schedule[0], seed), schedule, frames)
        else:
            paint = loop.paint_loop if values.loop else generation.generate
            clip = paint(params, schedule[0], seed, frames)
    if values.background is None:
        return clip
    return background.replace_background(clip, background.parse_color(values.background))


def _check_flags(values, schedules):
    """What can be said of --loop, --background and --explain before the model is read."""
    from t2v_jax.inference.background import parse_color
    from t2v_jax.runtime.files import check_writable

    if values.loop and max(map(len, schedules)) > 1:
        raise UsageError("--loop repeats one sentence; expected none with a schedule")
    if values.background is not None:
        parse_color(values.background)
    if values.explain is None:
        return
    if len(schedules) > 1 or len(schedules[0]) > 1 or values.seeds > 1 or values.loop:
        raise UsageError(
            "--explain explains one video; expected one sentence, without a schedule, --seeds or --loop"
        )
    if pathlib.Path(values.explain).suffix.lower() != ".png":
        raise UsageError(f"--explain={values.explain}; expected a name that ends in .png")
    check_writable(values.explain)


def _explain(params, prompt, frames, values):
    """Write the picture of --explain -> its path."""
    from t2v_jax.inference import metadata
    from t2v_jax.inference.explanation import explain

    with _quiet():
        explanation = explain(params, prompt, values.seed, frames)
    explanation.save(values.explain, metadata.made_from(prompt, values.seed, values.model, frames))
    return values.explain


def _write(takes, prompts, paths, values):
    """A file for each sentence, or, of contact sheets, one for all: takes holds a list of videos for each."""
    import numpy as np

    from t2v_jax.inference import metadata, video

    def made_from(prompt, clip):
        flags = {name: values[name].value for name in ("loop", "background") if values[name].value}
        return metadata.made_from(prompt, values.seed, values.model, len(clip), values.seeds) | flags

    if pathlib.Path(paths[0]).suffix.lower() == ".png":
        clips = np.stack([clip for clips in takes for clip in clips])
        prompt = prompts if len(prompts) > 1 else prompts[0]
        video.save_image(video.contact_sheet(clips), paths[0], made_from(prompt, clips[0]))
        return
    for clips, prompt, path in zip(takes, prompts, paths):
        clip = video.side_by_side(clips)
        origin = made_from(prompt, clip)
        video.save_video(clip, path, frames_per_second=values.fps, made_from=origin)


@contextlib.contextmanager
def _quiet():
    """Without saying once more how sentences are understood."""
    from t2v_jax.inference.generation import OtherWords, UnknownWord

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OtherWords)
        warnings.simplefilter("ignore", UnknownWord)
        yield


@contextlib.contextmanager
def _reporting(strict):
    """What is understood otherwise than typed goes to stderr; unknown words end it if `strict`."""
    from t2v_jax.inference.generation import OtherWords, UnknownWord

    with warnings.catch_warnings():
        warnings.simplefilter("always", OtherWords)
        warnings.simplefilter("error" if strict else "always", UnknownWord)
        warnings.showwarning = _show_warning
        try:
            yield
        except UnknownWord as error:
            raise UsageError(f"{error}; correct the word or leave out --strict") from error


def _show_warning(message, kind, *_):
    from t2v_jax.inference.generation import OtherWords

    title = "understood" if kind is OtherWords else "warning"
    print(f"t2v: {title}: {' '.join(str(message).split())}", file=sys.stderr)


def define_nothing(values, _):
    """No flags."""


def models(_, name=None):
    """Print the models that ship, or what there is to know of one."""
    from t2v_jax.inference import card, model

    if name is not None:
        print(card.describe(name))
        return
    for name in model.shipped():
        print(f"{name:<18}{card.summary(model.SHIPPED / name)}")
    print("t2v models NAME shows a model's words, sentences and limits.")


def show(_, path):
    """Print what a file was made from, a line for each thing known."""
    from t2v_jax.inference import metadata

    for name, value in metadata.read(path).items():
        for each in value if isinstance(value, list) else [value]:
            text = str(each)
            print(f"{printable(name):<10}{printable(text)}")
