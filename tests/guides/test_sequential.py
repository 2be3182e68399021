"""Stacks of layers that are built late, inspected, cut, and used to extract features."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def test_a_stack_is_built_by_its_first_call(compare, fill, data):
    x, _ = data

    def program(library):
        model = library.Sequential()
        model.add(library.layers.Dense(4, activation="relu", name="first"))
        model.add(library.layers.Dense(3, activation="relu", name="second"))
        model.add(library.layers.Dense(2, name="third"))
        before = model.built
        model(x)
        fill(model)
        return before, model.built, len(model.weights), model(x), [w.shape for w in model.weights]

    before, after, count, *_ = compare(program)
    assert not before and after and count == 6


def test_a_layer_outside_of_a_model_has_no_weights_until_it_is_called(compare):
    def program(library):
        layer = library.layers.Dense(3)
        before = len(layer.weights)
        layer(np.ones((1, 4), "float32"))
        return before, [list(w.shape) for w in layer.weights]

    before, shapes = compare(program)
    assert before == 0 and shapes == [[4, 3], [3]]


def test_pop_and_summary(compare, capsys):
    def program(library):
        model = library.Sequential([library.Input((4,))])
        model.add(library.layers.Dense(2, activation="relu"))
        model.add(library.layers.Dense(3))
        model.pop()
        model.summary()
        shown = capsys.readouterr().out
        return len(model.layers), model.output_shape, "10 (40.00 B)" in shown

    assert compare(program)[2]


def test_summary_of_an_unbuilt_stack_says_so(capsys, compare):
    def program(library):
        model = library.Sequential([library.layers.Dense(2)])
        model.summary()
        return "unbuilt" in capsys.readouterr().out

    assert compare(program)


def test_features_of_all_layers_and_of_one(compare, fill):
    images = np.linspace(0, 1, 2 * 12 * 12 * 3).reshape(2, 12, 12, 3).astype("float32")

    def program(library):
        layers = library.layers
        model = library.Sequential(
            [
                library.Input((12, 12, 3)),
                layers.Conv2D(4, 3, strides=2, activation="relu"),
                layers.Conv2D(4, 3, activation="relu", name="middle"),
                layers.GlobalMaxPooling2D(),
            ]
        )
        fill(model)
        every = library.Model(model.inputs, [layer.output for layer in model.layers])
        one = library.Model(model.inputs, model.get_layer(name="middle").output)
        return every([images]), one([images])

    every, one = compare(program)
    np.testing.assert_array_equal(every[1], one)


def test_frozen_layers_do_not_learn(compare, fill, data):
    x, y = data

    def program(library):
        model = library.Sequential(
            [library.Input((8,)), library.layers.Dense(4), library.layers.Dense(3)]
        )
        fill(model)
        for layer in model.layers[:-1]:
            layer.trainable = False
        model.compile("sgd", library.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, epochs=1, shuffle=False, verbose=0)
        return len(model.trainable_weights), model.get_weights()

    trainable, _ = compare(program)
    assert trainable == 2


@pytest.mark.parametrize("shape", [(3, 5), (3, 4, 5)])
def test_inputs_of_several_ranks(compare, fill, shape):
    def program(library):
        model = library.Sequential([library.layers.Dense(2)])
        x = np.ones(shape, "float32")
        model(x)
        return fill(model)(x)

    compare(program)
