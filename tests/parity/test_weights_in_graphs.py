"""Weights of layers as operands in functional models, compared with Keras."""

import keras
import numpy as np
import pytest

import fjax

IDS = np.array([[1, 2, 3], [3, 4, 5]], "int32")


def tied(library):
    """Return a model whose head is the transposed embedding."""
    tokens = library.Input((3,), dtype="int32")
    embedding = library.layers.Embedding(8, 4, name="embedding")
    hidden = library.layers.Dense(4, name="dense")(embedding(tokens))
    return library.Model(
        tokens, library.ops.einsum("btd,vd->btv", hidden, embedding.embeddings), name="tied"
    )


def operator(library):
    tokens = library.Input((3,), dtype="int32")
    embedding, dense = library.layers.Embedding(8, 4), library.layers.Dense(4, use_bias=False)
    hidden = dense(embedding(tokens))
    return library.Model(tokens, (hidden @ dense.kernel) * 2.0 + hidden)


def argument_of_a_layer(library):
    x = library.Input((4,))
    dense = library.layers.Dense(4, bias_initializer="ones")
    y = dense(x)
    pooled = library.ops.multiply(dense.kernel, library.ops.mean(y))
    return library.Model(x, library.layers.Dense(2)(y) + library.ops.sum(pooled))


def called_again(library):
    """Return a model with another call of the layer than the first one."""
    x = library.Input((4,))
    dense = library.layers.Dense(4)
    dense(library.Input((4,)))
    return library.Model(x, library.ops.matmul(dense(x), dense.kernel))


def in_a_nested_model(library):
    x = library.Input((4,))
    dense = library.layers.Dense(4)
    inner = library.Model(x, library.ops.matmul(dense(x), dense.kernel))
    y = library.Input((4,))
    return library.Model(y, inner(inner(y)))


def frozen(library):
    model = tied(library)
    model.get_layer("embedding").trainable = False
    return model


MODELS = (tied, operator, argument_of_a_layer, called_again, in_a_nested_model, frozen)


def inputs_of(model):
    return (
        IDS if model.input_shape == (None, 3) else np.linspace(-1, 1, 12, dtype="f4").reshape(3, 4)
    )


@pytest.mark.parametrize("make", MODELS)
def test_a_weight_as_an_operand_is_trained_as_in_keras(make):
    results, weights = [], None
    for library in (keras, fjax):
        model = make(library)
        draw = np.random.default_rng(3)
        weights = weights or [draw.normal(size=w.shape) * 0.5 for w in model.get_weights()]
        model.set_weights(weights)
        x = inputs_of(model)
        predictions = model.predict(x, verbose=0)
        model.compile(library.optimizers.SGD(0.05), "mse")
        history = model.fit(x, np.zeros_like(predictions), epochs=3, verbose=0, shuffle=False)
        results.append([predictions, *model.get_weights(), history.history["loss"]])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-6)


def test_copies_and_files_read_the_weight_of_their_own_layer(tmp_path):
    model = tied(fjax)
    expected = model.predict(IDS, verbose=0)
    model.save(tmp_path / "model")
    clone = fjax.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for other in (clone, fjax.models.load_model(tmp_path / "model")):
        np.testing.assert_allclose(other.predict(IDS, verbose=0), expected, rtol=1e-6)
        other.set_weights([2.0 * weight for weight in model.get_weights()])
        assert abs(other.predict(IDS, verbose=0) - expected).max() > 1e-3
    np.testing.assert_array_equal(model.predict(IDS, verbose=0), expected)


def test_the_layer_is_listed_once_and_its_output_is_that_of_its_call():
    model, lines = tied(fjax), []
    assert [layer.name for layer in model.layers][1:] == ["embedding", "dense", "einsum"]
    assert model.get_layer("embedding").output.shape == (None, 3, 4)
    model.summary(print_fn=lines.append)
    assert "dense," in lines[0] and model.count_params() == 8 * 4 + 4 * 4 + 4


def test_a_weight_of_a_layer_that_no_graph_has_is_an_error():
    dense, x = fjax.layers.Dense(4), fjax.Input((4,))
    dense.build((None, 4))
    for use in (lambda: x @ dense.kernel, lambda: fjax.ops.matmul(x, dense.kernel)):
        with pytest.raises(TypeError, match=r"'.*kernel' was given to an operation on symbolic"):
            use()
    assert fjax.ops.matmul(x, np.array(dense.kernel)).shape == (None, 4)


def test_a_weight_for_the_inputs_of_its_own_layers_only_call_is_an_error():
    first, x = fjax.Input((4,)), fjax.Input((4,))
    dense = fjax.layers.Dense(4)
    first_call = dense(first)
    outputs = dense(fjax.ops.matmul(x, dense.kernel))
    with pytest.raises(ValueError, match=r"weight .kernel. of the layer .dense. is read"):
        fjax.Model(x, outputs)
    assert first_call.shape == (None, 4)


def test_a_forged_weight_is_refused(tmp_path):
    graph = tied(fjax).network
    calls = [
        type(call)(call.layer, call.inputs, call.outputs, weight=("params", "kernels"))
        if call.weight
        else call
        for call in graph.calls
    ]
    forged = type(graph)(graph.inputs, graph.layers, tuple(calls), graph.outputs, graph.names)
    with pytest.raises(ValueError, match="has no weight 'params/kernels'"):
        fjax.Model(forged)
