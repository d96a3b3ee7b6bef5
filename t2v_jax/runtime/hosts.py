"""Several processes that train together: found by flags, Slurm, Open MPI or a TPU pod, joined by JAX."""

import contextlib
import os
import re
import threading

from t2v_jax.errors import UsageError

WAIT = 300  # seconds in which all processes have to meet


class Elsewhere(UsageError):
    """What ends this process is reported by another one."""


@contextlib.contextmanager
def joined(coordinator: str | None, processes: int | None, process: int | None):
    """A block that the processes run together; what it prints is seen of the first one alone.

    The arguments are those of `t2v train`; without them the environment says whether there are other
    processes. If there are none, nothing happens. Processes that have met before do not meet again.
    """
    arguments = _arguments(coordinator, processes, process)
    if not arguments:
        yield
        return
    import jax

    if not jax.distributed.is_initialized():
        _meet(arguments)
    first = jax.process_index() == 0
    try:
        with _one_voice(first):
            yield
    except FloatingPointError as error:  # all processes see the same numbers
        raise error if first else Elsewhere(str(error)) from error
    except jax.errors.JaxRuntimeError as error:  # to leave in good order would be to wait for the lost one
        reason = str(error).split("\n")[0]
        remedy = "start all again: they go on from the last checkpoint"
        _end(f"this process failed, or has lost another one ({reason}); {remedy}")


@contextlib.contextmanager
def unanimous():
    """A block that fails in all processes if it fails in one, so that none waits for one that has gone."""
    import jax
    from jax.experimental import multihost_utils

    failure = None
    try:
        yield
    except Exception as error:
        failure = error
    wait_for_all("preparations")
    failed = multihost_utils.process_allgather(failure is not None).ravel()
    if not failed.any():
        return
    teller = int(failed.argmax())
    raise failure if teller == jax.process_index() else Elsewhere(f"process {teller} says what is wrong")


def wait_for_all(what: str) -> None:
    """Return when all processes are done with `what`, however long the slowest takes, up to WAIT seconds.

    A first collective would wait 30 seconds on the CPU, less than a busy machine needs to compile it.
    """
    import jax

    if jax.process_count() > 1:
        from orbax.checkpoint import multihost

        multihost.get_barrier_sync_fn()(key=what, timeout_ms=1000 * WAIT)


def broadcast_from_first(value: float, what: str) -> float:
    """The first process's `value`, in all of them; `what` says what it is, for messages."""
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    if jax.process_count() == 1:
        return value
    wait_for_all(what)
    return float(multihost_utils.broadcast_one_to_all(np.float32(value)))


def _arguments(coordinator, processes, process):
    """The arguments of `jax.distributed.initialize`; None for a process that is alone."""
    if (coordinator, processes, process) == (None, None, None):
        return _by_open_mpi() or _by_slurm() or _by_pod()
    _check(coordinator, processes, process)
    if processes == 1:
        return None
    return {
        "coordinator_address": coordinator,
        "num_processes": processes,
        "process_id": process,
        "cluster_detection_method": "deactivate",
    }


def _check(coordinator, processes, process):
    if None in (coordinator, processes, process):
        raise UsageError(
            "--coordinator, --processes and --process say together which of several processes this is; "
            "give all three or none"
        )
    if not re.fullmatch(r".+:\d+", coordinator):
        raise UsageError(
            f"--coordinator={coordinator}; expected HOST:PORT, where process 0 runs and a port that is free "
            "there, as 10.0.0.1:1234"
        )
    if process >= processes:
        raise UsageError(
            f"--process={process} of --processes={processes}; expected a number from 0 to {processes - 1}"
        )


def _by_open_mpi():
    size = int(os.environ.get("OMPI_COMM_WORLD_SIZE", 1))
    if size == 1:
        return None
    if "OMPI_MCA_orte_hnp_uri" not in os.environ:
        raise UsageError(
            f"this is one of {size} processes of an Open MPI (5 or newer) that does not say where the first "
            "one runs; give --coordinator=HOST:PORT --processes=$OMPI_COMM_WORLD_SIZE "
            "--process=$OMPI_COMM_WORLD_RANK"
        )
    return _by_cluster("ompi", size, os.environ.get("OMPI_COMM_WORLD_LOCAL_SIZE") == "1")


def _by_slurm():
    if "SLURM_STEP_NODELIST" not in os.environ:  # not started by srun: a job's script, which runs once
        return None
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS") or os.environ.get("SLURM_NTASKS", 1))
    if tasks == 1:
        return None
    one_a_node = os.environ.get("SLURM_STEP_NUM_NODES") == str(tasks)
    return _by_cluster("slurm", tasks, one_a_node or "SLURM_GPUS_PER_TASK" in os.environ)


def _by_cluster(name, processes, takes_all):
    """For a cluster that JAX knows; a process takes all GPUs it sees, or that of its number on the node."""
    return {
        "num_processes": processes,
        "local_device_ids": [] if takes_all else None,
        "cluster_detection_method": name,
    }


def _by_pod():
    """For a TPU machine that is one of several, or that only Google's metadata server knows of."""
    import jax

    if "tpu" not in (jax.config.jax_platforms or ""):  # JAX itself puts it there where it finds one
        return None
    hosts = os.environ.get("TPU_PROCESS_ADDRESSES") or os.environ.get("TPU_WORKER_HOSTNAMES")
    several = "," in (hosts or "") or int(os.environ.get("MEGASCALE_NUM_SLICES", 1)) > 1
    unknown = hosts is None and "TPU_SKIP_MDS_QUERY" not in os.environ  # JAX sets it where there is no TPU
    return {"cluster_detection_method": None} if several or unknown else None


def _meet(arguments):
    import jax

    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    # When its own time is up, JAX aborts the process with a stack of C++.
    where = arguments.get("coordinator_address") or "the first one"
    message = f"waited {WAIT} seconds for all processes to meet at {where}; {_REMEDY}"
    limit = threading.Timer(WAIT, _end, [message])
    limit.daemon = True
    limit.start()
    try:
        jax.distributed.initialize(**arguments, initialization_timeout=2 * WAIT)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(f"the processes cannot meet: {error}; {_REMEDY}") from error
    finally:
        limit.cancel()


_REMEDY = "start all of them, at the same time, where each can reach the first one's host and port"


def _end(message):
    os.write(2, f"t2v: {message}\n".encode())
    os._exit(2)


@contextlib.contextmanager
def _one_voice(first):
    """What Python prints in the first process is seen; nothing of the others, nor what Gloo says in C++."""
    with open(os.devnull, "w") as nowhere, contextlib.ExitStack() as undo:
        output = undo.enter_context(os.fdopen(os.dup(1), "w"))
        undo.callback(os.dup2, output.fileno(), 1)
        undo.enter_context(contextlib.redirect_stdout(output if first else nowhere))
        if not first:
            undo.enter_context(contextlib.redirect_stderr(nowhere))
        os.dup2(nowhere.fileno(), 1)
        yield
