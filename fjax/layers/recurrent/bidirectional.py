"""The wrapper that runs a recurrent layer in both directions."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from fjax.configuration import replace, stored
from fjax.core.combinators import fold_key
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.core.layer_facade import has_weights_field
from fjax.core.location import layer_context
from fjax.core.masking import split_mask, with_mask
from fjax.core.naming import default_name
from fjax.core.precision import apply_layer, init_layer
from fjax.errors import one_of
from fjax.layers.inner import inner_layer
from fjax.layers.recurrent.arguments import split_initial_states
from fjax.layers.recurrent.recurrent import Recurrent
from fjax.typing import Array, Key, Params, PyTree, Spec, State

# The fields in which both layers must agree.
EQUAL_FIELDS = ("return_sequences", "return_state", "stateful")


@has_weights_field
class Bidirectional(Layer):
    """Run a recurrent layer along sequences in both directions, with separate weights.

    Args:
        layer: The layer for the forward direction: `LSTM`, `GRU`, `SimpleRNN` or `RNN`.
        merge_mode: How to merge the outputs: "concat" along the last axis; "sum", "mul" or "ave"
            elementwise; None returns both.
        weights: Must be None; it keeps Keras's order of arguments. Set weights in the model.
        backward_layer: The layer for the backward direction, with `go_backwards=True`; by default
            a copy of `layer`.

    The layers are named `forward_…` and `backward_…`. With `return_sequences` the outputs of masked
    steps are 0, and those of the backward layer are reversed in time before merging. With
    `return_state` the states follow the outputs, those of the forward layer first. Initial states
    are given in the same order, as `initial_state=[…]` or as further inputs.

    Shapes: `(batch, time, features)` to the output shape of the layers, with the last axis doubled
    by "concat".

    Raises:
        ValueError: Both layers run in the same direction, or differ in `return_sequences`,
            `return_state` or `stateful`.
        TypeError: A layer is not recurrent.

    Source: Schuster and Paliwal, "Bidirectional Recurrent Neural Networks" (1997); Keras's page
    "Bidirectional layer".

    >>> from fjax.layers import LSTM
    >>> layer, inputs = Bidirectional(LSTM(4)), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> list(params), layer.apply(params, state, inputs)[0].shape
    (['forward_lstm', 'backward_lstm'], (2, 8))
    """

    keras_layout = KerasLayout(children=("forward_layer", "backward_layer"))
    rows_independent = True

    layer: Any
    merge_mode: str | None = "concat"
    weights: None = None  # type: ignore[assignment]
    backward_layer: Any = None

    masking = "takes"
    call_parameters = ("sequences",)
    call_options: ClassVar[tuple[str, ...]] = ("initial_state",)

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(
            "Bidirectional", "merge_mode", self.merge_mode, ["concat", "sum", "mul", "ave", None]
        )
        if stored(self, "weights") is not None:
            raise ValueError(
                "`Bidirectional`: `weights` must be None: set weights in the model, by "
                "`model.get_layer(…).set_weights([…])`."
            )
        forward = _recurrent_layer("layer", self.layer)
        if self.backward_layer is None:
            backward = replace(forward, go_backwards=not forward.go_backwards)
        else:
            backward = _recurrent_layer("backward_layer", self.backward_layer)
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "`Bidirectional`: one of the two layers must have `go_backwards=True`, the other "
                f"False; both have {forward.go_backwards}."
            )
        for name in EQUAL_FIELDS:
            values = getattr(forward, name), getattr(backward, name)
            if values[0] != values[1]:
                raise ValueError(
                    f"`Bidirectional`: `{name}` must be the same in both layers, received "
                    f"{values[0]} for `layer` and {values[1]} for `backward_layer`."
                )
        self.layer = _named_for("forward", forward)
        self.backward_layer = _named_for("backward", backward)

    @property
    def forward_layer(self) -> Any:
        """The layer for the forward direction."""
        return self.layer

    def children(self) -> list[tuple[str, Any]]:
        """Return the two layers, by name."""
        return [(layer.given_name, layer) for layer in (self.layer, self.backward_layer)]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return this wrapper around two other layers."""
        if len(layers) != 2:
            raise ValueError(
                f"`Bidirectional` has two layers, received {len(layers)} to replace them."
            )
        return replace(self, layer=layers[0], backward_layer=layers[1])

    def reset_state(self) -> None:
        """Set what stateful layers remember to 0, as `reset_state` of each of the two."""
        self.layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """Set what stateful layers remember to 0: the older name of `reset_state`."""
        self.reset_state()

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of both layers, by name."""
        params, state = {}, {}
        for position, (name, layer, values) in enumerate(self._split_inputs(specs)):
            with layer_context(name, layer, values):
                layer_key = jax.random.fold_in(key, position)
                params[name], state[name] = init_layer(layer, layer_key, *values)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the merged outputs, followed by the states of both layers if they return them."""
        results, new_state = [], {}
        for position, (name, layer, values) in enumerate(self._split_inputs(inputs)):
            with layer_context(name, layer, values):
                outputs, new_state[name] = apply_layer(
                    layer, params[name], state[name], *values,
                    key=fold_key(key, position), training=training,
                )  # fmt: skip
            results.append(outputs)
        states: list[Any] = []
        if self.layer.return_state:
            states = [*results[0][1:], *results[1][1:]]
            results = [outputs[0] for outputs in results]
        (forward, mask), (backward, _) = map(split_mask, results)
        if self.layer.return_sequences:
            backward = jnp.flip(backward, axis=1)
        merged = tuple(with_mask(values, mask) for values in self._merge(forward, backward))
        outputs = (*merged, *states)
        return outputs[0] if len(outputs) == 1 else outputs, new_state

    def _merge(self, forward: Array, backward: Array) -> tuple[Array, ...]:
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode == "concat":
            return (jnp.concatenate([forward, backward], axis=-1),)
        if self.merge_mode == "mul":
            return (forward * backward,)
        total = forward + backward
        return (total / 2 if self.merge_mode == "ave" else total,)

    def _split_inputs(self, inputs: tuple[Any, ...]) -> list[tuple[str, Any, tuple[Any, ...]]]:
        """Return name, layer and inputs for each direction: sequences and half of the states."""
        sequences, initial = split_initial_states("Bidirectional", inputs)
        states = [] if initial is None else list(initial)
        if len(states) == 1 and isinstance(states[0], list | tuple):
            states = list(states[0])
        if len(states) % 2:
            raise ValueError(
                "`Bidirectional` needs initial states for both layers, an even number, received "
                f"{len(states)}."
            )
        half = len(states) // 2
        halves = (states[:half], states[half:])
        return [
            (name, layer, (sequences, *layer_states))
            for (name, layer), layer_states in zip(self.children(), halves, strict=True)
        ]


def _recurrent_layer(argument: str, value: Any) -> Any:
    """Return the recurrent layer that an argument means, or raise."""
    layer = inner_layer("Bidirectional", argument, value)
    if not isinstance(layer, Recurrent) or layer.has_own_init:
        raise TypeError(
            f"`Bidirectional`: `{argument}` must be a recurrent layer, such as `LSTM(32)`, "
            f"received {value!r}."
        )
    return layer


def _named_for(direction: str, layer: Any) -> Any:
    """Return the layer with its name for a direction, and 0 as the output of masked steps."""
    name = layer.given_name or default_name(layer)
    for prefix in ("forward_", "backward_"):
        name = name.removeprefix(prefix)
    return replace(layer, name=f"{direction}_{name}", zero_output_for_mask=layer.return_sequences)
