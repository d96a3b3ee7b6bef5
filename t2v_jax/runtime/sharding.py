"""Where arrays live: a (data, model) mesh over all devices, one layout for state and batch."""

import jax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from t2v_jax.errors import UsageError

# Leaves smaller than this many elements are copied to every device: sharding them saves nothing.
SMALLEST_SHARDED = 2**12


def make_mesh(data=-1, model=1):
    """Mesh with axes `data` (shares the batch) and `model` (shares the parameters); -1: all the rest."""
    devices, processes = jax.device_count(), jax.process_count()
    data = devices // model if data == -1 else data
    # Each process loads a share of the batch, so the data axis runs over all of them.
    if data * model != devices or data % processes:
        raise UsageError(
            f"a mesh of {data} x {model} does not fit {devices} devices of {processes} processes; "
            f"set config.mesh.data=-1 and a config.mesh.model that divides {devices // processes}"
        )
    return jax.make_mesh((data, model), ("data", "model"), axis_types=(AxisType.Auto,) * 2)


def check_batch(mesh, batch_size):
    """UsageError unless the mesh's data axis divides the batch."""
    devices = mesh.shape["data"]
    if batch_size % devices:
        below = batch_size - batch_size % devices or devices
        raise UsageError(
            f"config.batch_size={batch_size} is not a multiple of the {devices} devices on the data "
            f"axis; try {below}"
        )


def state_sharding(mesh, state):
    """Layout of parameters and optimiser states: large leaves by their last axis over `model`."""

    def place(leaf):
        split = leaf.ndim and leaf.size >= SMALLEST_SHARDED
        if split and leaf.shape[-1] % mesh.shape["model"] == 0:
            return NamedSharding(mesh, PartitionSpec(*[None] * (leaf.ndim - 1), "model"))
        return replicated(mesh)

    return jax.tree.map(place, state)


def batch_sharding(mesh):
    """Layout of a batch: the first axis over `data`."""
    return NamedSharding(mesh, PartitionSpec("data"))


def replicated(mesh):
    """Layout of what every device holds whole."""
    return NamedSharding(mesh, PartitionSpec())


def shard_batch(mesh, batch):
    """Host arrays, this process's share of the batch, to one global array each."""
    sharding = batch_sharding(mesh)
    return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), batch)
