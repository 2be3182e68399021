"""`ReversibleEmbedding`, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

IDS = np.array([[1, 2, 0], [3, 4, 5]], "int32")


def language_model(library, **options):
    tokens = library.Input((3,), dtype="int32")
    embedding = library.layers.ReversibleEmbedding(8, 4, **options)
    hidden = library.layers.Dense(4, activation="tanh")(embedding(tokens))
    return library.Model(tokens, embedding(hidden, reverse=True))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"tie_weights": False, "logit_soft_cap": 2.0},
        {"embeddings_regularizer": "l2", "embeddings_constraint": "non_neg"},
        {"mask_zero": True},
    ],
)
def test_training_is_that_of_keras(options):
    results, weights = [], None
    for library in (keras, fjax):
        model = language_model(library, **options)
        draw = np.random.default_rng(3)
        weights = weights or [draw.normal(size=w.shape) * 0.5 for w in model.get_weights()]
        model.set_weights(weights)
        predictions = model.predict(IDS, verbose=0)
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(library.optimizers.SGD(0.5), loss)
        history = model.fit(IDS, IDS, epochs=3, verbose=0, shuffle=False)
        results.append([predictions, *model.get_weights(), history.history["loss"]])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_calls_on_arrays_and_arguments_are_those_of_keras(tmp_path):
    ours, theirs = (
        library.layers.ReversibleEmbedding(8, 4, False, "ones", logit_soft_cap=3.0)
        for library in (fjax, keras)
    )
    for x, reverse in ((IDS, False), (np.linspace(-1, 1, 8, dtype="f4").reshape(2, 4), True)):
        np.testing.assert_allclose(
            ours(x, reverse=reverse), theirs(x, reverse=reverse), rtol=1e-6, atol=1e-7
        )
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    names = ("input_dim", "output_dim", "tie_weights", "reverse_dtype", "logit_soft_cap")
    configs = [layer.get_config() for layer in (ours, theirs)]
    assert [configs[0][name] for name in names] == [configs[1][name] for name in names]
    model = language_model(fjax)
    model.save(tmp_path / "model")
    loaded = fjax.models.load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(IDS, verbose=0), model.predict(IDS, verbose=0))


def test_mistakes():
    layer = fjax.layers.ReversibleEmbedding(8, 4)
    with pytest.raises(ValueError, match=r"`ReversibleEmbedding` with `reverse=True` takes vector"):
        layer(np.ones((2, 3)), reverse=True)
    with pytest.raises(ValueError, match="`reverse` must be True or False, received 1"):
        layer(IDS, reverse=1)
    with pytest.raises(ValueError, match="`tie_weights` must be True or False, received 'ones'"):
        fjax.layers.ReversibleEmbedding(8, 4, "ones")
    with pytest.raises(ValueError, match=r"`reverse_dtype` must be .*, received 'floaty'"):
        fjax.layers.ReversibleEmbedding(8, 4, reverse_dtype="floaty")
    with pytest.raises(ValueError, match="takes whole numbers from 0 to 7"):
        language_model(fjax).predict(IDS + 5, verbose=0)
