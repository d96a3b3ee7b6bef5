"""Whether a checkpoint is whole: the digests of its files are kept beside them and compared."""

import hashlib
import json
import pathlib

DIGESTS = "digests.json"


def seal(directory: pathlib.Path, step: int) -> None:
    """Write the size and SHA-256 of every file of a step's items: from then on the step counts as whole."""
    files = {str(path.relative_to(directory)): _digest(path) for path in _items(directory)}
    (directory / DIGESTS).write_text(json.dumps({"step": step, "files": files}))


def flaw(directory: pathlib.Path) -> str | None:
    """What is wrong with a step's directory; None where it is the step it is named after, as it was saved."""
    try:
        sealed = json.loads((directory / DIGESTS).read_bytes())
        if str(sealed["step"]) != directory.name:
            return f"its files are those of step {sealed['step']}"
        for name, digest in sealed["files"].items():
            path = directory / name
            if not path.is_file():  # nor a pipe, which would be waited for
                return f"{name} is missing"
            if path.stat().st_size != digest[0] or _digest(path) != digest:
                return f"{name} is not as it was saved"
    except FileNotFoundError:
        return "it is incomplete"
    except OSError as error:
        return error.strerror
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return f"{DIGESTS} is not as it was saved"
    return None


def examine(root: pathlib.Path) -> tuple[list[int], dict[str, str]]:
    """The whole steps among the checkpoints of a directory, and the flaws of the others by their names."""
    names = [path.name for path in root.iterdir() if path.name.isdecimal()] if root.is_dir() else []
    flaws = {name: found for name in sorted(names, key=int) if (found := flaw(root / name))}
    return sorted(int(name) for name in names if name not in flaws), flaws


def _items(directory):
    """The files of the items; what Orbax keeps beside them is written later, and not read."""
    return sorted(path for path in directory.glob("*/**/*") if path.is_file())


def _digest(path):
    content = path.read_bytes()
    return [len(content), hashlib.sha256(content).hexdigest()]
