"""`LossScaleOptimizer`, compared with Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax
from fjax import Variable, optimizers
from fjax.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer

FIRST = {"kernel": np.linspace(-1, 1, 6, dtype="float32").reshape(3, 2), "bias": np.ones(2, "f4")}
PARAMS = {name: jnp.asarray(value) for name, value in FIRST.items()}


def steps_of(module, inner, grads):
    """Return the scales, counters and iterations of each step, and the last params."""
    optimizer = module.optimizers.LossScaleOptimizer(
        inner, initial_scale=8.0, dynamic_growth_steps=3
    )
    variables = [module.Variable(value, name=name) for name, value in FIRST.items()]
    optimizer.build(variables)
    update = jax.jit(optimizer.stateless_apply)
    params = [jnp.asarray(variable.value) for variable in variables]
    state = [jnp.asarray(variable.value) for variable in optimizer.variables]
    paths = [variable.path for variable in optimizer.variables]
    counters = []
    for grad in grads:
        params, state = update(state, grad, params)
        values = dict(zip(paths, state, strict=True))
        counters.append([
            float(value) for path, value in values.items()
            if path.endswith(("step_counter", "dynamic_scale", f"{inner.name}/iteration"))
        ])  # fmt: skip
    return counters, params


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("Adam", {"amsgrad": True}),
        ("SGD", {"momentum": 0.9, "clipnorm": 0.5, "use_ema": True}),
        ("RMSprop", {"gradient_accumulation_steps": 2}),
    ],
)
def test_scales_and_params_are_keras_in_each_step(name, arguments):
    grads = [[8 * np.cos(step + value) for value in FIRST.values()] for step in range(12)]
    for step, value in ((4, np.nan), (5, -np.inf), (11, np.inf)):
        grads[step][0][1, 0] = value
    results = [
        steps_of(module, getattr(module.optimizers, name)(0.1, name="inner", **arguments), grads)
        for module in (fjax, keras)
    ]
    assert results[0][0] == results[1][0]
    for ours, theirs in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def compiled(module, **changes):
    layers = [module.Input((3,)), module.layers.Dense(2, kernel_initializer="ones")]
    model = module.Sequential(layers)
    inner = module.optimizers.Adam(0.01, **changes)
    scale = {"initial_scale": 2.0**120, "dynamic_growth_steps": 2}
    model.compile(module.optimizers.LossScaleOptimizer(inner, **scale), "mse")
    return model


ROWS = np.linspace(-1, 1, 60, dtype="float32").reshape(20, 3)
HOW = {"batch_size": 4, "shuffle": False, "verbose": 0}


def test_fit_is_keras_with_scales_that_overflow():
    histories, scales = [], []
    for module in (fjax, keras):
        model = compiled(module)
        histories.append(model.fit(ROWS, ROWS[:, :2], epochs=2, **HOW).history["loss"])
        names = [variable.name for variable in model.optimizer.variables]
        scales.append(float(model.optimizer.variables[names.index("dynamic_scale")].numpy()))
        assert float(model.optimizer.learning_rate) == np.float32(0.01)
        model.optimizer.learning_rate = 0.5
        histories.append(model.fit(ROWS, ROWS[:, :2], **HOW).history["loss"])
    np.testing.assert_allclose(histories[0], histories[2], rtol=1e-6)
    np.testing.assert_allclose(histories[1], histories[3], rtol=1e-5)
    assert scales[0] == scales[1] != 2.0**120


def test_a_train_step_of_kerass_kind_scales_by_the_state():
    class Mine(fjax.Model):
        def __init__(self):
            super().__init__()
            self.dense = fjax.layers.Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

        def train_step(self, state, data):
            return super().train_step(state, data)

    model, plain = Mine(), compiled(fjax)
    model.compile(plain.optimizer.optimizer, "mse")
    for each in (model, plain):
        each.fit(ROWS, ROWS[:, :2], epochs=2, **HOW)
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0], rtol=1e-6)


def test_a_saved_model_trains_on_with_its_scale(tmp_path):
    model = compiled(fjax, use_ema=True)
    model.fit(ROWS, ROWS[:, :2], **HOW)
    model.save(tmp_path / "model.fjax")
    loaded = fjax.models.load_model(tmp_path / "model.fjax")
    assert loaded.optimizer.optimizer == model.optimizer.optimizer
    losses = [each.fit(ROWS, ROWS[:, :2], **HOW).history["loss"] for each in (model, loaded)]
    assert losses[0] == losses[1]


def test_it_is_described_by_plain_data():
    optimizer = LossScaleOptimizer(Adam(0.5), 4.0, 7, name="scaled")
    assert optimizers.deserialize(optimizers.serialize(optimizer)) == optimizer
    theirs = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.5), 4.0, 7)
    assert optimizer.get_config().keys() == theirs.get_config().keys()


def test_the_scale_of_the_variables_is_used_without_a_state():
    optimizer, weight = LossScaleOptimizer(SGD(1.0), 4.0, 1), Variable(0.0, name="w")
    assert float(optimizer.scale_loss(jnp.float32(1.0))) == 4.0
    optimizer.apply([1.0], [weight])
    assert float(optimizer.scale_loss(jnp.float32(1.0))) == 8.0
    assert float(weight) == -0.25


@pytest.mark.parametrize("kind", ["built", "unbuilt", "compiled"])
def test_a_scale_that_would_be_a_constant_is_an_error(kind):
    optimizer = LossScaleOptimizer(SGD(1.0), 4.0, 1)
    if kind == "built":
        optimizer.build([Variable(0.0, name="w")])
    if kind == "compiled":
        model = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(2)])
        model.compile(optimizer, "mse")
        optimizer = model.optimizer
    scaled = jax.grad(lambda loss: optimizer.scale_loss(loss))
    assert scaled(1.0) == 4.0
    assert jax.vmap(optimizer.scale_loss)(jnp.ones(2)).tolist() == [4.0, 4.0]
    for transformed in (
        jax.jit(scaled),
        jax.jit(optimizer.scale_loss),
        lambda loss: jax.lax.scan(lambda a, _: (optimizer.scale_loss(a), ()), loss, length=2),
    ):
        with pytest.raises(TypeError, match=r"scale would be a constant.*`scale_loss\(loss, opt_s"):
            transformed(1.0)
    if kind != "unbuilt":

        @jax.jit
        def in_scope(loss, values):
            with fjax.StatelessScope(zip(optimizer.variables, values, strict=True)):
                return optimizer.scale_loss(loss)

        values = [variable.value for variable in optimizer.variables]
        values[[v.path.endswith("dynamic_scale") for v in optimizer.variables].index(True)] = 16.0
        assert in_scope(1.0, values) == 16.0


def test_members_of_a_batch_have_their_own_scales():
    optimizer = LossScaleOptimizer(SGD(1.0), 4.0)
    grads = {"w": jnp.array([1.0, jnp.nan])}
    states = jax.vmap(lambda _: optimizer.init({"w": jnp.zeros(())}))(jnp.arange(2))
    updates, states = jax.vmap(optimizer.update)(grads, states, {"w": jnp.zeros(2)})
    np.testing.assert_array_equal(updates["w"], [-0.25, 0.0])
    np.testing.assert_array_equal(states.slots["dynamic_scale"], [4.0, 2.0])


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, (SGD(loss_scale_factor=2.0),), "scales the loss itself. Remove it from SGD"),
        (TypeError, ("sgd",), r"`inner_optimizer` must be an optimizer of `fjax.optimizers`"),
        (TypeError, (LossScaleOptimizer(SGD()),), "contains no other one"),
        (TypeError, (MultiOptimizer(lambda variable: SGD()),), "contains no other one"),
        (ValueError, (SGD(), 0.0), "initial_scale"),
        (ValueError, (SGD(), 1.0, 0), "dynamic_growth_steps"),
    ],
)
def test_mistakes(error, arguments, message):
    with pytest.raises(error, match=message):
        LossScaleOptimizer(*arguments)


def test_arguments_of_the_inner_optimizer_and_foreign_states_raise():
    with pytest.raises(TypeError, match="no argument `clipnorm`"):
        LossScaleOptimizer(SGD(), clipnorm=1.0)
    with pytest.raises(ValueError, match="no slot 'step_counter'"):
        LossScaleOptimizer(SGD()).update(PARAMS, SGD().init(PARAMS), PARAMS)
