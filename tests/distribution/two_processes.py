"""One of two processes with four devices each, which write and read arrays together.

`python -m tests.distribution.two_processes INDEX PORT FOLDER` writes an array that all eight
devices divide, and reads one that a single process has written before.
"""

import sys
from pathlib import Path

import jax
import numpy as np
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

VALUE = np.arange(6 * 64, dtype="float32").reshape(6, 64)


def main(index: int, port: int, folder: Path) -> None:
    """Write to `folder/two`, and read `folder/one`."""
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, index)

    from fjax.distribution import fsdp
    from fjax.storage.array_store import open_arrays
    from fjax.storage.sharded_folder import ShardedStore
    from fjax.storage.versions import format_metadata

    placement = fsdp(min_size=8)
    sharding = NamedSharding(placement.mesh, P(None, "data"))
    kernel = jax.make_array_from_callback(VALUE.shape, sharding, lambda part: VALUE[part])
    store = ShardedStore(placement, "test")
    tensors = {"kernel": kernel, "host": np.ones(3, "float32")}
    store.start(folder / "two", tensors, format_metadata("model"))()
    store.close()
    spec = jax.ShapeDtypeStruct(VALUE.shape, VALUE.dtype, sharding=sharding)
    with open_arrays(folder / "one", "model") as reader:
        loaded = reader.read_placed({"kernel": spec})["kernel"]
    assert len(loaded.addressable_shards) == 4
    for shard in loaded.addressable_shards:
        np.testing.assert_array_equal(shard.data, VALUE[shard.index])
    print("done")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
