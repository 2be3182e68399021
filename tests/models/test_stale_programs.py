"""No program is older than its code: a change of a model, a class or a function takes effect."""

import copy
import gc
import inspect
import random
import types
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer, Model, Sequential, activations, layers, losses, metrics, residual, serial
from fjax.caching import clear_caches
from fjax.configuration import cache_key, detached
from fjax.layers import Activation, Dense, Input, Lambda
from fjax.utils import clear_session

X = np.arange(6, dtype="float32").reshape(3, 2)


def test_an_added_function_is_applied():
    model = Sequential([Input((2,)), lambda x: x * 2.0])
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 2)
    model.add(lambda x: x * 100.0)
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 200)
    model.pop()
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 2)


def define(source, **names):
    """Return a namespace of a user's module, as a notebook's cell would make it."""
    module = types.ModuleType("cell")
    vars(module).update(Layer=Layer, jnp=jnp, losses=losses, metrics=metrics, **names)
    exec(source, vars(module))
    return module


SCALED = """
factor = 2.0
class Scaled(Layer):
    def call(self, inputs):
        return inputs * factor
"""


def predicted(layer):
    return Sequential([Input((2,)), layer]).predict(X, verbose=0)


def test_a_new_model_sees_the_global_that_a_users_layer_reads():
    cell = define(SCALED)
    np.testing.assert_array_equal(predicted(cell.Scaled()), X * 2)
    cell.factor = 3.0
    np.testing.assert_array_equal(predicted(cell.Scaled()), X * 3)


def test_a_new_model_sees_the_method_that_was_edited():
    cell = define(SCALED)
    np.testing.assert_array_equal(predicted(cell.Scaled()), X * 2)
    cell.Scaled.call = lambda self, inputs: inputs - 1.0
    np.testing.assert_array_equal(predicted(cell.Scaled()), X - 1)


def test_the_same_model_sees_the_method_that_was_edited():
    cell = define(SCALED)
    model = Sequential([Input((2,)), cell.Scaled()])
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 2)
    # As IPython's autoreload does it: new code in the old function.
    cell.Scaled.call.__code__ = define(SCALED.replace("*", "+")).Scaled.call.__code__
    np.testing.assert_array_equal(model.predict(X, verbose=0), X + 2)


@pytest.mark.parametrize("function", [jnp.sqrt, jax.nn.relu, np.tanh, jnp.add])
def test_a_copy_of_a_description_has_the_same_functions(function):
    layer = Lambda(function)
    twin = detached(serial(layer, Dense(2)))
    assert twin == serial(layer, Dense(2))
    assert twin.layers[0].function is function


def test_graphs_with_masks_and_options_share_programs_and_are_copied():
    def graph():
        words, start = Input((3,)), Input((4,))
        outputs = layers.LSTM(4)(
            layers.Embedding(5, 4, mask_zero=True)(words), initial_state=[start, start]
        )
        return Model([words, start], outputs).network

    assert cache_key(graph()) == cache_key(graph()) is not None
    assert detached(graph()) == graph()


def test_the_same_model_sees_the_function_that_was_edited():
    def scale(x):
        return x * 2.0

    def shift(x):
        return x + 2.0

    model = Sequential([Input((2,)), scale, Lambda(scale)])
    np.testing.assert_array_equal(model.predict(X, verbose=0), X * 4)
    scale.__code__ = shift.__code__
    np.testing.assert_array_equal(model.predict(X, verbose=0), X + 4)


def test_compile_traces_a_users_layer_again():
    cell = define(SCALED)
    model = Sequential([Input((2,)), cell.Scaled()])
    model.compile("sgd", "mse")
    assert model.evaluate(X, X * 2, verbose=0) == 0
    cell.factor = 3.0
    model.compile("sgd", "mse")
    assert model.evaluate(X, X * 3, verbose=0) == 0


LOSS = """
factor = 1.0
class Scaled(losses.Loss):
    def call(self, y_true, y_pred):
        return factor * jnp.mean(abs(y_true - y_pred), axis=-1)
"""


def test_a_new_model_sees_what_a_users_loss_reads():
    cell = define(LOSS)

    def loss():
        model = Sequential([Input((2,)), Activation("linear")])
        model.compile("sgd", cell.Scaled())
        return model.evaluate(X, X - 1, verbose=0)

    assert loss() == 1.0
    cell.factor = 5.0
    assert loss() == 5.0


def test_patching_a_class_of_fjax_takes_effect(monkeypatch):
    np.testing.assert_array_equal(predicted(Activation("linear")), X)

    def apply(self, params, state, inputs, *, key=None, training=False):
        return inputs + 7.0, state

    monkeypatch.setattr(Activation, "apply", apply)
    np.testing.assert_array_equal(predicted(Activation("linear")), X + 7)
    monkeypatch.undo()
    np.testing.assert_array_equal(predicted(Activation("linear")), X)


class Halved(Dense):
    """A user's class without a constructor of its own."""


@pytest.mark.parametrize(
    "thing",
    [
        Halved(2),
        serial(Dense(1), Halved(2)),
        lambda x: x,
        np.vectorize(lambda x: x),
        np.frompyfunc(lambda x: x, 1, 1),
        jnp.vectorize(lambda x: x),
        jax.jit(lambda x: x),
        Lambda(lambda x: x),
        np.zeros(2),
        Activation(lambda x: x),
        Sequential([Dense(1)]).predict,
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_user_code_has_no_key(thing):
    assert cache_key(thing) is None


def test_keys_differ_for_numbers_of_different_types():
    different = [0, 0.0, -0.0, False, None, "0", np.float32(0), (), ""]
    assert len({cache_key(value) for value in different}) == len(different)
    assert cache_key(float("nan")) == cache_key(float("nan"))


def test_functions_of_the_libraries_have_a_key():
    assert all(map(cache_key, [np.tanh, jnp.tanh, jnp.add, jax.nn.relu, activations.softmax]))


@pytest.mark.parametrize(
    "arguments", [{"a": np.zeros(2)}, {"a": jnp.zeros(2)}, {"a": {1}, "b": [np.ones(1)]}]
)
def test_a_lambda_with_any_arguments_can_be_hashed(arguments):
    layer = Lambda(np.add, arguments=arguments)
    assert hash(layer) == hash(layer)
    assert layer == layer
    assert layer != Lambda(np.add, arguments={"a": np.ones(2)})


def test_models_with_arrays_as_arguments_of_a_function_run():
    shift = np.array([1.0, 2.0], "float32")
    model = Sequential([Input((2,)), Lambda(lambda x, by: x + by, arguments={"by": shift})])
    np.testing.assert_array_equal(model.predict(X, verbose=0), X + shift)


def test_constants_of_other_types_have_outputs_of_other_types():
    numbers = Input((2,), dtype="int32")
    whole, half = Model(numbers, numbers * 2), Model(numbers, numbers * 2.0)
    assert (whole.outputs[0].dtype, half.outputs[0].dtype) == ("int32", "float32")


def trained(*network):
    model = Sequential([Input((2,)), *network])
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], epochs=1, verbose=0)
    model.predict(X, verbose=0)
    model.evaluate(X, X[:, :1], verbose=0)
    return model


def living(size):
    """Return how many arrays with an axis of this size there are."""
    gc.collect()
    return sum(size in array.shape for array in jax.live_arrays())


def test_no_cache_keeps_weights_alive():
    clear_session()
    before = living(37)
    wide = np.random.default_rng(0).normal(size=(4, 37)).astype("float32")
    normalization = layers.Normalization()
    normalization.adapt(wide)
    model = Sequential([Input((37,)), normalization, residual(Dense(37)), Dense(1)])
    model.compile("adam", "mse")
    model.fit(wide, wide[:, :1], verbose=0)
    model.fit(wide, wide[:, :1], replicas=2, verbose=0)
    model.predict(wide, verbose=0)
    assert living(37) > before
    del model, normalization
    assert living(37) == before


def test_no_cache_keeps_a_users_function_alive():
    def function(x):
        return x * 2.0

    class Own(Layer):
        def call(self, inputs):
            return inputs + 1.0

    references = [weakref.ref(function), weakref.ref(Own)]
    model = trained(function, Own(), Dense(1))
    model.fit(X, X[:, :1], replicas=2, verbose=0)
    del model, function, Own
    # CPython before 3.12.2 keeps classes in a cache of `inspect`, which protocols use.
    if hasattr(inspect, "_shadowed_dict_from_mro_tuple"):
        inspect._shadowed_dict_from_mro_tuple.cache_clear()
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_clear_session_empties_every_cache(compilations):
    trained(Dense(3), Dense(1))
    compilations.clear()
    trained(Dense(3), Dense(1))
    assert "advance" not in " ".join(compilations)
    clear_session()
    trained(Dense(3), Dense(1))
    assert "advance" in " ".join(compilations)


def test_a_copy_has_weights_of_its_own():
    model = trained(Dense(1))
    for twin in (copy.copy(model), copy.deepcopy(model)):
        before = model.get_weights()
        for one, other in zip(before, twin.get_weights(), strict=True):
            np.testing.assert_array_equal(one, other)
        twin.set_weights([np.zeros_like(weight) for weight in before])
        twin.fit(X, X[:, :1], verbose=0)
        for one, now in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(one, now)


def test_a_seeded_model_leaves_pythons_random_numbers_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    Sequential([Input((2,)), Dense(1)], seed=1).build((None, 2))
    assert random.random() == expected
    clear_caches()
