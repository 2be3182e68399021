"""The traits of every public class and function are true."""

import functools
import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import activations, constraints, layers, optimizers, regularizers
from fjax.core.function_traits import function_has_trait
from fjax.core.layer import Layer
from fjax.optimizers import Optimizer
from fjax.storage.functions import FUNCTIONS
from fjax.traits import has_trait
from tests.layers.catalogue import CATALOGUE, samples

VALUES = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
ACTIVATIONS = [function for name, function in FUNCTIONS.items() if name.startswith("activations.")]
ARGUMENTS = {"threshold": {"threshold": 0.1, "default_value": 0.0}}


def public(module, base):
    return sorted(
        {
            member
            for member in vars(module).values()
            if inspect.isclass(member) and issubclass(member, base) and member is not base
        },
        key=lambda cls: cls.__name__,
    )


@pytest.mark.parametrize("function", ACTIVATIONS, ids=lambda f: f.__name__)
def test_activations_have_the_traits_that_they_declare(function):
    activation = functools.partial(function, **ARGUMENTS.get(function.__name__, {}))
    assert has_trait(function, "rows_independent")
    np.testing.assert_allclose(activation(VALUES)[::-1], activation(VALUES[::-1]), rtol=1e-6)
    if has_trait(function, "entrywise"):
        expected = activation(VALUES[:, ::-1])
        np.testing.assert_allclose(activation(VALUES)[:, ::-1], expected, rtol=1e-6)
        np.testing.assert_allclose(activation(VALUES)[:, :2], activation(VALUES[:, :2]), rtol=1e-6)
    else:
        assert not np.allclose(activation(VALUES)[:, :1], activation(VALUES[:, :2])[:, :1])


def test_functions_of_jax_have_the_traits_of_our_functions_of_the_same_name():
    for function in (jax.nn.relu, jax.nn.gelu, jnp.tanh, jnp.exp, jnp.abs, np.tanh):
        assert function_has_trait(function, "entrywise")
    assert function_has_trait(jax.nn.softmax, "rows_independent")
    for function in (jnp.flip, jnp.sort, jnp.mean, jax.nn.softmax, jnp.add, jnp.matmul):
        assert not function_has_trait(function, "entrywise")


def test_a_wrapper_of_a_function_has_none_of_its_traits():
    @functools.wraps(activations.relu)
    def mixing(x):
        return activations.relu(x) - jnp.mean(x, axis=0)

    assert not function_has_trait(mixing, "rows_independent")
    assert not function_has_trait(functools.partial(activations.softmax, axis=0), "entrywise")


@pytest.mark.parametrize("cls", public(optimizers, Optimizer), ids=lambda cls: cls.__name__)
def test_optimizers_that_declare_entrywise_work_entry_by_entry(cls):
    optimizer = cls(0.1)
    if not has_trait(optimizer, "entrywise"):
        return
    half = VALUES[:, :2]
    results = []
    for values in (VALUES, half):
        params, grads = {"w": jnp.asarray(values)}, {"w": jnp.asarray(values) ** 2}
        state = optimizer.init(params)
        for _ in range(3):
            updates, state = optimizer.update(grads, state, params)
            params = jax.tree.map(jnp.add, params, updates)
        results.append(np.asarray(params["w"])[:, :2])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-6)


@pytest.mark.parametrize(
    "constraint",
    [
        constraints.MaxNorm(0.5),
        constraints.MinMaxNorm(),
        constraints.NonNeg(),
        constraints.UnitNorm(),
    ],
    ids=lambda constraint: type(constraint).__name__,
)
def test_constraints_that_declare_keeps_zeros_keep_zeros(constraint):
    assert has_trait(constraint, "keeps_zeros")
    padded = np.pad(VALUES, ((0, 2), (0, 1)))
    np.testing.assert_array_equal(np.asarray(constraint(jnp.asarray(padded)))[3:], 0)
    np.testing.assert_allclose(
        constraint(jnp.asarray(padded))[:3, :4], constraint(VALUES), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("regularizer", "keeps"),
    [
        (regularizers.L2(0.1), True), (regularizers.L1(0.1), False),
        (regularizers.L1L2(l1=0.0, l2=0.1), True), (regularizers.L1L2(l1=0.1, l2=0.1), False),
        (regularizers.OrthogonalRegularizer(), False),
    ],
    ids=repr,
)  # fmt: skip
def test_regularizers_that_declare_keeps_zeros_have_no_gradient_at_0(regularizer, keeps):
    assert has_trait(regularizer, "keeps_zeros") == keeps
    padded = jnp.asarray(np.pad(VALUES, ((0, 2), (0, 1))))
    gradient = np.asarray(jax.grad(regularizer)(padded))
    if keeps:
        np.testing.assert_array_equal(gradient[3:], 0)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.label)
def test_layers_that_declare_entrywise_work_entry_by_entry(entry):
    layer = entry.layer
    if not has_trait(layer, "entrywise") or isinstance(layer, layers.BatchNormalization):
        return
    (values,) = samples(entry)
    outputs, _ = layer.apply({}, {}, jnp.asarray(values))
    narrow, _ = layer.apply({}, {}, jnp.asarray(values[..., :2]))
    np.testing.assert_allclose(np.asarray(outputs)[..., :2], narrow, rtol=1e-6)


@pytest.mark.parametrize("cls", public(layers, Layer), ids=lambda cls: cls.__name__)
def test_a_users_subclass_inherits_no_trait(cls):
    subclass = type("Subclass", (cls,), {"__module__": "users_module"})
    instance = object.__new__(subclass)
    assert not has_trait(instance, "rows_independent")
    assert not has_trait(instance, "entrywise")


def test_a_users_class_may_declare_a_trait():
    class Doubled(fjax.Layer):
        rows_independent = True

        def apply(self, params, state, inputs, *, key=None, training=False):
            return inputs * 2, state

    assert has_trait(Doubled(), "rows_independent")
    assert not has_trait(Doubled(), "entrywise")


def test_a_patched_class_has_no_traits(monkeypatch):
    layer = layers.Rescaling(2.0)
    assert has_trait(layer, "rows_independent")
    monkeypatch.setattr(layers.Rescaling, "apply", lambda self, p, s, x, **_: (x - x.mean(0), s))
    assert not has_trait(layer, "rows_independent")
