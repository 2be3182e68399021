"""Functional models that are called on masked inputs, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

# Keras warns that a functional model drops the mask, and passes it on all the same.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'functional")

IDS = np.array([[7, 2, 6, 0, 0, 0], [3, 4, 5, 1, 9, 8], [5, 0, 0, 0, 0, 0]], "int32")


def embedded(library, mask_zero=True):
    tokens = library.Input((None,), dtype="int32")
    return tokens, library.layers.Embedding(10, 4, mask_zero=mask_zero)(tokens)


def encoder(library):
    """Return a model whose outputs keep the mask, end it, and drop it."""
    layers, inputs = library.layers, library.Input((None, 4), name="x")
    hidden = layers.Dense(5, activation="tanh")(inputs)
    sequence = layers.SimpleRNN(3, return_sequences=True)(hidden)
    return library.Model(inputs, [sequence, mean(library, hidden * 2.0)])


def mean(library, x):
    """Return the mean over the steps that the mask leaves."""
    return library.layers.GlobalAveragePooling1D()(x)


def one_model(library):
    tokens, x = embedded(library)
    sequence, plain = encoder(library)(x)
    return library.Model(tokens, [mean(library, sequence), plain])


def models_in_models(library):
    inputs = library.Input((None, 4))
    sequence, _ = encoder(library)(library.layers.Activation("tanh")(inputs))
    middle = library.Model(inputs, library.layers.Activation("relu")(sequence))
    tokens, x = embedded(library)
    return library.Model(tokens, [mean(library, middle(x)), middle(x)])


def with_and_without_mask(library):
    shared = encoder(library)
    tokens, x = embedded(library)
    outputs = [mean(library, shared(value)[0]) for value in (x, x * 1.0)]
    return library.Model(tokens, outputs)


def masks_of_both(library):
    """Return a model whose inner graph has the mask of one output, and gets that of another."""
    layers = library.layers
    p, q = library.Input((None, 4)), library.Input((None, 4))
    pair = library.Model([p, q], [layers.Masking()(p), layers.Activation("tanh")(q)])
    a, b = library.Input((None, 4)), library.Input((None, 4))
    first, second = pair([a, b])
    dense = layers.Dense(4)
    outputs = [mean(library, first), mean(library, dense(second)), layers.add([first, second])]
    middle = library.Model([a, b], outputs)
    tokens, x = embedded(library)
    return library.Model(tokens, middle([x * 0.5, x]))


def dict_inputs(library):
    layers = library.layers
    inputs = {name: library.Input((None, 4), name=name) for name in "ab"}
    inner = library.Model(inputs, {"c": mean(library, layers.concatenate([*inputs.values()]))})
    tokens, x = embedded(library)
    return library.Model(tokens, inner({"a": x, "b": x * 2.0})["c"])


def in_an_authored_layer(library):
    class Outer(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.embedding = library.layers.Embedding(10, 4, mask_zero=True)
            self.encoder = encoder(library)

        def call(self, tokens):
            return self.encoder(self.embedding(tokens))[0][:, -1]

    tokens = library.Input((6,), dtype="int32")
    return library.Model(tokens, Outer()(tokens))


def in_a_sequential(library):
    inputs = library.Input((None, 4))
    inner = library.Model(inputs, library.layers.Dense(3)(inputs))
    layers = library.layers
    return library.Sequential(
        [library.Input((None,), dtype="int32"), layers.Embedding(10, 4, mask_zero=True),
         inner, layers.GlobalAveragePooling1D()]
    )  # fmt: skip


CASES = (
    one_model, models_in_models, with_and_without_mask, masks_of_both, dict_inputs,
    in_an_authored_layer, in_a_sequential,
)  # fmt: skip


def fill(model):
    draw = np.random.default_rng(0)
    model.set_weights([draw.normal(size=w.shape).astype("float32") for w in model.get_weights()])
    return model


def targets(model):
    outputs = model.predict(IDS, verbose=0)
    return (
        [np.ones_like(y) for y in outputs] if isinstance(outputs, list) else np.ones_like(outputs)
    )


@pytest.mark.parametrize("make", CASES)
def test_the_mask_goes_on_inside(make):
    results = []
    for library in (fjax, keras):
        model = make(library)
        model.predict(IDS, verbose=0)
        model = fill(model)
        predictions = model.predict(IDS, verbose=0)
        model.compile(library.optimizers.SGD(0.1), "mse")
        y = targets(model)
        results.append([predictions, model.evaluate(IDS, y, verbose=0, return_dict=True)["loss"]])
    ours, theirs = (np.concatenate([np.ravel(a) for a in _flat(r)]) for r in results)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def _flat(value):
    return [a for each in value for a in _flat(each)] if isinstance(value, list) else [value]


def test_the_mask_changes_the_outputs():
    masked = fill(one_model(fjax)).predict(IDS, verbose=0)
    tokens, x = embedded(fjax, mask_zero=False)
    sequence, dropped = encoder(fjax)(x)
    unmasked = fill(fjax.Model(tokens, [mean(fjax, sequence), dropped]))
    plain = unmasked.predict(IDS, verbose=0)
    assert abs(masked[0] - plain[0]).max() > 0.01
    np.testing.assert_allclose(masked[1], plain[1], rtol=1e-6)


@pytest.mark.parametrize("make", [models_in_models, masks_of_both])
def test_copies_and_files_keep_the_masks(make, tmp_path):
    model = fill(make(fjax))
    expected = model.predict(IDS, verbose=0)
    clone = fjax.models.clone_model(model)
    clone.set_weights(model.get_weights())
    model.save(tmp_path / "model")
    for other in (clone, fjax.models.load_model(tmp_path / "model")):
        for one, theirs in zip(other.predict(IDS, verbose=0), expected, strict=True):
            np.testing.assert_array_equal(one, theirs)


def test_a_summary_shows_the_layers_of_a_masked_inner_model():
    lines = []
    masks_of_both(fjax).summary(expand_nested=True, print_fn=lines.append)
    assert "masking" in lines[0] and "add" in lines[0]


def test_training_with_a_masked_inner_model_is_that_of_keras():
    losses = []
    for library in (fjax, keras):
        model = fill(one_model(library))
        model.compile(library.optimizers.SGD(0.1), "mse")
        y = [np.ones((3, 3)), np.ones((3, 5))]
        losses.append(model.fit(IDS, y, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-5)
