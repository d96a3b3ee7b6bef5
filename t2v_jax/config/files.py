"""Configuration files: by path, or by the name of one that comes with the package."""

import pathlib

from absl import flags

from t2v_jax.errors import UsageError, did_you_mean

SHIPPED = pathlib.Path(__file__).parents[1] / "configs"


def shipped_configs() -> list[str]:
    """The names of the configurations that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.py"))


def find_config(name: str) -> pathlib.Path:
    """The file of a path or name. Raises UsageError where there is none."""
    path = SHIPPED / f"{name}.py" if name in shipped_configs() else pathlib.Path(name).expanduser()
    if path.is_file():
        return path
    near, names = did_you_mean(name, shipped_configs()), ", ".join(shipped_configs())
    raise UsageError(f"no file {name!r}{near}; expected a file with get_config(), or one of {names}")


class ConfigParser(flags.ArgumentParser):
    """What reads --config: `loader`, which gets shipped configurations as paths.

    An argument of get_config() may follow the file after a colon.
    """

    def __init__(self, loader: flags.ArgumentParser):
        self._loader = loader

    def parse(self, path):
        """The configuration of a file or name."""
        name, colon, argument = path.partition(":")
        return self._loader.parse(f"{find_config(name)}{colon}{argument}")
