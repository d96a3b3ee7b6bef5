"""What each command of `t2v` does, and its flags."""

import gc
import sys
import threading
import warnings
from collections.abc import Callable
from typing import NamedTuple

from absl import flags

from t2v_jax.data.videos import commands as data
from t2v_jax.errors import UsageError
from t2v_jax.inference import commands as inference
from t2v_jax.inference.commands import define_model
from t2v_jax.runtime.hosts import joined, unanimous


class Command(NamedTuple):
    """What a command does, its flags, those it cannot do without, and the function that takes them.

    `takes` names the arguments that are no flags, which the function takes too: in brackets one that may be
    missing, with dots one that may be repeated. `examples`: calls that the help shows.
    """

    help: str
    define: Callable
    required: tuple[str, ...]
    run: Callable
    takes: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


def _demo_flags(values, _):
    options = {"flag_values": values}
    text = (
        "what the page opens with: a shipped model, a model directory, or a training workdir (default: the "
        "shipped model that looks best)"
    )
    flags.DEFINE_string("model", None, text, **options)
    flags.DEFINE_integer("port", 8000, "of the page; 0 takes a free one", **options)
    text = "the address to serve at; 0.0.0.0 is every address of this machine, for whoever can reach it"
    flags.DEFINE_string("host", "127.0.0.1", text, **options)
    text = "names, with all that end in them, by which a proxy or another machine may ask for the page"
    flags.DEFINE_list("allow_host", [], text, **options)


def _demo(values):
    from t2v_jax.runtime.signals import ending_at_once, starting

    with starting():
        from t2v_jax.demo.server import Server
        from t2v_jax.inference.generation import OtherWords, UnknownWord

        for kind in (OtherWords, UnknownWord):  # the page shows them itself
            warnings.simplefilter("ignore", kind)
        server = Server(values.model, values.port, values.host, values.allow_host)
    with server, ending_at_once():
        threading.Thread(target=_make_ready, args=[server.app], daemon=True).start()
        print(f"{server.address} (Ctrl-C ends it)", flush=True)
        server.serve_forever()


def _make_ready(app):
    """Compiles all. What is there then stays: to search it for garbage would take a tenth of a second."""
    from t2v_jax.runtime.memory import return_memory

    app.compile_all()
    return_memory()
    gc.freeze()


CONFIG_HELP = (
    "a file with get_config(), or the name of one that comes with the package; --config.field=value changes "
    "a field, as --config.loss.kind=hinge; --help-config lists all fields"
)


def _train_flags(values, arguments):
    text = "what t2v data prepare made: the configuration is read from it, in place of --config"
    flags.DEFINE_string("data", None, text, flag_values=values)
    text = "where checkpoints, metrics and samples go"
    flags.DEFINE_string("workdir", None, text, flag_values=values)
    _define_hosts(values)
    _define_config(values, arguments, CONFIG_HELP)


def _define_hosts(values):
    text = (
        "HOST:PORT of the first of several processes; found without it under Slurm, Open MPI and on TPU pods"
    )
    flags.DEFINE_string("coordinator", None, text, flag_values=values)
    flags.DEFINE_integer("processes", None, "how many there are", lower_bound=1, flag_values=values)
    flags.DEFINE_integer("process", None, "which this is, from 0 on", lower_bound=0, flag_values=values)


def _define_config(values, arguments, text):
    """--config: a file or the name of one, or, where --data names clips, what is read from them."""
    from ml_collections import config_flags

    early = flags.FlagValues()
    flags.DEFINE_string("data", None, "", flag_values=early)
    _define_hosts(early)
    early(["", *arguments], known_only=True)
    if early.data is None:
        from t2v_jax.config.files import ConfigParser

        config_flags.DEFINE_config_file("config", None, text, flag_values=values, sys_argv=arguments)
        values["config"].parser = ConfigParser(values["config"].parser)
        return
    from t2v_jax.training.auto_config import fitted_config

    # What is read depends on the devices, and those are asked for only when all processes have met.
    with joined(early.coordinator, early.processes, early.process), unanimous():
        fitted = fitted_config(early.data)
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
    define_model(values)
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
    text = "a training workdir, or a model to write in another format"
    flags.DEFINE_string("workdir", None, text, flag_values=values)
    flags.DEFINE_integer("step", None, "which checkpoint (default: the newest)", flag_values=values)
    text = "the directory to make, or a file that ends in .zip"
    flags.DEFINE_string("output", None, text, flag_values=values)
    text = "of the weights, which --model reads; or stablehlo, a program that needs JAX alone"
    kinds = ["npz", "safetensors", "stablehlo"]
    flags.DEFINE_enum("format", "npz", kinds, text, flag_values=values)


def _export(values):
    from t2v_jax.inference.export import export

    export(values.workdir, values.output, values.format, values.step)
    print(values.output)


COMMANDS = {
    "generate": Command(
        "videos from sentences",
        inference.define_generate,
        (),
        inference.generate,
        ("[SENTENCE...]",),
        (
            inference.EXAMPLE,
            't2v generate "the digit 5 is moving up and down" --seeds=4 --output=clip.mp4',
            't2v generate "0: digit 5 is up and down | 16: digit 5 is left and right" --frames=48',
            "t2v generate --model=moving-shapes --prompts=sentences.txt --output=sheet.png",
        ),
    ),
    "models": Command(
        "the models that ship, or one's words, sentences and limits",
        inference.define_nothing,
        (),
        inference.models,
        ("[NAME]",),
        ("t2v models", "t2v models moving-shapes", "t2v models runs/mine"),
    ),
    "show": Command(
        "what a video file was made from",
        inference.define_nothing,
        (),
        inference.show,
        ("FILE",),
        ("t2v show clip.gif",),
    ),
    "demo": Command(
        "a web page to type sentences in, and watch",
        _demo_flags,
        (),
        _demo,
        examples=(
            "t2v demo",
            "t2v demo --model=runs/mine --port=0",
            "t2v demo --host=0.0.0.0 --allow_host=box.example.org",
        ),
    ),
    "train": Command(
        "train a model, or go on with it",
        _train_flags,
        ("workdir",),
        _train,
        examples=(
            "t2v train --data=prepared/mine --workdir=runs/mine",
            "t2v train --config=moving_digits --workdir=runs/digits --config.steps=5000",
        ),
    ),
    "evaluate": Command(
        "measure how well a model's videos obey their captions",
        _evaluate_flags,
        (),
        _evaluate,
        examples=("t2v evaluate --model=moving-digits --seeds=0", "t2v evaluate --workdir=runs/mine"),
    ),
    "export": Command(
        "turn a training workdir into a model to give away",
        _export_flags,
        ("workdir", "output"),
        _export,
        examples=(
            "t2v export --workdir=runs/mine --output=mine.zip",
            "t2v export --workdir=runs/mine --output=program --format=stablehlo",
        ),
    ),
    "data check": Command(
        "what of a folder of videos can be trained on, and why not the rest",
        data.define_check,
        (),
        data.check,
        ("DIR",),
        ("t2v data check videos --fps=8",),
    ),
    "data prepare": Command(
        "make training clips of a folder of videos",
        data.define_prepare,
        ("output",),
        data.prepare,
        ("DIR",),
        ("t2v data prepare videos --output=prepared/mine --size=64",),
    ),
}
