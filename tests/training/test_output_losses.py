"""Losses of several outputs in the pure step: their sum, their logs, shared programs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer
from fjax.layers import Dense
from fjax.losses import MeanAbsoluteError, MeanSquaredError
from fjax.metrics import MeanAbsoluteError as Distance
from fjax.optimizers import SGD, Adam
from fjax.training import (
    Batch,
    NamedMetric,
    OutputLoss,
    OutputLosses,
    create_train_state,
    init_accumulators,
    programs_for,
    test_step,
    train_step,
)

test_step.__test__ = False

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
TARGETS = {"price": X[:, :1], "age": X[:, 1:2]}
SPEC = jax.ShapeDtypeStruct((1, 3), "float32")


class Heads(Layer):
    """Two Dense layers of one input."""

    def init(self, key, spec):
        one, other = jax.random.split(key)
        params = {"price": Dense(1).init(one, spec)[0], "age": Dense(1).init(other, spec)[0]}
        return params, {}

    def apply(self, params, state, inputs, *, key=None, training=False):
        return {name: Dense(1).apply(params[name], {}, inputs)[0] for name in params}, state


def losses():
    return OutputLosses(
        {"price": MeanSquaredError(), "age": MeanAbsoluteError()}, {"price": 0.5, "age": 2.0}
    )


METRICS = (
    NamedMetric("distance", Distance(), output="age"),
    NamedMetric("weighted", Distance(), weighted=True, output=("age",)),
)


def start(optimizer, loss, metrics=()):
    return create_train_state(
        Heads(), optimizer, jax.random.key(0), SPEC, metrics=metrics, targets=TARGETS, loss=loss
    )


def test_the_total_is_the_weighted_sum_and_each_loss_is_logged_without_weight():
    outputs = {"price": jnp.full((4, 1), 3.0), "age": jnp.full((4, 1), 2.0)}
    zero = jax.tree.map(jnp.zeros_like, outputs)
    loss = losses()
    values = loss.values(zero, outputs)
    assert [float(v) for v in values] == [9.0, 2.0]
    assert float(loss.total(values)) == float(loss(zero, outputs)) == 8.5
    assert loss.logs(values) == {"price_loss": 9.0, "age_loss": 2.0}
    weights = {"price": jnp.array([1.0, 0, 0, 0]), "age": None}
    assert [float(v) for v in loss.values(zero, outputs, weights)] == [2.25, 2.0]
    assert [float(v) for v in loss.values(zero, outputs, jnp.full(4, 2.0))] == [18.0, 4.0]


def test_a_single_loss_has_no_further_log_and_positions_have_names():
    alone = OutputLosses([None, MeanSquaredError()])
    assert (alone.log_names, alone.losses[0].output) == ((), (1,))
    assert float(alone([None, jnp.zeros((2, 1))], [jnp.ones(3), jnp.ones((2, 1))])) == 1.0
    assert alone.logs(alone.values([None, jnp.zeros((2, 1))], [0, jnp.ones((2, 1))])) == {}
    both = OutputLosses([MeanSquaredError(), MeanSquaredError()])
    assert both.log_names == ("output_0_loss", "output_1_loss")


def test_the_step_equals_the_step_of_the_explicit_sum():
    batch = Batch((X,), TARGETS, np.linspace(0, 1, 12, dtype="float32"))

    def written_out(targets, outputs, weights):
        price = MeanSquaredError()(targets["price"], outputs["price"], weights)
        age = MeanAbsoluteError()(targets["age"], outputs["age"], weights)
        return price * 0.5 + age * 2.0

    states = []
    for loss in (losses(), written_out):
        step = jax.jit(train_step(Heads(), loss, SGD(0.1)))
        state, logs = step(start(SGD(0.1), loss), batch)
        states.append((state.params, logs["loss"]))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), *states)


def test_losses_and_metrics_are_means_over_samples():
    loss, sizes = losses(), [slice(0, 8), slice(8, 12)]
    weights = np.linspace(0, 1, 12, dtype="float32")
    step = jax.jit(train_step(Heads(), loss, SGD(0.0), METRICS))
    state = start(SGD(0.0), loss, METRICS)
    outputs, _ = Heads().apply(state.params, {}, X)
    for rows in sizes:
        targets = {name: target[rows] for name, target in TARGETS.items()}
        state, logs = step(state, Batch((X[rows],), targets, weights[rows]))
    error = {name: np.asarray(outputs[name] - TARGETS[name])[:, 0] for name in outputs}
    expected = {
        "price_loss": np.mean(weights * error["price"] ** 2),
        "age_loss": np.mean(weights * abs(error["age"])),
        "distance": np.mean(abs(error["age"])),
        "weighted": np.average(abs(error["age"]), weights=weights),
    }
    expected["loss"] = 0.5 * expected["price_loss"] + 2.0 * expected["age_loss"]
    assert set(logs) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(logs[name], value, rtol=1e-5, err_msg=name)
    sums = init_accumulators(METRICS, TARGETS, outputs, loss)
    sums = test_step(Heads(), loss, METRICS)(sums, state.params, {}, Batch((X,), TARGETS, weights))
    assert jax.tree.structure(sums) == jax.tree.structure(state.accumulators)
    np.testing.assert_allclose(sums["age_loss"]["total"] / 12, expected["age_loss"], rtol=1e-5)


def test_scan_and_vmap_of_the_step():
    loss = losses()
    step = train_step(Heads(), loss, SGD(0.1), METRICS)
    batches = jax.tree.map(lambda a: a.reshape(3, 4, *a.shape[1:]), Batch((X,), TARGETS))

    def train(rate):
        first = start(SGD(0.1), loss, METRICS)
        first = first._replace(opt_state=first.opt_state._replace(learning_rate=rate))
        return jax.lax.scan(lambda carry, batch: step(carry, batch), first, batches)[1]

    logs = jax.vmap(train)(jnp.array([0.01, 0.1]))
    assert {value.shape for value in logs.values()} == {(2, 3)}
    np.testing.assert_allclose(logs["age_loss"][1], train(jnp.float32(0.1))["age_loss"], rtol=1e-5)


def test_equal_losses_are_equal_and_share_programs():
    assert losses() == losses()
    assert hash(losses()) == hash(losses())
    assert OutputLosses.from_config({"losses": losses().losses}) == losses()
    network = Dense(1)
    one = programs_for(network, losses(), Adam(0.1), METRICS)
    assert one is programs_for(Dense(1), losses(), Adam(0.2), METRICS)
    assert one is not programs_for(network, losses(), Adam(0.1), METRICS[:1])
    other = OutputLosses({"price": MeanSquaredError(), "age": MeanAbsoluteError()})
    assert one is not programs_for(network, other, Adam(0.1), METRICS)


def test_a_users_layers_do_not_share_programs():
    assert programs_for(Heads(), losses(), Adam(0.1), METRICS) is not programs_for(
        Heads(), losses(), Adam(0.1), METRICS
    )


def test_a_users_functions_do_not_share_programs():
    own = {}

    def cubed(targets, outputs, weights):
        return (abs(targets - outputs) ** 3).mean()

    def given(name):
        return programs_for(Heads(), OutputLosses({name: cubed}), SGD(), (), own)

    assert given("price") is given("price")
    assert given("price") is not given("age")


MISTAKES = {
    "no loss": (lambda: OutputLosses({}), ValueError, r"received \[\]"),
    "a name": (lambda: OutputLosses({"price": "mse"}), TypeError, "`loss` of 'price' must be a"),
    "one loss": (lambda: OutputLosses(MeanSquaredError()), TypeError, "takes a dict, a list"),
    "a weight for nothing": (
        lambda: OutputLosses({"price": MeanSquaredError()}, {"age": 1.0}),
        ValueError,
        r"no loss for the weights of \['age'\]",
    ),
    "a weight for None": (
        lambda: OutputLosses([None, MeanSquaredError()], [1.0, 1.0]),
        ValueError,
        "'output_0' has a weight but no loss",
    ),
    "weight": (
        lambda: OutputLoss("price", MeanSquaredError(), weight=float("nan")),
        ValueError,
        "`weight` must be a number",
    ),
    "twice": (
        lambda: OutputLosses((OutputLoss("a", MeanSquaredError()),) * 2),
        ValueError,
        r"different names, received \['a', 'a'\]",
    ),
    "no name": (lambda: OutputLoss("", MeanSquaredError()), TypeError, "non-empty str"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_raise(name):
    make, kind, message = MISTAKES[name]
    with pytest.raises(kind, match=message):
        make()
