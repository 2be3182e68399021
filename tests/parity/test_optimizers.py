"""Optimizers compared with Keras update by update, and with optax where it has the same rule."""

import contextlib
import functools
import itertools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

from fjax import optimizers, trees

STEPS = 12
# Fast compilation, since these programs run only a few times.
FAST = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
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
# The common arguments are tested with the optimizers above; these have one case each.
ALSO = {
    "Nadam": [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0, "epsilon": 1e-3}],
    "Adadelta": [{}, {"rho": 0.5, "epsilon": 1e-3}],
    "Adamax": [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}],
    "Lion": [{}, {"beta_1": 0.5, "beta_2": 0.9}],
    "Lamb": [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}],
    "Adafactor": [
        {},
        {"beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 0.1, "clip_threshold": 0.5},
        {"relative_step": False},
    ],
    "Ftrl": [
        {},
        {"l1_regularization_strength": 1.0, "l2_regularization_strength": 0.5, "beta": 0.2},
        {"learning_rate_power": -0.3, "l2_shrinkage_regularization_strength": 0.1},
    ],
    "Muon": [
        {},
        {"momentum": 0.8, "nesterov": False, "rms_rate": None, "ns_steps": 3, "weight_decay": None},
        {"adam_lr_ratio": 0.5, "adam_weight_decay": 0.1, "exclude_embeddings": False},
        {"exclude_layers": ["^dense"], "adam_beta_1": 0.5, "adam_beta_2": 0.9, "epsilon": 1e-3},
    ],
    "ScheduleFreeAdamW": [{}, {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "warmup_steps": 5}],
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


@functools.cache
def draw(seed):
    rng = np.random.default_rng(seed)
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=shape), jnp.float32), SHAPES, is_leaf=is_shape
    )


def our_way(optimizer):
    params = draw(0)
    opt_state = optimizer.init(params)
    update = jax.jit(optimizer.update, compiler_options=FAST)
    for step in range(STEPS):
        updates, opt_state = update(draw(step + 1), opt_state, params)
        params = jax.tree.map(jnp.add, params, updates)
    return params, opt_state


def variables(params):
    """Return Keras variables with the paths that they have in a model."""
    made = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        *layers, name = trees.path_name(path).split("/")
        with contextlib.ExitStack() as stack:
            for layer in layers:
                stack.enter_context(keras.name_scope(layer))
            made.append(keras.Variable(leaf, name=name))
    return made


def keras_way(optimizer):
    params = variables(draw(0))
    optimizer.build(params)
    apply = jax.jit(optimizer.stateless_apply, compiler_options=FAST)
    values, own = [p.value for p in params], [v.value for v in optimizer.variables]
    for step in range(STEPS):
        values, own = apply(own, jax.tree.leaves(draw(step + 1)), values)
    for variable, value in zip((*params, *optimizer.variables), (*values, *own), strict=True):
        variable.assign(value)
    return params, optimizer


def check_equal(params, expected):
    for ours, theirs in zip(jax.tree.leaves(params), expected, strict=True):
        theirs = getattr(theirs, "value", theirs)
        np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=5e-7)


SIDE_BY_SIDE = [
    pytest.param(name, {**common, **options}, rate, id=f"{name}-{options}-{common}-{rate}")
    for name, cases in CASES.items()
    for options, common, rate in itertools.product(cases, COMMON, RATES)
]
SIDE_BY_SIDE += [
    pytest.param(name, {**common, **options}, rate, id=f"{name}-{options}-{common}-{rate}")
    for name, cases in ALSO.items()
    for options, common, rate in zip(
        cases, [COMMON[0], *[COMMON[-1]] * 3], ["number", *["schedule"] * 3], strict=False
    )
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "arguments", "rate"), SIDE_BY_SIDE)
def test_equals_keras(name, arguments, rate):
    ours, theirs = RATES[rate]
    params, opt_state = our_way(getattr(optimizers, name)(ours, **arguments))
    expected, optimizer = keras_way(getattr(keras.optimizers, name)(theirs, **arguments))
    check_equal(params, expected)
    assert opt_state.step == optimizer.iterations.value
    np.testing.assert_allclose(opt_state.learning_rate, optimizer.learning_rate, rtol=1e-6)


# Keras's conversion to NumPy does not support NumPy 2 without a warning.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", [*CASES, *ALSO])
def test_defaults_are_keras_defaults(name):
    ours = getattr(optimizers, name)().get_config()
    theirs = getattr(keras.optimizers, name)().get_config()
    assert ours.keys() - {"exclude_from_weight_decay"} == theirs.keys()
    for argument in theirs.keys() - {"name"}:
        assert ours[argument] == pytest.approx(theirs[argument]), argument


def test_every_optimizer_is_compared():
    public = {
        name
        for name, member in vars(optimizers).items()
        if isinstance(member, type) and issubclass(member, optimizers.Optimizer)
    }
    assert public - {"Optimizer"} == CASES.keys() | ALSO.keys()
    listed = {name for name, kind in vars(keras.optimizers).items() if isinstance(kind, type)}
    assert listed - public == {"LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"}
    for name in public - {"Optimizer"}:
        assert optimizers.get(name.lower()) == optimizers.get(name) == getattr(optimizers, name)()


@pytest.mark.parametrize("name", CASES)
def test_an_infinite_gradient_has_the_same_effect_as_in_keras(name):
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


# When Keras updates weights and averages, and what schedules and rules count.
ALONG_THE_WAY = {
    "ema": {"use_ema": True},
    "ema overwrites": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
    "accumulation": {"gradient_accumulation_steps": 3, "weight_decay": 0.3, "clipnorm": 0.5},
    "both": {
        "use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 2,
        "gradient_accumulation_steps": 2, "weight_decay": 0.3,
    },
    "loss scale": {"loss_scale_factor": 8.0, "global_clipnorm": 0.5},
}  # fmt: skip


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", ALONG_THE_WAY)
@pytest.mark.parametrize(
    ("name", "rate"), [("SGD", "schedule"), ("Adam", "number"), ("Nadam", "schedule")]
)
def test_averages_and_accumulation_equal_keras(name, rate, case):
    ours, theirs = RATES[rate]
    optimizer = getattr(optimizers, name)(ours, **ALONG_THE_WAY[case])
    params, opt_state = our_way(optimizer)
    keras_optimizer = getattr(keras.optimizers, name)(theirs, **ALONG_THE_WAY[case])
    weights, _ = keras_way(keras_optimizer)
    check_equal(params, weights)
    assert opt_state.step == keras_optimizer._iterations.value
    np.testing.assert_allclose(opt_state.learning_rate, keras_optimizer.learning_rate, rtol=1e-6)
    keras_optimizer.finalize_variable_values(weights)
    final = optimizer.finalize(params, opt_state)
    check_equal(final, weights)
    assert ("ema" in case or case == "both") == (final is not params)


def test_weight_decay_of_excluded_params_equals_keras():
    options = {"learning_rate": 0.05, "weight_decay": 0.3}
    params, _ = our_way(optimizers.AdamW(**options, exclude_from_weight_decay=["bias", "scale$"]))
    theirs = keras.optimizers.AdamW(**options)
    theirs.exclude_from_weight_decay(var_names=["bias", "scale"])
    check_equal(params, keras_way(theirs)[0])


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
    # Epsilon is 0, since it is at different places in both formulas.
    "adam": (optimizers.Adam(0.1, epsilon=0.0), optax.adam(0.1, eps=0.0)),
    "adamw": (
        optimizers.AdamW(0.1, weight_decay=0.2, epsilon=0.0),
        optax.adamw(0.1, eps=0.0, weight_decay=0.2),
    ),
    "adagrad": (
        optimizers.Adagrad(0.1, epsilon=0.0),
        optax.adagrad(0.1, initial_accumulator_value=0.1, eps=0.0),
    ),
    "adadelta": (
        optimizers.Adadelta(0.1, epsilon=1e-3),
        optax.adadelta(0.1, rho=0.95, eps=1e-3),
    ),
    "adamax": (optimizers.Adamax(0.1, epsilon=0.0), optax.adamax(0.1, eps=0.0)),
    "lamb": (optimizers.Lamb(0.1, epsilon=1e-6), optax.lamb(0.1, eps=1e-6)),
    "lion": (
        optimizers.Lion(0.1, weight_decay=0.2),
        optax.lion(0.1, b2=0.99, weight_decay=0.2),
    ),
    "accumulation": (
        optimizers.Adam(0.1, epsilon=0.0, gradient_accumulation_steps=3),
        optax.MultiSteps(optax.adam(0.1, eps=0.0), 3),
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
