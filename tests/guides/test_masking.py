"""Masks: made by layers, passed on by layers, read and changed by layers of one's own."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)

IDS = np.array([[7, 2, 6, 0, 0, 0], [3, 4, 5, 1, 9, 8], [5, 0, 0, 0, 0, 0]], "int32")


def test_layers_make_masks_on_arrays(compare, fill):
    def program(library):
        embedding = library.layers.Embedding(10, 4, mask_zero=True)
        embedding(IDS)
        embedded = fill(embedding)(IDS)
        masked = library.layers.Masking()(np.where(IDS[..., None] > 0, 1.0, 0.0))
        return embedding.compute_mask(IDS), embedded._keras_mask, masked._keras_mask

    first, second, third = compare(program)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)


def test_masks_pass_through_layers_to_a_recurrent_one(compare, fill):
    def program(library):
        layers = library.layers
        inputs = library.Input((None,), dtype="int32")
        x = layers.Embedding(10, 4, mask_zero=True)(inputs)
        x = layers.Dropout(0.5)(layers.Activation("tanh")(x))
        model = fill(library.Model(inputs, layers.LSTM(3)(x)))
        model.compile("sgd", "mse")
        return model.predict(IDS, verbose=0), model.evaluate(IDS, np.ones((3, 3)), verbose=0)

    compare(program)


def test_a_layer_of_ones_own_changes_the_mask(compare):
    def program(library):
        class Halves(library.layers.Layer):
            def call(self, inputs):
                return library.ops.split(inputs, 2, axis=1)

            def compute_mask(self, inputs, mask=None):
                return None if mask is None else library.ops.split(mask, 2, axis=1)

        embedded = library.layers.Embedding(10, 2, mask_zero=True)(IDS)
        first, second = Halves()(embedded)
        return first._keras_mask, second._keras_mask

    compare(program)


def test_a_layer_of_ones_own_uses_and_passes_the_mask(compare, fill):
    def program(library):
        class MaskedSoftmax(library.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.supports_masking = True

            def call(self, inputs, mask=None):
                weights = library.ops.expand_dims(library.ops.cast(mask, "float32"), -1)
                exponentials = library.ops.exp(inputs) * weights
                return exponentials / library.ops.sum(exponentials, axis=1, keepdims=True)

        inputs = library.Input((6,), dtype="int32")
        x = library.layers.Embedding(10, 4, mask_zero=True)(inputs)
        outputs = library.layers.GlobalAveragePooling1D()(MaskedSoftmax()(x))
        model = fill(library.Model(inputs, outputs))
        return model.predict(IDS, verbose=0)

    compare(program)


def test_a_mask_is_an_argument(compare, fill):
    def program(library):
        layer = library.layers.GRU(3)
        x = np.linspace(-1, 1, 36).reshape(3, 6, 2).astype("float32")
        layer(x)
        return fill(layer)(x, mask=IDS > 0)

    compare(program)


def test_a_layer_of_a_list_passes_the_mask_of_its_first_input(compare, fill):
    """The decoder of the example on translation, whose inputs are its own and the encoder's."""

    def program(library):
        class Decoder(library.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.supports_masking = True

            def call(self, inputs, mask=None):
                own, encoded = inputs
                weights = library.ops.expand_dims(library.ops.cast(mask[1], "float32"), -1)
                return own + library.ops.sum(encoded * weights, axis=1, keepdims=True)

        first = library.Input((6,), dtype="int32")
        second = library.Input((6,), dtype="int32")
        embedding = library.layers.Embedding(10, 4, mask_zero=True)
        decoded = Decoder()([embedding(first), embedding(second)])
        outputs = library.layers.Dense(10, activation="softmax")(decoded)
        model = fill(library.Model([first, second], outputs))
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        scores = model.evaluate([IDS, IDS[::-1]], IDS, verbose=0)
        decoded = Decoder()([embedding(IDS), embedding(IDS[::-1])])
        return scores, decoded._keras_mask

    compare(program)
