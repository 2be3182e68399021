"""How long a checkpoint of a divided train state holds the training: a file, a folder of Orbax.

`python -m benchmarks.checkpoints` starts JAX with eight virtual devices, and prints for each store
the time for which it holds the training, and the time until the checkpoint is complete.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7


def main(megabytes: int = 100) -> None:
    """Print the times of both stores, medians of some rounds.

    Args:
        megabytes: The size of the train state.
    """
    import jax
    import numpy as np

    from fjax.distribution import fsdp
    from fjax.storage.array_store import ArrayStore, FileStore
    from fjax.storage.sharded_folder import ShardedStore
    from fjax.storage.train_state import train_state_tensors
    from fjax.storage.versions import format_metadata
    from fjax.training import TrainState

    placement = fsdp(min_size=1)
    random = np.random.default_rng(0)
    # Adam has three arrays for each weight: itself, and two moments.
    arrays = [random.normal(size=(1024, 1024)).astype("float32") for _ in range(megabytes // 4)]
    params = {str(index): array for index, array in enumerate(arrays)}
    counter = np.int32(0)
    whole = TrainState(params, {}, (), jax.random.key(0), counter, counter, counter, ())
    train_state = placement.shard(whole)

    def measure(store: ArrayStore, folder: str, number: int) -> tuple[float, float]:
        path = Path(folder, f"{number}.{store.extension}")
        start = time.perf_counter()
        tensors = jax.block_until_ready(train_state_tensors(store.snapshot(train_state)))
        finish = store.start(path, tensors, format_metadata("model"))
        held = time.perf_counter() - start
        finish()
        return held, time.perf_counter() - start

    stores: dict[str, ArrayStore] = {
        "one file": FileStore(),
        "Orbax": ShardedStore(placement, "benchmark"),
    }
    print(f"A train state of {4 * len(arrays)} MB on {jax.device_count()} devices, medians:")
    for name, store in stores.items():
        with tempfile.TemporaryDirectory() as folder:
            times = [measure(store, folder, number) for number in range(ROUNDS)]
        held, complete = np.median(np.array(times[1:]), axis=0)
        print(f"{name}: holds the training for {held:.3f} s, is complete after {complete:.2f} s")
        store.close()


if __name__ == "__main__":
    os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    main(*map(int, sys.argv[1:]))
