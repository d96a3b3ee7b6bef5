"""Fields of a configuration by their dotted names, as `loss.kind`."""


def get(config, name):
    """The field of a dotted name."""
    for key in name.split("."):
        config = config[key]
    return config


def flat(fields, prefix="") -> dict:
    """Nested dictionaries as one, by dotted names."""
    result = {}
    for key, value in fields.items():
        nested = isinstance(value, dict)
        result |= flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return result
