"""The command `t2v`: finds the command, reads its flags, and says in one line what was wrong."""

import contextlib
import functools
import os
import pathlib
import re
import sys
import textwrap

from absl import flags, logging

import t2v_jax
from t2v_jax.commands import COMMANDS
from t2v_jax.errors import UsageError, did_you_mean, printable
from t2v_jax.runtime.hosts import Elsewhere
from t2v_jax.runtime.huge_pages import restart_with_huge_pages
from t2v_jax.runtime.signals import INTERRUPTED, close_at_next, interruptible, starting

# The first word of commands of two -> the second ones.
GROUPS = {"data": [name.split()[1] for name in COMMANDS if name.startswith("data ")]}


def main(argv=None) -> int:
    """Run a command; returns the exit status. Every mistake of the user ends in one line."""
    is_process = argv is None
    argv = sys.argv[1:] if is_process else argv
    logging.set_verbosity(logging.FATAL)  # what Orbax and ml_collections log is said in one line
    if is_process and argv[:1] == ["train"]:
        restart_with_huge_pages()
    if not argv or argv[0] in ("help", "--help", "-h"):
        print(_usage())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"t2v_jax {t2v_jax.__version__}")
        return 0
    try:
        words = 2 if argv[0] in GROUPS and not "".join(argv[1:2]).startswith("-") else 1
        with interruptible():
            with starting():
                run = _prepared(" ".join(argv[:words]), argv[words:])
            return run() or 0
    except Elsewhere:
        return 2
    except (UsageError, FloatingPointError) as error:
        print(f"t2v: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if is_process:
            close_at_next()
        sys.stderr.write(INTERRUPTED)
        return 130


def _prepared(name, arguments):
    """What runs a command, with its flags read."""
    if name in GROUPS:
        raise UsageError(f"t2v {name} needs one of: {', '.join(GROUPS[name])}; see t2v --help")
    if name not in COMMANDS:
        raise UsageError(f"no command {name!r}{did_you_mean(name, COMMANDS)}; see t2v --help")
    command = COMMANDS[name]
    values = flags.FlagValues()
    values.set_gnu_getopt()  # flags may follow other arguments
    _define(name, command, values, arguments)
    if "--help" in arguments or "-h" in arguments:
        return functools.partial(print, _help(name, command, values))
    if "--help-config" in arguments and "config" in values:
        from t2v_jax.config.reference import describe_fields

        return functools.partial(print, describe_fields())
    rest = _parse(name, command, values, arguments)
    _keep_compilations()
    return functools.partial(command.run, values, *rest)


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
        raise UsageError(_unknown_field(error)) from error
    except (flags.Error, OSError, SyntaxError, TypeError, ValueError) as error:
        raise UsageError(f"{_one_line(error)}; see t2v {name} --help") from error
    _check_arguments(name, command, values, rest)
    return rest


def _unknown_field(error):
    from t2v_jax.config.reference import field_names

    text = _one_line(error.args[0])
    if "get_config" in text:
        return f"the file of --config has no get_config() ({text}); see configs/*.py for how one looks"
    field = re.search(r"\w+", text)[0]
    keys = {part for name in field_names() for part in name.split(".")}
    return f"the config has no field {field!r}{did_you_mean(field, keys)}; t2v train --help-config lists them"


def _check_arguments(name, command, values, rest):
    takes = command.takes
    if len(rest) > len(takes) and not (takes and takes[-1].endswith("...]")):
        expected = f"{' '.join(takes)} and flags" if takes else "flags alone"
        raise UsageError(f"unexpected {rest[len(takes)]!r}; expected {expected}, see t2v {name} --help")
    missing = [taken for taken in takes[len(rest) :] if not taken.startswith("[")]
    missing += [f"--{flag}=..." for flag in command.required if values[flag].value is None]
    if missing:
        raise UsageError(f"t2v {name} needs {' and '.join(missing)}; see t2v {name} --help")


def _usage():
    lines = [f"  t2v {name:<14}{command.help}" for name, command in COMMANDS.items()]
    ends = "t2v COMMAND --help lists its flags, with examples; t2v --version prints the version."
    return "\n".join(["usage: t2v COMMAND --flag=value ...", *lines, ends])


def _help(name, command, values):
    lines = [f"t2v {' '.join([name, *command.takes])}: {command.help}"]
    for flag in sorted({values[each] for each in values}, key=lambda flag: flag.name):
        switch = f"[no]{flag.name}" if flag.boolean else flag.name
        default = "" if flag.boolean or flag.default is None else f"={_default(flag)}"
        lines.append(f"  --{switch}{default}")
        lines.append(textwrap.indent(textwrap.fill(flag.help, 90), 6 * " "))
    if command.examples:
        lines += ["examples:", *(f"  {example}" for example in command.examples)]
    return "\n".join(lines)


def _default(flag):
    return ",".join(flag.default) if isinstance(flag.default, list) else flag.default


def _one_line(error):
    return printable(" ".join(str(error).split()))


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
