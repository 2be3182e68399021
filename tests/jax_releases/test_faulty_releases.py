"""Faulty releases of JAX: their exclusion, the warning, and the workaround."""

import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest
from packaging.requirements import Requirement

import fjax
from fjax import jax_release
from fjax.compiler import available_options, compile_function
from fjax.jax_release import FAULTY_RELEASES, FaultyRelease, warn_if_faulty

pytestmark = pytest.mark.short

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]


@pytest.fixture
def make_faulty(monkeypatch):
    """Return a function that declares the installed jaxlib faulty, with some compiler options."""

    def declare(**options):
        fault = FaultyRelease("returns nonsense", options)
        monkeypatch.setattr(jax_release, "FAULTY_RELEASES", {jaxlib.__version__: fault})

    return declare


@pytest.mark.parametrize("name", ["jax", "jaxlib"])
def test_exactly_the_faulty_releases_are_excluded(name):
    required = {r.name: r for r in map(Requirement, PROJECT["dependencies"])}[name]
    excluded = {part.version for part in required.specifier if part.operator == "!="}
    assert excluded == set(FAULTY_RELEASES)
    assert [part.version for part in required.specifier if part.operator == ">="] == ["0.10.1"]
    assert required.specifier.contains("0.12.0.1")


def test_one_warning_at_import():
    """A process that imports fjax twice gets one warning: version, fault, what to install."""
    program = """
import importlib, sys, warnings
import jaxlib
jaxlib.__version__ = "0.10.2"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import fjax
    import fjax.layers, fjax.training
    importlib.import_module("fjax")
ours = [w for w in caught if "jaxlib" in str(w.message)]
assert len(ours) == 1, ours
assert ours[0].category is RuntimeWarning
assert ours[0].filename == "<string>", ours[0].filename
for part in ("jaxlib 0.10.2", "jax#39103", "jax 0.10.1 (Python 3.11)", "jax 0.11.2 or newer"):
    assert part in str(ours[0].message), part
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_other_releases_do_not_warn(monkeypatch):
    monkeypatch.setattr(jaxlib, "__version__", "0.10.1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_faulty()


def test_the_warning_for_a_fault_without_workaround(monkeypatch):
    monkeypatch.setattr(jaxlib, "__version__", "0.11.1")
    with pytest.warns(RuntimeWarning, match=r"jax#40101.*fjax cannot avoid this"):
        warn_if_faulty()


def test_programs_are_compiled_with_the_options_of_a_fault(make_faulty, tmp_path):
    make_faulty(xla_dump_to=str(tmp_path), xla_no_such_option=True)
    double = compile_function(lambda values: 2 * values)
    np.testing.assert_array_equal(double(jnp.arange(3)), [0, 2, 4])
    assert list(tmp_path.iterdir())


def test_inner_programs_are_compiled_with_the_outermost_program(make_faulty):
    """JAX raises for compiler options of an inner program, even without traced arguments."""
    make_faulty(xla_backend_optimization_level=1)
    double = compile_function(lambda values: 2 * values)
    values = jnp.arange(3.0)
    np.testing.assert_array_equal(jax.jit(lambda v: double(v) + double(values))(values), [0, 4, 8])
    np.testing.assert_array_equal(jax.vmap(double)(values), [0, 2, 4])
    assert jax.grad(lambda v: double(v).sum())(values).tolist() == [2, 2, 2]


def test_a_model_trains_on_a_faulty_release(make_faulty):
    make_faulty(xla_backend_optimization_level=1)
    fjax.utils.clear_session()
    model = fjax.Sequential(
        [fjax.Input((4, 4, 1)), fjax.layers.Conv2D(2, 3), fjax.layers.Flatten()]
    )
    model.add(fjax.layers.Dense(1))
    model.compile("sgd", "mse")
    x, y = np.ones((6, 4, 4, 1), "float32"), np.zeros((6, 1), "float32")
    losses = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[0]
    model.fit(x, y, replicas=2, verbose=0)
    fjax.utils.clear_session()


def test_unknown_options_are_left_out():
    options = (("xla_no_such_option", True), ("xla_backend_optimization_level", 1), ("no", ""))
    assert available_options(options) == {"xla_backend_optimization_level": 1}


def test_an_invalid_value_of_an_option_raises():
    with pytest.raises(jax.errors.JaxRuntimeError, match="xla_backend_optimization_level"):
        available_options((("xla_backend_optimization_level", "high"),))
