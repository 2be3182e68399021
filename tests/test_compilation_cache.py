"""Programs that later processes load in place of compiling them."""

import json
import os
import subprocess
import sys

import pytest

from fjax.compilation_cache import _reduce
from fjax.utils import enable_compilation_cache

FIRST_FIT = """
import collections, hashlib, json, sys
import jax, numpy as np
import fjax

jax.jit(lambda values: values + 1)(1.0)  # the cache may be enabled after a first compilation
fjax.utils.enable_compilation_cache(sys.argv[1])
events = collections.Counter()
jax.monitoring.register_event_listener(lambda event, **_: events.update([event.split("/")[-1]]))
layers = [fjax.Input((3,)), fjax.layers.Dense(4, "tanh"), fjax.layers.Dense(1)]
model = fjax.Sequential(layers, seed=1)
model.compile("adam", "mse")
model.fit(np.ones((10, 3), "float32"), np.ones((10, 1), "float32"), batch_size=4, verbose=0)
weights = b"".join(weight.tobytes() for weight in model.get_weights())
requests, hits = events["compile_requests_use_cache"], events["cache_hits"]
print(json.dumps([requests, hits, hashlib.sha256(weights).hexdigest()]))
"""


def first_fit(directory):
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FIT, str(directory)], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def test_a_second_process_compiles_nothing(tmp_path):
    requests, hits, weights = first_fit(tmp_path)
    assert requests > 0 and hits == 0
    assert first_fit(tmp_path) == [requests, requests, weights]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="directories have no owner here")
def test_a_directory_that_others_can_write_to_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="other users may write to the directory"):
        enable_compilation_cache(tmp_path)


@pytest.mark.parametrize("max_bytes", [-1, -(2**40)])
def test_a_negative_size_is_refused(tmp_path, max_bytes):
    with pytest.raises(ValueError, match="`max_bytes` must be None or a number of bytes"):
        enable_compilation_cache(tmp_path, max_bytes)


def test_the_oldest_programs_are_deleted(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        path = tmp_path / f"{name}-cache"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    (tmp_path / "another.txt").write_bytes(bytes(1000))
    _reduce(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "another.txt", "middle-cache", "new-cache",
    ]  # fmt: skip
