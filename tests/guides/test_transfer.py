"""Transfer learning: frozen layers, a frozen base in inference mode, fine-tuning."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def base_model(library, fill):
    inputs = library.Input((8,))
    x = library.layers.Dense(6, activation="relu")(inputs)
    x = library.layers.BatchNormalization()(x)
    return fill(library.Model(inputs, x, name="base"))


def test_counts_of_trainable_weights(compare):
    def program(library):
        layer = library.layers.BatchNormalization()
        layer.build((None, 4))
        before = [len(layer.weights), len(layer.trainable_weights)]
        layer.trainable = False
        return before, len(layer.trainable_weights), len(layer.non_trainable_weights)

    assert compare(program) == ([4, 2], 0, 4)


def test_trainable_is_set_recursively(compare):
    def program(library):
        inner = library.Sequential([library.Input((3,)), library.layers.Dense(3)])
        model = library.Sequential([library.Input((3,)), inner, library.layers.Dense(2)])
        model.trainable = False
        return inner.trainable, inner.layers[0].trainable, len(model.trainable_weights)

    assert compare(program) == (False, False, 0)


def test_a_frozen_base_then_fine_tuning(compare, fill, data):
    x, y = data

    def program(library):
        base = base_model(library, fill)
        base.trainable = False
        inputs = library.Input((8,))
        outputs = library.layers.Dense(3)(base(inputs, training=False))
        model = fill(library.Model(inputs, outputs))
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(library.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
        before = base.get_weights()
        first = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
        kept = [bool(np.array_equal(a, b)) for a, b in zip(before, base.get_weights(), strict=True)]
        base.trainable = True
        base.layers[-1].trainable = False
        model.compile(library.optimizers.SGD(1e-3), loss, metrics=["accuracy"])
        second = model.fit(x, y, batch_size=16, epochs=1, shuffle=False, verbose=0).history
        return first, kept, second, len(model.trainable_weights), model.get_weights()

    _, kept, _, trainable, _ = compare(program, rtol=1e-4, atol=1e-5)
    assert all(kept) and trainable == 4


def test_features_are_computed_once(compare, fill, data):
    x, y = data

    def program(library):
        base = base_model(library, fill)
        features = base.predict(x, verbose=0)
        head = library.Sequential([library.Input((6,)), library.layers.Dense(1)])
        fill(head)
        head.compile("sgd", "mse")
        return features, head.fit(features, y, epochs=2, shuffle=False, verbose=0).history

    compare(program)


def test_weights_of_another_model(compare, fill, data):
    x, _ = data

    def program(library):
        source, target = base_model(library, fill), base_model(library, lambda model: model)
        for layer, other in zip(target.layers, source.layers, strict=True):
            layer.set_weights(other.get_weights())
        return source(x), target(x)

    source, target = compare(program)
    np.testing.assert_array_equal(source, target)
