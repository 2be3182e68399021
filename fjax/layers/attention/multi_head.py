"""Multi-head attention."""

from typing import Any

from fjax.core.keras_layout import KerasLayout
from fjax.errors import integer_at_least, is_integer
from fjax.layers.attention.projected import Heads, ProjectedAttention
from fjax.typing import Identifier


class MultiHeadAttention(ProjectedAttention):
    """Attention of a sequence to another sequence or to itself, with several heads.

    Each head projects query, key and value, and computes for each step of the query the average of
    the values, weighted by the softmax of `query · key / sqrt(key_dim)`. A last projection maps
    the averages of all heads to the outputs. The layer is called with query, value and optionally
    key, by position or by name; the key defaults to the value. Further options of a call:

    - `query_mask`, `value_mask`, `key_mask`: which steps are valid, `(batch, time)`; by default
      the masks that the inputs carry. The outputs carry the mask of the query.
    - `attention_mask`: which keys each query may attend to, `(batch, targets, sources)`.
    - `use_causal_mask`: whether to exclude later steps.
    - `return_attention_scores`: whether to return the attention weights, too, before dropout.

    As in Keras, a query whose keys are all masked attends to all of them equally; but with
    dropout, with `return_attention_scores`, and for inputs of more than 3 axes its weights are 0.

    Args:
        num_heads: The number of heads.
        key_dim: The size of the queries and keys of each head.
        value_dim: The size of the values of each head; None means `key_dim`.
        dropout: The share of the attention weights to drop in training, in [0, 1].
        use_bias: Whether the projections have biases.
        output_shape: The feature axes of the outputs; None means the features of the query.
        attention_axes: The axes to attend over, counted with the batch axis; None means all axes
            between batch and features.
        sliding_window: Attend only to steps less than this far away; None means no limit.
        flash_attention: Accepted for compatibility with Keras: XLA chooses how to compute it.
        kernel_initializer: Initializer of each kernel.
        bias_initializer: Initializer of each bias.
        kernel_regularizer: Regularizer of each kernel; None means no penalty.
        bias_regularizer: Regularizer of each bias.
        activity_regularizer: Regularizer of the outputs of each projection, divided by the batch
            size.
        kernel_constraint: Applied to each kernel after each training step; None means no
            constraint.
        bias_constraint: Applied to each bias after each training step.
        use_gate: Whether to multiply the averages of the heads by the sigmoid of a further
            projection of the query.
        seed: Folded into the dropout key, to distinguish layers that receive the same key.

    Shapes: query `(batch, targets, …)`, value and key `(batch, sources, …)`, to `(batch, targets,
    *output_shape)`, and weights `(batch, heads, targets, sources)` if asked for. Params: `query`,
    `key`, `value` and `attention_output`, each with a `kernel` and a `bias`.

    Raises:
        ValueError: An argument is out of range, shapes or masks do not match, or a training step
            with dropout has no key.
        TypeError: Query or value is missing.

    Source: Vaswani et al., "Attention Is All You Need" (2017), https://arxiv.org/abs/1706.03762;
    Keras's page "MultiHeadAttention layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = jnp.ones((32, 10, 8))
    >>> params, state = layer.init(jax.random.key(0), x, x)
    >>> params["query"]["kernel"].shape, params["attention_output"]["kernel"].shape
    ((8, 2, 4), (2, 4, 8))
    >>> outputs, state = layer.apply(params, state, x, x)
    >>> outputs.shape
    (32, 10, 8)
    """

    keras_layout = KerasLayout(
        takes_list=False,
        children={
            **{name: f"{name}_dense" for name in ("query", "key", "value")},
            "gate": "_gate_dense",
            "attention_output": "output_dense",
        },
    )

    num_heads: int
    key_dim: int
    value_dim: int | None = None
    dropout: float = 0.0
    use_bias: bool = True
    output_shape: tuple[int, ...] | None = None
    attention_axes: tuple[int, ...] | None = None
    sliding_window: int | None = None
    flash_attention: bool | None = None
    kernel_initializer: Identifier = "glorot_uniform"
    bias_initializer: Identifier = "zeros"
    kernel_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    activity_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    bias_constraint: Identifier = None
    use_gate: bool = False
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_heads = integer_at_least(self.kind, "num_heads", self.num_heads, 1)
        self.key_dim = integer_at_least(self.kind, "key_dim", self.key_dim, 1)
        if self.value_dim is not None:
            self.value_dim = integer_at_least(self.kind, "value_dim", self.value_dim, 1)
        if self.output_shape is not None:
            self.output_shape = self._integers("output_shape", self.output_shape, positive=True)
        if self.attention_axes is not None:
            self.attention_axes = self._integers(
                "attention_axes", self.attention_axes, positive=False
            )

    @property
    def heads(self) -> Heads:
        """The number of heads and their sizes."""
        value_dim = self.value_dim or self.key_dim
        return Heads(self.num_heads, self.num_heads, self.key_dim, value_dim)

    def _integers(self, argument: str, value: Any, positive: bool) -> tuple[int, ...]:
        """Return an integer, or a sequence of integers, as a tuple, or raise."""
        items = tuple(value) if isinstance(value, list | tuple) else (value,)
        if not items or not all(is_integer(i) and (i > 0 or not positive) for i in items):
            expected = "a positive integer" if positive else "an integer"
            raise ValueError(
                f"`{self.kind}`: `{argument}` must be {expected} or a list of them, received "
                f"{value!r}."
            )
        return tuple(int(i) for i in items)
