"""Operations in models, under transformations of JAX, and on what they cannot take."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Model, Variable, layers, losses, ops, saving
from fjax.core import Constant, FunctionCall
from fjax.core.masking import Masked
from fjax.core.row_independence import rows_are_independent
from fjax.models import clone_model
from fjax.storage.functions import function_named, name_of_function

pytestmark = pytest.mark.short

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 4, 6)).astype("float32")
Y = X[:, 0]


def make_model():
    images, rows = layers.Input((4, 6), name="images"), layers.Input((6,), name="rows")
    scaled = ops.gelu(images) * np.arange(6, dtype="float32")
    flat = ops.reshape(scaled, (ops.shape(images)[0], -1))
    hidden = layers.Dense(3)(flat)
    where = ops.where(rows > 0, rows, ops.zeros_like(rows))
    joined = ops.concatenate([hidden, where, ops.cast(rows != 0, "float32")], axis=-1)
    values, _ = ops.top_k(joined, k=2)
    return Model([images, rows], ops.matmul(joined, ops.ones((15, 2))) + values)


def by_hand(model):
    kernel, bias = model.get_weights()
    hidden = (jax.nn.gelu(X) * np.arange(6)).reshape(8, -1) @ kernel + bias
    joined = jnp.concatenate([hidden, jnp.maximum(Y, 0), Y != 0], axis=-1)
    return joined @ np.ones((15, 2)) + jax.lax.top_k(joined, 2)[0]


def test_a_model_of_operations_is_trained_cloned_and_predicts():
    model = make_model()
    model.compile("adam", "mse")
    before = model.get_weights()[0]
    model.fit([X, Y], np.zeros((8, 2)), verbose=0)
    assert (model.get_weights()[0] != before).any()
    found = model.predict([X, Y], verbose=0)
    np.testing.assert_allclose(found, by_hand(model), rtol=1e-4, atol=1e-5)
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict([X, Y], verbose=0), found)


def test_a_model_file_holds_the_names_of_operations(tmp_path):
    model = make_model()
    model.save(tmp_path / "model.fjax")
    again = saving.load_model(tmp_path / "model.fjax")
    assert again.network == model.network
    np.testing.assert_array_equal(
        again.predict([X, Y], verbose=0), model.predict([X, Y], verbose=0)
    )


# With loops and functions of functions, a file would be a program.
OF_FUNCTIONS = {
    "cond", "switch", "while_loop", "fori_loop", "scan", "associative_scan", "map",
    "vectorized_map", "custom_gradient", "vectorize", "jvp",
}  # fmt: skip


def test_every_public_operation_has_a_name_in_files_and_no_other_function_has():
    for module, prefix in ((ops, "ops"), (ops.image, "ops.image")):
        for name in module.__all__:
            member = getattr(module, name)
            if name in OF_FUNCTIONS:
                assert name_of_function(member) is None
            elif not inspect.ismodule(member):
                found = name_of_function(member)
                assert found is not None and function_named(found) is member, name
                assert found.startswith(prefix)
    for name in (
        "ops.while_loop",
        "ops.__import__",
        "ops.jnp.sin",
        "ops.core.op",
        "ops.definition.ast",
        "ops.op",
    ):
        with pytest.raises(ValueError, match="fjax has no function"):
            function_named(name)
    with pytest.raises(ValueError, match=r"Did you mean `ops\.softmax`"):
        function_named("ops.sofmax")


def test_a_damaged_constant_is_refused():
    constant = Constant.of(np.arange(6.0).reshape(2, 3))
    assert constant.array.dtype == "float32" and constant.array.shape == (2, 3)
    for change in ({"sizes": (7,)}, {"data": "?"}, {"dtype_name": "object"}, {"dtype_name": "no"}):
        with pytest.raises(ValueError, match="`Constant`: the data is no array of shape"):
            Constant(**{**constant.get_config(), **change})
    half = Constant.of(jnp.arange(3, dtype="bfloat16"))
    assert half.array.dtype == jnp.bfloat16 and half.array.tolist() == [0.0, 1.0, 2.0]


def test_operations_work_under_transformations():
    def function(x):
        return ops.sum(ops.logsumexp(ops.einsum("ij,kj->ik", x, x), axis=-1))

    found = jax.jit(jax.grad(function))(Y)
    expected = jax.grad(lambda x: jax.nn.logsumexp(x @ x.T, axis=-1).sum())(Y)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    rows = jax.vmap(lambda x: ops.softmax(ops.take(x, [0, 2])))(Y)
    np.testing.assert_allclose(rows, jax.nn.softmax(Y[:, [0, 2]]), rtol=1e-6)
    assert jax.eval_shape(ops.flip, jax.ShapeDtypeStruct((2, 3), "int8")).dtype == "int8"


def test_gradients_of_the_ctc_loss_are_finite():
    logits, lengths = X[:, :, :5], np.full(8, 4)
    labels = RNG.integers(1, 5, (8, 2))
    gradient = jax.grad(lambda x: ops.ctc_loss(labels, x, np.full(8, 2), lengths).sum())(logits)
    assert np.isfinite(gradient).all() and (gradient != 0).any()
    np.testing.assert_array_equal(
        losses.ctc(labels, logits), ops.ctc_loss(labels, logits, np.full(8, 2), lengths)
    )


def test_beam_search_finds_the_most_likely_labels():
    """Of all label sequences of up to 3 labels, by the loss of each."""
    logits = RNG.normal(size=(1, 3, 3)).astype("float32")
    sequences = [()] + [(a,) for a in (1, 2)] + [(a, b) for a in (1, 2) for b in (1, 2)]
    sequences += [(a, b, c) for a in (1, 2) for b in (1, 2) for c in (1, 2)]
    scores = {}
    for labels in sequences:
        padded = np.array([[*labels, *[0] * (3 - len(labels))]])
        scores[labels] = -ops.ctc_loss(padded, logits, [len(labels)], [3])[0].item()
    best = sorted(scores, key=scores.get, reverse=True)[:4]
    paths, found = ops.ctc_decode(logits, [3], strategy="beam_search", beam_width=20, top_paths=4)
    decoded = [tuple(label for label in path if label >= 0) for path in paths[:, 0].tolist()]
    assert decoded == best
    np.testing.assert_allclose(found[0], [scores[labels] for labels in best], rtol=1e-5)


def test_variables_masked_values_and_lists_are_arrays():
    assert ops.add(Variable([1.0, 2.0]), [1, 2]).tolist() == [2.0, 4.0]
    assert ops.sum(Masked(jnp.ones(3), jnp.ones(3, bool))).item() == 3.0
    assert ops.stack([Variable(1.0), 2.0]).tolist() == [1.0, 2.0]


def test_elementwise_operations_keep_rows_apart():
    def independent(function):
        tensor = layers.Input((6,))
        return rows_are_independent(Model(tensor, function(tensor)).network)

    assert independent(ops.relu) and independent(lambda t: ops.softmax(t, axis=-1))
    assert not independent(lambda t: ops.softmax(t, axis=0))
    assert not independent(lambda t: ops.flip(t, axis=0))


def test_functions_of_functions_take_tensors():
    tensor = layers.Input((6,))
    doubled = Model(tensor, ops.vectorized_map(lambda row: row * 2, tensor))
    np.testing.assert_array_equal(doubled.predict(Y, verbose=0), Y * 2)
    with pytest.raises(TypeError, match="is a function without a name"):
        doubled.to_json()


def test_vectorize_and_custom_gradient():
    assert ops.vectorize(lambda x, y: x * y)(jnp.arange(3), 2).tolist() == [0, 2, 4]
    tripled = ops.custom_gradient(lambda x: (3 * x, lambda upstream: upstream * 7))
    assert (tripled(2.0), jax.grad(tripled)(2.0)) == (6.0, 7.0)


TENSOR = layers.Input((4, 6))
REFUSED = {
    "text": (lambda: ops.relu("abc"), TypeError, "`relu`: `x` must be an array of numbers.*'abc'"),
    "a list of text": (lambda: ops.add(["a"], 1), TypeError, "`add`: `x1` must be .* text"),
    "text among arrays": (lambda: ops.stack(["a", "b"]), TypeError, "`stack`: `x` must be"),
    "an array of text": (lambda: ops.sum(np.array(["a"])), TypeError, "`sum`: `x` must be"),
    "a missing argument": (lambda: ops.take([1]), TypeError, "`take`: missing .* 'indices'"),
    "a misspelled name": (lambda: ops.sum([1], axes=1), TypeError, "`sum` takes.*mean `axis`"),
    "an unknown size": (
        lambda: ops.zeros((ops.shape(TENSOR)[0], 3)), ValueError, "`zeros`.*`zeros_like"
    ),
    "a size that is not there": (
        lambda: ops.reshape(X, (2, 2, 2, None)), ValueError, "the size None of axis 3"
    ),
    "a traced array": (
        lambda: jax.jit(lambda x: ops.add(TENSOR, x).shape)(1.0), TypeError, "being computed"
    ),
    "a wrong shape": (lambda: ops.matmul(TENSOR, TENSOR), TypeError, "contracting"),
    "segments": (lambda: ops.segment_sum(Y, [0] * 8), ValueError, "`num_segments` must be given"),
    "sparse": (lambda: ops.one_hot([1], 2, sparse=True), ValueError, "no sparse arrays"),
    "a parameter": (lambda: ops.qr(Y, mode="full"), ValueError, "`qr`: `mode` must be one of"),
    "a layout": (lambda: ops.max_pool(X, 2, data_format="no"), ValueError, "`max_pool`"),
    "no matrix": (lambda: ops.cholesky(-np.eye(2)), ValueError, "not positive definite"),
    "an exponent": (lambda: ops.ldexp(Y, Y), TypeError, "`ldexp`: `x2` must be integers"),
    "a pattern": (lambda: ops.rearrange(X, "a b -> b a"), ValueError, "left side has 2 axes"),
    "a size of a pattern": (
        lambda: ops.rearrange(X, "a (b c) d -> a b c d"), ValueError, "give the size of `b` or `c`"
    ),
    "images": (lambda: ops.image.resize(Y, (2, 2)), ValueError, "`resize`: images must have 3"),
    "padding": (lambda: ops.image.pad_images(X, 1, 1), ValueError, "exactly two must be given"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_uses_are_refused(name):
    make, kind, message = REFUSED[name]
    with pytest.raises(kind, match=message):
        make()


def test_the_layer_of_a_call_is_plain_data():
    layer = ops.sum(TENSOR, axis=1).node.layer
    assert isinstance(layer, FunctionCall)
    assert (layer.function, layer.keywords) == (ops.sum, {"axis": 1})
    assert layer == ops.sum(TENSOR, axis=1).node.layer
    assert layer != ops.sum(TENSOR, axis=2).node.layer
    assert ops.cast(TENSOR, jnp.float16).node.layer.arguments[1] == "float16"
