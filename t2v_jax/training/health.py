"""The health of a run: whether the game is lost, said once with what to do."""

from typing import NamedTuple

from t2v_jax.gan.balance import undecided_share

PATIENCE = 400  # steps for which a sign must last


class Sign(NamedTuple):
    """What shows that a run is lost: a number below its limit, what that means, and what to do."""

    value: float
    limit: float
    meaning: str
    remedy: str


class Health:
    """Watches the metrics of a run, and warns once when they have shown for long that it is lost."""

    def __init__(self, config):
        self._config = config
        self._since = {}  # the step of the first of the readings in a row that show a sign
        self._reported = set()

    def update(self, step: int, metrics: dict[str, float]) -> list[str]:
        """The warnings, a line each, after the metrics of a step, named as by `gan.gradients`."""
        warnings = []
        for name, sign in self._signs(metrics).items():
            if sign.value >= sign.limit:
                self._since.pop(name, None)
                continue
            since = self._since.setdefault(name, step)
            if step - since >= PATIENCE and name not in self._reported:
                self._reported.add(name)
                warnings.append(f"since step {since} {sign.meaning}; {sign.remedy}")
        return warnings

    def _signs(self, metrics):
        loss, weight = metrics["discriminator_loss"], metrics["penalty_weight"]
        return {
            "won": Sign(
                float(undecided_share(self._config.loss, loss)),
                0.15,
                f"D tells nearly all generated clips from real ones (loss {loss:.2g}, penalty weight "
                f"{weight:.2g}): G learns little from it",
                "should the sheets not get better, train in a new --workdir with a lower "
                "config.optimizer.discriminator_learning_rate, a larger config.batch_size or "
                "--config.discriminator.augment=\"('translation','cutout')\"",
            ),
            "collapsed": Sign(
                metrics["diversity"],
                0.1 * metrics["real_diversity"],
                f"generated clips hardly differ (diversity {metrics['diversity']:.2g}, real clips "
                f"{metrics['real_diversity']:.2g})",
                "train in a new --workdir with a lower config.optimizer.generator_learning_rate or another "
                "config.seed",
            ),
        }
