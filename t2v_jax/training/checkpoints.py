"""Orbax checkpoints of a run: the state, the generator's average, the position in the data, its score."""

import contextlib
import gc
import pathlib
import sys
import time
from typing import Any, NamedTuple

import jax
import orbax.checkpoint as ocp
from etils import epath

from t2v_jax.errors import UsageError


class Restored(NamedTuple):
    """A state and the position in the data that belongs to it."""

    state: Any
    position: dict


class Checkpoints:
    """The checkpoints below `workdir`; the newest `keep` stay, and the best (None: opened to read)."""

    def __init__(self, workdir, keep=None):
        self._directory = pathlib.Path(workdir).absolute() / "checkpoints"
        if keep is None and not self._directory.is_dir():
            raise UsageError(f"no checkpoints in {workdir}; train there first with t2v train")
        policy = _newest_and_best(keep) if keep else None
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy, create=keep is not None, best_fn=_value
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
        return self._manager.latest_step()

    def best_step(self):
        """The step of the highest score, where that is above the newest one's by more than chance.

        Else the newest, also where that has no score; None where there is no checkpoint.
        """
        newest = self.latest_step()
        scores = {step: score for step in self._manager.all_steps() if (score := self._manager.metrics(step))}
        if newest not in scores:
            return newest
        best = max(scores, key=lambda step: _value(scores[step]))
        return best if scores[best]["low"] > _value(scores[newest]) else newest

    def save(self, step, state, position, score=None):
        """Start to write a checkpoint; it gets its final name when all of it is on the disk.

        `score` has the numbers "value" and "low", as `statistics.share`: the larger, the better.
        """
        # The average is an item of its own: a model is read without the rest, thrice its size.
        training = state._replace(ema=None)._asdict()
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
        training = abstract._replace(ema=None)._asdict()
        items = self._read(
            step,
            ema=ocp.args.StandardRestore(abstract.ema),
            training=ocp.args.StandardRestore(training),
            position=ocp.args.JsonRestore(),
        )
        state = type(abstract)(**items.training)._replace(ema=items.ema)
        return Restored(state, items.position)

    def restore_arrays(self, item, step=None):
        """The `ema` or the `training` arrays of a step, `best_step` by default, on one device."""
        steps = self._manager.all_steps()
        step = self.best_step() if step is None else step
        if step not in steps:
            found = ", ".join(map(str, steps)) or "none"
            raise UsageError(f"no checkpoint of step {step} in {self._directory}; found: {found}")
        metadata = self._guard(step, lambda: self._manager.item_metadata(step))[item]
        if metadata is None:
            raise self._damaged(step, "its arrays are missing")
        device = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
        abstract = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=device), dict(metadata)
        )
        return self._read(step, **{item: ocp.args.StandardRestore(abstract)})[item]

    def wait(self):
        """Return once everything saved is on the disk."""
        self._manager.wait_until_finished()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._manager.close()

    def _read(self, step, **items):
        args = ocp.args.Composite(**items)
        return self._guard(step, lambda: self._manager.restore(step, args=args))

    def _guard(self, step, read):
        """What `read` returns; UsageError where the checkpoint is damaged."""
        with _no_word_of_abandoned_reads():
            try:
                return read()
            except Exception as error:  # a damaged file makes Orbax raise anything, even Exception
                reason = str(error).strip().split("\n")[0][:200]
            gc.collect()
            time.sleep(0.05)  # for those in threads
        raise self._damaged(step, reason)

    def _damaged(self, step, why):
        return UsageError(
            f"checkpoint {self._directory / str(step)} cannot be restored ({why}); remove that directory "
            "to go on from the one before"
        )


def _newest_and_best(keep):
    policies = ocp.checkpoint_managers
    best = policies.BestN(get_metric_fn=_value, n=1, keep_checkpoints_without_metrics=False)
    return policies.AnyPreservationPolicy([policies.LatestN(keep), best])


def _value(score):
    return score["value"]


@contextlib.contextmanager
def _no_word_of_abandoned_reads():
    """When one read fails, Orbax abandons the others, and those complain on stderr."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = hook
