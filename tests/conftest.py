"""What all tests share: the CPU, the folder of real data, and silence where nobody reads."""

import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("MPLBACKEND", "Agg")
# Tests compile far more than they compute, so LLVM's costly passes are left out: half the time.
# `XLA_FLAGS= pytest` runs them as users compile.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

SHARED = Path(__file__).parents[2] / "shared" / "data"
if SHARED.is_dir():
    os.environ.setdefault("FJAX_DATA", str(SHARED))

import jax  # noqa: E402
import pytest  # noqa: E402


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
