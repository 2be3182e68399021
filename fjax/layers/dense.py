"""The fully connected layer, `Dense`."""

from typing import Any

import jax

from fjax import activations, initializers
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least
from fjax.lowering.linear import linear
from fjax.typing import Array, Identifier, Key, Params, Spec, State


class Dense(Layer):
    """A fully connected layer: `activation(inputs @ kernel + bias)`.

    Args:
        units: The size of the output's last axis.
        activation: Applied to the result; None means "linear".
        use_bias: Whether to add a bias.
        kernel_initializer: Draws the kernel, of shape `(features, units)`.
        bias_initializer: Draws the bias, of shape `(units,)`.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.

    Shapes: `(batch, …, features)` to `(batch, …, units)`.

    Raises:
        ValueError: `units` is not positive, or the inputs have no feature axis or the wrong number
            of features.

    Source: Keras's page "Dense layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = Dense(10, activation="relu")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((32, 8)))
    >>> params["kernel"].shape, params["bias"].shape
    ((8, 10), (10,))
    >>> outputs, state = layer.apply(params, state, jnp.ones((32, 8)))
    >>> outputs.shape
    (32, 10)
    """

    rows_independent = True
    masking = "keeps"
    width_field = "units"

    units: int
    activation: Identifier = "linear"
    use_bias: bool = True
    kernel_initializer: Identifier = "glorot_uniform"
    bias_initializer: Identifier = "zeros"
    kernel_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    activity_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    bias_constraint: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.units = integer_at_least("Dense", "units", self.units, 1)
        self.activation = activations.get(self.activation)
        self.kernel_initializer = initializers.get(self.kernel_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernel and the bias."""
        spec = single_input("Dense", specs)
        if len(spec.shape) < 2:
            raise ValueError(
                "`Dense` needs inputs of shape (batch, …, features), "
                f"received {tuple(spec.shape)}. Add an axis, as with `x[:, None]`."
            )
        shape = (spec.shape[-1], self.units)
        kernel_key, bias_key = jax.random.split(key)
        params = {"kernel": initializers.draw(self.kernel_initializer, kernel_key, shape)}
        if self.use_bias:
            params["bias"] = initializers.draw(self.bias_initializer, bias_key, (self.units,))
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return `activation(inputs @ kernel + bias)`."""
        values = single_input("Dense", inputs)
        features = params["kernel"].shape[0]
        if values.ndim < 2 or values.shape[-1] != features:
            raise ValueError(
                f"`Dense` was built for {features} features, received inputs of shape "
                f"{tuple(values.shape)}: expected (batch, …, {features})."
            )
        outputs = linear(values, params["kernel"])
        if self.use_bias:
            outputs = outputs + params["bias"]
        outputs = self.activation(outputs)
        return outputs, with_penalty(self, params, state, outputs)
