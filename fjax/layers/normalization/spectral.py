"""Spectral normalization: a layer whose kernel has spectral norm 1."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.core.layer import Layer
from fjax.core.precision import apply_layer, init_layer
from fjax.errors import integer_at_least
from fjax.layers.inner import inner_layer
from fjax.typing import Array, Key, Params, PyTree, Spec, State

OWNER = "SpectralNormalization"
VECTOR = "vector_u"
# The weight that is normalized: the first of these that the layer has.
WEIGHTS = ("kernel", "embeddings")


class SpectralNormalization(Layer):
    """A layer whose kernel is divided by its largest singular value in each call.

    That value is found by power iteration, from a vector in the state that each training step
    moves on. The params hold the kernel as the optimizer sees it, not divided. Keras 3.15.1
    divides in training alone and puts the divided kernel in the kernel's place, which its JAX
    trainer then drops; here training and inference compute with the same divided kernel.

    Args:
        layer: A layer with a weight named `kernel` or `embeddings`, such as `Dense`.
        power_iterations: How often the vector is multiplied by the kernel in each call.

    Shapes: as the layer's. Params: the layer's own. State: the layer's own, and `vector_u` of
    shape `(1, size of the kernel's last axis)`.

    Raises:
        ValueError: `power_iterations` is not positive, or the layer has no such weight.

    Source: Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018),
    https://arxiv.org/abs/1802.05957; Keras's page "SpectralNormalization layer".

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> layer = SpectralNormalization(Dense(2, use_bias=False), power_iterations=20)
    >>> inputs = jnp.eye(2)
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> outputs, state = layer.apply(params, state, inputs, training=True)
    >>> round(jnp.linalg.norm(outputs, ord=2).item(), 3)
    1.0
    """

    rows_independent = True

    layer: Any
    power_iterations: int = 1

    # The layer within is asked.
    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = inner_layer(OWNER, "layer", self.layer)
        self.power_iterations = integer_at_least(
            OWNER, "power_iterations", self.power_iterations, 1
        )

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the layer's params, and its state with a vector drawn for the power iteration."""
        own, drawn = jax.random.split(key)
        params, state = init_layer(self.layer, own, *specs)
        shape = (1, self._weight(params).shape[-1])
        initializer = initializers.get(initializers.TruncatedNormal(stddev=0.02))
        return params, {**state, VECTOR: initializers.draw(initializer, drawn, shape)}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the layer's outputs with the divided kernel, and in training the vector moved."""
        kernel = self._weight(params)
        divided, vector = self._divided(kernel, state[VECTOR])
        name = next(name for name in WEIGHTS if name in params)
        outputs, after = apply_layer(
            self.layer,
            {**params, name: divided},
            {name: value for name, value in state.items() if name != VECTOR},
            *inputs,
            key=key,
            training=training,
        )
        return outputs, {**after, VECTOR: vector if training else state[VECTOR]}

    def inside(self) -> list[Any]:
        """Return the layer: its weights stand where this layer's stand."""
        return [self.layer]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same around another layer."""
        if len(layers) != 1:
            raise ValueError(f"`{OWNER}` has one layer inside, received {len(layers)} for it.")
        (layer,) = layers
        return dataclasses.replace(self, layer=layer)

    def constrain(self, params: Params) -> Params:
        """Return the params with the layer's constraints applied."""
        if not self.trainable or not hasattr(self.layer, "constrain"):
            return params
        return self.layer.constrain(params)

    def _weight(self, params: Params) -> Array:
        for name in WEIGHTS:
            if name in params:
                return params[name]
        raise ValueError(
            f"`{OWNER}` needs a layer with a weight named `kernel` or `embeddings`, such as "
            f"`Dense`: {self.layer!r} has {', '.join(params) or 'none'}."
        )

    def _divided(self, kernel: Array, vector: Array) -> tuple[Array, Array]:
        """Return the kernel by its spectral norm, and the vector that this was found with."""
        matrix = kernel.reshape(-1, kernel.shape[-1])
        fixed = jax.lax.stop_gradient(matrix)
        left = vector
        for _ in range(self.power_iterations):
            right = _unit(left @ fixed.T)
            left = _unit(right @ fixed)
        norm = (right @ matrix @ left.T)[0, 0]
        # A kernel of zeros has no direction: it stays, and so does the vector.
        empty = jnp.all(fixed == 0)
        divided = kernel / jnp.where(empty, 1.0, norm)
        return divided, jnp.where(empty, vector, left)


def _unit(vector: Array) -> Array:
    norm = jnp.linalg.norm(vector)
    return vector / jnp.where(norm == 0, 1.0, norm)
