"""The command `t2v`: finds the command, reads its flags, and says in one line what was wrong."""

import contextlib
import os
import pathlib
import sys

from absl import flags, logging

from t2v_jax.commands import COMMANDS
from t2v_jax.errors import UsageError
from t2v_jax.runtime.hosts import Elsewhere
from t2v_jax.runtime.signals import interruptible


def main(argv=None) -> int:
    """Run a command; returns the exit status. Every mistake of the user ends in one line."""
    argv = sys.argv[1:] if argv is None else argv
    logging.set_verbosity(logging.FATAL)  # what Orbax and ml_collections log is said in one line
    if not argv or argv[0] in ("help", "--help", "-h"):
        print(_usage())
        return 0 if argv else 2
    try:
        words = 2 if " ".join(argv[:2]) in COMMANDS else 1
        with interruptible():
            return _run(" ".join(argv[:words]), argv[words:]) or 0
    except Elsewhere:
        return 2
    except (UsageError, FloatingPointError) as error:
        print(f"t2v: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("t2v: interrupted", file=sys.stderr)
        return 130


def _run(name, arguments):
    if name not in COMMANDS:
        raise UsageError(f"no command {name!r}; expected one of {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    values = flags.FlagValues()
    values.set_gnu_getopt()  # flags may follow other arguments
    _define(name, command, values, arguments)
    if "--help" in arguments or "-h" in arguments:
        print(f"t2v {' '.join([name, *command.takes])}: {command.help}")
        print(values.module_help(command.define.__module__))
        return 0
    rest = _parse(name, command, values, arguments)
    _keep_compilations()
    return command.run(values, *rest)


def _define(name, command, values, arguments):
    try:
        command.define(values, arguments)
    except flags.Error as error:
        raise UsageError(f"{_one_line(error)}; see t2v {name} --help") from error


def _parse(name, command, values, arguments):
    try:
        rest = values([f"t2v {name}", *arguments])[1:]
        if "config" in values:  # one that could not be loaded says so when it is looked into
            getattr(values.config, "steps", None)
    except (AttributeError, KeyError) as error:  # so ml_collections says that a key is unknown
        unknown = _one_line(error.args[0]).replace("\\n", " ").replace("\\", "").replace("''", "'")
        raise UsageError(
            f"unknown in the config: {unknown}; expected get_config() and the fields of t2v_jax/config.py"
        ) from error
    except (flags.Error, OSError, SyntaxError, TypeError, ValueError) as error:
        raise UsageError(f"{_one_line(error)}; see t2v {name} --help") from error
    if len(rest) > len(command.takes):
        expected = f"{' '.join(command.takes)} and flags" if command.takes else "flags alone"
        unexpected = rest[len(command.takes)]
        raise UsageError(f"unexpected {unexpected!r}; expected {expected}, see t2v {name} --help")
    missing = list(command.takes[len(rest) :])
    missing += [f"--{flag}=..." for flag in command.required if values[flag].value is None]
    if missing:
        raise UsageError(f"t2v {name} needs {' and '.join(missing)}; see t2v {name} --help")
    return rest


def _usage():
    lines = [f"  t2v {name:<14}{command.help}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: t2v COMMAND --flag=value ...", *lines, "t2v COMMAND --help lists its flags."])


def _one_line(error):
    return " ".join(str(error).split())


def _keep_compilations():
    """Compiled programs go to the user's cache directory, so that only the first run compiles."""
    import jax

    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "t2v_jax")
    if jax.config.jax_compilation_cache_dir is None:
        with contextlib.suppress(OSError):  # no home to write in: compile each time
            cache.mkdir(parents=True, exist_ok=True)
            jax.config.update("jax_compilation_cache_dir", str(cache))
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


if __name__ == "__main__":
    sys.exit(main())
