"""A layer for each step of a sequence."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.masking import masking_of, split_mask, strip_masks, with_mask
from fjax.core.naming import default_name
from fjax.core.penalties import join_penalties
from fjax.core.precision import apply_layer, init_layer
from fjax.layers.inner import inner_layer
from fjax.typing import Array, Key, Params, PyTree, Spec, State


class TimeDistributed(Layer):
    """Apply a layer to each step of sequences by itself, with the same weights.

    A layer without state is applied to all steps side by side; one with state, such as
    `BatchNormalization`, to one after the other.

    Args:
        layer: The layer, which takes one input.

    Shapes: `(batch, time, …)` to `(batch, time, …)`: what the layer makes of `(batch, …)`.

    Raises:
        ValueError: The inputs have no time axis, or a mask is of another shape.

    Source: Keras's page "TimeDistributed layer".

    >>> from fjax.layers import Dense
    >>> layer, inputs = TimeDistributed(Dense(4)), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> params["dense"]["kernel"].shape, layer.apply(params, state, inputs)[0].shape
    ((3, 4), (2, 5, 4))
    """

    rows_independent = True

    layer: Any

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = inner_layer("TimeDistributed", "layer", self.layer)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layer, by name."""
        return [(self._layer_name, self.layer)]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same of another layer."""
        if len(layers) != 1:
            raise ValueError(f"`TimeDistributed` has one layer, received {len(layers)} for it.")
        return dataclasses.replace(self, layer=layers[0])

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the layer's params and state."""
        values = strip_masks(single_input("TimeDistributed", specs))
        self._check(values)
        step = jax.ShapeDtypeStruct((values.shape[0], *values.shape[2:]), values.dtype)
        params, state = init_layer(self.layer, key, step)
        return {self._layer_name: params}, {self._layer_name: state}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the layer's outputs for each step, masked as the inputs are."""
        values, mask = split_mask(single_input("TimeDistributed", inputs))
        self._check(values)
        self._check_mask(values, mask)
        name, length = self._layer_name, values.shape[1]
        keys = None if key is None else jax.random.split(key, length)
        own_mask = None
        if mask is not None and masking_of(self.layer) == "takes" and mask.ndim > 2:
            own_mask = jnp.swapaxes(mask, 0, 1)

        def step(state: State, entry: tuple[Array, Any, Any]) -> tuple[State, PyTree]:
            values, mask, key = entry
            outputs, after = apply_layer(
                self.layer, params[name], state, with_mask(values, mask),
                key=key, training=training,
            )  # fmt: skip
            return after, strip_masks(outputs)

        entries = jnp.swapaxes(values, 0, 1), own_mask, keys
        before = state[name]
        if not jax.tree.leaves(before):
            # Each step by itself, as one program.
            outputs = jax.vmap(lambda *entry: step(before, entry)[1])(*entries)
            after = before
        else:
            first, outputs_of_first = step(before, jax.tree.map(lambda a: a[0], entries))
            after, outputs = jax.lax.scan(
                lambda state, entry: _and_joined(state, step(state, entry)),
                first,
                jax.tree.map(lambda a: a[1:], entries),
            )
            outputs = jax.tree.map(
                lambda one, rest: jnp.concatenate([one[None], rest]), outputs_of_first, outputs
            )
        outputs = jax.tree.map(lambda a: with_mask(jnp.swapaxes(a, 0, 1), mask), outputs)
        return outputs, {name: after}

    @property
    def _layer_name(self) -> str:
        return getattr(self.layer, "name", None) or default_name(self.layer)

    def _check(self, values: Any) -> None:
        shape = tuple(values.shape)
        if len(shape) < 3 or shape[1] == 0:
            raise ValueError(
                "`TimeDistributed` needs sequences of shape (batch, time, …), of at least one step "
                f"and with an axis of features, received {shape}."
            )

    def _check_mask(self, values: Any, mask: Any) -> None:
        if mask is not None and tuple(mask.shape[:2]) != tuple(values.shape[:2]):
            raise ValueError(
                f"`TimeDistributed`: the mask must begin with the axes {tuple(values.shape[:2])} "
                f"of the inputs of shape {tuple(values.shape)}, received {tuple(mask.shape)}."
            )


def _and_joined(before: State, made: tuple[State, PyTree]) -> tuple[State, PyTree]:
    after, outputs = made
    return join_penalties(before, after), outputs
