"""A configuration as JSON, and how two of them differ."""

from ml_collections import FrozenConfigDict

from t2v_jax.config.checks import check
from t2v_jax.config.defaults import default
from t2v_jax.config.fields import flat
from t2v_jax.errors import UsageError


def differences(ours, theirs) -> dict:
    """The dotted names under which two configurations differ -> both values."""
    ours, theirs = flat(ours.to_dict()), flat(theirs.to_dict())
    names = sorted(ours.keys() | theirs.keys())
    pairs = {name: (ours.get(name, "absent"), theirs.get(name, "absent")) for name in names}
    return {name: (a, b) for name, (a, b) in pairs.items() if a != b}


def from_json(fields: dict) -> FrozenConfigDict:
    """The configuration that `to_json` wrote; a field younger than it has its default.

    Raises UsageError for an unknown field and for a value that cannot be.
    """
    if isinstance(fields, dict) and "game" in fields:
        raise UsageError("it was written by t2v_jax 0.1; read it with that version, or train again")
    config = default()
    try:
        config.update(_tuples(fields))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = str(error).strip("\"'").split(". Other fields")[0].replace("\n", " ")
        raise UsageError(f"it holds no configuration of this version ({reason})") from error
    return check(config)


def to_json(config) -> dict:
    """Plain dictionaries, numbers and lists."""
    return config.to_dict()


def _tuples(value):
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value
