"""The slot of a layer: who shares it; the pure pair, copies and files know nothing of it."""

import copy
import gc
import pickle
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Model, Sequential
from fjax.core.weight_slot import find_slot
from fjax.layers import BatchNormalization, Dense, Dropout, Input, Normalization

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def called(layer):
    layer(X)
    return layer


def trained(model):
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    return model


class Scaled(fjax.Layer):
    def __init__(self, units):
        super().__init__()
        self.inner = Dense(units)

    def build(self, input_shape):
        self.factor = self.add_weight(input_shape[-1:], "ones")

    def call(self, inputs):
        return self.inner(inputs * self.factor)


class TestSharing:
    def test_layers_of_a_model_are_the_layers(self):
        first, second = Dense(4), Dense(1)
        model = Sequential([Input((3,)), first, Dropout(0.5), jax.nn.relu, second])
        assert model.layers[0] is model.get_layer("dense") is first
        assert model.layers[-1] is second
        assert model.layers[2] is model.layers[2]
        assert [layer.name for layer in model.layers] == ["dense", "dropout", "relu", "dense_1"]
        assert isinstance(model.layers[1], Dropout)

    def test_a_model_uses_the_weights_of_a_layer_that_was_called(self):
        layer = called(Dense(4))
        kernel = layer.kernel.numpy()
        model = trained(Sequential([Input((3,)), layer, Dense(1)]))
        assert model.layers[0].kernel is layer.kernel
        assert not np.array_equal(layer.kernel.numpy(), kernel)
        np.testing.assert_array_equal(model.get_weights()[0], layer.kernel.numpy())

    def test_what_is_assigned_is_what_the_next_fit_trains(self):
        layer = Dense(1, use_bias=False)
        one, other = Sequential([Input((3,)), layer]), Sequential([Input((3,)), layer])
        trained(one)
        layer.kernel.assign(np.zeros((3, 1)))
        np.testing.assert_array_equal(other.predict(X, verbose=0), np.zeros((8, 1)))
        trained(other)
        layer.set_weights([np.ones((3, 1))])
        np.testing.assert_allclose(one.predict(X, verbose=0)[:, 0], X.sum(1), rtol=1e-5)
        one.train_on_batch(X, X[:, :1])
        assert np.isfinite(layer.get_weights()[0]).all()

    def test_the_weights_of_a_built_model_are_drawn_by_its_seed(self):
        def make():
            return Sequential([Input((3,)), Dense(4), Dense(1)], seed=3)

        one, other = make(), make()
        np.testing.assert_array_equal(one.layers[1].get_weights()[0], other.get_weights()[2])

    def test_equal_seeds_of_python_give_equal_weights(self):
        kernels = []
        for _ in range(2):
            fjax.utils.set_random_seed(1)
            kernels.append(called(Dense(4)).kernel.numpy())
        np.testing.assert_array_equal(*kernels)

    def test_sublayers_of_authored_layers_and_models(self):
        class Whole(Model):
            def __init__(self):
                super().__init__()
                self.scaled, self.head = Scaled(2), Dense(1)

            def call(self, inputs):
                return self.head(self.scaled(inputs))

        model = trained(Whole())
        assert model.layers[0] is model.scaled
        assert model.scaled.inner.kernel.path == "whole/scaled/inner/kernel"
        assert model.head.name == "head"
        expected = (X * model.scaled.factor.numpy()) @ model.scaled.inner.kernel.numpy()
        np.testing.assert_allclose(
            model.scaled(X), expected + model.scaled.inner.bias.numpy(), rtol=1e-5, atol=1e-6
        )

    def test_attributes_that_an_author_sets_in_build(self):
        class Named(fjax.Layer):
            def build(self, input_shape):
                self.width = input_shape[-1]
                self.scale = self.add_weight(input_shape[-1:], "ones", name="factor")

            def call(self, inputs):
                return inputs * self.scale

        of_model, of_call, of_symbol, built = Named(), Named(), Named(), Named()
        model = Sequential([Input((3,)), Dense(3), of_model])
        assert model.layers[1] is of_model
        of_call(X)
        of_symbol(Input((3,)))
        built.build((None, 3))
        for layer in (of_model, of_call, of_symbol, built):
            assert layer.width == 3
            assert layer.scale is layer.factor
            assert not {"width", "scale"} & vars(layer).keys()
        with pytest.raises(AttributeError, match="`Named` has no attribute `width`"):
            _ = Named().width

    def test_state_changes_in_the_slot(self):
        layer = BatchNormalization(momentum=0.5)
        layer(X, training=True)
        np.testing.assert_allclose(layer.moving_mean, X.mean(0) / 2, rtol=1e-4, atol=1e-6)
        layer(X)
        np.testing.assert_allclose(layer.moving_mean, X.mean(0) / 2, rtol=1e-4, atol=1e-6)
        dropout = Dropout(0.5)
        assert not np.array_equal(dropout(X, training=True), dropout(X, training=True))

    def test_an_adapted_layer_is_used_at_once_and_keeps_its_name(self):
        layer = Normalization()
        Sequential([Input((3,)), layer, Dense(1)])
        np.testing.assert_array_equal(layer(X), X)
        layer.adapt(X)
        np.testing.assert_allclose(np.mean(layer(X), 0), np.zeros(3), atol=1e-6)
        assert layer.name == "normalization"

    def test_places_in_models(self):
        inputs = Input((3,))
        layer = Dense(4)
        outputs = layer(inputs)
        assert layer.input is inputs
        assert layer.output is outputs
        model = Model(inputs, Dense(1)(outputs))
        assert model.get_layer("dense").output is outputs
        assert model.get_layer("dense").output_shape == (None, 4)
        part = Model(model.input, model.get_layer("dense").output)
        np.testing.assert_array_equal(part.get_weights()[0], layer.kernel.numpy())

    def test_names_follow_the_model_that_lists_them(self):
        base = Sequential([Input((3,)), Dense(4), Dense(4)])
        top = Sequential([Input((4,)), base.layers[1], Dense(1)])
        assert [layer.name for layer in base.layers] == ["dense", "dense_1"]
        assert [layer.name for layer in top.layers] == ["dense", "dense_1"]
        assert top.get_layer(top.layers[0].name) is base.layers[1]

    def test_models_within_models_from_files_and_copies(self, tmp_path):
        inner = Sequential([Input((3,)), Dense(2)], name="inner")
        model = trained(Sequential([inner, Dense(1)]))
        model.save(tmp_path / "model")
        for other in (fjax.models.load_model(tmp_path / "model"), copy.deepcopy(model)):
            again = other.get_layer("inner")
            assert isinstance(again, Sequential)
            assert again is other.layers[0]
            assert again is not inner
            np.testing.assert_array_equal(again.predict(X, verbose=0), inner.predict(X, verbose=0))
            again.set_weights([np.zeros((3, 2)), np.zeros(2)])
            np.testing.assert_array_equal(other.get_weights()[0], np.zeros((3, 2)))


class TestPurity:
    @pytest.mark.parametrize(
        "duplicate", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))]
    )
    def test_copies_pickles_equality_and_configuration(self, duplicate):
        plain, layer = Dense(4), called(Dense(4))
        Sequential([Input((3,)), layer])
        twin = duplicate(layer)
        assert find_slot(twin) is None
        assert twin.name is None
        assert layer == plain == twin
        assert hash(layer) == hash(plain)
        assert repr(layer) == repr(plain)
        assert layer.get_config() == plain.get_config()

    def test_the_pair_ignores_the_slot(self):
        layer = called(Dense(4))
        params, state = Dense(4).init(jax.random.key(0), X)
        before = layer.get_weights()
        expected = Dense(4).apply(params, state, X)[0]
        np.testing.assert_array_equal(layer.apply(params, state, X)[0], expected)
        np.testing.assert_array_equal(
            layer.init(jax.random.key(0), X)[0]["kernel"], params["kernel"]
        )
        batched = jax.jit(jax.vmap(lambda x: layer.apply(params, state, x)[0]))(X[:, None])
        np.testing.assert_allclose(batched[:, 0], expected, rtol=1e-5, atol=1e-6)
        assert all(map(np.array_equal, layer.get_weights(), before))

    def test_the_slot_is_not_part_of_a_pure_network(self):
        layer = called(Dense(4))
        model = trained(Model(fjax.serial(layer, Dense(1)), input_shape=(3,)))
        assert not np.array_equal(model.get_weights()[0], layer.get_weights()[0])
        assert find_slot(model.network.layers[0]) is None

    def test_equal_models_share_a_program_whatever_their_slots(self, compilations):
        def make(layer):
            return Sequential([Input((3,)), layer, Dense(1)])

        trained(make(Dense(4)))
        layer = called(Dense(4))
        other = make(layer)
        other.compile("sgd", "mse")
        _ = other.layers, layer.weights
        other.get_weights()
        compilations.clear()
        other.fit(X, X[:, :1], verbose=0)
        assert compilations == []

    @pytest.mark.filterwarnings("ignore::FutureWarning")
    def test_nothing_keeps_the_weights_of_a_deleted_model(self):
        layer = Dense(4)
        model = trained(Sequential([Input((3,)), layer, Dense(1)]))
        kernel, other = model.layers[0].kernel, weakref.ref(model.layers[1])
        model.get_weights()
        slot = weakref.ref(find_slot(model.layers[1]))
        reference = weakref.ref(model)
        del model
        gc.collect()
        assert reference() is None
        assert other() is None
        assert slot() is None
        assert kernel.numpy().shape == (3, 4)
        assert layer.name == "dense"
        np.testing.assert_array_equal(layer.get_weights()[0], kernel.numpy())

    def test_a_traced_call_needs_the_pair_if_there_are_weights(self):
        layer = called(Dense(2))
        for transform in (jax.jit, jax.grad, jax.vmap):
            with pytest.raises(TypeError, match=r"layer.apply\(params, state, inputs\)"):
                transform(lambda x: layer(x).sum())(X[None])
        with pytest.raises(TypeError, match=r"layer.apply\(params, state, inputs\)"):
            jax.jit(lambda: Dense(2)(X))()
        assert not Dense(2).built
        relu = fjax.layers.Activation("relu")
        np.testing.assert_array_equal(jax.jit(relu)(X), np.maximum(X, 0))

    def test_a_pass_of_an_authored_class_does_not_see_the_slots(self):
        class Reads(Scaled):
            def call(self, inputs):
                return super().call(inputs) + self.inner.get_weights()[0].sum()

        with pytest.raises(AttributeError, match="`get_weights` of the sublayer 'inner'"):
            Reads(2)(X)

        class ReadsOwn(Scaled):
            def call(self, inputs):
                return super().call(inputs) + len(self.weights)

        with pytest.raises(RuntimeError, match="`weights` was used in `build` or `call`"):
            ReadsOwn(2)(X)


class TestMistakes:
    def test_weights_that_do_not_fit_change_nothing(self):
        layer = called(Dense(2))
        before = layer.get_weights()
        with pytest.raises(ValueError, match=r"layer 'dense' has 2 weights \(kernel, bias\), rec"):
            layer.set_weights([np.ones((3, 2))])
        with pytest.raises(ValueError, match=r"the weight bias of layer 'dense' has shape \(2,\)"):
            layer.set_weights([np.ones((3, 2)), np.ones(3)])
        assert all(map(np.array_equal, layer.get_weights(), before))

    def test_a_layer_that_is_not_built(self):
        layer = Dense(2)
        assert layer.weights == layer.get_weights() == layer.losses == []
        with pytest.raises(ValueError, match="`set_weights`: the layer 'dense' is not built"):
            layer.set_weights([np.ones((3, 2)), np.ones(2)])
        with pytest.raises(AttributeError, match="was not called on symbolic tensors"):
            _ = layer.output

    def test_inputs_of_another_size(self):
        layer = called(Dense(2))
        with pytest.raises(Exception) as error:
            layer(jnp.ones((8, 4)))
        assert "In layer 'dense'" in "".join(error.value.__notes__)


def test_setting_a_weight_names_assign():
    with pytest.raises(AttributeError, match=r"Assign the weight: `layer.kernel.assign\(value\)`"):
        Dense(2).kernel = 3
    with pytest.raises(AttributeError, match=r"Make a new one, as with `Dense.from_config`"):
        Dense(2).units = 3
