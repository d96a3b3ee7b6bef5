"""Orbax checkpoints of a run: the state, the generator's average, the position in the data, its score."""

import contextlib
import errno
import gc
import json
import os
import pathlib
import re
import shutil
import sys
import time
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from etils import epath

from t2v_jax.errors import UsageError
from t2v_jax.runtime.hosts import unanimous
from t2v_jax.training.digests import examine, seal

_PART = "{}.orbax-checkpoint-tmp*"  # a checkpoint of Orbax that is not finished
_OVERHEAD, _LEAST_FREE = 1.5, 2**20  # of a checkpoint's files over its arrays; bytes, for metrics and samples


class Restored(NamedTuple):
    """A state and the position in the data that belongs to it."""

    state: Any
    position: dict


class Checkpoints:
    """The checkpoints below `workdir`; the newest `keep` stay, and the best (None: opened to read).

    Damaged ones do not count: a run that goes on moves them out of the way, as STEP.damaged. Raises
    UsageError where there is none to read, and where all are damaged.
    """

    def __init__(self, workdir, keep=None):
        self._directory = pathlib.Path(workdir).absolute() / "checkpoints"
        self._manager = self._saving = None
        self._quiet = contextlib.ExitStack()
        if keep is None:
            if not self._directory.is_dir():
                raise UsageError(f"no checkpoints in {workdir}; train there first with t2v train")
            self._whole, self._flaws = self._examine()
            return
        with unanimous():
            if jax.process_index() == 0:
                self._clear()
        options = ocp.CheckpointManagerOptions(
            preservation_policy=_newest_and_best(keep),
            best_fn=_value,
            async_options=ocp.options.AsyncOptions(post_finalization_callback=self._seal),
        )
        handlers = {
            "ema": ocp.StandardCheckpointHandler(),
            "training": ocp.StandardCheckpointHandler(),
            "position": ocp.JsonCheckpointHandler(),
        }
        self._manager = ocp.CheckpointManager(
            epath.Path(self._directory), options=options, item_handlers=handlers
        )

    def latest_step(self):
        """The newest whole checkpoint's step, or None."""
        return max(self._steps(), default=None)

    def best_step(self):
        """The step of the highest score, where that is above the newest one's by more than chance.

        Else the newest, also where that has no score; None where there is no checkpoint.
        """
        newest = self.latest_step()
        scores = {step: score for step in self._steps() if (score := self._score(step))}
        if newest not in scores:
            return newest
        best = max(scores, key=lambda step: _value(scores[step]))
        return best if scores[best]["low"] > _value(scores[newest]) else newest

    def save(self, step, state, position, score=None):
        """Start to write a checkpoint; it gets its final name when all of it is on the disk.

        `score` has the numbers "value" and "low", as `statistics.share`: the larger, the better.
        """
        self.wait()
        self._check_space(state)
        self._saving = step
        # The average is an item of its own: a model is read without the rest, thrice its size.
        training = state._replace(ema=None)._asdict()
        with _errors_of_the_disk():
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    ema=ocp.args.StandardSave(state.ema),
                    training=ocp.args.StandardSave(training),
                    position=ocp.args.JsonSave(position),
                ),
                metrics=score and {name: score[name] for name in ("value", "low")},
            )

    def restore(self, abstract):
        """The newest checkpoint in the shapes and shardings of `abstract` -> `Restored`."""
        step = self.latest_step()
        training = self._read(step, "training", abstract._replace(ema=None)._asdict())
        state = type(abstract)(**training)._replace(ema=self._read(step, "ema", abstract.ema))
        return Restored(state, self._json(step, "position/metadata"))

    def restore_arrays(self, item, step=None):
        """The `ema` or the `training` arrays of a step, `best_step` by default, on one device."""
        step = self._chosen(step, report=item == "ema")  # once, for who wants both reads it first
        metadata = self._guard(step, lambda: _handler().metadata(self._path(step, item)).tree)
        device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        abstract = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device), dict(metadata)
        )
        return self._read(step, item, abstract)

    def wait(self):
        """Return once everything saved is on the disk."""
        with _errors_of_the_disk():
            self._manager.wait_until_finished()

    def __enter__(self):
        self._quiet.enter_context(_no_word_of_abandoned_writes())
        return self

    def __exit__(self, error, *_):
        with self._quiet:
            if self._manager is not None:
                # After an error, what closing has to say is the same once more.
                with contextlib.suppress(Exception) if error else _errors_of_the_disk():
                    self._manager.close()

    def _steps(self):
        return self._manager.all_steps() if self._manager else self._whole

    def _path(self, step, name):
        return epath.Path(self._directory / str(step) / name)

    def _examine(self):
        whole, flaws = examine(self._directory)
        if flaws and not whole:
            raise UsageError(
                f"no checkpoint in {self._directory} is whole: {_listed(flaws)}; put one back from a "
                "copy, or remove them all to train from the start"
            )
        return whole, flaws

    def _clear(self):
        """Leave whole checkpoints alone in the directory, what a killed run began apart from damaged ones."""
        if self._directory.exists() and not self._directory.is_dir():
            raise UsageError(f"{self._directory} is a file, expected a directory; move it away")
        self._directory.mkdir(parents=True, exist_ok=True)
        for path in self._directory.glob(_PART.format("*")):
            shutil.rmtree(path)
        whole, flaws = self._examine()
        for name in flaws:
            aside = self._directory / f"{name}.damaged"
            shutil.rmtree(aside, ignore_errors=True)
            (self._directory / name).rename(aside)
        if flaws:
            _report(flaws, whole[-1])

    def _chosen(self, step, report):
        """The step to read, the best one by default; says which are passed over for it."""
        if step is not None and str(step) in self._flaws:
            raise self._damaged(step, self._flaws[str(step)])
        if step is None and report and self._flaws:
            _report(self._flaws, self.best_step())
        step = self.best_step() if step is None else step
        if step not in self._whole:
            found = ", ".join(map(str, self._whole)) or "none"
            raise UsageError(f"no checkpoint of step {step} in {self._directory}; found: {found}")
        return step

    def _check_space(self, state):
        """Raises OSError where the directory is gone or the disk too full: Orbax would notice half-way."""
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        if shutil.disk_usage(self._directory).free < _OVERHEAD * size + _LEAST_FREE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._directory))

    def _seal(self):
        """Called by Orbax when all of a checkpoint is written, before it gets its final name."""
        [part] = self._directory.glob(_PART.format(self._saving))
        seal(part, self._saving)

    def _score(self, step):
        path = self._path(step, "metrics/metrics")
        return json.loads(path.read_text()) if path.exists() else None

    def _json(self, step, name):
        return json.loads(self._path(step, name).read_text())

    def _read(self, step, item, abstract):
        args = ocp.args.StandardRestore(abstract)
        return self._guard(step, lambda: _handler().restore(self._path(step, item), args=args))

    def _guard(self, step, read):
        """What `read` returns; UsageError where the checkpoint is of another shape or Orbax."""
        with _no_word_of_abandoned_reads():
            try:
                return read()
            except Exception as error:  # Orbax may raise anything, even Exception
                reason = _first_line(error)
            gc.collect()
            time.sleep(0.05)  # for those in threads
        raise self._damaged(step, reason)

    def _damaged(self, step, why):
        return UsageError(
            f"checkpoint {self._directory / str(step)} cannot be restored ({why}); remove that directory "
            "to go on from the one before"
        )


def _handler():
    return ocp.StandardCheckpointHandler()


def _report(flaws, step):
    passed = f"passed over what is damaged: {_listed(flaws)}; step {step} is taken instead"
    print(passed, file=sys.stderr, flush=True)


def _listed(flaws):
    return ", ".join(f"checkpoint {name} ({why})" for name, why in flaws.items())


def _newest_and_best(keep):
    policies = ocp.checkpoint_managers
    best = policies.BestN(get_metric_fn=_value, n=1, keep_checkpoints_without_metrics=False)
    return policies.AnyPreservationPolicy([policies.LatestN(keep), best])


def _value(score):
    return score["value"]


@contextlib.contextmanager
def _errors_of_the_disk():
    """What Orbax raises when it cannot write, a ValueError with a text of TensorStore, as OSError."""
    try:
        yield
    except ValueError as error:
        code = re.search(r"os_error_code='(\d+)'", str(error))
        number = int(code[1]) if code else errno.EIO
        raise OSError(number, os.strerror(number) if code else _first_line(error)) from error


def _first_line(error):
    return str(error).strip().split("\n")[0][:200]


@contextlib.contextmanager
def _no_word_of_abandoned_reads():
    """When one read fails, Orbax abandons the others, and those complain on stderr."""
    with _words_of(lambda found: isinstance(found.exc_value, KeyboardInterrupt)):
        yield


@contextlib.contextmanager
def _no_word_of_abandoned_writes():
    """The same of writes, which come and go while a run trains: what else is not raised is told."""
    with _words_of(lambda found: str(found.exc_value) != "Event loop is closed"):
        yield


@contextlib.contextmanager
def _words_of(chosen):
    """Of what is not raised, only what is chosen is told."""
    hook = sys.unraisablehook
    sys.unraisablehook = lambda found: chosen(found) and hook(found)
    try:
        yield
    finally:
        sys.unraisablehook = hook
