"""Layers of one's own: weights, sublayers, losses, configurations, training and masks."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.linspace(-1, 1, 12).reshape(3, 4).astype("float32")


def linear(library):
    class Linear(library.layers.Layer):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(
                shape=(input_shape[-1], self.units), initializer="ones", trainable=True
            )
            self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

        def call(self, inputs):
            return library.ops.matmul(inputs, self.w) + self.b

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return Linear


def test_weights_that_init_adds(compare):
    def program(library):
        class Affine(library.layers.Layer):
            def __init__(self, units, width):
                super().__init__()
                self.w = self.add_weight(shape=(width, units), initializer="ones")
                self.b = self.add_weight(shape=(units,), initializer="zeros")

            def call(self, inputs):
                return library.ops.matmul(inputs, self.w) + self.b

        layer = Affine(2, 4)
        listed = layer.weights[0] is layer.w and layer.weights[1] is layer.b
        return layer(X), len(layer.weights), listed

    assert compare(program)[2]


def test_a_running_sum_is_a_weight_that_is_not_trained(compare):
    def program(library):
        class RunningSum(library.layers.Layer):
            def __init__(self, width):
                super().__init__()
                self.total = self.add_weight(shape=(width,), initializer="zeros", trainable=False)

            def call(self, inputs):
                self.total.assign_add(library.ops.sum(inputs, axis=0))
                return self.total

        layer = RunningSum(4)
        first, second = np.asarray(layer(X + 1)), np.asarray(layer(X + 1))
        return (
            first, second, len(layer.weights), len(layer.non_trainable_weights),
            len(layer.trainable_weights), layer.total.numpy(),
        )  # fmt: skip

    first, second, *_ = compare(program)
    np.testing.assert_allclose(second, 2 * first)


def test_weights_that_build_adds_and_layers_of_layers(compare):
    def program(library):
        made = linear(library)

        class Block(library.layers.Layer):
            def __init__(self):
                super().__init__()
                self.first, self.second, self.last = made(5), made(4), made(1)

            def call(self, inputs):
                hidden = library.activations.relu(self.first(inputs))
                return self.last(library.activations.relu(self.second(hidden)))

        block = Block()
        outputs = block(X)
        return outputs, len(block.weights), len(block.trainable_weights)

    assert compare(program)[1] == 6


def test_losses_of_layers_are_those_of_the_last_call(compare):
    def program(library):
        class Activity(library.layers.Layer):
            def __init__(self, rate=1e-2):
                super().__init__()
                self.rate = rate

            def call(self, inputs):
                self.add_loss(self.rate * library.ops.mean(inputs))
                return inputs

        class Outer(library.layers.Layer):
            def __init__(self):
                super().__init__()
                self.activity = Activity()
                self.dense = library.layers.Dense(
                    2, kernel_initializer="ones", kernel_regularizer=library.regularizers.L2(1e-3)
                )

            def call(self, inputs):
                return self.dense(self.activity(inputs))

        layer = Outer()
        layer(X + 1)
        once = [float(loss) for loss in layer.losses]
        layer(X + 1)
        return sorted(once), sorted(float(loss) for loss in layer.losses)

    once, twice = compare(program)
    assert once == twice and len(once) == 2


def test_added_losses_are_minimized_without_another_loss(compare, fill):
    def program(library):
        class Activity(library.layers.Layer):
            def call(self, inputs):
                self.add_loss(1e-1 * library.ops.sum(library.ops.square(inputs)))
                return inputs

        inputs = library.Input((4,))
        model = library.Model(inputs, Activity()(library.layers.Dense(3)(inputs)))
        fill(model)
        model.compile(optimizer=library.optimizers.SGD(0.1))
        alone = model.fit(X, X[:, :3], epochs=2, shuffle=False, verbose=0).history
        model.compile(optimizer="sgd", loss="mse")
        return alone, model.fit(X, X[:, :3], shuffle=False, verbose=0).history

    alone, _ = compare(program)
    assert alone["loss"][1] < alone["loss"][0]


def test_a_configuration_makes_the_layer_again(compare):
    def program(library):
        made = linear(library)
        layer = made(7, name="projection")
        config = layer.get_config()
        again = made.from_config(config)
        return config["units"], config["name"], again.units, again(X)

    compare(program)


def test_the_argument_training(compare):
    def program(library):
        class Negate(library.layers.Layer):
            def call(self, inputs, training=False):
                return -inputs if training else inputs

        layer = Negate()
        return layer(X), layer(X, training=True)

    plain, training = compare(program)
    np.testing.assert_array_equal(plain, -np.asarray(training))


def test_an_own_layer_trains_in_a_model(compare, fill):
    def program(library):
        model = library.Sequential([library.Input((4,)), linear(library)(3), linear(library)(1)])
        fill(model)
        model.compile(library.optimizers.Adam(0.01), "mse")
        history = model.fit(X, X[:, :1], epochs=3, batch_size=2, shuffle=False, verbose=0)
        return history.history, model.get_weights()

    losses = compare(program)[0]["loss"]
    assert losses[2] < losses[0]
