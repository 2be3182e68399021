"""Penalties of regularizers in the loss, and constraints after a step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import serial, training
from fjax.constraints import MaxNorm
from fjax.core import Layer, has_penalty, only_weights, penalty
from fjax.core.naming import unique_names
from fjax.core.penalties import join_penalties
from fjax.layers import ActivityRegularization, BatchNormalization, Dense
from fjax.losses import MeanSquaredError
from fjax.optimizers import SGD
from fjax.regularizers import L1, L2

KEY = jax.random.key(0)
INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(6, 4)), "float32")
TARGETS = INPUTS[:, :1]


def network():
    inner = serial(Dense(3, kernel_regularizer=L2(0.1), activity_regularizer=L1(0.2)), name="inner")
    return serial(inner, BatchNormalization(gamma_regularizer="l1"), jnp.tanh, Dense(1))


def by_hand(params, hidden):
    """The penalties of `network`, computed from its weights and the outputs of its first layer."""
    kernel = params["inner"]["dense"]["kernel"]
    gamma = params["batch_normalization"]["gamma"]
    weights = 0.1 * (kernel**2).sum() + 0.01 * jnp.abs(gamma).sum()
    return weights + 0.2 * jnp.abs(hidden).sum() / len(hidden)


@pytest.mark.parametrize("training", [False, True])
def test_the_penalty_equals_the_formula(training):
    net = network()
    params, state = net.init(KEY, INPUTS)
    _, after = net.apply(params, state, INPUTS, training=training)
    hidden = INPUTS @ params["inner"]["dense"]["kernel"]
    np.testing.assert_allclose(penalty(after), by_hand(params, hidden), rtol=1e-6)
    assert penalty(after).dtype == jnp.float32
    assert jax.tree.structure(after) == jax.tree.structure(state)
    assert float(penalty(state)) == 0.0


def test_the_gradient_equals_that_of_the_formula():
    net = network()
    params, state = net.init(KEY, INPUTS)

    def formula(params):
        hidden, _ = Dense(3).apply(params["inner"]["dense"], {}, INPUTS)
        return by_hand(params, hidden)

    ours = jax.grad(lambda p: penalty(net.apply(p, state, INPUTS)[1]))(params)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), ours, jax.grad(formula)(params)
    )


def test_a_network_without_penalties_has_none():
    _, state = serial(Dense(3), BatchNormalization()).init(KEY, INPUTS)
    assert not has_penalty(state)
    assert float(penalty(state)) == 0.0
    assert penalty(state).dtype == jnp.float32
    assert only_weights(state) == state
    assert has_penalty(network().init(KEY, INPUTS)[1])
    assert not has_penalty(())


def test_only_weights_removes_penalties():
    _, state = network().init(KEY, INPUTS)
    rest = only_weights(state)
    assert rest["inner"] == {"dense": {}}
    assert set(rest["batch_normalization"]) == {"moving_mean", "moving_variance"}


def test_stacked_penalties_are_summed():
    layer = Dense(4, kernel_regularizer="l2", activity_regularizer="l1")
    keys = jax.random.split(KEY, 3)
    params, state = jax.vmap(lambda key: layer.init(key, INPUTS))(keys)

    def block(values, own):
        return layer.apply(*own, values)

    _, states = jax.lax.scan(block, INPUTS, (params, state))
    values, total = INPUTS, 0.0
    for number in range(3):
        one = jax.tree.map(lambda a, n=number: a[n], params)
        values, after = layer.apply(one, {}, values)
        total += float(penalty(after))
    np.testing.assert_allclose(penalty({"repeat": states}), total, rtol=1e-6)


def test_a_shared_layer_counts_each_call_and_its_weights_once():
    net = serial(Dense(4, kernel_regularizer=L2(0.1), activity_regularizer=L1(0.2)), name="twice")
    params, state = net.init(KEY, INPUTS)
    outputs, first = net.apply(params, state, INPUTS)
    _, second = net.apply(params, first, outputs)
    both = join_penalties(first, second)["dense"]["penalty"]
    np.testing.assert_allclose(both["weights"], 0.1 * (params["dense"]["kernel"] ** 2).sum())
    calls = [each["dense"]["penalty"]["calls"] for each in (first, second)]
    np.testing.assert_allclose(both["calls"], calls[0] + calls[1])
    assert jax.tree.structure(join_penalties(first, second)) == jax.tree.structure(state)


def test_joining_keeps_other_entries_of_the_state():
    one = {"norm": {"mean": 1.0, "penalty": {"weights": 1.0, "calls": 2.0}}, "other": {}}
    two = {"norm": {"mean": 5.0, "penalty": {"weights": 3.0, "calls": 4.0}}, "other": {}}
    expected = {"norm": {"mean": 5.0, "penalty": {"weights": 3.0, "calls": 6.0}}, "other": {}}
    assert join_penalties(one, two) == expected


def test_a_frozen_layer_has_an_activity_penalty_only():
    layer = Dense(3, kernel_regularizer="l2", activity_regularizer="l1", trainable=False)
    params, state = layer.init(KEY, INPUTS)
    _, after = layer.apply(params, state, INPUTS)
    assert float(after["penalty"]["weights"]) == 0.0
    assert float(after["penalty"]["calls"]) > 0.0


def test_the_activity_penalty_does_not_depend_on_the_batch_size():
    layer = ActivityRegularization(l2=0.5)
    once, twice = (layer.apply({}, {}, x)[1] for x in (INPUTS, jnp.concatenate([INPUTS, INPUTS])))
    np.testing.assert_allclose(penalty(once), penalty(twice), rtol=1e-6)
    assert float(penalty(layer.apply({}, {}, INPUTS[:0])[1])) == 0.0


def test_initial_weights_do_not_depend_on_regularizers():
    plain, _ = Dense(3).init(KEY, INPUTS)
    ours, _ = Dense(3, kernel_regularizer="l2", kernel_constraint="unit_norm").init(KEY, INPUTS)
    jax.tree.map(np.testing.assert_array_equal, plain, ours)


def stepped(net, optimizer=None, batch=None):
    optimizer = optimizer or SGD(0.1)
    batch = batch or training.Batch((INPUTS,), TARGETS)
    start = training.create_train_state(net, optimizer, KEY, INPUTS)
    step = training.train_step(net, MeanSquaredError(), optimizer)
    return start, *jax.jit(step)(start, batch)


def test_the_step_minimizes_loss_and_penalty():
    net = network()
    start, after, logs = stepped(net)

    def objective(params):
        outputs, state = net.apply(params, start.state, INPUTS, training=True)
        return MeanSquaredError()(TARGETS, outputs) + penalty(state)

    value, grads = jax.value_and_grad(objective)(start.params)
    np.testing.assert_allclose(logs["loss"], value, rtol=1e-6)
    expected = jax.tree.map(lambda p, g: p - 0.1 * g, start.params, grads)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), after.params, expected
    )
    measure = training.test_step(net, MeanSquaredError())
    sums = measure(
        start.accumulators, start.params, start.state, training.Batch((INPUTS,), TARGETS)
    )
    outputs, state = net.apply(start.params, start.state, INPUTS)
    tested = MeanSquaredError()(TARGETS, outputs) + penalty(state)
    np.testing.assert_allclose(sums["loss"]["total"] / sums["loss"]["count"], tested, rtol=1e-6)


def test_without_penalties_the_program_is_unchanged(monkeypatch):
    """The program equals that of a network without penalties and constraints."""

    class Foreign:
        def __init__(self, layer):
            self.init, self.apply = layer

    monkeypatch.setattr("fjax.training.step.penalty", lambda state: pytest.fail("it was added"))
    net = serial(Dense(3), BatchNormalization(), Dense(1))
    batch = training.Batch((INPUTS,), TARGETS)
    programs = []
    for each in (net, Foreign(net)):
        start = training.create_train_state(each, SGD(0.1), KEY, INPUTS)
        step = training.train_step(each, MeanSquaredError(), SGD(0.1))
        programs.append(str(jax.make_jaxpr(step)(start, batch)))
    assert programs[0] == programs[1]


def test_constraints_hold_after_a_step():
    bounded = Dense(3, kernel_constraint=MaxNorm(0.5), bias_constraint="non_neg", name="bounded")
    net = serial(serial(bounded, name="inner"), jnp.tanh, Dense(1, kernel_constraint="unit_norm"))
    start, after, _ = stepped(net)
    inner = after.params["inner"]["bounded"]
    assert np.linalg.norm(start.params["inner"]["bounded"]["kernel"], axis=0).max() > 0.5
    assert np.linalg.norm(inner["kernel"], axis=0).max() <= 0.5 + 1e-6
    assert inner["bias"].min() >= 0
    np.testing.assert_allclose(np.linalg.norm(after.params["dense"]["kernel"]), 1.0, rtol=1e-6)


def test_constrain_does_not_change_other_params_and_frozen_layers():
    layer = Dense(3, kernel_constraint="unit_norm")
    params, _ = layer.init(KEY, INPUTS)
    assert layer.constrain(params)["bias"] is params["bias"]
    assert Dense(3).constrain(params) is params
    assert Dense(3, kernel_constraint="unit_norm", trainable=False).constrain(params) is params
    without = Dense(3, use_bias=False, bias_constraint="non_neg")
    assert without.constrain({"kernel": params["kernel"]}).keys() == {"kernel"}


def test_a_frozen_batch_normalization_keeps_its_averages():
    layer = BatchNormalization(trainable=False)
    params, state = layer.init(KEY, INPUTS)
    trained, after = layer.apply(params, state, INPUTS, training=True)
    np.testing.assert_array_equal(trained, layer.apply(params, state, INPUTS)[0])
    jax.tree.map(np.testing.assert_array_equal, after, state)


def test_a_model_does_not_count_penalties():
    layers = [
        fjax.Input((4,)),
        Dense(3, kernel_regularizer="l2", activity_regularizer="l1"),
        BatchNormalization(gamma_regularizer="l2"),
    ]
    model, plain = (
        fjax.Sequential(each)
        for each in (layers, [fjax.Input((4,)), Dense(3), BatchNormalization()])
    )
    assert model.count_params() == plain.count_params() == 27
    assert len(model.get_weights()) == len(model.weights) == 6
    assert [layer.count_params() for layer in model.layers] == [15, 12]
    assert len(model.get_layer("batch_normalization").get_weights()) == 4
    model.set_weights(model.get_weights())
    texts = []
    for each in (model, plain):
        each.summary(print_fn=texts.append)
    assert texts[0].splitlines()[1:] == texts[1].splitlines()[1:]


def test_a_user_layer_can_add_a_penalty_to_its_state():
    def init(key, spec):
        return {}, {"penalty": {"weights": jnp.float32(0), "calls": jnp.float32(0)}}

    def apply(params, state, inputs, *, key=None, training=False):
        calls = jnp.mean(inputs**2)
        return inputs, {"penalty": {"weights": jnp.float32(0), "calls": calls}}

    net = serial(Layer.from_functions(init, apply), Dense(1))
    start, _, logs = stepped(net)
    outputs, _ = net.apply(start.params, start.state, INPUTS)
    expected = MeanSquaredError()(TARGETS, outputs) + jnp.mean(INPUTS**2)
    np.testing.assert_allclose(logs["loss"], expected, rtol=1e-6)


def test_the_name_penalty_is_reserved():
    assert unique_names([fjax.core.as_layer(penalty)]) == ["penalty_1"]
    with pytest.raises(ValueError, match=r"`Dense`: `name` 'penalty' is a reserved key"):
        Dense(1, name="penalty")
    with pytest.raises(ValueError, match=r"'penalty' is reserved .* received 3"):
        penalty({"layer": {"penalty": 3}})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(1, kernel_regularizer="l3"), ValueError, "Unknown regularizer 'l3'"),
        (lambda: Dense(1, bias_constraint="nonneg"), ValueError, "Did you mean `NonNeg`"),
        (lambda: Dense(1, kernel_regularizer=0.1), TypeError, "regularizer.* received 0.1"),
        (lambda: Dense(1, kernel_regulariser="l2"), TypeError, "mean `kernel_regularizer`"),
        (lambda: Dense(1, kernel_constraint="l2"), ValueError, "Unknown constraint 'l2'"),
        (lambda: Dense(1, trainable="no"), TypeError, "`trainable` must be True or False"),
        (lambda: Dense(1, trainable=0), TypeError, "`Dense`: `trainable` .* received 0"),
        (lambda: ActivityRegularization(-1), ValueError, "`ActivityRegularization`: `l1` must"),
    ],
)
def test_mistakes_at_construction(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_regularizer_must_return_one_number():
    net = serial(Dense(3, kernel_regularizer=jnp.abs))
    with pytest.raises(ValueError, match=r"`kernel_regularizer` must return one number.*\(4, 3\)"):
        net.apply(*net.init(KEY, INPUTS), INPUTS)


def test_errors_of_a_constraint_name_it():
    params, _ = Dense(3).init(KEY, INPUTS)
    with pytest.raises(ValueError, match="has no axis 1") as caught:
        Dense(3, bias_constraint=MaxNorm(1, axis=1)).constrain(params)
    assert caught.value.__notes__[0].startswith("In `Dense`: `bias_constraint`, Dense(units=3")
    with pytest.raises(ValueError, match=r"must return the shape .* \(4, 3\), it returned \(\)"):
        Dense(3, kernel_constraint=jnp.sum).constrain(params)
