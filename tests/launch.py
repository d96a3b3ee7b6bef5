"""Starts `t2v train` as a user does: in processes of their own, each with so many devices."""

import os
import pathlib
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
LIMIT = 300  # seconds that any of them may take


def free_port():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return free.getsockname()[1]


def start(arguments, devices=1, program=("-m", "t2v_jax.cli"), **environment):
    """`t2v train` in a process that sees so many CPU devices."""
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, *program, "train", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"XLA_FLAGS": flags} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_all(count, arguments, devices=1):
    """As many of them, which meet by flags; alone, it has none."""
    meet = [f"--coordinator=localhost:{free_port()}", f"--processes={count}"] if count > 1 else []
    return [
        start([*arguments, *meet, *[f"--process={index}"][: len(meet)]], devices) for index in range(count)
    ]


def finish(processes):
    """The exit statuses, outputs and errors."""
    try:
        told = [process.communicate(timeout=LIMIT) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [process.returncode for process in processes], *zip(*told)
