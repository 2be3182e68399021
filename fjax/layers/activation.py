"""Activations as layers of their own."""

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from fjax import activations, initializers
from fjax.core.checks import only
from fjax.core.functions import function_has_trait
from fjax.core.layer import Layer
from fjax.core.masking import split, with_mask
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import integer_at_least, is_integer, number_between
from fjax.traits import within_rows
from fjax.typing import Array, Identifier, Key, Params, Shape, Spec, State


class Activation(Layer):
    """Apply an activation, given by name or as a function.

    Shapes: any, unchanged.

    Raises:
        ValueError: No activation has this name; the nearest is suggested.

    Source: Keras's page "Activation layer".

    >>> import jax.numpy as jnp
    >>> outputs, state = Activation("relu").apply({}, {}, jnp.array([-1.0, 2.0]))
    >>> outputs.tolist()
    [0.0, 2.0]
    """

    rows_independent = True

    activation: Identifier

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.activation = activations.get(self.activation)

    @property
    def entrywise(self) -> bool:
        """Whether the activation works entry by entry."""
        return function_has_trait(self.activation, "entrywise")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the activated inputs."""
        return self.activation(only("Activation", inputs)), state


class ReLU(Layer):
    """`max(inputs, 0)`, with a slope below a threshold and a largest value if wanted.

    Args:
        max_value: The largest value to return, not negative; None is no limit.
        negative_slope: Slope below the threshold, not negative.
        threshold: What inputs must exceed to pass, not negative.

    Shapes: any, unchanged.

    Raises:
        ValueError: An argument is negative or no number.

    Source: Keras's page "ReLU layer".

    >>> import jax.numpy as jnp
    >>> layer = ReLU(max_value=6, negative_slope=0.5)
    >>> layer.apply({}, {}, jnp.array([-2.0, 0.5, 8.0]))[0].tolist()
    [-1.0, 0.5, 6.0]
    """

    entrywise = rows_independent = True

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_value is not None:
            self.max_value = number_between("ReLU", "max_value", self.max_value, 0.0)
        self.negative_slope = number_between("ReLU", "negative_slope", self.negative_slope, 0.0)
        self.threshold = number_between("ReLU", "threshold", self.threshold, 0.0)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the activated inputs."""
        values = only("ReLU", inputs)
        return activations.relu(values, self.negative_slope, self.max_value, self.threshold), state


class LeakyReLU(Layer):
    """The inputs where they are positive, `negative_slope` times the inputs elsewhere.

    Args:
        negative_slope: The slope below 0, not negative.

    Shapes: any, unchanged.

    Raises:
        ValueError: The slope is negative or no number.

    Source: Keras's page "LeakyReLU layer".

    >>> import jax.numpy as jnp
    >>> LeakyReLU(0.5).apply({}, {}, jnp.array([-2.0, 2.0]))[0].tolist()
    [-1.0, 2.0]
    """

    entrywise = rows_independent = True

    _varying = frozenset({"negative_slope"})

    negative_slope: float = 0.3

    masking = "keeps"

    _renamed: ClassVar[Mapping[str, str]] = {**Layer._renamed, "alpha": "negative_slope"}

    def __post_init__(self) -> None:
        super().__post_init__()
        slope = number_between("LeakyReLU", "negative_slope", self.negative_slope, 0.0)
        self.negative_slope = slope

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the activated inputs."""
        return activations.leaky_relu(only("LeakyReLU", inputs), self.negative_slope), state


class ELU(Layer):
    """The inputs where they are positive, `alpha * (exp(inputs) - 1)` elsewhere.

    Args:
        alpha: Minus the limit towards minus infinity.

    Shapes: any, unchanged.

    Source: Clevert et al. (2016), https://arxiv.org/abs/1511.07289; Keras's page "ELU layer".

    >>> import jax.numpy as jnp
    >>> ELU(2.0).apply({}, {}, jnp.array([-1.0, 2.0]))[0].round(3).tolist()
    [-1.26..., 2.0]
    """

    entrywise = rows_independent = True

    alpha: float = 1.0

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alpha = number_between("ELU", "alpha", self.alpha, -float("inf"))

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the activated inputs."""
        return activations.elu(only("ELU", inputs), self.alpha), state


class PReLU(Layer):
    """The inputs where they are positive, `alpha` times the inputs elsewhere, with learnt slopes.

    Args:
        alpha_initializer: Makes `alpha`.
        alpha_regularizer: Adds a penalty of `alpha` to the loss; None adds none.
        alpha_constraint: Applied to `alpha` after each training step; None for no constraint.
        shared_axes: The axes that share a slope, batch axis counted, such as `[1, 2]` for images:
            one slope a channel. None gives each entry of a sample a slope of its own.

    Shapes: `(batch, …)`, unchanged; `alpha` has the shape of one sample, with 1 for shared axes.

    Raises:
        ValueError: A shared axis is the batch axis or not there, or the inputs have another shape
            than `alpha` was made for.

    Source: He et al., "Delving Deep into Rectifiers" (2015), https://arxiv.org/abs/1502.01852;
    Keras's page "PReLU layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = PReLU(shared_axes=[1, 2])
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((32, 28, 28, 3)))
    >>> params["alpha"].shape
    (1, 1, 3)
    """

    rows_independent = True

    alpha_initializer: Identifier = "zeros"
    alpha_regularizer: Identifier = None
    alpha_constraint: Identifier = None
    shared_axes: tuple[int, ...] | None = None

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alpha_initializer = initializers.get(self.alpha_initializer)
        axes = self.shared_axes
        if axes is not None:
            axes = tuple(axes) if isinstance(axes, list | tuple) else (axes,)
            if not all(is_integer(axis) and axis != 0 for axis in axes):
                raise ValueError(
                    "`PReLU`: `shared_axes` must be integers, and not 0, the batch axis, received "
                    f"{self.shared_axes!r}."
                )
            self.shared_axes = axes

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Make `alpha`."""
        shape = self._shape_of_alpha(only("PReLU", specs).shape)
        return {"alpha": initializers.draw(self.alpha_initializer, key, shape)}, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the activated inputs."""
        values = only("PReLU", inputs)
        alpha = params["alpha"]
        if self._shape_of_alpha(values.shape) != alpha.shape:
            raise ValueError(
                f"`PReLU` was built with slopes of shape {alpha.shape}, received inputs of shape "
                f"{tuple(values.shape)}. Share the axes whose sizes change, by `shared_axes`."
            )
        outputs = jax.nn.relu(values) - alpha.astype(values.dtype) * jax.nn.relu(-values)
        return outputs, with_penalty(self, params, state, outputs)

    def _shape_of_alpha(self, shape: Shape) -> Shape:
        rank = len(shape)
        shared = set()
        for axis in self.shared_axes or ():
            if not -rank < axis < rank:
                raise ValueError(
                    f"`PReLU`: `shared_axes` has {axis}, and inputs of shape {tuple(shape)} have "
                    "no such axis behind the batch axis."
                )
            shared.add(axis % rank)
        return tuple(1 if place in shared else shape[place] for place in range(1, rank))


class Softmax(Layer):
    """`exp(inputs) / sum(exp(inputs))` along an axis: positive numbers that sum to 1.

    What a mask leaves out becomes exactly 0, and the others sum to 1; where nothing counts all are
    0. The mask must broadcast to the inputs: `layer(inputs, mask=mask)`.

    Args:
        axis: The axis to sum over, or a list of them.

    Shapes: any, unchanged.

    Raises:
        ValueError: The mask does not broadcast to the inputs, or there is no such axis.

    Source: Keras's page "Softmax layer".

    >>> import jax.numpy as jnp
    >>> Softmax()(jnp.zeros((1, 3)), mask=jnp.array([[True, True, False]])).tolist()
    [[0.5, 0.5, 0.0]]
    """

    axis: int | tuple[int, ...] = -1

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        several = self.axis if isinstance(self.axis, list | tuple) else (self.axis,)
        if not several or not all(is_integer(axis) for axis in several):
            raise ValueError(
                f"`Softmax`: `axis` must be an integer or a list of them, received {self.axis!r}."
            )
        self.axis = tuple(several) if isinstance(self.axis, list | tuple) else self.axis

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the probabilities."""
        values, mask = split(only("Softmax", inputs))
        rank = values.ndim
        for axis in self.axis if isinstance(self.axis, tuple) else (self.axis,):
            if not -rank <= axis < rank:
                raise ValueError(
                    f"`Softmax`: `axis` {axis} is none of inputs of shape {tuple(values.shape)}."
                )
        if mask is None:
            return activations.softmax(values, self.axis), state
        counts = _broadcasting(values, jnp.asarray(mask, bool))
        # Finite, so that a row in which nothing counts has a gradient.
        least = jnp.asarray(-3e4 if values.dtype == jnp.float16 else -1e9, values.dtype)
        outputs = activations.softmax(jnp.where(counts, values, least), self.axis)
        return with_mask(jnp.where(counts, outputs, jnp.zeros_like(outputs)), mask), state


class Maxout(Layer):
    """The largest of each group of features: `size / num_units` of them make one output.

    Args:
        num_units: How many outputs; it must divide the number of features.
        axis: The axis of the features, not the batch axis.

    Shapes: `(batch, …, features)` to `(batch, …, num_units)`.

    Raises:
        ValueError: `num_units` is not positive or does not divide the features, or the inputs have
            no such axis.

    Source: Goodfellow et al., "Maxout Networks" (2013), https://arxiv.org/abs/1302.4389.

    >>> import jax.numpy as jnp
    >>> Maxout(2).apply({}, {}, jnp.array([[1.0, 5.0, 3.0, 2.0]]))[0].tolist()
    [[3.0, 5.0]]
    """

    num_units: int
    axis: int = -1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.num_units = integer_at_least("Maxout", "num_units", self.num_units, 1)
        if not is_integer(self.axis) or self.axis == 0:
            raise ValueError(
                "`Maxout`: `axis` must be an integer, and not 0, the batch axis, received "
                f"{self.axis!r}."
            )

    @property
    def rows_independent(self) -> bool:
        """Whether the axis is known not to be the batch axis."""
        return within_rows(self.axis)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the largest feature of each group."""
        values = only("Maxout", inputs)
        rank, shape = values.ndim, tuple(values.shape)
        if not -rank < self.axis < rank:
            raise ValueError(
                f"`Maxout`: `axis` {self.axis} is none behind the batch axis of inputs of shape "
                f"{shape}."
            )
        place = self.axis % rank
        if shape[place] % self.num_units:
            raise ValueError(
                f"`Maxout`: `num_units` {self.num_units} must divide the {shape[place]} features "
                f"on axis {self.axis} of inputs of shape {shape}."
            )
        group = shape[place] // self.num_units
        grouped = values.reshape(*shape[:place], group, self.num_units, *shape[place + 1 :])
        return jnp.max(grouped, axis=place), state


def _broadcasting(values: Array, mask: Array) -> Array:
    """Return the mask, or raise: it must broadcast to the values."""
    try:
        fits = jnp.broadcast_shapes(mask.shape, values.shape) == values.shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"`Softmax`: the mask must broadcast to inputs of shape {tuple(values.shape)}, "
            f"received one of shape {tuple(mask.shape)}."
        )
    return mask
