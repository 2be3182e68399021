"""Models that share layers share their weights; nested models; new models from old models."""

import copy
import gc
import pickle

import numpy as np
import pytest

import fjax
from fjax import Model, Sequential, serial
from fjax.layers import (
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    Flatten,
    Input,
    Normalization,
)

X = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
Y = X[:, :1] * 2 + 1


def trained(model, x=X, y=Y, **fit):
    model.compile("adam", "mse")
    model.fit(x, y, **{"epochs": 2, "verbose": 0, **fit})
    return model


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_encoder_made_before_training_has_the_trained_weights():
    inputs = Input((4,))
    codes = Dense(2, name="codes")(inputs)
    encoder, whole = Model(inputs, codes), Model(inputs, Dense(1)(codes))
    before = encoder.get_weights()
    trained(whole)
    assert not same(before, encoder.get_weights())
    assert same(encoder.get_weights(), whole.get_layer("codes").get_weights())
    kernel, bias = encoder.get_weights()
    np.testing.assert_allclose(
        encoder.predict(X, verbose=0), X @ kernel + bias, rtol=1e-5, atol=1e-6
    )


def test_weights_set_in_one_model_change_in_the_other():
    inputs = Input((4,))
    hidden = Dense(2)(inputs)
    one, other = Model(inputs, hidden), Model(inputs, Dense(1)(hidden))
    one.set_weights([np.ones((4, 2)), np.zeros(2)])
    np.testing.assert_array_equal(other.get_weights()[0], np.ones((4, 2)))
    other.train_state = other.train_state._replace(
        params={**other.train_state.params, "dense": {"kernel": np.full((4, 2), 5.0, "float32"),
                                                      "bias": np.zeros(2, "float32")}}
    )  # fmt: skip
    np.testing.assert_array_equal(one.get_weights()[0], np.full((4, 2), 5.0))


def test_models_that_train_in_turn_continue_from_each_other():
    inputs = Input((4,))
    hidden = Dense(3)(inputs)
    one, other = Model(inputs, Dense(1)(hidden)), Model(inputs, Dense(1)(hidden))
    for model in (one, other, one, other):
        trained(model, epochs=1)
        assert same(one.layers[1].get_weights(), other.layers[1].get_weights())


def test_nested_models_share_weights_with_their_container():
    encoder = Sequential([Input((4,)), Dense(3, "relu"), BatchNormalization()], name="encoder")
    decoder = Sequential([Input((3,)), Dense(1)], name="decoder")
    whole = trained(Sequential([encoder, decoder]))
    assert [layer.name for layer in whole.layers] == ["encoder", "decoder"]
    assert same(encoder.get_weights(), whole.get_layer("encoder").get_weights())
    np.testing.assert_allclose(
        decoder.predict(encoder.predict(X, verbose=0), verbose=0),
        whole.predict(X, verbose=0), rtol=1e-5, atol=1e-6,
    )  # fmt: skip
    inner = whole.get_layer("encoder").get_layer("batch_normalization")
    assert same(inner.get_weights(), encoder.layers[1].get_weights())


def test_a_model_that_is_called_twice_has_one_set_of_weights():
    tower = Sequential([Input((4,)), Dense(3, "tanh")], name="tower")
    one, other = Input((4,), name="one"), Input((4,), name="other")
    model = Model([one, other], tower(one) - tower(other))
    assert model.count_params() == 15
    np.testing.assert_allclose(model.predict([X, X], verbose=0), np.zeros((64, 3)), atol=1e-7)
    trained(model, [X, 2 * X], np.ones((64, 3)))
    assert same(model.get_weights(), tower.get_weights())


def test_models_within_models_within_models():
    a = Input((4,))
    inner = Model(a, Dense(3)(a), name="inner")
    b = Input((4,))
    middle = Model(b, Dense(2)(inner(b)), name="middle")
    outer = Sequential([middle, Dense(1)])
    trained(outer)
    kernel = outer.get_layer("middle").get_layer("inner").get_layer("dense").get_weights()[0]
    np.testing.assert_array_equal(kernel, inner.get_weights()[0])


def test_a_new_model_of_old_layers_has_their_weights():
    old = trained(Sequential([Input((4,)), Dense(3, "relu"), Dense(2), Dense(1)]))
    new = Sequential(old.layers[:-1])
    assert same(new.get_weights(), old.get_weights()[:4])
    new.add(Dense(5))
    assert same(new.get_weights()[:4], old.get_weights()[:4])
    part = Model(old.input, old.layers[0].output)
    np.testing.assert_allclose(
        part.predict(X, verbose=0), np.maximum(X @ old.get_weights()[0] + old.get_weights()[1], 0),
        rtol=1e-5, atol=1e-6,
    )  # fmt: skip


def test_weights_survive_the_model_they_were_trained_in():
    layer = Dense(1)
    weights = trained(Sequential([Input((4,)), layer])).get_weights()
    gc.collect()
    assert same(Sequential([Input((4,)), layer]).get_weights(), weights)


def test_each_model_of_a_pair_has_its_own_weights():
    network = serial(Dense(3), Dense(1))
    one, other = (Model(network, input_shape=(4,), seed=seed) for seed in (1, 2))
    assert not same(one.get_weights(), other.get_weights())
    trained(one)
    again = Model(network, input_shape=(4,), seed=1)
    assert not same(one.get_weights(), again.get_weights())
    of_model = Model(one.network, input_shape=(4,), seed=1)
    assert same(of_model.get_weights(), again.get_weights())


def test_copies_of_a_layer_have_no_weights():
    layer = Dense(1)
    weights = trained(Sequential([Input((4,)), layer])).get_weights()
    for other in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert other == layer
        assert not same(Sequential([Input((4,)), other], seed=5).get_weights(), weights)


def test_freezing_through_views_layers_and_models():
    base = Sequential([Input((4,)), Dense(3, "relu"), BatchNormalization()], name="base")
    top = Dense(1)
    model = Sequential([base, top])
    base.trainable = False
    assert (base.trainable, model.trainable, top.trainable) == (False, False, True)
    model.layers[1].trainable = False
    assert top.trainable is False
    model.get_layer("dense").trainable = True
    trained(model)
    before = base.get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    assert same(before, base.get_weights())
    base.trainable = True
    model.fit(X, Y, epochs=1, verbose=0)
    assert same(before, base.get_weights()), "it takes effect at compile"
    trained(model)
    assert not same(before, base.get_weights())


def test_a_discriminator_trains_alone_and_is_frozen_inside():
    discriminator = Sequential([Input((2,)), Dense(4, "relu"), Dense(1, "sigmoid")])
    generator = Sequential([Input((3,)), Dense(2)])
    discriminator.compile("adam", "binary_crossentropy")
    discriminator.trainable = False
    gan = Sequential([generator, discriminator])
    gan.compile("adam", "binary_crossentropy")
    noise = np.random.default_rng(0).normal(size=(32, 3))
    for _ in range(2):
        before = [model.get_weights() for model in (generator, discriminator)]
        discriminator.train_on_batch(X[:32, :2], np.ones(32))
        middle = [model.get_weights() for model in (generator, discriminator)]
        gan.train_on_batch(noise, np.ones(32))
        after = [model.get_weights() for model in (generator, discriminator)]
        assert same(before[0], middle[0])
        assert not same(before[1], middle[1])
        assert not same(middle[0], after[0])
        assert same(middle[1], after[1])


def test_a_layer_with_two_shapes_raises():
    layer = Dense(3)
    trained(Sequential([Input((4,)), layer, Dense(1)]))
    with pytest.raises(ValueError, match=r"'dense' of 'sequential' has weights from another"):
        Sequential([Input((5,)), layer])


def test_a_layer_that_is_used_twice_in_a_model_raises():
    layer = Dense(4)
    a = Input((4,))
    inner = Model(a, layer(a), name="inner")
    b = Input((4,))
    with pytest.raises(ValueError, match=r"is used twice .*'inner/dense' and 'dense'"):
        Model(b, inner(b) + layer(b))


def test_a_layer_that_is_adapted_again_gets_new_weights_in_a_new_model():
    layer = Normalization()
    layer.adapt(X)
    one = trained(Sequential([Input((4,)), layer, Dense(1)]))
    layer.adapt(X * 10)
    other = Sequential([Input((4,)), layer, Dense(1)])
    np.testing.assert_allclose(other.get_weights()[1], 100 * one.get_weights()[1], rtol=1e-4)
    with pytest.raises(ValueError, match="adapted again"):
        one.predict(X, verbose=0)


def test_symbols_of_models():
    model = Sequential([Input((4,)), Dense(3, name="hidden"), Dropout(0.5), Dense(1)])
    assert model.input.shape == (None, 4)
    assert model.output.shape == model.layers[-1].output.shape == (None, 1)
    assert model.get_layer("hidden").input.shape == (None, 4)
    assert model.get_layer("hidden").output_shape == (None, 3)
    assert [tensor.shape for tensor in model.inputs + model.outputs] == [(None, 4), (None, 1)]
    a, b = Input((4,), name="a"), Input((2,), name="b")
    both = Model({"a": a, "b": b}, [Dense(2, name="sum")(a) + b, Flatten()(b)])
    assert set(both.input) == {"a", "b"}
    assert both.get_layer("a").output is a
    assert both.input_shape == {"a": (None, 4), "b": (None, 2)}
    assert both.output_shape == [(None, 2), (None, 2)]
    assert [layer.name for layer in both.layers] == ["a", "sum", "b", "add", "flatten"]


def test_symbols_of_a_sequential_with_branches():
    model = Sequential([Input((4,)), fjax.branch(Dense(2), Dense(3)), Concatenate(), Dense(1)])
    assert [tensor.shape for tensor in model.layers[1].input] == [(None, 2), (None, 3)]
    assert model.output.shape == (None, 1)


def test_symbols_of_a_model_without_symbols_raise():
    with pytest.raises(AttributeError, match="has no symbolic tensors"):
        _ = Sequential([Dense(3)]).input
    with pytest.raises(AttributeError, match="has no symbolic tensors"):
        _ = Model(Dense(3), input_shape=(4,)).output
    a = Input((4,))
    twice = Dense(4, name="twice")
    model = Model(a, twice(twice(a)))
    with pytest.raises(ValueError, match="'twice' is called 2 times"):
        _ = model.get_layer("twice").output


REFUSED = {
    "inputs alone": (
        lambda a: Model(a),
        "created from symbolic tensors as `Model\\(inputs, outputs\\)`",
    ),
    "inputs twice": (lambda a: Model(a, inputs=a), "received"),
    "nothing": (lambda a: Model(), "by a subclass that defines `call`"),
    "a layer as output": (lambda a: Model(a, Dense(2)), "must be symbolic tensors"),
    "two networks": (lambda a: Model(Dense(2), Dense(3)), "received 2 arguments"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_use_raises(name):
    make, message = REFUSED[name]
    with pytest.raises(TypeError, match=message):
        make(Input((4,)))


# To look at all objects is to touch what PyTorch has deprecated.
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_programs_do_not_keep_the_weights_of_deleted_models():
    from fjax.core.weight_slot import WeightSlot

    def count():
        gc.collect()
        return sum(isinstance(thing, WeightSlot) for thing in gc.get_objects())

    before = count()
    trained(Sequential([Input((4,)), Dense(7), Dense(1)]))
    fjax.Model(*[tensor := Input((4,)), Dense(6)(tensor)]).get_weights()
    del tensor
    assert count() == before


def test_a_layer_that_always_draws_gets_a_new_key_in_each_call():
    class Always(Dropout):
        def call(self, inputs):
            return super().call(inputs, training=True)

    model = trained(Sequential([Input((4,)), Always(0.5), Dense(1)]), validation_split=0.25)
    one, other = (model.predict(X, verbose=0) for _ in range(2))
    assert not np.array_equal(one, other)
    assert not np.array_equal(one[:32], one[32:])
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    model.summary(print_fn=lambda text: None)


def pair_of_models():
    inputs = Input((4,))
    hidden = Dense(3, name="hidden")(inputs)
    models = Model(inputs, Dense(1)(hidden)), Model(inputs, hidden)
    for model in models:
        model.compile("adam", "mse")
    return models


class TestTrainStateAssignment:
    def test_a_state_given_to_another_model_is_copied(self):
        one, other = (Model(Dense(1), input_shape=(4,)) for _ in range(2))
        for model in (one, other):
            model.compile("adam", "mse")
        weights = other.get_weights()
        one.train_state = other.train_state
        one.fit(X, Y, verbose=0)
        assert same(other.get_weights(), weights)
        other.fit(X, Y, verbose=0)

    def test_a_state_that_was_given_away_is_refused_and_does_no_harm(self):
        whole, part = pair_of_models()
        taken = part.train_state
        whole.fit(X, Y, verbose=0)
        with pytest.raises(ValueError, match="arrays of this train state are deleted"):
            part.train_state = taken
        assert same(whole.layers[1].get_weights(), part.get_weights())

    def test_one_array_in_two_places_becomes_two(self):
        inputs = Input((4,))
        model = Model(inputs, Dense(4, name="b")(Dense(4, name="a")(inputs)))
        model.compile("sgd", "mse")
        params = model.train_state.params
        model.train_state = model.train_state._replace(params={"a": params["a"], "b": params["a"]})
        model.fit(X, X, verbose=0)
        assert not same(*(model.get_layer(name).get_weights() for name in "ab"))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"step": -5}, "`step` of a train state must be a non-negative integer, received -5"),
            ({"epoch": "a"}, "`epoch` of a train state must be"),
            ({"key": 3}, "`key` of a train state must be a key"),
            ({"params": {"kernel": np.ones((4, 1), int), "bias": np.ones(1, "f4")}}, "be float32"),
        ],
    )
    def test_what_is_no_train_state(self, change, message):
        model = Model(Dense(1), input_shape=(4,))
        with pytest.raises(ValueError, match=message):
            model.train_state = model.train_state._replace(**change)


def test_a_step_that_fails_on_the_device_has_a_note_about_the_weights():
    import jax

    def fails(values):
        raise ValueError("no such luck")

    def apply(params, state, inputs, *, key=None, training=False):
        spec = jax.ShapeDtypeStruct(inputs.shape, inputs.dtype)
        return jax.pure_callback(fails, spec, inputs, vmap_method="sequential"), state

    model = Model(serial(fjax.Layer.from_functions(lambda key, *s: ({}, {}), apply), Dense(1)))
    model.compile("sgd", "mse")
    with pytest.raises(Exception, match="no such luck"):
        model.fit(X, Y, verbose=0)


def test_compiling_during_training_raises():
    class Compiles(fjax.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.compile("sgd", "mse")

    whole, _ = pair_of_models()
    with pytest.raises(RuntimeError, match="is being trained and cannot be compiled now"):
        whole.fit(X, Y, verbose=0, callbacks=[Compiles()])
    whole.compile("sgd", "mse")
    with pytest.raises(ValueError, match="has no loss for any output"):
        whole.compile("sgd", loss=[None])


class Swapped(Model):
    def __init__(self):
        super().__init__()
        self.body, self.more, self.head = Dense(3), [Dense(3)], Dense(1)

    def call(self, inputs):
        hidden = self.body(inputs)
        for layer in self.more:
            hidden = layer(hidden)
        return self.head(hidden)


def test_replacing_a_layer_of_an_authored_model_keeps_the_other_weights():
    one, other = trained(Swapped()), trained(Swapped())
    body = one.get_layer("body").get_weights()
    one.head = other.head
    assert same(one.get_layer("head").get_weights(), other.get_layer("head").get_weights())
    assert same(one.get_layer("body").get_weights(), body)
    one.head = Dense(2)
    assert one.output_shape == (None, 2)
    assert one.predict(X, verbose=0).shape == (64, 2)
    trained(one, y=np.zeros((64, 2)))
    one.more.append(Dense(3))
    trained(one, y=np.zeros((64, 2)))
    assert len(one.get_weights()) == 8
    one.more.pop()
    one.compile("adam", "mse")
    assert len(one.get_weights()) == 6
