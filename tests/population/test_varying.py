"""Hyperparameters as inputs of a program: the results are those of plain numbers."""

import importlib
import pkgutil
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import fjax
from fjax import layers, losses, optimizers, regularizers
from fjax.configuration import Configured, fields_to_trace, is_nonzero
from fjax.population.hyperparameters import find_hyperparameters, find_widths, replace_at

pytestmark = pytest.mark.sampled(3, whole=True)

# Abstract classes.
ABSTRACT = {"Optimizer", "SpatialDropout"}

# A number for each field of each class, and the other arguments of the constructor.
SAMPLES = {
    "LeakyReLU": ({"negative_slope": 0.3}, {}),
    "Dropout": ({"rate": 0.3}, {}),
    "SpatialDropout1D": ({"rate": 0.3}, {}),
    "SpatialDropout2D": ({"rate": 0.3}, {}),
    "SpatialDropout3D": ({"rate": 0.3}, {}),
    "GaussianNoise": ({"stddev": 0.7}, {}),
    "GaussianDropout": ({"rate": 0.3}, {}),
    "AlphaDropout": ({"rate": 0.3}, {}),
    "L1": ({"l1": 0.3}, {}),
    "L2": ({"l2": 0.3}, {}),
    "L1L2": ({"l1": 0.3, "l2": 0.7}, {}),
    "Huber": ({"delta": 0.4}, {}),
    "SGD": ({"momentum": 0.9}, {"nesterov": True}),
    "RMSprop": ({"rho": 0.9, "momentum": 0.3, "epsilon": 1e-7}, {"centered": True}),
    "Adam": ({"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, {"amsgrad": True}),
    "AdamW": ({"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}, {}),
    "Adagrad": ({"epsilon": 1e-7}, {}),
    "Adadelta": ({"rho": 0.95, "epsilon": 1e-7}, {}),
    "Adamax": ({"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, {}),
    "Nadam": ({"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}, {}),
    "Lion": ({"beta_1": 0.9, "beta_2": 0.99}, {}),
    "Adafactor": ({}, {}),
    "Ftrl": ({}, {}),
    "Lamb": ({}, {}),
    "Muon": ({}, {}),
    "ScheduleFreeAdamW": ({}, {}),
}

# The arguments of every optimizer, with one way of clipping at a time.
COMMON = [
    {"weight_decay": 0.07, "clipnorm": 0.6, "ema_momentum": 0.8},
    {"weight_decay": 0.07, "clipvalue": 0.3, "ema_momentum": 0.8},
    {"weight_decay": 0.07, "global_clipnorm": 0.9, "ema_momentum": 0.8},
]

SHAPES = {"SpatialDropout1D": (4, 3, 5), "SpatialDropout2D": (4, 3, 2, 5)}
SHAPES["SpatialDropout3D"] = (4, 2, 3, 2, 5)


def classes_with_hyperparameters():
    """Return all classes of fjax that declare such fields, or inherit them."""
    for module in pkgutil.walk_packages(fjax.__path__, "fjax."):
        importlib.import_module(module.name)

    def subclasses(cls):
        return {cls}.union(*map(subclasses, cls.__subclasses__()))

    return sorted(
        {
            cls
            for cls in subclasses(Configured)
            if cls.__module__.startswith("fjax.") and fields_to_trace(cls)
        },
        key=lambda cls: cls.__name__,
    )


def random_array(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def compute_layer(layer):
    """Return the outputs and gradients in training."""
    values = random_array(*SHAPES.get(type(layer).__name__, (40, 3)))

    def outputs(values):
        return layer.apply({}, {}, values, key=jax.random.key(3), training=True)[0]

    return outputs(values), jax.grad(lambda values: jnp.sum(outputs(values) ** 2))(values)


def compute_function(function, *arrays):
    """Return the value and the gradient."""
    return jax.value_and_grad(lambda *args: function(*args), argnums=len(arrays) - 1)(*arrays)


def compute_optimizer(optimizer):
    """Return the params after three updates, and their averages."""
    params = {"w": jnp.asarray(random_array(3, 2)), "b": jnp.asarray(random_array(2, seed=1))}

    def step(number, carry):
        params, state = carry
        grads = jax.tree.map(lambda leaf: jnp.cos(leaf) + 0.1 * number, params)
        updates, state = optimizer.update(grads, state, params)
        return jax.tree.map(jnp.add, params, updates), state

    trained, state = lax.fori_loop(0, 3, step, (params, optimizer.init(params)))
    return trained, optimizer.finalize(trained, state)


def compute(part):
    if isinstance(part, optimizers.Optimizer):
        return compute_optimizer(part)
    if isinstance(part, regularizers.Regularizer):
        return compute_function(part, random_array(3, 4))
    if isinstance(part, losses.Loss):
        return compute_function(part, random_array(6, 2), random_array(6, 2, seed=1))
    return compute_layer(part)


def samples(name):
    """Return objects, each with the numbers to trace."""
    cls = next(getattr(package, name) for package in PACKAGES if hasattr(package, name))
    numbers, others = SAMPLES[name]
    if not issubclass(cls, optimizers.Optimizer):
        return [(cls(**numbers, **others), numbers)]
    others = {"learning_rate": 0.1, "use_ema": True, **others}
    return [(cls(**(numbers | common), **others), numbers | common) for common in COMMON]


PACKAGES = (layers, losses, optimizers, regularizers)


def test_every_class_with_hyperparameters_has_a_sample():
    declared = {
        cls.__name__: fields_to_trace(cls)
        for cls in classes_with_hyperparameters()
        if cls.__name__ not in ABSTRACT
    }
    assert declared.keys() == SAMPLES.keys()
    for name, fields in declared.items():
        assert fields == set().union(*(numbers for _, numbers in samples(name)))


@pytest.mark.parametrize("name", SAMPLES)
def test_traced_numbers_give_the_same_results_as_plain_numbers(name):
    parts = samples(name)

    @jax.jit
    def traced(values):
        results = []
        for (part, numbers), inputs in zip(parts, values, strict=True):
            changes = {(field,): partial(lambda new, _: new, inputs[field]) for field in numbers}
            results.append(compute(replace_at(part, changes)))
        return results

    actual = traced([{key: np.float32(value) for key, value in own.items()} for _, own in parts])
    expected = jax.jit(lambda: [compute(part) for part, _ in parts])()
    # For beta_2 = 0.999 the float32 number 1 - beta_2 is off by 1e-5, and an update by half of
    # that: the absolute tolerance is 1e-5 of the sum of three updates of about 0.1.
    for one, other in zip(jax.tree.leaves(actual), jax.tree.leaves(expected), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("name", SAMPLES)
def test_all_hyperparameters_are_found(name):
    for part, numbers in samples(name):
        assert {field.path[0]: field.value for field in find_hyperparameters(part)} == numbers


@pytest.mark.short
def test_hyperparameters_are_found_in_networks_except_special_values():
    network = fjax.serial(
        layers.Dense(2, kernel_regularizer=regularizers.L2(0.5)),
        fjax.branch(layers.Dropout(0.0), layers.Dropout(0.25)),
        layers.Dropout(1.0),
    )
    fields = find_hyperparameters((network, optimizers.SGD(0.1)))
    assert {field.path: field.value for field in fields} == {
        (0, "layers", 0, "kernel_regularizer", "l2"): 0.5,
        (0, "layers", 1, "layers", 1, "rate"): 0.25,
        (1, "ema_momentum"): 0.99,
    }
    assert [field.value for field in find_widths(network)] == [2]


class Halved(layers.Dropout):
    def apply(self, params, state, *inputs, key=None, training=False):
        if self.rate > 0.1:
            return inputs[0] / 2, state
        return inputs[0], state


class Penalized(regularizers.L2):
    traceable_fields = frozenset({"l2"})


def test_a_user_subclass_has_the_hyperparameters_that_it_declares():
    assert list(find_hyperparameters(Halved(0.5))) == []
    assert [field.value for field in find_hyperparameters(Penalized(0.5))] == [0.5]


def test_replacing_does_not_change_the_original():
    network = fjax.serial(layers.Dense(2), layers.Dropout(0.25))
    twin = replace_at(network, {("layers", 1, "rate"): lambda rate: 2 * rate})
    assert (network.layers[1].rate, twin.layers[1].rate) == (0.25, 0.5)
    assert twin.layers[0] is network.layers[0]


@pytest.mark.short
def test_a_traced_number_counts_as_nonzero():
    assert not is_nonzero(0)
    jax.jit(lambda number: pytest.fail("zero") if not is_nonzero(number) else number)(0.0)
