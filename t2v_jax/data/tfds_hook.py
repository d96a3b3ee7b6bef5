"""Registers the drawn worlds with TensorFlow Datasets when, and only if, that is imported."""

import importlib.abc
import importlib.util
import sys

_TFDS, _BUILDERS = "tensorflow_datasets", "t2v_jax.data.tfds_builders"


def install() -> None:
    """Once both `t2v_jax` and TFDS are imported, in either order, TFDS knows the worlds by name."""
    if _TFDS in sys.modules:
        importlib.import_module(_BUILDERS)
    else:
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TFDS as the others do, once, and lets its import go on to the builders."""

    def find_spec(self, name, path, target=None):
        if name != _TFDS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader  # by which it finds its own files
        self._loader.exec_module(module)
        importlib.import_module(_BUILDERS)
