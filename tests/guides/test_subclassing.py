"""Models as classes with `call`."""

import numpy as np
import pytest

from fjax import Model, Sequential
from fjax.layers import Dense, Dropout

pytestmark = pytest.mark.sampled(3, whole=True)


def residual_model(library):
    class Residual(library.Model):
        def __init__(self, width=8, classes=3, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [library.layers.Dense(width, activation="tanh") for _ in range(2)]
            self.norm = library.layers.BatchNormalization()
            self.head = library.layers.Dense(classes)

        def call(self, inputs, training=False):
            x = inputs
            for block in self.blocks:
                x = x + block(x)
            return self.head(self.norm(x, training=training))

    return Residual


def test_it_trains_with_moving_statistics(compare, fill, data):
    x, y = data

    def program(library):
        model = residual_model(library)()
        model(x[:2])
        fill(model)
        model.compile(
            "adam",
            library.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        history = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return history.history, model.predict(x, verbose=0), model(x, training=True)

    _, inference, training = compare(program, rtol=1e-4, atol=1e-5)
    assert not np.allclose(inference, training)


def test_it_knows_its_layers_and_weights(compare, fill, data):
    x, _ = data

    def program(library):
        model = residual_model(library)(name="residual")
        model(x[:2])
        return (
            len(model.layers), len(model.trainable_weights), len(model.non_trainable_weights),
            model.count_params(), model.name, [list(w.shape) for w in model.weights],
        )  # fmt: skip

    compare(program)


def test_it_saves_and_loads_its_weights(compare, fill, data, tmp_path):
    x, _ = data

    def program(library):
        model = residual_model(library)()
        model(x[:2])
        fill(model)
        path = str(tmp_path / f"{library.__name__}.weights.h5")
        model.save_weights(path)
        other = residual_model(library)()
        other(x[:2])
        other.load_weights(path)
        return model(x), other(x)

    saved, loaded = compare(program)
    np.testing.assert_array_equal(saved, loaded)


def test_several_inputs_as_a_dict(compare, fill, data):
    x, _ = data

    def program(library):
        class Sum(library.Model):
            def __init__(self):
                super().__init__()
                self.left = library.layers.Dense(2)
                self.right = library.layers.Dense(2)

            def call(self, inputs):
                return self.left(inputs["a"]) + self.right(inputs["b"])

        model = Sum()
        model({"a": x, "b": x[:, :3]})
        fill(model)
        model.compile("sgd", "mse")
        history = model.fit({"a": x, "b": x[:, :3]}, x[:, :2], shuffle=False, verbose=0)
        return history.history, model.predict({"a": x, "b": x[:, :3]}, verbose=0)

    compare(program)


def test_the_layers_of_a_model_without_layers(compare):
    def program(library):
        class Double(library.Model):
            def call(self, inputs):
                return 2 * inputs

        class Shift(library.Model):
            def __init__(self):
                super().__init__()
                self.shift = self.add_weight(shape=(4,), initializer="ones")

            def call(self, inputs):
                return inputs + self.shift

        models = Double(), Shift()
        outputs = [model(np.ones((2, 4))) for model in models]
        return outputs, [len(model.layers) for model in models], models[1].count_params()

    assert compare(program)[1] == [0, 0]


def test_a_layer_in_the_attribute_network(compare, fill, data):
    """The example of denoising diffusion has this attribute, which Keras's `Model` lacks."""
    x, _ = data

    def program(library):
        class Denoiser(library.Model):
            def __init__(self):
                super().__init__()
                inputs = library.Input((8,))
                self.network = library.Model(inputs, library.layers.Dense(8)(inputs))
                self.averaged = library.models.clone_model(self.network)

            def call(self, inputs):
                return self.network(inputs) + library.ops.stop_gradient(self.averaged(inputs))

        model = Denoiser()
        model(x[:2])
        fill(model)
        model.compile("sgd", "mse", metrics=["mae"])
        fit = model.fit(x, x, batch_size=16, epochs=2, shuffle=False, verbose=0)
        return fit.history, model.network.get_weights(), model.predict(x[:3], verbose=0)

    compare(program)


def test_a_model_without_weights_from_outside_of_the_class(compare, fill, data):
    """Examples scale their inputs so, by a global model."""
    x, _ = data

    def program(library):
        layers = library.layers
        scaling = library.Sequential([layers.Rescaling(3.0), layers.Activation("tanh")])

        class Scaled(library.Model):
            def __init__(self):
                super().__init__()
                self.head = library.layers.Dense(1)

            def call(self, inputs):
                return self.head(scaling(inputs))

        model = Scaled()
        model(x[:2])
        fill(model)
        model.compile("sgd", "mse")
        fit = model.fit(x, x[:, :1], batch_size=16, epochs=2, shuffle=False, verbose=0)
        return fit.history, model.get_weights()

    compare(program)


@pytest.mark.parametrize("layer", [Dense(8), Dropout(0.5)], ids=["weights", "random"])
def test_a_model_from_outside_that_is_not_a_plain_function_is_an_error(layer):
    outside = Sequential([layer])
    outside(np.ones((2, 8)))

    class Scaled(Model):
        def call(self, inputs):
            return outside(inputs)

    with pytest.raises(TypeError, match="was called inside a traced function"):
        Scaled().predict(np.ones((2, 8)), verbose=0)
