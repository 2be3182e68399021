"""An activation as a layer of its own."""

from typing import Any

from fjax import activations
from fjax.core.layer import Layer, only
from fjax.typing import Array, Identifier, Key, Params, State


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

    activation: Identifier

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.activation = activations.get(self.activation)

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
