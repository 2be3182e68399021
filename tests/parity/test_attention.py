"""Attention layers compared with Keras, with the same weights."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fjax import layers
from fjax.core.calling import CallKwargs
from fjax.core.masking import Masked, split_mask

RANDOM = np.random.default_rng(0)
QUERY = RANDOM.normal(size=(2, 3, 4)).astype("float32")
VALUE = RANDOM.normal(size=(2, 5, 3)).astype("float32")
KEY = RANDOM.normal(size=(2, 5, 2)).astype("float32")
QUERY_MASK = np.array([[True, True, False], [True, True, True]])
VALUE_MASK = np.array([[True, False, True, False, False], [False, True, True, True, True]])
ATTENTION_MASK = RANDOM.random((2, 3, 5)) > 0.3
HEADS = {"MultiHeadAttention", "GroupQueryAttention"}


def leaves(tree):
    """Return the arrays of nested dicts in insertion order."""
    for value in tree.values():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield value


def like(tree, arrays):
    """Return the same nested dicts with other arrays."""
    return {
        name: like(value, arrays) if isinstance(value, dict) else next(arrays)
        for name, value in tree.items()
    }


def make_pair(name, config, inputs):
    """Return a Keras layer with random weights, our layer, and these weights as params."""
    theirs, ours = getattr(keras.layers, name)(**config), getattr(layers, name)(**config)
    params, state = ours.init(jax.random.key(0), *inputs)
    shapes = [value.shape for value in inputs]
    theirs.build(*shapes) if name in HEADS else theirs.build(shapes)
    random = np.random.default_rng(1)
    weights = [random.normal(size=w.shape).astype("float32") for w in theirs.weights]
    assert [w.shape for w in leaves(params)] == [w.shape for w in weights]
    theirs.set_weights(weights)
    return theirs, ours, like(params, iter(weights)), state


def call_keras(theirs, name, inputs, **options):
    inputs = [jnp.asarray(value) for value in inputs]
    return theirs(*inputs, **options) if name in HEADS else theirs(inputs, **options)


def compare(name, config, inputs, masks=(), gradients=False, **options):
    """Compare outputs, and optionally gradients, of a layer in both libraries."""
    theirs, ours, params, state = make_pair(name, config, inputs)
    names = ("query_mask", "value_mask", "key_mask")
    if name in HEADS:
        named_masks = dict(zip(names, masks, strict=False))
        query = jnp.asarray(inputs[0])
        # Keras's `MultiHeadAttention` takes the query's mask only from the query.
        if name == "MultiHeadAttention" and named_masks.get("query_mask") is not None:
            query._keras_mask = jnp.asarray(named_masks["query_mask"])
        mask_arguments = {key: jnp.asarray(m) for key, m in named_masks.items() if m is not None}
        expected = call_keras(theirs, name, [query, *inputs[1:]], **mask_arguments, **options)
    else:
        mask_arguments = {"mask": [*masks]} if masks else {}
        expected = call_keras(theirs, name, inputs, **mask_arguments, **options)
    our_inputs = [
        value if mask is None else Masked(value, mask)
        for value, mask in zip(inputs, [*masks, None, None, None], strict=False)
    ]
    last = [CallKwargs(options)] if options else []
    outputs, _ = ours.apply(params, state, *our_inputs, *last)
    if options.get("return_attention_scores"):
        np.testing.assert_allclose(outputs[1], expected[1], rtol=1e-5, atol=1e-6)
        outputs, expected = outputs[0], expected[0]
    values, mask = split_mask(outputs)
    assert (mask is None) == (not masks or masks[0] is None)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-5)
    if not gradients:
        return
    direction = np.random.default_rng(2).normal(size=values.shape)
    trainable = [w.value for w in theirs.trainable_variables]

    def their_loss(trainable, inputs):
        arguments = inputs if name in HEADS else [inputs]
        return (theirs.stateless_call(trainable, [], *arguments)[0] * direction).sum()

    def our_loss(params, inputs):
        return (ours.apply(params, state, *inputs)[0] * direction).sum()

    expected = jax.jit(jax.grad(their_loss, argnums=(0, 1)))(trainable, [*inputs])
    by_params, by_inputs = jax.jit(jax.grad(our_loss, argnums=(0, 1)))(params, [*inputs])
    ordered = list(leaves(like_order(params, by_params)))
    for one, other in zip([*ordered, *by_inputs], [*expected[0], *expected[1]], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def like_order(params, tree):
    """Return the entries of a tree in the order of the params; JAX sorts them."""
    return {
        name: like_order(value, tree[name]) if isinstance(value, dict) else tree[name]
        for name, value in params.items()
    }


MULTI_HEAD = [
    {"num_heads": 2, "key_dim": 3},
    {"num_heads": 2, "key_dim": 3, "use_bias": False, "output_shape": (2, 3)},
    {"num_heads": 1, "key_dim": 2, "output_shape": 5, "use_gate": True, "sliding_window": 2},
]


@pytest.mark.parametrize("config", MULTI_HEAD, ids=str)
def test_multi_head_attention(config):
    compare("MultiHeadAttention", config, [QUERY, VALUE, KEY], gradients=True)


def test_values_of_another_size():
    config = {"num_heads": 2, "key_dim": 3, "value_dim": 4}
    compare("MultiHeadAttention", config, [QUERY, VALUE], return_attention_scores=True)


def test_grouped_queries():
    config = {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}
    compare("GroupQueryAttention", config, [QUERY, VALUE, KEY], gradients=True)
    masks = [QUERY_MASK, VALUE_MASK]
    options = {"use_causal_mask": True, "return_attention_scores": True}
    compare("GroupQueryAttention", {**config, "use_gate": True}, [QUERY, VALUE], masks, **options)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"use_scale": True},
        {"use_scale": True, "score_mode": "concat"},
        {"score_mode": "concat"},
    ],
    ids=str,
)
def test_dot_product_attention(config):
    inputs = [QUERY, VALUE, RANDOM.normal(size=(2, 5, 4)).astype("float32")]
    compare("Attention", config, inputs, gradients=True)
    options = {"use_causal_mask": True, "return_attention_scores": True}
    compare("Attention", config, inputs, [QUERY_MASK, VALUE_MASK], **options)


@pytest.mark.parametrize("use_scale", [True, False])
def test_additive_attention(use_scale):
    inputs = [QUERY, VALUE, RANDOM.normal(size=(2, 5, 4)).astype("float32")]
    compare("AdditiveAttention", {"use_scale": use_scale}, inputs, gradients=True)
    masks = [None, VALUE_MASK]
    compare("AdditiveAttention", {"use_scale": use_scale}, inputs, masks, use_causal_mask=True)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("scores", [False, True])
def test_a_query_whose_keys_are_all_masked(dropout, scores):
    config = {"num_heads": 2, "key_dim": 3, "dropout": dropout}
    masks = [QUERY_MASK, np.zeros_like(VALUE_MASK)]
    compare("MultiHeadAttention", config, [QUERY, VALUE], masks, return_attention_scores=scores)


def masks_agree(query, value, key, causal, scores, attention, window):
    # Keras would broadcast the batch axis of the other masks against the heads of this one.
    assume(attention != "heads" or not (query or value or key))
    masks = [
        mask if wanted else None
        for mask, wanted in zip(
            [QUERY_MASK, VALUE_MASK, VALUE_MASK[::-1]], (query, value, key), strict=True
        )
    ]
    options = {"use_causal_mask": causal, "return_attention_scores": scores}
    if attention is not None:
        full = ATTENTION_MASK
        shaped = {"full": full, "flat": full[0], "heads": np.stack([full, ~full], axis=1)}
        options["attention_mask"] = jnp.asarray(shaped[attention])
    config = {"num_heads": 2, "key_dim": 3, "sliding_window": window}
    compare("MultiHeadAttention", config, [QUERY, VALUE, KEY], masks, **options)


any_masks = given(
    query=st.booleans(),
    value=st.booleans(),
    key=st.booleans(),
    causal=st.booleans(),
    scores=st.booleans(),
    attention=st.sampled_from([None, "full", "flat", "heads"]),
    window=st.sampled_from([None, 2]),
)


@settings(max_examples=6, deadline=None, derandomize=True)
@any_masks
def test_combined_masks(**drawn):
    masks_agree(**drawn)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@any_masks
def test_many_combined_masks(**drawn):
    masks_agree(**drawn)


@pytest.mark.parametrize("axes", [None, (2,), (1,), (-2,), (1, 2)])
def test_attention_over_selected_axes(axes):
    query = RANDOM.normal(size=(2, 3, 4, 5)).astype("float32")
    # The other axes must be equal in query and value.
    sizes = {None: (5, 2), (2,): (3, 5), (1,): (5, 4), (-2,): (3, 5), (1, 2): (5, 2)}[axes]
    value = RANDOM.normal(size=(2, *sizes, 3)).astype("float32")
    config = {"num_heads": 2, "key_dim": 3, "attention_axes": axes}
    compare("MultiHeadAttention", config, [query, value], return_attention_scores=True)
    over = 1 if axes not in (None, (1, 2)) else 2
    if over == 1:
        targets, sources = query.shape[axes[0]], value.shape[axes[0]]
        mask = RANDOM.random((2, targets, sources)) > 0.3
        options = {"attention_mask": jnp.asarray(mask)}
        compare("MultiHeadAttention", config, [query, value], **options)
