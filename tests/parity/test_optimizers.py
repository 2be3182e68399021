"""The optimizers beside Keras's own, update by update, and beside optax's where they coincide."""

import itertools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

from fjax import optimizers

STEPS = 12
SHAPES = {"dense": {"bias": (3,), "kernel": (4, 3)}, "scale": ()}

CASES = {
    "SGD": [
        {},
        {"momentum": 0.9},
        {"momentum": 1.0},
        {"nesterov": True},
        {"momentum": 0.9, "nesterov": True},
    ],
    "RMSprop": [
        {},
        {"rho": 0.5},
        {"epsilon": 1e-2},
        {"momentum": 0.9},
        {"centered": True},
        {"rho": 0.8, "momentum": 0.5, "epsilon": 1e-3, "centered": True},
    ],
    "Adam": [
        {},
        {"beta_1": 0.5, "beta_2": 0.9},
        {"beta_1": 0.0},
        {"epsilon": 1e-2},
        {"amsgrad": True},
        {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "amsgrad": True},
    ],
    "AdamW": [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "amsgrad": True}],
}
COMMON = [
    {},
    {"weight_decay": 0.3},
    {"clipnorm": 0.5},
    {"clipvalue": 0.1},
    {"global_clipnorm": 0.5},
    {"clipnorm": 0.0, "weight_decay": 0.0},
    {"weight_decay": 0.3, "global_clipnorm": 1.5},
]
RATES = {
    "number": (0.05, 0.05),
    "schedule": (
        optimizers.schedules.ExponentialDecay(0.1, 3, 0.5),
        keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5),
    ),
}


def is_shape(node):
    return isinstance(node, tuple)


def draw(seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=shape), jnp.float32), SHAPES, is_leaf=is_shape
    )


def our_way(optimizer, update=None):
    params = draw(0)
    opt_state = optimizer.init(params)
    update = jax.jit(update or optimizer.update)
    for step in range(STEPS):
        updates, opt_state = update(draw(step + 1), opt_state, params)
        params = jax.tree.map(jnp.add, params, updates)
    return params, opt_state


def keras_way(optimizer):
    params = [keras.Variable(leaf) for leaf in jax.tree.leaves(draw(0))]
    for step in range(STEPS):
        optimizer.apply(jax.tree.leaves(draw(step + 1)), params)
    return [np.asarray(param.value) for param in params], optimizer


def check_equal(params, expected):
    for ours, theirs in zip(jax.tree.leaves(params), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=5e-7)


SIDE_BY_SIDE = [
    pytest.param(name, {**common, **options}, rate, id=f"{name}-{options}-{common}-{rate}")
    for name, cases in CASES.items()
    for options, common, rate in itertools.product(cases, COMMON, RATES)
]


@pytest.mark.parametrize(("name", "arguments", "rate"), SIDE_BY_SIDE)
def test_equals_keras(name, arguments, rate):
    ours, theirs = RATES[rate]
    params, opt_state = our_way(getattr(optimizers, name)(ours, **arguments))
    expected, optimizer = keras_way(getattr(keras.optimizers, name)(theirs, **arguments))
    check_equal(params, expected)
    assert opt_state.step == optimizer.iterations.value
    np.testing.assert_allclose(opt_state.learning_rate, optimizer.learning_rate, rtol=1e-6)


# Keras's own way to NumPy is older than NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", CASES)
def test_defaults_are_keras_defaults(name):
    ours = getattr(optimizers, name)().get_config()
    theirs = getattr(keras.optimizers, name)().get_config()
    later = {
        "use_ema", "ema_momentum", "ema_overwrite_frequency",
        "loss_scale_factor", "gradient_accumulation_steps",
    }  # fmt: skip
    assert ours.keys() == theirs.keys() - later
    for argument in ours.keys() - {"name"}:
        assert ours[argument] == pytest.approx(theirs[argument]), argument


def test_every_optimizer_stands_beside_keras():
    public = {
        name
        for name, member in vars(optimizers).items()
        if isinstance(member, type) and issubclass(member, optimizers.Optimizer)
    }
    assert public - {"Optimizer"} == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_infinite_gradient_does_what_it_does_in_keras(name):
    arguments = {"learning_rate": 0.1, "global_clipnorm": 1.0}
    optimizer = getattr(optimizers, name)(**arguments)
    params = {"a": jnp.ones(2), "b": jnp.ones(1)}
    grads = {"a": jnp.array([jnp.inf, 1.0]), "b": jnp.ones(1)}
    updates, _ = optimizer.update(grads, optimizer.init(params), params)
    theirs = getattr(keras.optimizers, name)(**arguments)
    variables = [keras.Variable(leaf) for leaf in params.values()]
    theirs.apply(list(grads.values()), variables)
    for key, variable in zip(params, variables, strict=True):
        np.testing.assert_array_equal(params[key] + updates[key], variable.value)


COINCIDE = {
    "sgd": (optimizers.SGD(0.1), optax.sgd(0.1)),
    "momentum": (optimizers.SGD(0.1, momentum=0.9), optax.sgd(0.1, momentum=0.9)),
    "nesterov": (
        optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        optax.sgd(0.1, momentum=0.9, nesterov=True),
    ),
    "rmsprop": (optimizers.RMSprop(0.1), optax.rmsprop(0.1, decay=0.9, eps=1e-7)),
    "rmsprop centered momentum": (
        optimizers.RMSprop(0.1, momentum=0.5, epsilon=1e-3, centered=True),
        optax.rmsprop(0.1, decay=0.9, eps=1e-3, centered=True, momentum=0.5),
    ),
    # The two places of epsilon differ, so it is left out.
    "adam": (optimizers.Adam(0.1, epsilon=0.0), optax.adam(0.1, eps=0.0)),
    "adamw": (
        optimizers.AdamW(0.1, weight_decay=0.2, epsilon=0.0),
        optax.adamw(0.1, eps=0.0, weight_decay=0.2),
    ),
    "clipvalue": (
        optimizers.SGD(0.1, clipvalue=0.3),
        optax.chain(optax.clip(0.3), optax.sgd(0.1)),
    ),
    "global_clipnorm": (
        optimizers.SGD(0.1, global_clipnorm=0.3),
        optax.chain(optax.clip_by_global_norm(0.3), optax.sgd(0.1)),
    ),
    "optax schedule": (
        optimizers.SGD(optax.cosine_decay_schedule(0.1, 8)),
        optax.sgd(optax.cosine_decay_schedule(0.1, 8)),
    ),
}


@pytest.mark.parametrize("case", COINCIDE)
def test_equals_optax(case):
    ours, theirs = COINCIDE[case]
    check_equal(our_way(ours)[0], jax.tree.leaves(our_way(theirs)[0]))
