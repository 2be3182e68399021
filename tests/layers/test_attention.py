"""Attention layers: calls, masks, dropout, penalties and errors; for Keras's numbers see parity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import layers
from fjax.core.calling import CallKwargs
from fjax.core.masking import Masked

X = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32"))
MASK = jnp.array([[True, True, False], [True, False, False]])
HEADS = layers.MultiHeadAttention(2, 3)
PARAMS, STATE = HEADS.init(jax.random.key(0), X, X)


def test_query_value_and_key_by_name():
    expected, _ = HEADS.apply(PARAMS, STATE, X, X + 1, X - 1)
    named, _ = HEADS.apply(PARAMS, STATE, CallKwargs(query=X, key=X - 1, value=X + 1))
    mixed, _ = HEADS.apply(PARAMS, STATE, X, CallKwargs(key=X - 1, value=X + 1))
    np.testing.assert_array_equal(named, expected)
    np.testing.assert_array_equal(mixed, expected)


def test_in_a_graph_with_options_and_in_a_model():
    tokens = fjax.Input((3,), dtype="int32")
    embedded = layers.Embedding(5, 4, mask_zero=True)(tokens)
    attended, weights = layers.MultiHeadAttention(2, 3)(
        embedded, embedded, return_attention_scores=True, use_causal_mask=True
    )
    added = layers.LayerNormalization()(layers.Add()([embedded, attended]))
    assert (attended.shape, weights.shape) == ((None, 3, 4), (None, 2, 3, 3))
    model = fjax.Model(tokens, [layers.GlobalAveragePooling1D()(added), weights])
    pooled, scores = model.predict(np.array([[1, 2, 0], [3, 0, 0]]), verbose=0)
    assert pooled.shape == (2, 4)
    # Weights of padding and of later steps are 0.
    np.testing.assert_allclose(scores[0, :, 1].sum(axis=-1), 1.0, rtol=1e-6)
    assert (scores[0, :, 0, 1:] == 0).all()
    assert (scores[1, :, 0, 1:] == 0).all()


def test_padding_has_no_influence_and_outputs_carry_the_query_mask():
    with_zeros, _ = HEADS.apply(PARAMS, STATE, X, Masked(X, MASK))
    with_nines, _ = HEADS.apply(PARAMS, STATE, X, Masked(jnp.where(MASK[..., None], X, 9.0), MASK))
    np.testing.assert_allclose(with_zeros, with_nines, rtol=1e-6)
    outputs, _ = HEADS.apply(PARAMS, STATE, Masked(X, MASK), X)
    np.testing.assert_array_equal(outputs.mask, MASK)


def test_dropout_keeps_the_mean_of_the_outputs():
    layer = layers.MultiHeadAttention(2, 3, dropout=0.5)
    expected, _ = layer.apply(PARAMS, STATE, X, X)
    drawn = jax.vmap(
        lambda key: layer.apply(PARAMS, STATE, X, X, key=key, training=True)[0]
    )(jax.random.split(jax.random.key(0), 2000))  # fmt: skip
    errors = np.asarray(drawn.mean(axis=0) - expected) / np.asarray(drawn.std(axis=0)) * 2000**0.5
    # Approximately normal: with probability 0.998 none of the 24 errors exceeds 4.
    assert np.abs(errors).max() < 4


def test_penalties_and_constraints_apply_to_each_projection():
    layer = layers.MultiHeadAttention(
        1, 2, kernel_regularizer=fjax.regularizers.L1(1.0), kernel_constraint="non_neg"
    )
    params, state = layer.init(jax.random.key(0), X, X)
    _, state = layer.apply(params, state, X, X)
    total = sum(float(jnp.abs(part["kernel"]).sum()) for part in params.values())
    np.testing.assert_allclose(state["penalty"]["weights"], total, rtol=1e-5)
    constrained = layer.constrain(params)
    assert all(float(part["kernel"].min()) >= 0 for part in constrained.values())
    assert list(params) == ["query", "key", "value", "attention_output"]


def test_weights_are_drawn_with_keras_fans():
    layer = layers.MultiHeadAttention(4, 8, kernel_initializer="he_normal")
    wide = jax.ShapeDtypeStruct((1, 2, 256), "float32")
    params, _ = layer.init(jax.random.key(0), wide, wide)
    assert abs(float(params["query"]["kernel"].std()) / (2 / 256) ** 0.5 - 1) < 0.1
    assert abs(float(params["attention_output"]["kernel"].std()) / (2 / 32) ** 0.5 - 1) < 0.1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"num_heads": 0, "key_dim": 3}, "`num_heads` must be an integer of at least 1"),
        ({"num_heads": 2, "key_dim": -1}, "`key_dim` must be an integer of at least 1"),
        ({"num_heads": "two", "key_dim": 3}, "`num_heads` must be an integer"),
        ({"num_heads": 2, "key_dim": 3, "value_dim": 0}, "`value_dim` must be"),
        ({"num_heads": 2, "key_dim": 3, "dropout": 1.5}, "`dropout` must be a number in"),
        ({"num_heads": 2, "key_dim": 3, "output_shape": (0,)}, "`output_shape` must be a positive"),
        ({"num_heads": 2, "key_dim": 3, "attention_axes": "x"}, "`attention_axes` must be an int"),
        ({"num_heads": 2, "key_dim": 3, "sliding_window": 0}, "`sliding_window` must be"),
        ({"num_heads": 2, "key_dim": 3, "flash_attention": 2}, "`flash_attention` must be one of"),
    ],
)  # fmt: skip
def test_invalid_arguments(config, message):
    with pytest.raises(ValueError, match=message):
        layers.MultiHeadAttention(**config)


def test_numbers_of_heads_that_do_not_divide():
    with pytest.raises(ValueError, match="`num_key_value_heads` must divide `num_query_heads`"):
        layers.GroupQueryAttention(2, 3, 2)


CALLS = {
    "one input": ((X,), {}, "value is missing"),
    "four inputs": ((X, X, X, X), {}, "received 4 inputs"),
    "twice": ((X, X), {"value": X}, "`value` both by position and by name"),
    "two axes": ((X[0], X[0]), {}, "needs a query of shape"),
    "batch": ((X, X[:1]), {}, "the same batch size"),
    "key and value": ((X, X, X[:, :2]), {}, "value and key must have the same shape"),
    "features": ((X[..., :2], X), {}, "was built for a query of 4 features"),
    "mask": ((X, X), {"value_mask": MASK[:, :2]}, "MultiHeadAttention: value`: the mask must"),
    "attention mask": ((X, X), {"attention_mask": MASK}, r"must broadcast to \(2, 3, 3\)"),
    "flag": ((X, X), {"use_causal_mask": 1}, "`use_causal_mask` must be True or False"),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_invalid_calls(call):
    inputs, options, message = CALLS[call]
    with pytest.raises((TypeError, ValueError), match=message):
        HEADS.apply(PARAMS, STATE, *inputs, *([CallKwargs(options)] if options else []))


def test_invalid_attention_axes():
    layer = layers.MultiHeadAttention(2, 3, attention_axes=(3,))
    with pytest.raises(ValueError, match="distinct axes between the batch axis and the features"):
        layer.apply(PARAMS, STATE, X[:, None], X[:, None])
    layer = layers.MultiHeadAttention(2, 3)
    with pytest.raises(ValueError, match="`use_causal_mask` needs attention over a single"):
        layer.apply(PARAMS, STATE, X[:, None], X[:, None], CallKwargs(use_causal_mask=True))


def test_training_with_dropout_needs_a_key():
    with pytest.raises(ValueError, match="draws random numbers in training and needs a key"):
        layers.Attention(dropout=0.5).apply({}, {}, X, X, training=True)


def test_attention_without_projections_needs_equal_features():
    with pytest.raises(ValueError, match="query and key must have the same number of features"):
        layers.Attention().apply({}, {}, X, X[..., :2])
