"""The configuration of a run: defaults, checks, and its form as JSON."""

from t2v_jax.config.checks import check
from t2v_jax.config.defaults import default
from t2v_jax.config.serialization import differences, from_json, to_json

__all__ = ["check", "default", "differences", "from_json", "to_json"]
