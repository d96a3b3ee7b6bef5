"""What each command of `t2v` does, and its flags."""

import contextlib
import gc
import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

from absl import flags

from t2v_jax.data.videos import commands as data
from t2v_jax.errors import UsageError
from t2v_jax.runtime.hosts import joined, unanimous


class Command(NamedTuple):
    """What a command does, its flags, those it cannot do without, and the function that takes them.

    `takes` names the arguments that are no flags, which the function takes too.
    """

    help: str
    define: Callable
    required: tuple[str, ...]
    run: Callable
    takes: tuple[str, ...] = ()


def _generate_flags(values, _):
    options = {"flag_values": values}
    flags.DEFINE_string("prompt", None, "the sentence to obey", **options)
    endings = ".gif .mp4 .webp .png (contact sheet) .npy"
    flags.DEFINE_string("output", None, f"file to write: {endings}", **options)
    _define_model(values)
    flags.DEFINE_integer("seed", 0, "another seed, another video of the same prompt", **options)
    flags.DEFINE_integer("frames", None, "number of frames (default: as in training)", **options)
    flags.DEFINE_float("fps", 10.0, "frames a second", **options)
    flags.DEFINE_bool("strict", False, "make a word that the model never saw an error", **options)


def _define_model(values):
    text = "a shipped model, a model directory, or a training workdir"
    flags.DEFINE_string("model", "moving-digits", text, flag_values=values)


def _generate(values):
    from t2v_jax.inference import generation, model, video

    gc.freeze()  # what the imports have made stays to the end: not to be searched for garbage again and again

    video.check_output(values.output, values.fps)
    params = model.load(values.model)
    with warnings.catch_warnings():
        warnings.simplefilter("error" if values.strict else "always", generation.UnknownWord)
        warnings.showwarning = _show_warning
        try:
            clip = generation.generate(params, values.prompt, values.seed, values.frames)
        except generation.UnknownWord as error:
            raise UsageError(f"{error}; correct the word or leave out --strict") from error
    video.save_video(clip, values.output, frames_per_second=values.fps)
    print(values.output)


def _demo_flags(values, _):
    _define_model(values)
    flags.DEFINE_integer("port", 8000, "of the page; 0 takes a free one", flag_values=values)


def _demo(values):
    from t2v_jax.demo.server import Server
    from t2v_jax.inference.generation import UnknownWord

    warnings.simplefilter("ignore", UnknownWord)  # the page tells of them
    with Server(values.model, values.port) as server:
        print(f"{server.address} (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


def _show_warning(message, *_):
    text = " ".join(str(message).split())
    print(f"t2v: warning: {text}", file=sys.stderr)


def _train_flags(values, arguments):
    text = "what t2v data prepare made: the configuration is read from it, in place of --config"
    flags.DEFINE_string("data", None, text, flag_values=values)
    text = "where checkpoints, metrics and samples go"
    flags.DEFINE_string("workdir", None, text, flag_values=values)
    _define_hosts(values)
    _define_config(values, arguments, "the run's configuration; --config.field=value changes a field")


def _define_hosts(values):
    text = (
        "HOST:PORT of the first of several processes, which Slurm, Open MPI and TPU pods tell by themselves"
    )
    flags.DEFINE_string("coordinator", None, text, flag_values=values)
    flags.DEFINE_integer("processes", None, "how many there are", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("process", None, "which this is, from 0 on", lower_bound=0, flag_values=values)


def _define_config(values, arguments, text):
    """--config: a file, or, where --data names clips, what is read from them."""
    from ml_collections import config_flags

    told = flags.FlagValues()
    flags.DEFINE_string("data", None, "", flag_values=told)
    _define_hosts(told)
    told(["", *arguments], known_only=True)
    if told.data is None:
        config_flags.DEFINE_config_file("config", None, text, flag_values=values, sys_argv=arguments)
        return
    from t2v_jax.training.auto_config import fitted_config

    # What is read depends on the devices, and those are asked for only when all processes have met.
    with joined(told.coordinator, told.processes, told.process), unanimous():
        fitted = fitted_config(told.data)
    config_flags.DEFINE_config_dict("config", fitted, text, flag_values=values, sys_argv=arguments)


def _train(values):
    from t2v_jax.training.loop import train

    if values.config is None:
        raise UsageError("t2v train needs --data=... or --config=...; see t2v train --help")
    with joined(values.coordinator, values.processes, values.process):
        if values.data:
            from t2v_jax.training.auto_config import describe

            print(describe(values.config), file=sys.stderr)
        step, done = train(values.config, values.workdir)
        print(f"{values.workdir}: step {step}" + ("" if done else "; the same command goes on from here"))


def _evaluate_flags(values, _):
    _define_model(values)
    flags.DEFINE_string("workdir", None, "a training workdir, in place of --model", flag_values=values)
    flags.DEFINE_integer("clips", 1000, "number of clips of each split and seed", flag_values=values)
    flags.DEFINE_list("seeds", ["0", "1", "2"], "of the noise", flag_values=values)
    flags.DEFINE_string("output", None, "also write the report as JSON here", flag_values=values)
    text = "the prepared clips, if they are no longer where training found them"
    flags.DEFINE_string("data", None, text, flag_values=values)


def _evaluate(values):
    import json

    import jax

    from t2v_jax.evaluation import evaluate, matching, report
    from t2v_jax.evaluation.classifier import Classifier
    from t2v_jax.inference import model
    from t2v_jax.runtime import files, sharding

    if not all(seed.isdecimal() for seed in values.seeds):
        raise UsageError(f"--seeds={','.join(values.seeds)}; expected whole numbers from 0 on, as 0,1,2")
    if values.output:
        files.check_writable(values.output)
    everywhere = sharding.replicated(sharding.make_mesh())
    source, seeds = values.workdir or values.model, [*map(int, values.seeds)]
    params = jax.device_put(model.load(source), everywhere)
    if params.config.data.world in Classifier.worlds():
        found = evaluate.evaluate_model(params, values.clips, seeds)
    else:
        directory = model.find_directory(source)
        found = matching.evaluate_model(params, directory, values.clips, seeds, values.data)
    print(report.to_text(found))
    if values.output:
        files.write_atomically(values.output, json.dumps(found, indent=1).encode())


def _export_flags(values, _):
    flags.DEFINE_string("workdir", None, "a training workdir", flag_values=values)
    flags.DEFINE_integer("step", None, "which checkpoint (default: the newest)", flag_values=values)
    flags.DEFINE_string("output", None, "the directory to make", flag_values=values)


def _export(values):
    from t2v_jax.inference import model

    trained = values.workdir, values.step
    model.save(model.load(*trained), values.output, model.load_discriminator(*trained))
    print(values.output)


COMMANDS = {
    "generate": Command("a video from a prompt", _generate_flags, ("prompt", "output"), _generate),
    "demo": Command("a web page to type sentences in, and watch", _demo_flags, (), _demo),
    "train": Command("train a model, or go on with it", _train_flags, ("workdir",), _train),
    "evaluate": Command(
        "measure how well a model's videos obey their captions", _evaluate_flags, (), _evaluate
    ),
    "export": Command(
        "turn a training workdir into a model directory",
        _export_flags,
        ("workdir", "output"),
        _export,
    ),
    "data check": Command(
        "what of a folder of videos can be trained on, and why not the rest",
        data.define_check,
        (),
        data.check,
        ("DIR",),
    ),
    "data prepare": Command(
        "make training clips of a folder of videos",
        data.define_prepare,
        ("output",),
        data.prepare,
        ("DIR",),
    ),
}
