"""Numbers that a program may take as inputs: what is computed with them is the same as without."""

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
from fjax.configuration import Configured, is_nonzero, varying
from fjax.population.variation import numbers_in, replaced, widths_in

# Bases that nobody makes.
ABSTRACT = {"Optimizer", "SpatialDropout"}

# One number for each field of each class, and what else its constructor needs.
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

# What every optimizer has, one way of clipping at a time.
COMMON = [
    {"weight_decay": 0.07, "clipnorm": 0.6, "ema_momentum": 0.8},
    {"weight_decay": 0.07, "clipvalue": 0.3, "ema_momentum": 0.8},
    {"weight_decay": 0.07, "global_clipnorm": 0.9, "ema_momentum": 0.8},
]

SHAPES = {"SpatialDropout1D": (4, 3, 5), "SpatialDropout2D": (4, 3, 2, 5)}
SHAPES["SpatialDropout3D"] = (4, 2, 3, 2, 5)


def declaring():
    """All classes of fjax that declare such fields, or inherit them."""
    for module in pkgutil.walk_packages(fjax.__path__, "fjax."):
        importlib.import_module(module.name)

    def below(cls):
        return {cls}.union(*map(below, cls.__subclasses__()))

    return sorted(
        {cls for cls in below(Configured) if cls.__module__.startswith("fjax.") and varying(cls)},
        key=lambda cls: cls.__name__,
    )


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def of_layer(layer):
    """Outputs and gradients in training."""
    values = drawn(*SHAPES.get(type(layer).__name__, (40, 3)))

    def outputs(values):
        return layer.apply({}, {}, values, key=jax.random.key(3), training=True)[0]

    return outputs(values), jax.grad(lambda values: jnp.sum(outputs(values) ** 2))(values)


def of_function(function, *arrays):
    """Value and gradient."""
    return jax.value_and_grad(lambda *given: function(*given), argnums=len(arrays) - 1)(*arrays)


def of_optimizer(optimizer):
    """The params after three updates, and their averages."""
    params = {"w": jnp.asarray(drawn(3, 2)), "b": jnp.asarray(drawn(2, seed=1))}

    def step(number, carry):
        params, state = carry
        grads = jax.tree.map(lambda leaf: jnp.cos(leaf) + 0.1 * number, params)
        updates, state = optimizer.update(grads, state, params)
        return jax.tree.map(jnp.add, params, updates), state

    trained, state = lax.fori_loop(0, 3, step, (params, optimizer.init(params)))
    return trained, optimizer.finalize(trained, state)


def computed(thing):
    if isinstance(thing, optimizers.Optimizer):
        return of_optimizer(thing)
    if isinstance(thing, regularizers.Regularizer):
        return of_function(thing, drawn(3, 4))
    if isinstance(thing, losses.Loss):
        return of_function(thing, drawn(6, 2), drawn(6, 2, seed=1))
    return of_layer(thing)


def samples(name):
    """Each object with the numbers that are to be traced."""
    cls = next(getattr(room, name) for room in ROOMS if hasattr(room, name))
    numbers, others = SAMPLES[name]
    if not issubclass(cls, optimizers.Optimizer):
        return [(cls(**numbers, **others), numbers)]
    others = {"learning_rate": 0.1, "use_ema": True, **others}
    return [(cls(**(numbers | common), **others), numbers | common) for common in COMMON]


ROOMS = (layers, losses, optimizers, regularizers)


def test_every_class_that_declares_numbers_has_a_sample_with_all_of_them():
    found = {cls.__name__: varying(cls) for cls in declaring() if cls.__name__ not in ABSTRACT}
    assert found.keys() == SAMPLES.keys()
    for name, fields in found.items():
        assert fields == set().union(*(numbers for _, numbers in samples(name)))


@pytest.mark.parametrize("name", SAMPLES)
def test_traced_numbers_compute_what_plain_ones_do(name):
    given = samples(name)

    @jax.jit
    def traced(values):
        twins = []
        for (thing, numbers), own in zip(given, values, strict=True):
            changes = {(field,): partial(lambda new, _: new, own[field]) for field in numbers}
            twins.append(computed(replaced(thing, changes)))
        return twins

    found = traced([{key: np.float32(value) for key, value in own.items()} for _, own in given])
    wanted = jax.jit(lambda: [computed(thing) for thing, _ in given])()
    # Where beta_2 is 0.999, 1 - beta_2 is off by 1e-5 in float32, and an update by half of it: the
    # absolute tolerance is 1e-5 of what three updates of about 0.1 come to.
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=3e-6)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_number_makes_a_difference(name):
    for thing, numbers in samples(name):
        found = {field.path[0]: field.value for field in numbers_in(thing)}
        assert found == numbers


@pytest.mark.short
def test_numbers_are_found_within_wholes_and_special_ones_are_not():
    network = fjax.serial(
        layers.Dense(2, kernel_regularizer=regularizers.L2(0.5)),
        fjax.branch(layers.Dropout(0.0), layers.Dropout(0.25)),
        layers.Dropout(1.0),
    )
    found = {field.path: field.value for field in numbers_in((network, optimizers.SGD(0.1)))}
    assert found == {
        (0, "layers", 0, "kernel_regularizer", "l2"): 0.5,
        (0, "layers", 1, "layers", 1, "rate"): 0.25,
        (1, "ema_momentum"): 0.99,
    }
    assert [field.value for field in widths_in(network)] == [2]


class Halved(layers.Dropout):
    def apply(self, params, state, *inputs, key=None, training=False):
        if self.rate > 0.1:
            return inputs[0] / 2, state
        return inputs[0], state


class Penalized(regularizers.L2):
    _varying = frozenset({"l2"})


def test_a_users_subclass_has_the_numbers_that_it_declares():
    assert list(numbers_in(Halved(0.5))) == []
    assert [field.value for field in numbers_in(Penalized(0.5))] == [0.5]


def test_replacing_leaves_the_original_as_it_is():
    network = fjax.serial(layers.Dense(2), layers.Dropout(0.25))
    twin = replaced(network, {("layers", 1, "rate"): lambda rate: 2 * rate})
    assert (network.layers[1].rate, twin.layers[1].rate) == (0.25, 0.5)
    assert twin.layers[0] is network.layers[0]


@pytest.mark.short
def test_a_traced_number_is_set():
    assert not is_nonzero(0)
    jax.jit(lambda number: pytest.fail("not set") if not is_nonzero(number) else number)(0.0)
