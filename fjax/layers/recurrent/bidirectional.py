"""Two recurrent layers, one from each end."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp

from fjax.core.calling import CallKwargs
from fjax.core.combinators import folded
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.masking import split_mask, strip_masks, with_mask
from fjax.core.naming import default_name
from fjax.core.precision import apply_layer, init_layer
from fjax.errors import one_of
from fjax.layers.inner import inner_layer
from fjax.layers.recurrent.rnn import Recurrent
from fjax.typing import Array, Key, Params, PyTree, Spec, State

# What two layers of opposite directions have in common.
ALIKE = ("return_sequences", "return_state", "stateful")


class Bidirectional(Layer):
    """Run a recurrent layer along sequences in both directions, with weights for each.

    Args:
        layer: The layer for the way forward: `LSTM`, `GRU`, `SimpleRNN` or `RNN`.
        merge_mode: How the outputs become one: "concat" side by side, "sum", "mul" or "ave" entry
            by entry; None returns both.
        weights: Not taken; for Keras's order of arguments. Set weights in the model.
        backward_layer: The layer for the way back, with `go_backwards=True`; by default one like
            the first.

    The layers are named `forward_…` and `backward_…`. With `return_sequences` the outputs of masked
    steps are zero in both, and the second's are turned round before they are merged. With
    `return_state` the states come behind the outputs, those of the way forward first. First states
    are given likewise, as `initial_state=[…]` or as further inputs.

    Shapes: `(batch, time, features)` to what the layers make, twice as wide by "concat".

    Raises:
        ValueError: The two layers go in the same direction, or one returns what the other does not.
        TypeError: A layer is not recurrent.

    Source: Schuster and Paliwal, "Bidirectional Recurrent Neural Networks" (1997); Keras's page
    "Bidirectional layer".

    >>> from fjax.layers import LSTM
    >>> layer, inputs = Bidirectional(LSTM(4)), jnp.ones((2, 5, 3))
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> list(params), layer.apply(params, state, inputs)[0].shape
    (['forward_lstm', 'backward_lstm'], (2, 8))
    """

    rows_independent = True

    layer: Any
    merge_mode: str | None = "concat"
    weights: None = None
    backward_layer: Any = None

    masking = "takes"
    call_options: ClassVar[tuple[str, ...]] = ("initial_state",)

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of(
            "Bidirectional", "merge_mode", self.merge_mode, ["concat", "sum", "mul", "ave", None]
        )
        if self.weights is not None:
            raise ValueError(
                "`Bidirectional` takes no `weights`: set them in the model, by "
                "`model.get_layer(…).set_weights([…])`."
            )
        forward = self._checked("layer", self.layer)
        if self.backward_layer is None:
            backward = dataclasses.replace(forward, go_backwards=not forward.go_backwards)
        else:
            backward = self._checked("backward_layer", self.backward_layer)
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "`Bidirectional`: one of the two layers must have `go_backwards=True`, the other "
                f"False; both have {forward.go_backwards}."
            )
        for name in ALIKE:
            one, other = getattr(forward, name), getattr(backward, name)
            if one != other:
                raise ValueError(
                    f"`Bidirectional`: `{name}` must be the same in both layers, received "
                    f"{one} for `layer` and {other} for `backward_layer`."
                )
        self.layer, self.backward_layer = _named("forward", forward), _named("backward", backward)

    @property
    def forward_layer(self) -> Any:
        """The layer for the way forward."""
        return self.layer

    def children(self) -> list[tuple[str, Any]]:
        """Return the two layers, by name."""
        return [(layer.name, layer) for layer in (self.layer, self.backward_layer)]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same of two other layers."""
        if len(layers) != 2:
            raise ValueError(f"`Bidirectional` has two layers, received {len(layers)} for them.")
        return dataclasses.replace(self, layer=layers[0], backward_layer=layers[1])

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of both layers, by name."""
        params, state = {}, {}
        for position, ((name, layer), values) in enumerate(self._dealt(specs)):
            with layer_context(name, layer, values):
                own_key = jax.random.fold_in(key, position)
                params[name], state[name] = init_layer(layer, own_key, *values)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the merged outputs, with `return_state` also the states of both layers."""
        made, next_state = [], {}
        for position, ((name, layer), values) in enumerate(self._dealt(inputs)):
            with layer_context(name, layer, values):
                outputs, next_state[name] = apply_layer(
                    layer, params[name], state[name], *values,
                    key=folded(key, position), training=training,
                )  # fmt: skip
            made.append(outputs)
        states: list[Any] = []
        if self.layer.return_state:
            states = [*made[0][1:], *made[1][1:]]
            made = [outputs[0] for outputs in made]
        (one, mask), (other, _) = map(split_mask, made)
        if self.layer.return_sequences:
            other = jnp.flip(other, axis=1)
        merged = tuple(with_mask(values, mask) for values in self._merged(one, other))
        outputs = (*merged, *states)
        return outputs[0] if len(outputs) == 1 else outputs, next_state

    def _merged(self, one: Array, other: Array) -> tuple[Array, ...]:
        if self.merge_mode is None:
            return one, other
        if self.merge_mode == "concat":
            return (jnp.concatenate([one, other], axis=-1),)
        if self.merge_mode == "mul":
            return (one * other,)
        total = one + other
        return (total / 2 if self.merge_mode == "ave" else total,)

    def _dealt(self, inputs: tuple[Any, ...]) -> list[tuple[tuple[str, Any], tuple[Any, ...]]]:
        """Return each layer with its inputs: the sequences, and its half of the first states."""
        named: dict[str, Any] = {}
        if inputs and isinstance(inputs[-1], CallKwargs):
            *rest, last = inputs
            inputs, named = tuple(rest), dict(last)
        if not inputs:
            raise TypeError("`Bidirectional` takes sequences, received no input.")
        sequences, *states = inputs
        initial = named.get("initial_state")
        if states and initial is not None:
            raise TypeError(
                "`Bidirectional` was given states both as further inputs and as `initial_state`: "
                "give them once."
            )
        states = list(strip_masks(states if initial is None else initial))
        if len(states) == 1 and isinstance(states[0], list | tuple):
            states = list(states[0])
        if len(states) % 2:
            raise ValueError(
                f"`Bidirectional` needs first states for both layers, received {len(states)}."
            )
        half = len(states) // 2
        halves = (states[:half], states[half:])
        return [
            (child, (sequences, *own)) for child, own in zip(self.children(), halves, strict=True)
        ]

    def _checked(self, argument: str, given: Any) -> Any:
        layer = inner_layer("Bidirectional", argument, given)
        if not isinstance(layer, Recurrent) or layer._authored:
            raise TypeError(
                f"`Bidirectional`: `{argument}` must be a recurrent layer, such as `LSTM(32)`, "
                f"received {given!r}."
            )
        return layer


def _named(direction: str, layer: Any) -> Any:
    """Return the layer under its name for a direction; masked outputs of sequences are zero."""
    own = layer.name or default_name(layer)
    for prefix in ("forward_", "backward_"):
        own = own.removeprefix(prefix)
    zero = layer.return_sequences
    return dataclasses.replace(layer, name=f"{direction}_{own}", zero_output_for_mask=zero)
