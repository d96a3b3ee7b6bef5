"""What the first process reports of a run: its start, progress, metrics, sample sheets and a page of them."""

import collections
import contextlib
import sys
import time

import jax
import numpy as np

from t2v_jax.errors import UsageError
from t2v_jax.evaluation.caption_match import FIRST_STEP, CaptionMatch, has_matcher
from t2v_jax.inference.captioned_sheet import captioned_sheet
from t2v_jax.inference.generation import generate
from t2v_jax.inference.model import Model
from t2v_jax.inference.video import save_image
from t2v_jax.progress import Progress
from t2v_jax.runtime import sharding
from t2v_jax.text.examples import evenly_spread
from t2v_jax.training.health import Health
from t2v_jax.training.html_report import REPORT, Sheet, write_report
from t2v_jax.training.metrics import MetricWriter

SHEET_ROWS = 10  # prompts of a sample sheet
FIRST_SHEET = 32  # its step: about a minute of training on a CPU


class Reports:
    """A context manager; in other processes than the first it says and writes nothing."""

    def __init__(self, run, start, batches, budget):
        self._run, self._budget, self._step = run, budget, start
        self._sheet, self._warnings, self._is_started = None, [], False
        self._open = contextlib.ExitStack()
        self._first = jax.process_index() == 0
        # Checkpoints are kept by their scores, which several processes would have to agree on.
        self._is_matched = jax.process_count() == 1 and has_matcher(run.config)
        self._caption_match = None
        if self._first:
            config, enter = run.config, self._open.enter_context
            self._writer = enter(MetricWriter(run.workdir, start))
            self._health = Health(config)
            devices = collections.Counter(device.device_kind for device in run.mesh.devices.flat)
            self._devices = ", ".join(f"{count} x {kind}" for kind, count in devices.items())
            progress = Progress(
                config.steps,
                config.batch_size,
                start=start,
                every=config.log_every,
                batches=batches,
                clock=budget,
                device=self._devices,
            )
            self._progress = enter(progress)

    def start(self, state):
        """Say what is about to train, and where: nothing else happens until the first program is compiled."""
        if self._first:
            counts = (
                f"{name} {sum(leaf.size for leaf in jax.tree.leaves(parameters)) / 1e6:.2f} M"
                for name, parameters in (("G", state.generator), ("D", state.discriminator))
            )
            workdir = self._run.workdir.absolute()
            self._say(f"writing to {workdir}; open {workdir / REPORT} to watch")
            self._is_started = True
            if not (workdir / REPORT).exists():  # a run that goes on would lose its last videos
                self._write_report("compiling")
            size = f"{', '.join(counts)} parameters, {len(self._run.source)} clips"
            self._say(f"training on {self._devices}: {size}; compiling")

    def idle(self, seconds):
        """What passed before the next step was no training."""
        if self._first:
            self._progress.idle(seconds)

    def metrics(self, step, metrics):
        """Show the losses of a step and, when they are due, log its metrics."""
        if not self._first:
            return
        losses = {name: metrics[f"{name}_loss"] for name in ("discriminator", "generator")}
        self._step = step
        self._progress.update(step, losses)
        if is_due(self._run.config, step):
            self._writer.scalars(step, metrics | {"clips_per_second": self._progress.clips_per_second})
            for warning in self._health.update(step, metrics):
                self._warnings.append(warning)
                self._say(warning)

    def sheet(self, step, ema):
        """Paint fixed prompts with fixed noise, a row a prompt, as PNG and to TensorBoard."""
        model = self._model(ema)  # put together by all processes
        if not self._first:
            return
        captions = evenly_spread(self._run.source.captions(), SHEET_ROWS)
        clips = np.asarray(generate(model, captions))
        sheet = captioned_sheet(clips, captions)
        self._writer.images(step, {"samples": sheet})
        samples = self._run.workdir / "samples"
        samples.mkdir(exist_ok=True)
        save_image(sheet, samples / f"{step:07d}.png")
        self._sheet = Sheet(step, captions, clips)
        self._write_report("training")

    def train_matcher(self, step) -> float:
        """Have the matcher trained or read, once there is something for it to see -> the seconds it took."""
        began = time.monotonic()
        if self._is_matched and self._caption_match is None and step >= FIRST_STEP:
            self._progress.pause()
            try:
                self._caption_match = CaptionMatch(self._run.config, self._run.workdir)
            except UsageError as error:
                self._say(f"training goes on without a caption match: {error}")
                self._is_matched = False
        return time.monotonic() - began

    def caption_match(self, step, ema):
        """The score of the caption match, logged; None before there is a matcher."""
        if self._caption_match is None:
            return None
        score = self._caption_match(self._model(ema))
        shares = {"caption_match": score["value"], "caption_match_real": self._caption_match.of_real_clips}
        self._writer.scalars(step, shares)
        self._progress.note("caption match", f"{score['value']:.0%}")
        return score

    def _write_report(self, state):
        config, share = self._run.config, self._budget.progress
        length = f", {share:.0%} of {config.minutes:g} minutes" if config.minutes else f" of {config.steps:,}"
        status = f"step {self._step:,}{length}, {state}"
        write_report(self._run, status, self._devices, self._warnings, self._sheet)

    def _say(self, text):
        self._progress.pause()
        print(text, file=sys.stderr, flush=True)

    def _model(self, ema):
        everywhere = jax.device_put(ema, sharding.replicated(self._run.mesh))
        here = jax.tree.map(lambda leaf: leaf.addressable_data(0), everywhere)
        return Model(here, self._run.config, self._run.language)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        with self._open:
            if not self._is_started:
                return
            if kind is None:
                self._write_report("finished" if self._budget.done else "stopped")
                return
            with contextlib.suppress(UsageError):  # the first failure is the one to report
                self._write_report(f"failed: {kind.__name__} {error}")


def is_due(config, step) -> bool:
    """Whether the metrics of a step are to be read: reading waits for the device."""
    return step % config.log_every == 0 or step == config.steps


def sheet_is_due(config, step) -> bool:
    """Whether a sample sheet is: each time the steps have doubled, then every config.sample_every."""
    doubled = FIRST_SHEET <= step < config.sample_every and step.bit_count() == 1
    return doubled or step % config.sample_every == 0
