"""What all tests share: the CPU, the folder of real data, and silence where nobody reads."""

import gc
import itertools
import os
import re
from importlib.metadata import version
from pathlib import Path
from zlib import crc32

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests compile far more than they compute, so LLVM's costly passes are left out, and each program is
# one module without fusion emitters: half the time. `XLA_FLAGS= pytest` runs them as users compile.
# XLA aborts at a flag that it does not know, and newer releases have only the other emitters.
COMPILE_FAST = [
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_parallel_codegen_split_count=1",
]
if version("jaxlib").startswith("0.10."):
    COMPILE_FAST.append("--xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", " ".join(COMPILE_FAST))

SHARED = Path(__file__).parents[2] / "shared" / "data"
if SHARED.is_dir():
    os.environ.setdefault("FJAX_DATA", str(SHARED))

import jax  # noqa: E402
import pytest  # noqa: E402
from jax._src.interpreters import mlir  # noqa: E402


def shared_contexts(make, uses=200):
    """The MLIR contexts of `make`, each for many programs: to make one costs as much as to lower."""
    context, count = None, itertools.count()

    def shared():
        nonlocal context
        if next(count) % uses == 0:
            context = make()
        return context

    return shared


# What a context has seen it keeps, constants too: none is used for ever.
mlir.make_ir_context = shared_contexts(mlir.make_ir_context)


def pytest_collection_modifyitems(items):
    """Leave most cases of `sampled` functions to `thorough` runs, by the hash of their ids."""
    sampled = {}
    for item in items:
        marker = item.get_closest_marker("sampled")
        if marker is not None:
            function = item.nodeid.partition("[")[0]
            sampled.setdefault(function, []).append((item, *marker.args))
    for cases in sampled.values():
        kept = set()
        # In the order of the hash, so that the first of each name is any of its cases.
        for item, one_of in sorted(cases, key=lambda case: crc32(case[0].nodeid.encode())):
            name = re.match(r"\w*", item.nodeid.partition("[")[2]).group()
            if name in kept and crc32(item.nodeid.encode()) % one_of:
                item.add_marker("thorough")
            kept.add(name)


def pytest_collection_finish():
    """Keep the collector from walking through all imported modules again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def compilations():
    """The names of the programs that are compiled while a test runs."""
    names = []

    def listen(event, duration, **details):
        if event.endswith("backend_compile_duration"):
            names.append(details.get("fun_name", ""))

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield names
    jax.monitoring.unregister_event_duration_listener(listen)


@pytest.fixture
def fetches(monkeypatch):
    """What is read from the device to the host while a test runs."""
    from jax._src.array import ArrayImpl

    read = []
    own = ArrayImpl._value

    def recorded(array):
        read.append(array.shape)
        return own.fget(array)

    monkeypatch.setattr(ArrayImpl, "_value", property(recorded))
    return read
