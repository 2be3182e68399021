"""Digests of train states and predictions, and of the machine that they hold for."""

import hashlib
import json
import platform
from pathlib import Path

import jax
import jaxlib
import numpy as np

from tests.bits.networks import TRAININGS

RECORD = Path(__file__).with_name("recorded.json")


def machine() -> str:
    """Return what the bits depend on: the release of XLA, and the instructions of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        flags = platform.processor()
    digest = hashlib.sha256(" ".join(sorted(flags.split())).encode()).hexdigest()[:12]
    return f"jaxlib {jaxlib.__version__}, {platform.machine()} {digest}"


def digest_of(name: str) -> str:
    """Return the digest of all arrays of a model's train state after its training."""
    model = TRAININGS[name]()
    total = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(model.train_state):
        if jax.dtypes.issubdtype(getattr(leaf, "dtype", None), jax.dtypes.prng_key):
            leaf = jax.random.key_data(leaf)
        values = np.ascontiguousarray(leaf)
        head = f"{jax.tree_util.keystr(path)} {values.dtype} {values.shape}"
        total.update(head.encode() + values.tobytes())
    return total.hexdigest()


def recorded() -> dict[str, dict[str, str]]:
    """Return the recorded digests, by machine and training."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}
