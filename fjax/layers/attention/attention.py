"""Attention without projections: dot-product and additive."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.layer import Layer
from fjax.core.masking import with_mask
from fjax.errors import one_of
from fjax.layers.attention.dropout import check_dropout, drop_weights
from fjax.layers.attention.inputs import AttentionInputs, input_features, parse_inputs
from fjax.lowering.attention import causal_mask
from fjax.typing import Array, Key, Params, Spec, State

# Subtracted from the scores of masked keys.
MASK_PENALTY = 1e9


class ScoredAttention(Layer):
    """Base of the attention layers without projections; a subclass defines `scores`."""

    rows_independent = True

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = ("return_attention_scores", "use_causal_mask")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_dropout(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the outputs, and the attention weights if they are asked for."""
        call = parse_inputs(self.kind, inputs)
        if call.query.shape[-1] != call.key.shape[-1]:
            raise ValueError(
                f"`{self.kind}`: query and key must have the same number of features, received "
                f"{tuple(call.query.shape)} and {tuple(call.key.shape)}."
            )
        scores = self.scores(params, call.query, call.key)
        # Half precision is too narrow to sum in.
        scores = scores.astype(jnp.promote_types(scores.dtype, jnp.float32))
        mask = _score_mask(call)
        if mask is not None:
            # As in Keras the scores are lowered, not replaced: where all keys are masked, the
            # weights still depend on the scores.
            scores = jnp.where(mask, scores, scores - MASK_PENALTY)
        weights = jax.nn.softmax(scores, axis=-1)
        applied_weights = drop_weights(self, weights, key, training)
        outputs = jnp.matmul(applied_weights.astype(call.value.dtype), call.value)
        if call.query_mask is not None:
            outputs = jnp.where(call.query_mask[..., None], outputs, jnp.zeros_like(outputs))
        masked = with_mask(outputs, call.query_mask)
        return ((masked, weights) if call.return_attention_scores else masked), state

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """Return how well each key matches each query, `(batch, targets, sources)`."""
        raise NotImplementedError(f"`{self.kind}` defines no `scores`.")


class Attention(ScoredAttention):
    """Dot-product attention: the average of the values, weighted by `softmax(query · key)`.

    The layer is called with query, value and optionally key, which defaults to the value. Inputs
    without masks may be given `mask=[query_mask, value_mask]`. Options of a call:
    `use_causal_mask` excludes later steps, `return_attention_scores` returns the weights, too.
    The outputs of masked queries are 0; the outputs carry the mask of the query.

    Args:
        use_scale: Whether to multiply the scores by a trainable scalar, `scale`.
        score_mode: "dot" for `query · key`; "concat" for `sum(tanh(query + key))` times a
            trainable scalar, `concat_score_weight`, with `scale` inside the tanh.
        dropout: The share of the attention weights to drop in training, in [0, 1].
        seed: Folded into the dropout key, to distinguish layers that receive the same key.

    Shapes: query `(batch, targets, features)`, value `(batch, sources, size)`, key `(batch,
    sources, features)`, to `(batch, targets, size)`, and weights `(batch, targets, sources)`.

    Raises:
        ValueError: An argument is out of range, shapes or masks do not match, or a training step
            with dropout has no key.
        TypeError: Query or value is missing.

    Source: Luong et al., "Effective Approaches to Attention-based Neural Machine Translation"
    (2015), https://arxiv.org/abs/1508.04025; Keras's page "Attention layer".

    >>> import jax.numpy as jnp
    >>> query, value = jnp.zeros((1, 1, 2)), jnp.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> Attention()(query, value).tolist()
    [[[2.0, 3.0]]]
    """

    use_scale: bool = False
    score_mode: str = "dot"
    dropout: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.score_mode = one_of(self.kind, "score_mode", self.score_mode, ["dot", "concat"])

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the trainable scalars, which start at 1."""
        input_features(self.kind, specs)
        params = {"scale": jnp.ones((), jnp.float32)} if self.use_scale else {}
        if self.score_mode == "concat":
            params["concat_score_weight"] = jnp.ones((), jnp.float32)
        return params, {}

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """Return dot products, or with `score_mode="concat"` sums of tanh."""
        scale = params.get("scale", 1.0)
        if self.score_mode == "dot":
            return jnp.matmul(query, jnp.swapaxes(key, -2, -1)) * scale
        terms = jnp.tanh(scale * (query[..., :, None, :] + key[..., None, :, :]))
        return params["concat_score_weight"] * jnp.sum(terms, axis=-1)


class AdditiveAttention(ScoredAttention):
    """Additive attention: the average of the values, weighted by `softmax(sum(tanh(query + key)))`.

    The call, its masks and its options are those of `Attention`.

    Args:
        use_scale: Whether to multiply the terms of the sum by trainable numbers, `scale`.
        dropout: The share of the attention weights to drop in training, in [0, 1].
        seed: Folded into the dropout key, to distinguish layers that receive the same key.

    Shapes: those of `Attention`; `scale` has shape `(features,)`.

    Raises:
        ValueError: `dropout` is out of range, shapes or masks do not match, or a training step
            with dropout has no key.
        TypeError: Query or value is missing.

    Source: Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and
    Translate" (2015), https://arxiv.org/abs/1409.0473; Keras's page "AdditiveAttention layer".

    >>> import jax.numpy as jnp
    >>> query, value = jnp.zeros((1, 1, 2)), jnp.array([[[1.0, 1.0], [1.0, 1.0]]])
    >>> AdditiveAttention(use_scale=False)(query, value).tolist()
    [[[1.0, 1.0]]]
    """

    use_scale: bool = True
    dropout: float = 0.0
    seed: int | None = None

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw `scale`."""
        features = input_features(self.kind, specs)["query"]
        if not self.use_scale:
            return {}, {}
        initializer = initializers.get("glorot_uniform")
        return {"scale": initializers.draw(initializer, key, (features,), self.variable_dtype)}, {}

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """Return sums of tanh."""
        terms = jnp.tanh(query[..., :, None, :] + key[..., None, :, :])
        return jnp.sum(terms * params["scale"] if self.use_scale else terms, axis=-1)


def _score_mask(call: AttentionInputs) -> Array | None:
    """Return which scores are valid, `(batch or 1, targets or 1, sources)`, or None for all."""
    mask = None if call.value_mask is None else call.value_mask[..., None, :]
    if not call.use_causal_mask:
        return mask
    causal = causal_mask(call.query.shape[-2], call.key.shape[-2])
    return causal if mask is None else jnp.logical_and(mask, causal)
