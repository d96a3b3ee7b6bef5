"""Several processes, started by hand, Slurm or Open MPI: they find each other and train as one."""

import itertools
import json
import shutil
import signal

import jax
import numpy as np
import pytest

import t2v_jax
from t2v_jax.errors import UsageError
from t2v_jax.runtime import hosts
from t2v_jax.training.loop import train
from tests import launch, small
from tests.runtime.test_sharding import relative

CONFIG = f"--config={small.__file__}"
SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_STEP_NODELIST": "localhost",
    "SLURM_STEP_NUM_NODES": "1",
    "SLURM_NTASKS": "2",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
}
OPEN_MPI = {
    "OMPI_COMM_WORLD_SIZE": "4",
    "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
    "OMPI_MCA_orte_hnp_uri": "1531576320.0;tcp://10.96.0.1:34911",
}
POD = {"TPU_WORKER_HOSTNAMES": "a,b"}


@pytest.fixture
def met(monkeypatch):
    """What JAX is told in an environment; None where it is told nothing."""

    def met(environment, *flags):
        told = []
        monkeypatch.setattr(jax.distributed, "initialize", lambda **arguments: told.append(arguments))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with hosts.joined(*(flags or [None] * 3)):
            return told[0] if told else None

    return met


@pytest.mark.parametrize(
    "environment",
    [
        {},
        SLURM | {"SLURM_NTASKS": "1"},
        SLURM | {"SLURM_STEP_NUM_TASKS": "1"},  # a shell of its own within a larger job
        {name: value for name, value in SLURM.items() if "STEP" not in name},  # the job's script
        {"OMPI_COMM_WORLD_SIZE": "1"},
        POD,  # a machine whose platform is the CPU
    ],
)
def test_a_process_that_is_alone_meets_nobody(met, environment):
    assert met(environment) is None


@pytest.mark.parametrize(
    ("environment", "cluster", "processes", "devices"),
    [
        (SLURM, "slurm", 2, None),
        (SLURM | {"SLURM_STEP_NUM_NODES": "2"}, "slurm", 2, []),
        (SLURM | {"SLURM_GPUS_PER_TASK": "2"}, "slurm", 2, []),
        (OPEN_MPI, "ompi", 4, None),
        (OPEN_MPI | {"OMPI_COMM_WORLD_LOCAL_SIZE": "1"}, "ompi", 4, []),
    ],
)
def test_a_launcher_tells_of_the_others(met, environment, cluster, processes, devices):
    """A process takes all the GPUs that it sees, but where others of its node see them too."""
    told = met(environment)
    assert told["cluster_detection_method"] == cluster and told["num_processes"] == processes
    assert told["local_device_ids"] == devices


def test_flags_come_first(met):
    told = met(SLURM, "host:1234", 3, 2)
    assert (told["coordinator_address"], told["num_processes"], told["process_id"]) == ("host:1234", 3, 2)
    assert told["cluster_detection_method"] == "deactivate"


def test_one_process_by_flags_meets_nobody(met):
    assert met({}, "host:1234", 1, 0) is None


@pytest.mark.parametrize(
    ("environment", "pod"),
    [
        (POD, True),
        ({"TPU_WORKER_HOSTNAMES": "a"}, False),
        ({"TPU_WORKER_HOSTNAMES": "a", "MEGASCALE_NUM_SLICES": "2"}, True),
    ],
)
def test_a_tpu_tells_of_its_pod(met, environment, pod):
    platforms = jax.config.jax_platforms
    jax.config.update("jax_platforms", "tpu,cpu")
    try:
        assert (met(environment) is not None) == pod
    finally:
        jax.config.update("jax_platforms", platforms)


def test_open_mpi_that_does_not_tell_where_is_refused(met):
    with pytest.raises(UsageError, match="--coordinator=HOST:PORT"):
        met({"OMPI_COMM_WORLD_SIZE": "4"})


SHORT_OF_TIME = """
import sys
from t2v_jax import cli
from t2v_jax.runtime import hosts
hosts.WAIT = 3
sys.exit(cli.main(sys.argv[1:]))
"""


def test_a_wait_ends_in_one_line(tmp_path):
    address = f"localhost:{launch.free_port()}"
    meet = [CONFIG, f"--workdir={tmp_path / 'run'}", f"--coordinator={address}", "--processes=3"]
    # The third never comes.
    processes = [
        launch.start([*meet, f"--process={index}"], program=("-c", SHORT_OF_TIME)) for index in range(2)
    ]
    statuses, outputs, errors = launch.finish(processes)
    assert statuses == [2, 2] and outputs == ("", "")
    for error in errors:
        assert error.startswith(f"t2v: waited 3 seconds for all processes to meet at {address}; ")
        assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_what_is_wrong_in_one_process_ends_all(tmp_path):
    meet = [f"--coordinator=localhost:{launch.free_port()}", "--processes=2", f"--workdir={tmp_path / 'run'}"]
    processes = [
        launch.start([CONFIG, *meet, "--process=0"]),
        launch.start([CONFIG, *meet, "--process=1", "--config.data.directory=nosuch"]),
    ]
    statuses, outputs, errors = launch.finish(processes)
    assert statuses == [2, 2]
    assert errors[0] == "" and "nosuch" in errors[1] and errors[1].count("\n") == 1


# Small changes stay small: a word that is drawn is another one after any change that tips the scales, and
# the penalties' weight is large.
SMOOTH = {
    "batch_size": 8,
    "checkpoint_every": 4,
    "sample_every": 100,
    "generator.hard_attention": False,
    "loss.penalty": "none",
}
PROMPTS = ["digit 3 is up and down.", "digit 5 is left and right."]


def flags(**changes):
    """The same fields, and others, for the command."""
    return [CONFIG, *(f"--config.{name}={value}" for name, value in (SMOOTH | changes).items())]


def smooth(workdir, steps):
    """One device trains up to a step."""
    config = small.get_config()
    config.update_from_flattened_dict(SMOOTH | {"steps": steps})
    assert train(config, workdir).step == steps


def scores(workdir):
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    return [relative(line | {"clips_per_second": 0}) for line in lines]  # no two runs are as fast


def test_meshes_take_turns_and_train_as_one_device(tmp_path):
    """Each goes on from the checkpoint of the one before, the first from one device's."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    smooth(alone, 4)
    shutil.copytree(alone, together)
    for steps, (processes, devices) in zip(itertools.count(8, 4), [(1, 2), (2, 2), (1, 4), (1, 8)]):
        smooth(alone, steps)
        arguments = [f"--workdir={together}", *flags(steps=steps)]
        started = launch.start_all(processes, arguments, devices)
        statuses, outputs, errors = launch.finish(started)
        assert statuses == [0] * processes, errors
        assert outputs[0] == f"{together}: step {steps}\n" and f"step {steps}/{steps}" in errors[0]
        assert set(outputs[1:]) <= {""} and set(errors[1:]) <= {""}  # one process prints
    told, expected = scores(together), scores(alone)
    assert [line["step"] for line in told] == list(range(1, 21))
    for line, one in zip(told, expected):
        for name, value in line.items():
            scale = 1 if name.endswith("loss") else 10  # the losses are what is trained
            assert value == pytest.approx(one[name], rel=1e-5 * scale, abs=1e-5 * scale), name
    clips, ones = (np.int32(t2v_jax.generate(t2v_jax.load(run), PROMPTS)) for run in (together, alone))
    assert np.abs(clips - ones).max() <= 1


def test_two_tasks_of_slurm_train_and_stop_together(tmp_path):
    workdir, port = tmp_path / "run", str(launch.free_port())
    arguments = [f"--workdir={workdir}", *flags(steps=100_000, sample_every=3)]
    tasks = [
        launch.start(
            arguments, **SLURM | {"SLURM_PROCID": task, "SLURM_LOCALID": task}, JAX_COORDINATOR_PORT=port
        )
        for task in "01"
    ]
    try:
        lines = list(itertools.takewhile(lambda line: not line.startswith("step 4/"), tasks[0].stderr))
        tasks[1].send_signal(signal.SIGTERM)
    finally:
        statuses, outputs, errors = launch.finish(tasks)
    assert statuses == [0, 0], (lines, errors)
    told = scores(workdir)
    last = told[-1]["step"]
    assert [line["step"] for line in told] == list(range(1, last + 1))
    assert outputs[0] == f"{workdir}: step {last}; the same command goes on from here\n"
    assert (workdir / "checkpoints" / str(last)).is_dir()
    assert (workdir / "samples" / "0000003.png").is_file()
