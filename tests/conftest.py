"""How all tests run: on the CPU unless JAX_PLATFORMS says otherwise, strictly, compiled once."""

import os

from hypothesis import settings

# Set before anything imports JAX, and as variables, so that child processes have them too.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

# The first example of a property compiles, which takes longer than any deadline worth having.
settings.register_profile("t2v_jax", deadline=None)
settings.load_profile("t2v_jax")


def pytest_configure(config):
    """Keeps compiled programs for the next run, in pytest's own cache."""
    if hasattr(config, "cache"):  # not so under -p no:cacheprovider
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
