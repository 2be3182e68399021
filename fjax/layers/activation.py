"""Activation layers that work entry by entry, and `Activation` for any activation function."""

from collections.abc import Mapping
from typing import ClassVar

import jax

from fjax import activations
from fjax.core.function_traits import function_has_trait
from fjax.errors import is_integer, number_between
from fjax.layers.array_layer import ArrayLayer, draw_weights
from fjax.typing import Array, Identifier, Key, Params, Shape


class Activation(ArrayLayer):
    """Apply an activation function, given by name or as a function.

    Shapes: any, unchanged.

    Raises:
        ValueError: No activation has this name; the message suggests the nearest one.

    Source: Keras's page "Activation layer".

    >>> import jax.numpy as jnp
    >>> outputs, state = Activation("relu").apply({}, {}, jnp.array([-1.0, 2.0]))
    >>> outputs.tolist()
    [0.0, 2.0]
    """

    rows_independent = True
    masking = "keeps"

    activation: Identifier

    @property
    def entrywise(self) -> bool:
        """Whether the activation works entry by entry."""
        return function_has_trait(self.activation, "entrywise")

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the activated inputs."""
        return self.activation(values)


class ReLU(ArrayLayer):
    """`max(inputs, 0)`, optionally with a slope below a threshold and an upper bound.

    Args:
        max_value: The upper bound of the outputs, not negative; None for no bound.
        negative_slope: The slope below the threshold, not negative.
        threshold: Inputs above this value pass unchanged; not negative.

    Shapes: any, unchanged.

    Raises:
        ValueError: An argument is negative or not a number.

    Source: Keras's page "ReLU layer".

    >>> import jax.numpy as jnp
    >>> layer = ReLU(max_value=6, negative_slope=0.5)
    >>> layer.apply({}, {}, jnp.array([-2.0, 0.5, 8.0]))[0].tolist()
    [-1.0, 0.5, 6.0]
    """

    entrywise = rows_independent = True
    masking = "keeps"

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_value is not None:
            self.max_value = number_between("ReLU", "max_value", self.max_value, 0.0)
        self.negative_slope = number_between("ReLU", "negative_slope", self.negative_slope, 0.0)
        self.threshold = number_between("ReLU", "threshold", self.threshold, 0.0)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the activated inputs."""
        return activations.relu(values, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(ArrayLayer):
    """Return positive inputs unchanged and multiply negative ones by `negative_slope`.

    Args:
        negative_slope: The slope for negative inputs, not negative.

    Shapes: any, unchanged.

    Raises:
        ValueError: The slope is negative or not a number.

    Source: Keras's page "LeakyReLU layer".

    >>> import jax.numpy as jnp
    >>> LeakyReLU(0.5).apply({}, {}, jnp.array([-2.0, 2.0]))[0].tolist()
    [-1.0, 2.0]
    """

    entrywise = rows_independent = True
    masking = "keeps"

    traceable_fields = frozenset({"negative_slope"})

    negative_slope: float = 0.3

    _renamed: ClassVar[Mapping[str, str]] = {**ArrayLayer._renamed, "alpha": "negative_slope"}

    def __post_init__(self) -> None:
        super().__post_init__()
        slope = number_between("LeakyReLU", "negative_slope", self.negative_slope, 0.0)
        self.negative_slope = slope

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the activated inputs."""
        return activations.leaky_relu(values, self.negative_slope)


class ELU(ArrayLayer):
    """Return positive inputs unchanged, and `alpha * (exp(inputs) - 1)` for negative ones.

    Args:
        alpha: The outputs approach `-alpha` for large negative inputs.

    Shapes: any, unchanged.

    Source: Clevert et al. (2016), https://arxiv.org/abs/1511.07289; Keras's page "ELU layer".

    >>> import jax.numpy as jnp
    >>> ELU(2.0).apply({}, {}, jnp.array([-1.0, 2.0]))[0].round(3).tolist()
    [-1.26..., 2.0]
    """

    entrywise = rows_independent = True
    masking = "keeps"

    alpha: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alpha = number_between("ELU", "alpha", self.alpha, -float("inf"))

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the activated inputs."""
        return activations.elu(values, self.alpha)


class PReLU(ArrayLayer):
    """Return positive inputs unchanged and multiply negative ones by learned slopes `alpha`.

    Args:
        alpha_initializer: Draws `alpha`.
        alpha_regularizer: Adds a penalty of `alpha` to the loss; None adds none.
        alpha_constraint: Applied to `alpha` after each training step; None for no constraint.
        shared_axes: The axes along which entries share a slope, where 0 is the batch axis: `[1, 2]`
            gives each channel of an image one slope. None gives each entry of a sample its own
            slope.

    Shapes: `(batch, …)`, unchanged; `alpha` has the shape of one sample, with 1 for shared axes.

    Raises:
        ValueError: A shared axis is the batch axis or does not exist, or the shape of the inputs
            does not match `alpha`.

    Source: He et al., "Delving Deep into Rectifiers" (2015), https://arxiv.org/abs/1502.01852;
    Keras's page "PReLU layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = PReLU(shared_axes=[1, 2])
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((32, 28, 28, 3)))
    >>> params["alpha"].shape
    (1, 1, 3)
    """

    rows_independent = True
    masking = "keeps"

    alpha_initializer: Identifier = "zeros"
    alpha_regularizer: Identifier = None
    alpha_constraint: Identifier = None
    shared_axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        axes = self.shared_axes
        if axes is not None:
            axes = tuple(axes) if isinstance(axes, list | tuple) else (axes,)
            if not all(is_integer(axis) and axis != 0 for axis in axes):
                raise ValueError(
                    "`PReLU`: `shared_axes` must be integers and not 0, the batch axis, received "
                    f"{self.shared_axes!r}."
                )
            self.shared_axes = axes

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Draw `alpha`."""
        return draw_weights(self, key, {"alpha": self._alpha_shape(shape)})

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the activated inputs."""
        alpha = params["alpha"]
        if self._alpha_shape(values.shape) != alpha.shape:
            raise ValueError(
                f"`PReLU` was built with slopes of shape {alpha.shape}, received inputs of shape "
                f"{tuple(values.shape)}. List the axes whose sizes vary in `shared_axes`."
            )
        return jax.nn.relu(values) - alpha.astype(values.dtype) * jax.nn.relu(-values)

    def _alpha_shape(self, shape: Shape) -> Shape:
        rank = len(shape)
        shared = set()
        for axis in self.shared_axes or ():
            if not -rank < axis < rank:
                raise ValueError(
                    f"`PReLU`: `shared_axes` contains {axis}, which is not an axis of a sample for "
                    f"inputs of shape {tuple(shape)}."
                )
            shared.add(axis % rank)
        return tuple(1 if axis in shared else shape[axis] for axis in range(1, rank))
