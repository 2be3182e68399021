"""Spectral normalization: a wrapper that divides a layer's kernel by its spectral norm."""

from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.configuration import replace
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.core.precision import apply_layer, init_layer
from fjax.errors import integer_at_least
from fjax.layers.inner import inner_layer
from fjax.typing import Array, Key, Params, PyTree, Spec, State

OWNER = "SpectralNormalization"
VECTOR = "vector_u"
# The weight to normalize is the first of these that the layer has.
WEIGHT_NAMES = ("kernel", "embeddings")


class SpectralNormalization(Layer):
    """Divide the kernel of a layer by its largest singular value in each call.

    Power iteration estimates that value, starting from a vector in the state that each training
    step updates. The params hold the kernel before division, as the optimizer updates it. Keras
    3.15.1 divides only in training and stores the divided kernel as the layer's kernel, which its
    JAX trainer discards; here training and inference compute with the same divided kernel.

    Args:
        layer: A layer with a weight named `kernel` or `embeddings`, such as `Dense`.
        power_iterations: The number of power iterations in each call.

    Shapes and params: those of the layer. State: that of the layer, and `vector_u` of shape
    `(1, size of the kernel's last axis)`.

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

    differs_from_keras = (
        "at inference Keras uses the kernel as it is stored, and fjax divides it as in training"
    )
    keras_layout = KerasLayout(
        group="layer", repeated=("kernel", "embeddings"), beside=("vector_u",)
    )
    rows_independent = True

    layer: Any
    power_iterations: int = 1

    # `apply_layer` treats masks as the wrapped layer asks for.
    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = inner_layer(OWNER, "layer", self.layer)
        self.power_iterations = integer_at_least(
            OWNER, "power_iterations", self.power_iterations, 1
        )

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the layer's params, and its state with a random vector for power iteration."""
        layer_key, vector_key = jax.random.split(key)
        params, state = init_layer(self.layer, layer_key, *specs)
        shape = (1, params[self._weight_name(params)].shape[-1])
        initializer = initializers.get(initializers.TruncatedNormal(stddev=0.02))
        return params, {**state, VECTOR: initializers.draw(initializer, vector_key, shape)}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the layer's outputs for the divided kernel; training updates the vector."""
        name = self._weight_name(params)
        divided, vector = self._divide(params[name], state[VECTOR])
        outputs, layer_state = apply_layer(
            self.layer,
            {**params, name: divided},
            {name: value for name, value in state.items() if name != VECTOR},
            *inputs,
            key=key,
            training=training,
        )
        return outputs, {**layer_state, VECTOR: vector if training else state[VECTOR]}

    def inside(self) -> list[Any]:
        """Return the wrapped layer, whose weights are this layer's own."""
        return [self.layer]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return this layer with another layer inside."""
        if len(layers) != 1:
            raise ValueError(f"`{OWNER}` has one layer inside, received {len(layers)} for it.")
        (layer,) = layers
        return replace(self, layer=layer)

    def constrain(self, params: Params) -> Params:
        """Return the params with the constraints of the wrapped layer applied."""
        if not self.trainable or not hasattr(self.layer, "constrain"):
            return params
        return self.layer.constrain(params)

    def _weight_name(self, params: Params) -> str:
        for name in WEIGHT_NAMES:
            if name in params:
                return name
        raise ValueError(
            f"`{OWNER}` needs a layer with a weight named `kernel` or `embeddings`, such as "
            f"`Dense`: {self.layer!r} has {', '.join(params) or 'none'}."
        )

    def _divide(self, kernel: Array, vector: Array) -> tuple[Array, Array]:
        """Return the kernel divided by its spectral norm, and the updated vector."""
        matrix = kernel.reshape(-1, kernel.shape[-1])
        fixed = jax.lax.stop_gradient(matrix)
        u = vector
        for _ in range(self.power_iterations):
            v = _normalize(u @ fixed.T)
            u = _normalize(v @ fixed)
        norm = (v @ matrix @ u.T)[0, 0]
        # A kernel of zeros has no singular vectors: kernel and vector stay unchanged.
        is_zero = jnp.all(fixed == 0)
        divided = kernel / jnp.where(is_zero, 1.0, norm)
        return divided, jnp.where(is_zero, vector, u)


def _normalize(vector: Array) -> Array:
    norm = jnp.linalg.norm(vector)
    return vector / jnp.where(norm == 0, 1.0, norm)
