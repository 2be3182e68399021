"""Grouped-query attention."""

from typing import Any, ClassVar

from fjax.core.layer import Layer
from fjax.errors import integer_at_least
from fjax.layers.attention.heads import Heads, apply_heads, constrain_heads, init_heads
from fjax.layers.attention.inputs import MASKS, NAMES, OPTIONS
from fjax.layers.attention.multi_head import check_heads
from fjax.typing import Identifier, Key, Params, Spec, State

OWNER = "GroupQueryAttention"


class GroupQueryAttention(Layer):
    """Attention in several heads, where neighboring heads share their keys and values.

    One head of keys and values is multi-query attention, as many as of queries is
    `MultiHeadAttention`. Calls, masks and options are as there, for inputs of 3 axes.

    Args:
        head_dim: The size of each head.
        num_query_heads: How many heads of queries.
        num_key_value_heads: How many of keys and values; it must divide that of queries.
        dropout: The share of weights that is dropped in training, in [0, 1].
        use_bias: Whether the projections have biases.
        sliding_window: Take nothing of steps that are this far away; None is no limit.
        flash_attention: None or False: there is no kernel of this kind here.
        kernel_initializer: Draws each kernel.
        bias_initializer: Draws each bias.
        kernel_regularizer: Charges for each kernel, in the loss; None charges nothing.
        bias_regularizer: Charges for each bias.
        activity_regularizer: Charges for what each projection returns, divided by the batch size.
        kernel_constraint: Applied to each kernel after each step; None leaves it as it is.
        bias_constraint: Applied to each bias after each step.
        use_gate: Whether to multiply the heads' means by a sigmoid of a projection of the query.
        seed: Folded into the key of the dropout, to tell apart two layers given the same key.

    Shapes: query `(batch, targets, features)`, value and key `(batch, sources, …)`, to `(batch,
    targets, features)`.

    Raises:
        ValueError: A number is out of its range, the heads do not divide, or shapes or masks do
            not fit.
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

    rows_independent = True

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

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = (*NAMES, *MASKS, *OPTIONS)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("head_dim", "num_query_heads", "num_key_value_heads"):
            setattr(self, name, integer_at_least(OWNER, name, getattr(self, name), 1))
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"`{OWNER}`: `num_key_value_heads` must divide `num_query_heads`, received "
                f"{self.num_key_value_heads} and {self.num_query_heads}."
            )
        check_heads(self)

    @property
    def heads(self) -> Heads:
        """How many heads there are, and how large."""
        return Heads(self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the projections."""
        return init_heads(self, self.heads, None, key, specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the outputs, with the weights if they are asked for."""
        return apply_heads(self, self.heads, None, params, state, inputs, key, training)

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints applied to each projection."""
        return constrain_heads(self, params)
