"""Attention without projections, by dot products and by sums."""

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.layer import Layer
from fjax.core.masking import with_mask
from fjax.errors import number_between, one_of, seed_of
from fjax.layers.attention.inputs import Inputs, attention_features, attention_inputs
from fjax.layers.dropout import apply_dropout, require_key
from fjax.lowering.attention import causal_mask
from fjax.typing import Array, Key, Params, Spec, State

# What the scores of masked keys are lowered by.
FAR = 1e9


class ScoredAttention(Layer):
    """Base of the attentions that differ in their scores: a subclass defines `scores`."""

    rows_independent = True

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = ("return_attention_scores", "use_causal_mask")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the outputs, with the weights if they are asked for."""
        owner = type(self).__name__
        given = attention_inputs(owner, inputs)
        if given.query.shape[-1] != given.key.shape[-1]:
            raise ValueError(
                f"`{owner}`: query and key must have as many features, received "
                f"{tuple(given.query.shape)} and {tuple(given.key.shape)}."
            )
        scores = self.scores(params, given.query, given.key)
        # Half precision is too narrow to sum in.
        scores = scores.astype(jnp.promote_types(scores.dtype, jnp.float32))
        counts = _counts(given)
        if counts is not None:
            # Lowered, not replaced: where no key counts the scores still tell them apart, in Keras.
            scores = jnp.where(counts, scores, scores - FAR)
        weights = jax.nn.softmax(scores, axis=-1)
        taken = weights
        dropout, seed = (getattr(self, name) for name in ("dropout", "seed"))
        if training and dropout > 0.0:
            taken = apply_dropout(weights, dropout, require_key(owner, key, seed), weights.shape)
        outputs = jnp.matmul(taken.astype(given.value.dtype), given.value)
        if given.query_mask is not None:
            outputs = jnp.where(given.query_mask[..., None], outputs, jnp.zeros_like(outputs))
        masked = with_mask(outputs, given.query_mask)
        return ((masked, weights) if given.return_attention_scores else masked), state

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """Return how well each key fits each query, `(batch, targets, sources)`."""
        raise NotImplementedError(f"`{type(self).__name__}` defines no `scores`.")


class Attention(ScoredAttention):
    """Attention by dot products: the mean of the values, weighted by `softmax(query · key)`.

    Called with query, value and, if it is not the value, key; `mask=[query_mask, value_mask]` if
    they carry none themselves. Options of a call: `use_causal_mask`, whether to take nothing of
    what comes later, and `return_attention_scores`, whether to return the weights too. Outputs of
    masked queries are zeros, and carry the query's mask.

    Args:
        use_scale: Whether the scores are multiplied by a learnt number, `scale`.
        score_mode: "dot" for `query · key`, or "concat" for `sum(tanh(query + key))`, multiplied by
            a learnt `concat_score_weight`; `scale` then stands within the tanh.
        dropout: The share of weights that is dropped in training, in [0, 1].
        seed: Folded into the key of the dropout, to tell apart two layers given the same key.

    Shapes: query `(batch, targets, features)`, value `(batch, sources, size)`, key `(batch,
    sources, features)`, to `(batch, targets, size)`, and weights `(batch, targets, sources)`.

    Raises:
        ValueError: An argument is out of its range, shapes or masks do not fit, or a training step
            with dropout came without a key.
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
        self.score_mode = one_of("Attention", "score_mode", self.score_mode, ["dot", "concat"])
        self.dropout = number_between("Attention", "dropout", self.dropout, 0.0, 1.0)
        self.seed = None if self.seed is None else seed_of("Attention", self.seed)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Make the numbers that are learnt, of ones."""
        attention_features("Attention", specs)
        params = {"scale": jnp.ones((), jnp.float32)} if self.use_scale else {}
        if self.score_mode == "concat":
            params["concat_score_weight"] = jnp.ones((), jnp.float32)
        return params, {}

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """Return dot products, or sums of tanh."""
        scale = params.get("scale", 1.0)
        if self.score_mode == "dot":
            return jnp.matmul(query, jnp.swapaxes(key, -2, -1)) * scale
        sums = jnp.tanh(scale * (query[..., :, None, :] + key[..., None, :, :]))
        return params["concat_score_weight"] * jnp.sum(sums, axis=-1)


class AdditiveAttention(ScoredAttention):
    """Attention by sums: the mean of the values, weighted by `softmax(sum(tanh(query + key)))`.

    Calls, masks and options are as of `Attention`.

    Args:
        use_scale: Whether the terms of the sum are multiplied by learnt numbers, `scale`.
        dropout: The share of weights that is dropped in training, in [0, 1].
        seed: Folded into the key of the dropout, to tell apart two layers given the same key.

    Shapes: as of `Attention`; `scale` has shape `(features,)`.

    Raises:
        ValueError: `dropout` is out of its range, or shapes or masks do not fit.
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

    def __post_init__(self) -> None:
        super().__post_init__()
        self.dropout = number_between("AdditiveAttention", "dropout", self.dropout, 0.0, 1.0)
        self.seed = None if self.seed is None else seed_of("AdditiveAttention", self.seed)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the scale."""
        features = attention_features("AdditiveAttention", specs)["query"]
        if not self.use_scale:
            return {}, {}
        initializer = initializers.get("glorot_uniform")
        return {"scale": initializers.draw(initializer, key, (features,))}, {}

    def scores(self, params: Params, query: Array, key: Array) -> Array:
        """Return sums of tanh."""
        sums = jnp.tanh(query[..., :, None, :] + key[..., None, :, :])
        return jnp.sum(sums * params["scale"] if self.use_scale else sums, axis=-1)


def _counts(given: Inputs) -> Array | None:
    """Return what counts of the scores, or None."""
    found = None if given.value_mask is None else given.value_mask[..., None, :]
    if not given.use_causal_mask:
        return found
    causal = causal_mask(given.query.shape[-2], given.key.shape[-2])
    return causal if found is None else jnp.logical_and(found, causal)
