"""The fully connected layer, `Dense`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from fjax.errors import integer_at_least
from fjax.layers.array_layer import ArrayLayer, draw_weights
from fjax.lowering.linear import linear
from fjax.typing import Array, Identifier, Key, Params, Shape


class Dense(ArrayLayer):
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

    # Weights are not quantized.
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **ArrayLayer.neutral_arguments,
        "quantization_config": (None,),
    }
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

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Draw the kernel and the bias."""
        if len(shape) < 2:
            raise ValueError(
                f"`Dense` needs inputs of shape (batch, …, features), received {shape}. Add an "
                "axis, as with `x[:, None]`."
            )
        return draw_weights(self, key, {"kernel": (shape[-1], self.units), "bias": (self.units,)})

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return `activation(inputs @ kernel + bias)`."""
        features = params["kernel"].shape[0]
        if values.ndim < 2 or values.shape[-1] != features:
            raise ValueError(
                f"`Dense` was built for {features} features, received inputs of shape "
                f"{tuple(values.shape)}: expected (batch, …, {features})."
            )
        outputs = linear(values, params["kernel"])
        if self.use_bias:
            outputs = outputs + params["bias"]
        return self.activation(outputs)
