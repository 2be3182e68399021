"""Configurations, files of models and weights, custom objects, copies of models."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def autoencoder(library, fill):
    inputs = library.Input((8,), name="digits")
    hidden = library.layers.Dense(5, activation="relu", name="first")(inputs)
    hidden = library.layers.BatchNormalization(name="norm")(hidden)
    return fill(library.Model(inputs, library.layers.Dense(8, name="last")(hidden), name="auto"))


def test_sizes_in_configurations_are_tuples(compare):
    def program(library):
        layers = library.layers
        made = [layers.Conv2D(4, 3), layers.ZeroPadding2D(1), layers.Reshape((2, 3))]
        configs = [layer.get_config() for layer in made]
        return configs[0]["kernel_size"] == (3, 3), configs[1]["padding"], configs[2]

    def shown(library):
        sizes, padding, reshape = program(library)
        return sizes, padding, reshape["target_shape"]

    assert compare(shown)[0]


@pytest.mark.parametrize("layer", ["Conv2D", "LSTM", "Bidirectional", "Dense", "Dropout"])
def test_a_layer_is_made_again_from_its_configuration(compare, fill, layer):
    x = np.linspace(-1, 1, 2 * 4 * 4 * 3).astype("float32")
    x = x.reshape(2, 4, 4, 3) if layer == "Conv2D" else x.reshape(2, 16, 3)

    def program(library):
        layers = library.layers
        made = {
            "Conv2D": lambda: layers.Conv2D(4, 3, padding="same", activation="relu"),
            "LSTM": lambda: layers.LSTM(4, return_sequences=True, dropout=0.1),
            "Bidirectional": lambda: layers.Bidirectional(layers.GRU(3)),
            "Dense": lambda: layers.Dense(4, kernel_regularizer=library.regularizers.L2(0.1)),
            "Dropout": lambda: layers.Dropout(0.5, noise_shape=(None, 1, 3)),
        }[layer]()
        again = type(made).from_config(made.get_config())
        other = layers.deserialize(layers.serialize(made))
        outputs = []
        for each in (made, again, other):
            each(x)
            outputs.append(fill(each)(x))
        return outputs

    first, second, third = compare(program)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)


def test_a_model_file_continues_the_training(compare, fill, data, tmp_path):
    x, _ = data

    def program(library):
        model = autoencoder(library, fill)
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(x, x, epochs=1, shuffle=False, verbose=0)
        path = str(tmp_path / f"{library.__name__}.keras")
        model.save(path)
        again = library.models.load_model(path)
        history = again.fit(x, x, epochs=1, shuffle=False, verbose=0).history
        return history, again.predict(x, verbose=0), [layer.name for layer in again.layers]

    compare(program, rtol=1e-4, atol=1e-5)


def test_weights_of_a_file_and_of_another_model(compare, fill, data, tmp_path):
    x, _ = data

    def program(library):
        model = autoencoder(library, fill)
        path = str(tmp_path / f"{library.__name__}.weights.h5")
        model.save_weights(path)
        other = library.models.clone_model(model)
        other.load_weights(path)
        equal = all(
            np.array_equal(a.numpy(), b.numpy())
            for a, b in zip(model.weights, other.weights, strict=True)
        )
        names = [variable.name for variable in model.weights]
        paths = [variable.path for variable in model.weights]
        extracted = library.Sequential([*other.layers[:-1], library.layers.Dense(2, name="new")])
        return equal, names, paths, extracted.count_params(), other(x)

    assert compare(program)[0]


def test_custom_objects_in_a_scope_and_registered(compare, fill, data, tmp_path):
    x, _ = data

    def program(library):
        class Scale(library.layers.Layer):
            def __init__(self, factor=2.0, **kwargs):
                super().__init__(**kwargs)
                self.factor = factor

            def call(self, inputs):
                return inputs * self.factor

            def get_config(self):
                return {**super().get_config(), "factor": self.factor}

        def bend(inputs):
            return library.ops.tanh(inputs) * 2

        model = library.Sequential(
            [library.Input((8,)), Scale(3.0), library.layers.Dense(2, activation=bend)]
        )
        fill(model)
        path = str(tmp_path / f"{library.__name__}.keras")
        model.save(path)
        objects = {"Scale": Scale, "bend": bend}
        first = library.models.load_model(path, custom_objects=objects)
        with library.saving.custom_object_scope(objects):
            second = library.models.load_model(path)
        return model(x), first(x), second(x), first.layers[0].factor

    compare(program)


def test_configurations_of_objects(compare):
    def program(library):
        config = library.saving.serialize_keras_object(library.regularizers.L1(0.005))
        again = library.saving.deserialize_keras_object(config)
        optimizer = library.optimizers.deserialize(
            library.optimizers.serialize(library.optimizers.SGD(0.3, momentum=0.5))
        )
        return config["class_name"], config["config"], again.get_config(), optimizer.momentum

    compare(program)
