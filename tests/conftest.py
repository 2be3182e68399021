"""What all tests share: the CPU, the folder of real data, and silence where nobody reads."""

import gc
import itertools
import os
import re
import signal
from importlib.metadata import version
from pathlib import Path
from zlib import crc32

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests compile far more than they compute, so LLVM's costly passes are left out, and each program
# is one LLVM module without fusion emitters: half the time. `XLA_FLAGS= pytest` runs them as users
# compile. XLA aborts at an unknown flag, and releases after 0.10 have dropped this one.
COMPILE_FAST = [
    "--xla_backend_optimization_level=0",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_parallel_codegen_split_count=1",
]
if version("jaxlib").startswith("0.10."):
    COMPILE_FAST.append("--xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", " ".join(COMPILE_FAST))

# A process that was started in the background ignores Ctrl-C, which some tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).parents[2] / "shared" / "data"
if SHARED.is_dir():
    os.environ.setdefault("FJAX_DATA", str(SHARED))

import jax  # noqa: E402
import pytest  # noqa: E402
from jax._src.interpreters import mlir  # noqa: E402


def shared_contexts(make, uses=200):
    """Return `make` with each context used for many programs: making one takes 5 ms."""
    context, count = None, itertools.count()

    def shared():
        nonlocal context
        if next(count) % uses == 0:
            context = make()
        return context

    return shared


# JAX makes an MLIR context for each program, a fifth of the time that small programs take. A
# context keeps the constants of all its programs, so it is replaced after some.
mlir.make_ir_context = shared_contexts(mlir.make_ir_context)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items):
    """Mark most cases of `sampled` tests `thorough`, chosen by a hash of their ids.

    At least one case is kept for each first word of the ids: a layer, a loss, a metric. The
    argument `name` is a pattern of another part of the id, one of which is to be kept of each.
    With `whole` the tests of a module are the cases.
    """
    sampled = {}
    for item in items:
        marker = item.get_closest_marker("sampled")
        if marker is not None:
            whole = marker.kwargs.get("whole", False)
            group = item.nodeid.partition("::" if whole else "[")[0]
            sampled.setdefault(group, []).append((item, marker))
    for cases in sampled.values():
        kept = set()
        for item, marker in sorted(cases, key=lambda case: crc32(case[0].nodeid.encode())):
            pattern = marker.kwargs.get("name", "^" if marker.kwargs.get("whole") else r"\w*")
            name = re.search(pattern, item.nodeid.partition("[")[2]).group()
            if name in kept and crc32(item.nodeid.encode()) % marker.args[0]:
                item.add_marker("thorough")
            kept.add(name)


def pytest_collection_finish():
    """Exclude the imported modules from garbage collection: there are many objects in them."""
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

    from fjax.training.placement import Placement

    read = []
    fetch = Placement.fetch
    own = ArrayImpl._value

    def recorded(array):
        read.append(array.shape)
        return own.fget(array)

    def recorded_fetch(placement, tree):
        read.extend(leaf.shape for leaf in jax.tree.leaves(tree))
        return fetch(placement, tree)

    monkeypatch.setattr(ArrayImpl, "_value", property(recorded))
    # On a CPU it reads the memory of an array directly.
    monkeypatch.setattr(Placement, "fetch", recorded_fetch)
    return read
