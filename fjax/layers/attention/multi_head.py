"""Multi-head attention."""

from typing import Any, ClassVar

from fjax import initializers
from fjax.core.layer import Layer
from fjax.errors import integer_at_least, is_integer, number_between, seed_of
from fjax.layers.attention.heads import Heads, apply_heads, constrain_heads, init_heads
from fjax.layers.attention.inputs import MASKS, NAMES, OPTIONS
from fjax.typing import Identifier, Key, Params, Spec, State

OWNER = "MultiHeadAttention"


class MultiHeadAttention(Layer):
    """Attention of a sequence to another one, or to itself, in several heads.

    Each head projects query, key and value, and returns for each step of the query the mean of the
    values, weighted by the softmax of `query · key / sqrt(key_dim)`; the heads' means together are
    projected to the outputs. Called with query, value and key, by position or by name; without a
    key the values are the keys. Further options of a call:

    - `query_mask`, `value_mask`, `key_mask`: what counts in each, `(batch, time)`; masks that the
      inputs carry need no mention. That of the query goes on with the outputs.
    - `attention_mask`: which query may take of which key, `(batch, targets, sources)`.
    - `use_causal_mask`: whether to take nothing of what comes later.
    - `return_attention_scores`: whether to return the weights too, before dropout.

    A query that may take of nothing takes of all alike, as in Keras; with dropout, where the
    weights are returned, and for inputs of more than 3 axes it has weights of zeros, as in Keras.

    Args:
        num_heads: How many heads.
        key_dim: The size of each head's queries and keys.
        value_dim: That of its values; None is `key_dim`.
        dropout: The share of weights that is dropped in training, in [0, 1].
        use_bias: Whether the projections have biases.
        output_shape: The features of the outputs; None has as many as the query.
        attention_axes: The axes to take over, batch axis counted; None is all between the batch
            axis and the features.
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

    Shapes: query `(batch, targets, …)`, value and key `(batch, sources, …)`, to `(batch, targets,
    *output_shape)`, and weights `(batch, heads, targets, sources)` if asked for. Params: `query`,
    `key`, `value`, `attention_output`, each a `kernel` and a `bias`.

    Raises:
        ValueError: A number is out of its range, shapes or masks do not fit, or a training step
            with dropout came without a key.
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

    rows_independent = True

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

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = (*NAMES, *MASKS, *OPTIONS)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_heads = integer_at_least(OWNER, "num_heads", self.num_heads, 1)
        self.key_dim = integer_at_least(OWNER, "key_dim", self.key_dim, 1)
        if self.value_dim is not None:
            self.value_dim = integer_at_least(OWNER, "value_dim", self.value_dim, 1)
        if self.output_shape is not None:
            self.output_shape = _whole("output_shape", self.output_shape, positive=True)
        if self.attention_axes is not None:
            self.attention_axes = _whole("attention_axes", self.attention_axes, positive=False)
        check_heads(self)

    @property
    def heads(self) -> Heads:
        """How many heads there are, and how large."""
        value_dim = self.value_dim or self.key_dim
        return Heads(self.num_heads, self.num_heads, self.key_dim, value_dim)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the projections."""
        return init_heads(self, self.heads, self.output_shape, key, specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the outputs, with the weights if they are asked for."""
        return apply_heads(
            self, self.heads, self.attention_axes, params, state, inputs, key, training
        )

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints applied to each projection."""
        return constrain_heads(self, params)


def check_heads(layer: Any) -> None:
    """Check and resolve the fields that the layers of attention in heads have in common."""
    owner = type(layer).__name__
    layer.dropout = number_between(owner, "dropout", layer.dropout, 0.0, 1.0)
    if layer.sliding_window is not None:
        layer.sliding_window = integer_at_least(owner, "sliding_window", layer.sliding_window, 1)
    if layer.flash_attention not in (None, False):
        raise ValueError(
            f"`{owner}`: `flash_attention` must be None or False, received "
            f"{layer.flash_attention!r}: there is no kernel of this kind here, and the outputs "
            "are the same without."
        )
    if layer.seed is not None:
        layer.seed = seed_of(owner, layer.seed)
    layer.kernel_initializer = initializers.get(layer.kernel_initializer)
    layer.bias_initializer = initializers.get(layer.bias_initializer)


def _whole(argument: str, value: Any, positive: bool) -> tuple[int, ...]:
    found = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not found or not all(is_integer(one) and (one > 0 or not positive) for one in found):
        kind = "a positive integer" if positive else "an integer"
        raise ValueError(
            f"`{OWNER}`: `{argument}` must be {kind} or a list of them, received {value!r}."
        )
    return tuple(int(one) for one in found)
