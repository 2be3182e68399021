"""A `call` that assigns a trainable weight: the masked kernel of Keras's example "PixelCNN"."""

import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

IMAGES = (0.5 + 0.5 * np.sin(np.arange(16 * 6 * 6))).reshape(16, 6, 6, 1).astype("float32")


def mask_for(library, kernel):
    rows, columns, *_ = library.ops.shape(kernel)
    mask = np.zeros(library.ops.shape(kernel), "float32")
    mask[: rows // 2, ...] = 1.0
    mask[rows // 2, : columns // 2, ...] = 1.0
    return mask


def with_sublayer(library):
    class Masked(library.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__()
            self.conv = library.layers.Conv2D(**kwargs)

        def build(self, input_shape):
            self.conv.build(input_shape)
            self.mask = mask_for(library, self.conv.kernel)

        def call(self, inputs):
            self.conv.kernel.assign(self.conv.kernel * self.mask)
            return self.conv(inputs)

    return Masked


def extended(library):
    class Masked(library.layers.Conv2D):
        def call(self, inputs):
            self.kernel.assign(self.kernel * mask_for(library, self.kernel))
            return super().call(inputs)

    return Masked


def weights_of_its_own(library):
    class Masked(library.layers.Layer):
        def __init__(self, filters, kernel_size, **kwargs):
            super().__init__()
            self.filters, self.size = filters, kernel_size

        def build(self, input_shape):
            self.kernel = self.add_weight((self.size, self.size, input_shape[-1], self.filters))
            self.offset = self.add_weight((self.filters,), "zeros", trainable=False)

        def call(self, inputs, training=False):
            self.kernel.assign(self.kernel * mask_for(library, self.kernel))
            if training:
                self.offset.assign_add(library.ops.ones((self.filters,)))
            return library.ops.conv(inputs, self.kernel, padding="same") + self.offset

    return Masked


KINDS = [with_sublayer, extended, weights_of_its_own]


@pytest.mark.parametrize("kind", KINDS)
def test_the_assigned_value_holds_for_the_pass_as_in_keras(compare, fill, kind):
    def program(library):
        inputs = library.Input((6, 6, 1))
        masked = kind(library)(filters=3, kernel_size=3, padding="same")
        outputs = library.layers.Conv2D(1, 1, activation="sigmoid")(masked(inputs))
        model = fill(library.Model(inputs, outputs))
        model.compile(library.optimizers.SGD(0.5), "mse")
        first = model.predict(IMAGES, verbose=0)
        options = {"batch_size": 8, "shuffle": False, "verbose": 0}
        losses = model.fit(IMAGES, IMAGES, epochs=2, **options).history["loss"]
        return first, losses, model.get_weights(), model.evaluate(IMAGES, IMAGES, verbose=0)

    _, _, weights, _ = compare(program, rtol=1e-4, atol=1e-5)
    # Gradients are those through the mask: the hidden weights stay as they were.
    assert (weights[0][2] != 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_on_arrays_keeps_the_value_as_in_keras(compare, fill, kind):
    def program(library):
        layer = kind(library)(filters=3, kernel_size=3, padding="same")
        layer(IMAGES)
        fill(layer)
        outputs = np.asarray(layer(IMAGES))
        return outputs, layer.get_weights()

    _, weights = compare(program)
    assert (weights[0][2] == 0).all()


def test_another_shape_is_an_error():
    class Wrong(fjax.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight((3, 2))

        def call(self, inputs):
            self.kernel.assign(self.kernel[:2])
            return inputs @ self.kernel

    with pytest.raises(ValueError, match=r"the weight 'kernel' has the shape \(3, 2\), received"):
        Wrong()(np.ones((1, 3), "float32"))
