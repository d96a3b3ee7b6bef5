"""How all tests run: on the CPU unless JAX_PLATFORMS says otherwise, strictly, compiled once."""

import gc
import os
import pathlib
import runpy
import sys

import pytest
from hypothesis import settings

# Set before anything imports JAX, and as variables, so that child processes have them too.
os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
# The programs of the tests run for less time than XLA takes to optimise them. In one part each is compiled
# in less memory; the workers keep the cores busy.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
    " --xla_cpu_use_fusion_emitters=false",
)
# For the workers, which begin after this: XLA's threads else leave what they free in an arena each.
os.environ.setdefault("MALLOC_ARENA_MAX", "2")

STATM = pathlib.Path("/proc/self/statm")  # Linux
MOST_HELD = 900_000_000  # bytes
SMALL = pathlib.Path(__file__).parent / "small.py"

# The first example of a property compiles, which takes longer than any deadline worth having.
settings.register_profile("t2v_jax", deadline=None)
settings.load_profile("t2v_jax")


def pytest_configure(config):
    """Keeps compiled programs for the next run, in pytest's own cache."""
    if hasattr(config, "cache"):  # not so under -p no:cacheprovider
        os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("jax")))
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")


@pytest.fixture(autouse=True, scope="module")
def _freed():
    """Programs and clips go with the file of tests that made them: a worker would hold gigabytes."""
    yield
    for name, module in list(sys.modules.items()):
        if name.startswith("tests."):
            for value in vars(module).values():
                if clear := getattr(value, "cache_clear", None):
                    clear()
    _free_programs()


@pytest.fixture(autouse=True)
def _bounded():
    """In a file whose programs take more than a share of a worker's 2 GB, they go after each test."""
    yield
    if _resident() > MOST_HELD:
        from t2v_jax.runtime.memory import return_memory

        return_memory()
        if _resident() > MOST_HELD:
            _free_programs()


@pytest.fixture
def unburdened():
    """Frees what the file's other tests compiled, for one that itself adds a gigabyte and more."""
    _free_programs()


def _resident():
    """Bytes of memory that this process has; 0 where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _free_programs():
    if "jax" in sys.modules:
        import jax

        from t2v_jax.runtime.memory import return_memory

        jax.clear_caches()
        gc.collect()
        return_memory()


@pytest.fixture
def resident():
    """Tells how many bytes of memory this process has."""
    return _resident


@pytest.fixture
def small():
    """The small run's configuration."""
    return runpy.run_path(str(SMALL))["get_config"]()


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The workdir of the whole small run, 4 steps; not to be changed."""
    from t2v_jax.training.loop import train

    workdir = tmp_path_factory.mktemp("small") / "run"
    assert train(runpy.run_path(str(SMALL))["get_config"](), workdir) == (4, True)
    return workdir


@pytest.fixture
def run(capsys):
    """Runs a command in this process: its exit status, output and errors."""
    from t2v_jax import cli

    def run(*arguments):
        status = cli.main([*map(str, arguments)])
        return status, *capsys.readouterr()

    return run
