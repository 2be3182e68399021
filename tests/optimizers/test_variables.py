"""Optimizers with their state in variables, compared with Keras."""

import copy
import json
import pickle

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from fjax import StatelessScope, Variable, optimizers
from fjax.optimizers import SGD, Adam

pytestmark = pytest.mark.sampled(3, whole=True)

FIRST = {"kernel": np.linspace(-1, 1, 6, dtype="float32").reshape(3, 2), "bias": np.ones(2, "f4")}
RULES = [
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("Adam", {"learning_rate": 0.1, "amsgrad": True}),
    ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("SGD", {"global_clipnorm": 0.5, "use_ema": True, "ema_overwrite_frequency": 3}),
]


def variables_of(module):
    return [module.Variable(value, name=name) for name, value in FIRST.items()]


def grads_at(step):
    return [np.cos(step + value) for value in FIRST.values()]


def both(name, arguments):
    """Return fjax's and Keras's optimizer with their variables, built."""
    import fjax

    pairs = []
    for module in (fjax, keras):
        own = dict(arguments)
        if arguments.get("learning_rate") == "schedule":
            own["learning_rate"] = module.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
        optimizer = getattr(module.optimizers, name)(**own)
        variables = variables_of(module)
        optimizer.build(variables)
        pairs.append((optimizer, variables))
    return pairs


class TestUpdates:
    @pytest.mark.parametrize(("name", "arguments"), RULES)
    def test_apply_assigns_keras_weights_for_twenty_steps(self, name, arguments):
        (ours, our_variables), (theirs, their_variables) = both(name, arguments)
        for step in range(20):
            ours.apply(grads_at(step), our_variables)
            theirs.apply(grads_at(step), their_variables)
        for one, other in zip(our_variables, their_variables, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)
        assert int(ours.iterations) == int(theirs.iterations) == 20

    @pytest.mark.parametrize(("name", "arguments"), RULES)
    def test_stateless_apply_returns_keras_weights_under_jit(self, name, arguments):
        results = []
        for optimizer, variables in both(name, arguments):
            update = jax.jit(optimizer.stateless_apply)
            params = [jnp.asarray(variable.value) for variable in variables]
            state = [jnp.asarray(variable.value) for variable in optimizer.variables]
            for step in range(20):
                params, state = update(state, grads_at(step), params)
            results.append(params)
        for one, other in zip(*results, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)

    def test_stateless_apply_is_update_to_the_bit_and_changes_nothing(self):
        optimizer, variables = Adam(0.1), variables_of(keras)
        variables = [Variable(value, name=name) for name, value in FIRST.items()]
        optimizer.build(variables)
        params, state = optimizer.stateless_apply(optimizer.variables, grads_at(0), variables)
        tree = dict(zip(FIRST, grads_at(0), strict=True))
        updates, _ = optimizer.update(tree, optimizer.init(FIRST), FIRST)
        for name, value in zip(FIRST, params, strict=True):
            np.testing.assert_array_equal(value, FIRST[name] + updates[name])
        assert int(state[0]) == 1
        assert int(optimizer.iterations) == 0
        assert float(variables[1][0]) == 1.0

    def test_stateless_apply_works_under_vmap_and_scan(self):
        optimizer = SGD(0.5, momentum=0.9)
        optimizer.build([Variable(0.0, name="w")])

        def train(start):
            state = [variable.value for variable in optimizer.variables]

            def step(carry, _):
                (param,), state = optimizer.stateless_apply(carry[1], [carry[0]], [carry[0]])
                return (param, state), param

            return jax.lax.scan(step, (start, state), None, length=2)[0][0]

        # w1 = w/2; v2 = -0.45 w - 0.25 w
        np.testing.assert_allclose(jax.vmap(train)(jnp.array([1.0, 2.0])), [-0.2, -0.4], rtol=1e-6)

    def test_apply_gradients_updates_some_of_the_variables(self):
        first, second = Variable(1.0, name="a"), Variable(1.0, name="b")
        optimizer = SGD(0.5, momentum=0.9)
        optimizer.build([first, second])
        assert int(optimizer.apply_gradients(zip([1.0], [second], strict=True))) == 1
        assert (float(first), float(second)) == (1.0, 0.5)
        assert [float(variable) for variable in optimizer.variables[2:]] == [0.0, -0.5]

    def test_apply_is_pure_in_a_scope(self):
        weight, optimizer = Variable(1.0, name="w"), SGD(0.5)
        optimizer.build([weight])

        @jax.jit
        def updated(value):
            with StatelessScope([(weight, value)]) as scope:
                optimizer.apply([value])
            return scope.get_current_value(weight)

        assert float(updated(4.0)) == 2.0
        assert (float(weight), int(optimizer.iterations)) == (1.0, 0)


COMMON = {"use_ema": True, "gradient_accumulation_steps": 2}
# Adafactor stores less than Keras.
ORDERED = [
    *((name, {}) for name in ("SGD", "RMSprop", "Adam", "AdamW", "Nadam", "Adamax", "Adagrad",
                              "Adadelta", "Ftrl", "Lamb", "Lion", "Muon", "ScheduleFreeAdamW")),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"learning_rate": "schedule"}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True, **COMMON}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"amsgrad": True, **COMMON}),
    ("AdamW", {"amsgrad": True, "name": "mine"}),
]  # fmt: skip


def described(optimizer):
    # Keras gives Nadam's product no name.
    return [
        (v.path.replace("nadam/product", "variable"), tuple(v.shape), v.dtype)
        for v in optimizer.variables
    ]


class TestVariables:
    @pytest.mark.parametrize(("name", "arguments"), ORDERED)
    def test_they_have_keras_paths_shapes_and_order(self, name, arguments):
        keras.utils.clear_session()
        (ours, _), (theirs, _) = both(name, arguments)
        assert described(ours) == described(theirs)

    def test_those_of_a_sequential_have_the_name_of_the_model_in_their_paths(self):
        import fjax

        keras.utils.clear_session()
        paths = []
        for module in (fjax, keras):
            layers = [module.Input((3,)), module.layers.Dense(2), module.layers.Dense(1)]
            model = module.Sequential(layers)
            model.compile(module.optimizers.RMSprop(momentum=0.5), "mse")
            model.optimizer.build(model.trainable_variables)
            paths.append([variable.path for variable in model.optimizer.variables])
        assert paths[0] == paths[1]

    def test_a_value_that_all_params_share_is_one_variable(self):
        (optimizer, variables), (theirs, their_variables) = both("Nadam", {})
        for step in range(3):
            optimizer.apply(grads_at(step), variables)
            theirs.apply(grads_at(step), their_variables)
        np.testing.assert_allclose(optimizer.variables[-1], theirs.variables[-1], rtol=1e-6)
        optimizer.variables[-1].assign(0.5)
        optimizer.apply(grads_at(3), variables)
        assert 0 < float(optimizer.variables[-1]) < 0.5

    def test_before_build_they_are_the_iteration_and_the_rate(self):
        optimizer = Adam()
        rate = optimizer.variables[1]
        assert [variable.path for variable in optimizer.variables] == [
            "adam/iteration", "adam/learning_rate",
        ]  # fmt: skip
        optimizer.build([Variable(1.0, name="w")])
        assert optimizer.variables[1] is rate

    def test_a_schedule_is_no_variable_and_follows_the_iteration(self):
        optimizer = SGD(optimizers.schedules.PiecewiseConstantDecay([1], [1.0, 0.5]))
        weight = Variable(8.0, name="w")
        for expected in (7.0, 6.0, 5.5):
            optimizer.apply([1.0], [weight])
            assert float(weight) == expected
        assert [variable.name for variable in optimizer.variables] == ["iteration"]

    def test_they_are_not_part_of_configuration_copies_and_pickles(self):
        optimizer = Adam(0.1)
        optimizer.apply([1.0], [Variable(1.0, name="w")])
        assert optimizer == Adam(0.1)
        assert optimizer.get_config() == Adam(0.1).get_config()
        for twin in (copy.copy(optimizer), copy.deepcopy(optimizer),
                     pickle.loads(pickle.dumps(optimizer))):  # fmt: skip
            assert not twin.built
            assert int(twin.iterations) == 0
        assert repr(optimizer) == "Adam(learning_rate=0.1)"


class TestLearningRate:
    def test_that_of_a_schedule_is_the_rate_of_the_next_update(self):
        (ours, our_variables), (theirs, their_variables) = both(
            "SGD", {"learning_rate": "schedule"}
        )
        for step in range(3):
            assert float(ours.learning_rate) == float(theirs.learning_rate)
            ours.apply(grads_at(step), our_variables)
            theirs.apply(grads_at(step), their_variables)

    def test_it_is_a_float_that_can_be_assigned(self):
        optimizer = SGD(0.5)
        rate = optimizer.learning_rate
        assert isinstance(rate, float)
        assert json.dumps(rate) == "0.5"
        assert f"{rate:.2f}" == "0.50"
        rate.assign(0.25)
        assert (float(rate), rate.numpy(), rate * 2, rate < 0.3) == (0.25, 0.25, 0.5, True)
        optimizer.learning_rate = optimizer.learning_rate * 2
        assert optimizer.learning_rate == 0.5
        np.testing.assert_array_equal(rate * jnp.ones(2), [0.5, 0.5])
        assert float(jnp.sqrt(rate)) == np.float32(np.sqrt(0.5))

    def test_the_next_update_uses_it(self):
        optimizer, weight = SGD(0.5), Variable(1.0, name="w")
        optimizer.apply([1.0], [weight])
        optimizer.learning_rate = 0.25
        optimizer.apply([1.0], [weight])
        assert float(weight) == 0.25

    def test_a_function_without_arguments_is_called(self):
        optimizer, weight = SGD(lambda: 0.5), Variable(1.0, name="w")
        optimizer.apply([1.0], [weight])
        assert float(weight) == 0.5
        with pytest.raises(TypeError, match=r"follows the schedule .*lambda.* cannot be set"):
            optimizer.learning_rate = 0.1

    def test_the_pure_functions_do_not_know_of_it(self):
        optimizer = SGD(0.5)
        optimizer.learning_rate = 0.25
        assert float(optimizer.init({"w": jnp.ones(1)}).learning_rate) == 0.5

    @pytest.mark.parametrize("rate", [-1.0, float("nan")])
    def test_a_wrong_rate_raises(self, rate):
        with pytest.raises(ValueError, match="learning_rate"):
            SGD(0.5).learning_rate = rate


class TestMistakes:
    def test_stateless_apply_before_build_names_build(self):
        with pytest.raises(ValueError, match=r"Call `optimizer.build\(model.trainable_variables"):
            SGD().stateless_apply([], [], [])

    def test_lists_of_other_lengths_raise(self):
        optimizer = SGD()
        optimizer.build([Variable(1.0, name="w")])
        with pytest.raises(ValueError, match="`grads` must be a list of 1 arrays"):
            optimizer.stateless_apply(optimizer.variables, [1.0, 1.0], [1.0])
        with pytest.raises(ValueError, match="`optimizer_variables` must be a list of 2 arrays"):
            optimizer.stateless_apply([], [1.0], [1.0])

    def test_a_missing_gradient_names_the_variable(self):
        optimizer = SGD()
        with pytest.raises(ValueError, match=r"gradient of .w. is None"):
            optimizer.apply([None], [Variable(1.0, name="w")])

    def test_an_unknown_variable_and_an_array_raise(self):
        optimizer = SGD()
        optimizer.build([Variable(1.0, name="w")])
        with pytest.raises(ValueError, match="unknown variable 'other'"):
            optimizer.apply([1.0], [Variable(1.0, name="other")])
        with pytest.raises(TypeError, match=r"use the pure `optimizer\.stateless_apply"):
            optimizer.apply([1.0], [jnp.ones(())])


def test_an_optimizer_is_serialized_and_deserialized():
    optimizer = Adam(optimizers.schedules.CosineDecay(0.1, 10), clipnorm=1.0)
    assert optimizers.deserialize(optimizers.serialize(optimizer)) == optimizer
