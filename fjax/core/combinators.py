"""Layers made of layers. A combinator knows only the protocol, never a particular layer."""

from typing import Any

import jax

from fjax.core.layer import Layer, as_layer, located, output_specs, unique_names
from fjax.typing import Key, Params, PyTree, Spec, State


class Serial(Layer):
    """Layers one after the other; see `serial`."""

    layers: tuple[Any, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layers = tuple(as_layer(layer) for layer in self.layers)
        unique_names(list(self.layers))
        if not self.trainable:
            raise ValueError(
                "`Serial` has no weights of its own to freeze: give `trainable=False` to its "
                "layers."
            )

    @property
    def names(self) -> list[str]:
        """The layers' names, which are the keys of `params` and `state`."""
        return unique_names(list(self.layers))

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return each layer's params and state, by name, shapes followed from layer to layer."""
        params, state = {}, {}
        values: tuple[PyTree, ...] = specs
        for position, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            with located(name, layer, values):
                # A layer's key is its position folded in: a layer added at the end changes no draw.
                params[name], state[name] = layer.init(jax.random.fold_in(key, position), *values)
                values = (output_specs(layer, params[name], state[name], *values),)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the last layer's outputs, and each layer's next state by name."""
        next_state = {}
        values = inputs
        for position, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            own_key = None if key is None else jax.random.fold_in(key, position)
            with located(name, layer, values):
                outputs, next_state[name] = layer.apply(
                    params[name], state[name], *values, key=own_key, training=training
                )
            values = (outputs,)
        return values[0] if len(values) == 1 else values, next_state

    def constrain(self, params: Params) -> Params:
        """Return the params with each layer's constraints applied."""
        return {
            name: layer.constrain(params[name]) if hasattr(layer, "constrain") else params[name]
            for name, layer in zip(self.names, self.layers, strict=True)
        }

    def require_ready(self) -> None:
        """Ask each layer."""
        for layer in self.layers:
            if isinstance(layer, Layer):
                layer.require_ready()


def serial(*layers: Any, name: str | None = None) -> Serial:
    """Compose layers one after the other; the result is a layer again.

    Args:
        layers: Layers, tuples `(init, apply)`, or bare functions of arrays such as `jax.nn.relu`.
        name: The name of the whole inside a larger container.

    Raises:
        ValueError: Two layers were given the same name.
        TypeError: An argument is no layer.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> init, apply = serial(Dense(4), jax.nn.relu, Dense(1))
    >>> inputs = jnp.ones((32, 8))
    >>> params, state = init(jax.random.key(0), inputs)
    >>> sorted(params), params["dense"]["kernel"].shape
    (['dense', 'dense_1', 'relu'], (8, 4))
    >>> outputs, state = apply(params, state, inputs)
    >>> outputs.shape
    (32, 1)
    """
    return Serial(layers, name=name)
