"""The wrapper that applies a layer to each step of a sequence."""

from collections.abc import Callable, Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax.configuration import replace
from fjax.core.checks import single_input
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.core.masking import masking_of, split_mask, strip_masks, with_mask
from fjax.core.naming import default_name, given_name
from fjax.core.penalties import join_penalties
from fjax.core.precision import apply_layer, init_layer
from fjax.layers.inner import inner_layer
from fjax.typing import Array, Key, Params, PyTree, Spec, State

# `step(state, entry) -> (state, outputs)`.
Step = Callable[[State, PyTree], tuple[State, PyTree]]


class TimeDistributed(Layer):
    """Apply a layer to each step of sequences separately, with the same weights.

    A layer without state is applied to all steps in parallel. A layer with state, such as
    `BatchNormalization`, is applied to one step after the other, and its state is carried along.

    Args:
        layer: A layer with one input.

    Shapes: `(batch, time, …)` to `(batch, time, …)`, where the layer maps `(batch, …)` to
    `(batch, …)`.

    Raises:
        ValueError: The inputs have no time axis, or a mask has the wrong shape.

    Source: Keras's page "TimeDistributed layer".

    >>> from fjax.layers import Dense
    >>> layer, inputs = TimeDistributed(Dense(4)), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> params["dense"]["kernel"].shape, layer.apply(params, state, inputs)[0].shape
    ((3, 4), (2, 5, 4))
    """

    keras_layout = KerasLayout(children=("layer",))
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
        """Return this wrapper around another layer."""
        if len(layers) != 1:
            raise ValueError(
                f"`TimeDistributed` has one layer, received {len(layers)} layers to replace it."
            )
        return replace(self, layer=layers[0])

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and the state of the layer, by name."""
        values = strip_masks(single_input("TimeDistributed", specs))
        _check_shape(tuple(values.shape))
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
        """Return the outputs of the layer for each step, with the mask of the inputs."""
        values, mask = split_mask(single_input("TimeDistributed", inputs))
        _check_shape(tuple(values.shape))
        name = self._layer_name
        step_mask = None
        if mask is not None:
            _check_mask(tuple(values.shape), tuple(mask.shape))
            # A mask with more axes than (batch, time) also masks within a step.
            if masking_of(self.layer) == "takes" and mask.ndim > 2:
                step_mask = jnp.swapaxes(mask, 0, 1)
        keys = None if key is None else jax.random.split(key, values.shape[1])

        def step(state: State, entry: tuple[Array, Any, Any]) -> tuple[State, PyTree]:
            values, mask, key = entry
            outputs, state = apply_layer(
                self.layer, params[name], state, with_mask(values, mask),
                key=key, training=training,
            )  # fmt: skip
            return state, strip_masks(outputs)

        entries = jnp.swapaxes(values, 0, 1), step_mask, keys
        layer_state = state[name]
        if jax.tree.leaves(layer_state):
            layer_state, outputs = _scan_steps(step, layer_state, entries)
        else:
            outputs = jax.vmap(lambda *entry: step(layer_state, entry)[1])(*entries)
        outputs = jax.tree.map(lambda a: with_mask(jnp.swapaxes(a, 0, 1), mask), outputs)
        return outputs, {name: layer_state}

    @property
    def _layer_name(self) -> str:
        return given_name(self.layer) or default_name(self.layer)


def _scan_steps(step: Step, state: State, entries: PyTree) -> tuple[State, PyTree]:
    """Apply a step to each entry in turn; return the last state and the stacked outputs."""

    def next_step(state: State, entry: PyTree) -> tuple[State, PyTree]:
        new_state, outputs = step(state, entry)
        return join_penalties(state, new_state), outputs

    # The first step is not joined: penalties in the given state belong to an earlier call.
    state, first_outputs = step(state, jax.tree.map(lambda a: a[0], entries))
    state, outputs = jax.lax.scan(next_step, state, jax.tree.map(lambda a: a[1:], entries))
    stacked = jax.tree.map(
        lambda first, others: jnp.concatenate([first[None], others]), first_outputs, outputs
    )
    return state, stacked


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) < 3 or shape[1] == 0:
        raise ValueError(
            "`TimeDistributed` needs sequences of shape (batch, time, …, features) with at least "
            f"one step, received {shape}."
        )


def _check_mask(shape: tuple[int, ...], mask_shape: tuple[int, ...]) -> None:
    if mask_shape[:2] != shape[:2]:
        raise ValueError(
            f"`TimeDistributed`: the mask must have the leading axes {shape[:2]} of inputs of "
            f"shape {shape}, received {mask_shape}."
        )
