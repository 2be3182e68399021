"""Grouped-query attention."""

from typing import ClassVar

from fjax.core.keras_layout import KerasLayout
from fjax.errors import integer_at_least
from fjax.layers.attention.projected import Heads, ProjectedAttention
from fjax.typing import Identifier


class GroupQueryAttention(ProjectedAttention):
    """Multi-head attention in which groups of query heads share a head of keys and values.

    A single head of keys and values is multi-query attention; as many as of queries is
    `MultiHeadAttention`. The call, its masks and its options are those of `MultiHeadAttention`,
    for inputs of 3 axes.

    Args:
        head_dim: The size of each head.
        num_query_heads: The number of query heads.
        num_key_value_heads: The number of heads of keys and values, a divisor of
            `num_query_heads`.
        dropout: The share of the attention weights to drop in training, in [0, 1].
        use_bias: Whether the projections have biases.
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

    Shapes: query `(batch, targets, features)`, value and key `(batch, sources, …)`, to `(batch,
    targets, features)`.

    Raises:
        ValueError: An argument is out of range, `num_key_value_heads` is not a divisor of
            `num_query_heads`, or shapes or masks do not match.
        TypeError: Query or value is missing.

    Source: Ainslie et al., "GQA" (2023), https://arxiv.org/abs/2305.13245; Keras's page
    "GroupQueryAttention".

    >>> import jax, jax.numpy as jnp
    >>> layer = GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
    >>> x = jnp.ones((32, 10, 8))
    >>> params, state = layer.init(jax.random.key(0), x, x)
    >>> params["query"]["kernel"].shape, params["key"]["kernel"].shape
    ((8, 4, 4), (8, 2, 4))
    """

    keras_layout = KerasLayout(
        takes_list=False,
        class_name="GroupedQueryAttention",
        children={
            **{name: f"_{name}_dense" for name in ("query", "key", "value", "gate")},
            "attention_output": "_output_dense",
        },
    )

    head_dim: int
    num_query_heads: int
    num_key_value_heads: int
    dropout: float = 0.0
    use_bias: bool = True
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

    output_shape: ClassVar[None] = None
    attention_axes: ClassVar[None] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("head_dim", "num_query_heads", "num_key_value_heads"):
            setattr(self, name, integer_at_least(self.kind, name, getattr(self, name), 1))
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"`{self.kind}`: `num_key_value_heads` must divide `num_query_heads`, received "
                f"{self.num_key_value_heads} and {self.num_query_heads}."
            )

    @property
    def heads(self) -> Heads:
        """The number of heads and their sizes."""
        return Heads(self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim)
