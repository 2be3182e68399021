"""Dropout: noise that is there in training only."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.layer import Layer, only
from fjax.errors import number_between, seed_of
from fjax.typing import Array, Key, Params, State


class Dropout(Layer):
    """Set a random share of the inputs to zero in training, and scale up the others to match.

    Args:
        rate: The share that is dropped (not the share that is kept), in [0, 1].
        noise_shape: The shape of the mask where some axes share one draw: an axis of size 1 is
            shared, None stands for the input's own size.
        seed: Folded into the key, to tell apart two layers that are given the same key.

    Shapes: any, unchanged.

    Raises:
        ValueError: `rate` is outside [0, 1], or a training step came without a key.

    Source: Srivastava et al., "Dropout", JMLR 15 (2014); Keras's page "Dropout layer".

    >>> import jax, jax.numpy as jnp
    >>> inputs = jnp.ones(1000)
    >>> outputs, _ = Dropout(0.5).apply({}, {}, inputs, key=jax.random.key(0), training=True)
    >>> sorted(set(outputs.tolist()))
    [0.0, 2.0]
    """

    rate: float
    noise_shape: tuple[int | None, ...] | None = None
    seed: int | None = None

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.rate = number_between("Dropout", "rate", self.rate, 0.0, 1.0)
        if self.noise_shape is not None:
            self.noise_shape = tuple(self.noise_shape)
        if self.seed is not None:
            self.seed = seed_of("Dropout", self.seed)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs, in training with a share of them dropped."""
        values = only("Dropout", inputs)
        if not training or self.rate == 0.0:
            return values, state
        if key is None:
            raise ValueError(
                "`Dropout` draws in training and needs a key: "
                "`layer.apply(params, state, inputs, key=jax.random.key(0), training=True)`."
            )
        if self.rate == 1.0:
            return jnp.zeros_like(values), state
        if self.seed is not None:
            key = jax.random.fold_in(key, self.seed)
        keep = 1.0 - self.rate
        mask = jax.random.bernoulli(key, keep, self._mask_shape(values.shape))
        return jnp.where(mask, values / keep, jnp.zeros_like(values)), state

    def _mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape) or any(
            size not in (None, 1, axis) for size, axis in zip(self.noise_shape, shape, strict=True)
        ):
            raise ValueError(
                f"`Dropout`: `noise_shape` {self.noise_shape} does not fit inputs of {shape}: "
                "expected for each axis 1, None or the input's size."
            )
        pairs = zip(self.noise_shape, shape, strict=True)
        return tuple(axis if size is None else size for size, axis in pairs)
