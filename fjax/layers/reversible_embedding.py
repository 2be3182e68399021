"""An embedding that also projects vectors back to scores of the integers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.configuration import stored
from fjax.core.calling import CallKwargs
from fjax.core.checks import single_input
from fjax.core.layer_facade import has_weights_field
from fjax.core.masking import strip_masks
from fjax.core.penalties import with_penalty
from fjax.errors import number_between, one_of
from fjax.layers.array_layer import draw_weights
from fjax.layers.embedding import EmbeddingTable
from fjax.typing import Array, Identifier, Key, Params, Shape, Spec, State

_DTYPES = ("float16", "bfloat16", "float32", "float64")


@has_weights_field
class ReversibleEmbedding(EmbeddingTable):
    """Map integers to learned vectors, and called with `reverse=True`, vectors to scores.

    The scores of a vector are its products with the vectors of all integers, so that the head of a
    language model shares the weights of its embedding. For the integers, see `Embedding`.

    Args:
        input_dim: The number of different integers: the largest one plus 1.
        output_dim: The size of a vector.
        tie_weights: Whether the scores are computed with the vectors of the embedding; else with a
            weight of their own, `reverse_embeddings`.
        embeddings_initializer: Draws the vectors, `(input_dim, output_dim)`.
        embeddings_regularizer: Adds a penalty of the vectors to the loss; None adds none.
        embeddings_constraint: Applied to the vectors after each training step; None for no
            constraint.
        mask_zero: Whether 0 is padding; see `Embedding`. Scores have no mask.
        reverse_dtype: The dtype in which scores are computed; by default that of the vectors.
        logit_soft_cap: The bound of the scores s, which become `cap * tanh(s / cap)`; None for no
            bound.
        weights: The initial vectors, instead of drawn ones, of tied weights.

    Shapes: `(batch, …)` to `(batch, …, output_dim)`, in reverse `(batch, …, output_dim)` to
    `(batch, …, input_dim)`.

    Source: Press and Wolf, "Using the Output Embedding to Improve Language Models" (2017); Keras,
    `ReversibleEmbedding`.

    >>> layer = ReversibleEmbedding(5, 2)
    >>> vectors = layer(jnp.array([[3, 4]]))
    >>> vectors.shape, layer(vectors, reverse=True).shape, len(layer.weights)
    ((1, 2, 2), (1, 2, 5), 1)
    """

    tie_weights: bool = True
    embeddings_initializer: Identifier = "uniform"
    embeddings_regularizer: Identifier = None
    embeddings_constraint: Identifier = None
    mask_zero: bool = False
    reverse_dtype: str | None = None
    logit_soft_cap: float | None = None
    weights: Any = None

    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **EmbeddingTable.neutral_arguments,
        "activity_regularizer": (None,),
        "quantization_config": (None,),
    }
    rows_independent = True

    call_options: ClassVar[tuple[str, ...]] = ("reverse",)

    def __post_init__(self) -> None:
        if not isinstance(self.tie_weights, bool):
            raise ValueError(
                f"`{self.kind}`: `tie_weights` must be True or False, received "
                f"{self.tie_weights!r}."
            )
        if not self.tie_weights and stored(self, "weights") is not None:
            raise ValueError(
                f"`{self.kind}`: `weights` are those of the embedding alone, and the layer has two "
                "arrays with `tie_weights=False`: use `layer.set_weights` once it is built."
            )
        if self.logit_soft_cap is not None:
            cap = number_between(
                self.kind, "logit_soft_cap", self.logit_soft_cap, 0.0, open_low=True
            )
            self.logit_soft_cap = cap
        if self.reverse_dtype is not None:
            one_of(self.kind, "reverse_dtype", self.reverse_dtype, _DTYPES)
        super().__post_init__()

    @property
    def masking(self) -> str:
        """How the layer treats the mask of its inputs, as in Keras: scores have none."""
        return "drops" if self.mask_zero else "ends"

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the weights, which do not depend on the direction of the call."""
        return super().init(key, *_split_reverse(specs)[0])

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Draw the vectors, and the weight of the scores if it is not tied."""
        tied = {"embeddings": (self.input_dim, self.output_dim)}
        if self.tie_weights:
            return draw_weights(self, key, tied)
        first, second = jax.random.split(key)
        reverse = initializers.draw(
            self.embeddings_initializer, second, (self.output_dim, self.input_dim)
        )
        return {**draw_weights(self, first, tied), "reverse_embeddings": reverse}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the vectors of integers, or with `reverse=True` the scores of vectors."""
        inputs, reverse = _split_reverse(inputs)
        if not reverse:
            return super().apply(params, state, *inputs, key=key, training=training)
        values = strip_masks(single_input(self.kind, inputs))
        if not values.ndim or values.shape[-1] != self.output_dim:
            raise ValueError(
                f"`{self.kind}` with `reverse=True` takes vectors of {self.output_dim} numbers, "
                f"`output_dim`, received the shape {values.shape}."
            )
        scores = self._scores(params, values)
        return scores, with_penalty(self, params, state, scores)

    def check_inputs(self, *inputs: Any) -> None:
        """Raise ValueError if the data of an embedding is anything but integers in its range."""
        inputs, reverse = _split_reverse(inputs)
        if not reverse:
            super().check_inputs(*inputs)

    def _scores(self, params: Params, values: Array) -> Array:
        kernel = params["embeddings"].T if self.tie_weights else params["reverse_embeddings"]
        if self.reverse_dtype is not None:
            values, kernel = values.astype(self.reverse_dtype), kernel.astype(self.reverse_dtype)
        scores = jnp.matmul(values, kernel)
        cap = self.logit_soft_cap
        return scores if cap is None else cap * jnp.tanh(scores / cap)


def _split_reverse(inputs: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
    """Return the inputs without the call's options, and whether the call is in reverse."""
    *values, last = inputs
    if not isinstance(last, CallKwargs):
        return inputs, False
    reverse = last.get("reverse", False)
    if not isinstance(reverse, bool):
        raise ValueError(f"`reverse` must be True or False, received {reverse!r}.")
    return tuple(values), reverse
