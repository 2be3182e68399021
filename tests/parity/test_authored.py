"""The same custom classes in Keras and in fjax: outputs, order of weights, losses in training."""

import keras
import numpy as np
import pytest

import fjax

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(64, 5)).astype("float32")
Y = (X @ RANDOM.normal(size=(5, 1))).astype("float32")


def linear(library):
    class Linear(library.layers.Layer):
        def __init__(self, units, activation=None, kernel_constraint=None, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.activation = library.activations.get(activation)
            self.kernel_constraint = library.constraints.get(kernel_constraint)

        def build(self, input_shape):
            self.kernel = self.add_weight(
                shape=(input_shape[-1], self.units),
                initializer="glorot_uniform",
                regularizer=library.regularizers.L2(1e-2),
                constraint=self.kernel_constraint,
                name="kernel",
            )
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
            self.built = True

        def call(self, inputs):
            return self.activation(inputs @ self.kernel + self.bias)

        def get_config(self):
            config = super().get_config()
            config.update({"units": self.units})
            return config

    return Linear


def one_layer(library):
    made = linear(library)
    return library.Sequential(
        [library.Input((5,)), made(8, "tanh", kernel_constraint="max_norm"), made(1)]
    )


def nested(library):
    made = linear(library)

    class Residual(library.layers.Layer):
        def __init__(self, width, **kwargs):
            super().__init__(**kwargs)
            self.hidden = [made(width, "tanh") for _ in range(2)]
            self.norm = library.layers.BatchNormalization(momentum=0.9)

        def call(self, inputs, training=None):
            values = inputs
            for layer in self.hidden:
                values = layer(values)
            return inputs + self.norm(values, training=training)

    return library.Sequential([library.Input((5,)), Residual(5), Residual(5), made(1)])


def looped(library):
    made = linear(library)

    class Looped(library.Model):
        def __init__(self, depth, wide=True, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [made(6, "tanh") for _ in range(depth)]
            self.out = library.layers.Dense(1)
            self.wide = wide

        def build(self, input_shape):
            self.scale = self.add_weight(
                shape=(input_shape[-1],), initializer="ones", regularizer="l1", name="scale"
            )
            super().build(input_shape)

        def call(self, inputs):
            values = inputs * self.scale
            for number, layer in enumerate(self.blocks):
                values = layer(values) if number == 0 else values + layer(values)
            if self.wide:
                return self.out(values) + inputs[:, :1]
            return self.out(values)

    return Looped(3)


def reconstructing(library):
    class Reconstructing(library.Model):
        def __init__(self, output_dim, **kwargs):
            super().__init__(**kwargs)
            self.hidden = [library.layers.Dense(6, activation="relu") for _ in range(3)]
            self.out = library.layers.Dense(output_dim)

        def build(self, input_shape):
            self.reconstruct = library.layers.Dense(input_shape[-1])

        def call(self, inputs, training=None):
            values = inputs
            for layer in self.hidden:
                values = layer(values)
            reconstruction = self.reconstruct(values)
            self.add_loss(0.05 * ((reconstruction - inputs) ** 2).mean())
            return self.out(values)

    return Reconstructing(1)


def model_in_model(library):
    class Encoder(library.Model):
        def __init__(self):
            super().__init__()
            self.first = library.layers.Dense(4, "tanh")
            self.norm = library.layers.BatchNormalization()

        def call(self, inputs, training=False):
            return self.norm(self.first(inputs), training=training)

    class Whole(library.Model):
        def __init__(self):
            super().__init__()
            self.encoder = Encoder()
            self.head = library.layers.Dense(1)

        # Without the argument `training`, Keras's `fit` would run the encoder in inference mode.
        def call(self, inputs, training=False):
            return self.head(self.encoder(inputs, training=training))

    return Whole()


MODELS = [one_layer, nested, looped, reconstructing, model_in_model]


@pytest.mark.parametrize("make", MODELS)
def test_outputs_weights_and_losses(make):
    theirs, ours = make(keras), make(fjax)
    theirs(X[:2])
    ours(X[:2])
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    ours.set_weights(theirs.get_weights())
    for training in (False, True):
        expected = np.asarray(theirs(X, training=training))
        np.testing.assert_allclose(ours(X, training=training), expected, rtol=1e-5, atol=1e-5)
    # In Keras, a call in training mode updates the moving averages.
    ours.set_weights(theirs.get_weights())
    histories = []
    for library, model in ((keras, theirs), (fjax, ours)):
        model.compile(optimizer=library.optimizers.SGD(0.05, momentum=0.9), loss="mse")
        history = model.fit(X, Y, epochs=3, batch_size=24, shuffle=False, verbose=0)
        histories.append(history.history["loss"])
    np.testing.assert_allclose(histories[1], histories[0], rtol=2e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        ours.evaluate(X, Y, verbose=0), theirs.evaluate(X, Y, verbose=0), rtol=2e-5
    )


def several(library):
    class Several(library.Model):
        def __init__(self):
            super().__init__()
            self.wide, self.deep = library.layers.Dense(2), library.layers.Dense(3, "tanh")

        def call(self, inputs):
            deep = self.deep(inputs["deep"])
            return {"sum": self.wide(inputs["wide"]) + deep[:, :2], "deep": deep}

    return Several()


def test_several_inputs_and_outputs():
    x = {"wide": X[:, :3], "deep": X[:, 2:]}
    y = {"sum": X[:, :2], "deep": X[:, :3]}
    theirs, ours = several(keras), several(fjax)
    theirs(x)
    ours.build({"wide": (None, 3), "deep": (None, 3)})
    ours.set_weights(theirs.get_weights())
    histories = []
    for model in (theirs, ours):
        model.compile("sgd", {"sum": "mse", "deep": "mae"}, loss_weights={"sum": 0.5, "deep": 1.0})
        histories.append(model.fit(x, y, epochs=3, shuffle=False, verbose=0).history)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-5)


def test_configurations_are_equal_except_for_the_dtype():
    theirs, ours = (linear(library)(3, name="own").get_config() for library in (keras, fjax))
    theirs.pop("dtype")
    assert ours == theirs


@pytest.mark.parametrize("parameters", [("first_shape", "second_shape"), ("input_shape",)])
def test_the_arguments_of_build(parameters):
    seen = {}

    def make(library):
        class Two(library.layers.Layer):
            def call(self, first, second):
                return first + second

        scope = {"seen": seen, "library": library}
        names = ", ".join(parameters)
        exec(f"def build(self, {names}):\n    seen[library] = [{names}]", scope)
        Two.build = scope["build"]
        return Two()

    tensors = [lambda library, size=size: library.Input((size,)) for size in (3, 1)]
    for library in (keras, fjax):
        make(library)(*(tensor(library) for tensor in tensors))
    assert [tuple(shape) for shape in seen[fjax]] == [tuple(shape) for shape in seen[keras]]
