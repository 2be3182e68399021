"""The base class of the layers that change their inputs at random in training."""

from typing import Any, ClassVar

import jax
import numpy as np

from fjax.configuration import is_nonzero
from fjax.core.checks import single_input
from fjax.errors import is_integer, seed_of
from fjax.layers.array_layer import ArrayLayer
from fjax.typing import Array, Key, Params, Shape, State


class RandomLayer(ArrayLayer):
    """Base class of the layers that change one array at random in training, and only then.

    A subclass has the fields `seed` and `rate`, or the one that `strength_field` names, and defines
    `perturb`. It may have the field `noise_shape`.
    """

    rows_independent = True
    masking = "keeps"

    # The field that is 0 if the layer changes nothing.
    strength_field: ClassVar[str] = "rate"

    def __post_init__(self) -> None:
        super().__post_init__()
        layer: Any = self
        if layer.seed is not None:
            layer.seed = seed_of(self.kind, layer.seed)
        if getattr(self, "noise_shape", None) is not None:
            layer.noise_shape = _parse_noise_shape(self.kind, layer.noise_shape)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs; in training they are changed at random."""
        values = single_input(self.kind, inputs)
        self.check_shape(np.shape(values))
        if not training or not is_nonzero(getattr(self, self.strength_field)):
            return values, state
        return self.perturb(values, require_key(self.kind, key, self.seed)), state

    def perturb(self, values: Array, key: Key) -> Array:
        """Return the values, changed at random."""
        raise NotImplementedError(f"`{self.kind}` defines no `perturb`.")


def require_key(owner: str, key: Key | None, seed: int | None) -> Key:
    """Return the PRNG key of a layer in training, with its seed folded in; raise if it is None."""
    if key is None:
        raise ValueError(
            f"`{owner}` draws random numbers in training and needs a key: "
            "`layer.apply(params, state, inputs, key=jax.random.key(0), training=True)`."
        )
    return key if seed is None else jax.random.fold_in(key, seed)


def resolve_noise_shape(
    owner: str, noise_shape: tuple[int | None, ...] | None, shape: Shape
) -> Shape:
    """Return the shape of the random mask for inputs of a shape, or raise if it does not fit.

    >>> resolve_noise_shape("Dropout", (None, 1, 3), (32, 5, 3))
    (32, 1, 3)
    """
    if noise_shape is None:
        return shape
    pairs = zip(noise_shape, shape, strict=False)
    sizes = tuple(size if noise_size is None else noise_size for noise_size, size in pairs)
    # As in Keras, a shorter shape is broadcast from the last axis.
    fits = all(
        noise_size in (1, size) for noise_size, size in zip(sizes[::-1], shape[::-1], strict=False)
    )
    if len(noise_shape) > len(shape) or not fits:
        raise ValueError(
            f"`{owner}`: `noise_shape` {noise_shape} does not fit inputs of shape {shape}: "
            "expected 1, None or the size of the inputs for each axis."
        )
    return sizes


def _parse_noise_shape(owner: str, noise_shape: Any) -> tuple[int | None, ...]:
    """Return the argument as a tuple of positive integers and None, or raise."""
    if not isinstance(noise_shape, list | tuple) or not all(
        size is None or (is_integer(size) and size > 0) for size in noise_shape
    ):
        raise ValueError(
            f"`{owner}`: `noise_shape` must be a list of positive integers and None, received "
            f"{noise_shape!r}."
        )
    return tuple(None if size is None else int(size) for size in noise_shape)
