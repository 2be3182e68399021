"""`clone_model` compared with Keras: what is called, shared, compiled and refused."""

import keras
import numpy as np
import pytest

import fjax

BOTH = (keras, fjax)
X, Y = np.ones((2, 3), "float32"), np.ones((2, 1), "float32")


def functional(library):
    layers = library.layers
    inputs = library.Input((3,), name="features")
    hidden = layers.Dense(4, activation="relu")(inputs)
    inner = library.Sequential(
        [library.Input((4,)), layers.Dense(4), layers.Dense(4)], name="inner"
    )
    outputs = layers.Dense(1)(layers.Add()([hidden, inner(hidden)]))
    model = library.Model(inputs, outputs)
    model.compile("adam", "mse", metrics=["mae"])
    return model


def rebuilt(layer):
    return layer.__class__.from_config(layer.get_config())


@pytest.mark.parametrize("recursive", [False, True])
def test_the_clone_function_takes_the_layers_that_keras_gives_it(recursive):
    kinds = []
    for library in BOTH:
        seen = []

        def note(layer, seen=seen):
            seen.append(type(layer).__name__)
            return rebuilt(layer)

        model = functional(library)
        clone = library.models.clone_model(model, clone_function=note, recursive=recursive)
        assert clone.count_params() == model.count_params()
        kinds.append(sorted(seen))
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("library", BOTH)
def test_a_clone_of_a_compiled_model_is_compiled_and_has_its_own_weights(library):
    for make in (functional, sequential):
        model = make(library)
        weights = model.get_weights()
        clone = library.models.clone_model(model)
        assert len(clone.evaluate(X, Y, verbose=0)) == 2
        clone.fit(X, Y, verbose=0)
        for before, after in zip(weights, model.get_weights(), strict=True):
            np.testing.assert_array_equal(before, after)
        assert not np.array_equal(clone.get_weights()[0], weights[0])


def sequential(library):
    layers = [library.Input((3,)), library.layers.Dense(4), library.layers.Dense(1)]
    model = library.Sequential(layers)
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("make", [functional, sequential])
def test_a_clone_function_that_returns_the_layer_shares_its_weights(library, make):
    model = make(library)
    clone = library.models.clone_model(model, clone_function=lambda layer: layer)
    model.fit(X, Y, verbose=0)
    np.testing.assert_allclose(clone.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


@pytest.mark.parametrize("library", BOTH)
def test_a_call_function_inserts_layers_behind_the_same_layers(library):
    def call(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        if isinstance(layer, library.layers.Dense):
            outputs = library.layers.Rescaling(2.0)(outputs)
        return outputs

    model = functional(library)
    clone = library.models.clone_model(
        model, clone_function=lambda layer: layer, call_function=call
    )
    assert len(clone.layers) == len(model.layers) + 2
    # The inner model is called on twice the values, and biases are zero.
    np.testing.assert_allclose(
        clone.predict(X, verbose=0), 4 * model.predict(X, verbose=0), rtol=1e-5
    )


@pytest.mark.parametrize("library", BOTH)
def test_a_call_function_keeps_masks(library):
    layers = library.layers
    ids = library.Input((4,), dtype="int32")
    embedded = layers.Embedding(5, 3, mask_zero=True)(ids)
    model = library.Model(ids, layers.LSTM(2)(embedded))
    clone = library.models.clone_model(
        model,
        clone_function=lambda layer: layer,
        call_function=lambda layer, *args, **kwargs: layer(*args, **kwargs),
    )
    short, padded = np.array([[1, 2, 0, 0]]), np.array([[1, 2, 3, 3]])
    for x in (short, padded):
        np.testing.assert_allclose(
            clone.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6
        )


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize("make", [functional, sequential])
def test_a_clone_begins_with_the_given_tensors(library, make):
    start = library.Input((3,), name="start")
    clone = library.models.clone_model(make(library), input_tensors=start)
    assert clone.predict(X, verbose=0).shape == (2, 1)
    if make is functional:
        assert clone.input is start


@pytest.mark.parametrize("library", BOTH)
def test_arguments_that_do_not_apply_raise(library):
    clone = library.models.clone_model
    call = {"call_function": lambda layer, *args: layer(*args)}
    with pytest.raises((TypeError, ValueError), match="`call_function`"):
        clone(sequential(library), **call)
    with pytest.raises((TypeError, ValueError), match="`input_tensors`"):
        clone(functional(library), input_tensors=[library.Input((3,))])
    with pytest.raises((TypeError, ValueError), match="input_tensors"):
        clone(functional(library), input_tensors=X)


def test_a_call_function_must_return_as_many_tensors_as_the_layer():
    with pytest.raises(ValueError, match="returns 2 tensors, masks included: expected 1"):
        fjax.models.clone_model(
            functional(fjax), call_function=lambda layer, *args: [layer(*args)] * 2
        )


def test_a_model_of_steps_is_cloned_by_its_arguments():
    class Steps(fjax.Model):
        def __init__(self, units=2):
            super().__init__()
            self.inner = fjax.Sequential([fjax.Input((2,)), fjax.layers.Dense(units)])

        def train_step(self, state, data):
            return {}, state

    class Required(Steps):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

    class Described(Steps):
        def get_config(self):
            return {"units": self.inner.layers[0].units}

    clone = fjax.models.clone_model(Steps())
    assert type(clone) is Steps
    assert clone.inner.layers[0].units == 2
    assert fjax.models.clone_model(Described(5)).inner.layers[0].units == 5
    with pytest.raises(
        TypeError, match=r"missing a required argument: 'inner'\. Override `get_config`"
    ):
        fjax.models.clone_model(Required(fjax.Sequential([fjax.layers.Dense(1)])))
