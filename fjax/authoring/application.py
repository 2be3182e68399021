"""Passes that compute: `apply`, and the trace of an author's `call`."""

from collections.abc import Mapping
from typing import Any

from fjax.authoring.binding import Binding
from fjax.authoring.bound_layer import Sublayer
from fjax.authoring.discovery import attribute_names
from fjax.authoring.weights import InitWeight, WeightSpec, init_weights
from fjax.core.flow import mark
from fjax.core.penalties import has_penalty, join_penalties, with_weight_penalties
from fjax.core.precision import apply_layer
from fjax.core.reserved import PENALTY
from fjax.errors import suggestion
from fjax.typing import Array, Key, Params, PyTree, State


class Application(Binding):
    """A pass with the weights of `params` and `state`."""

    def weight_value(self, part: str, name: str, spec: WeightSpec) -> Array:
        """Return the weight of this name, which must have this shape."""
        weights = self.params if part == "params" else self.state
        if name not in weights:
            raise ValueError(
                f"`{self.label}`: the weight {name!r} is not in the layer's {part}, which have "
                f"{sorted(weights)}.{suggestion(name, weights)} `build` must make the same weights "
                "each time."
            )
        weight = weights[name]
        if tuple(weight.shape) != spec.shape:
            raise ValueError(
                f"`{self.label}`: for these inputs the weight {name!r} has the shape {spec.shape}, "
                f"the layer was made with {tuple(weight.shape)}."
            )
        return weight

    def extended_weights(self, extended: Any, inputs: tuple[PyTree, ...]) -> tuple[Params, State]:
        """Return the params and the state of the object, which has those of the extended layer."""
        return self.params, self.next_state

    def keep_extended_state(self, state: State) -> None:
        """Take over the next state of the extended layer."""
        self.next_state.update(state)

    def apply_sublayer(
        self, sublayer: Sublayer, values: tuple[PyTree, ...], key: Key | None, training: bool | None
    ) -> PyTree:
        """Return the outputs of a sublayer, and take over its next state."""
        name = sublayer.name
        self._check_made(sublayer)
        before = self.next_state[name]
        outputs, after = apply_layer(
            sublayer.layer, self.params[name], before, *values, key=key, training=training
        )
        is_first = sublayer.calls == 1
        self.next_state[name] = after if is_first else join_penalties(before, after)
        return outputs

    def sublayer_weights(self, sublayer: Sublayer) -> tuple[Any, Any]:
        """Return the params and the state of a sublayer as they are now."""
        return self.params.get(sublayer.name, {}), self.next_state.get(sublayer.name, {})

    def set_sublayer_weight(self, sublayer: Sublayer, part: str, name: str, value: Array) -> None:
        """Set a weight of a sublayer for the rest of the pass; of the state, it is the next one."""
        if part == "params":
            changed = {**self.params[sublayer.name], name: value}
            self.params = {**self.params, sublayer.name: changed}
        else:
            self.next_state[sublayer.name] = {**self.next_state[sublayer.name], name: value}

    def sublayer_init_weight(self, sublayer: Sublayer, weight: InitWeight) -> Array:
        """Return the array of a weight that a sublayer's `__init__` made."""
        self._check_made(sublayer)
        weights = init_weights(sublayer.layer)
        name = next(name for name, each in weights.items() if each is weight)
        params, state = self.sublayer_weights(sublayer)
        return (params if weight.weight_spec.trainable else state)[name]

    def note_uncalled(self) -> None:
        """Regularize the weights of the sublayers that were not called, as Keras does."""
        for sublayer, values in self.uncalled_inputs():
            before = self.next_state.get(sublayer.name, {})
            if has_penalty(before):
                # The outputs are not used, so that the compiled program does not compute them.
                _, after = apply_layer(
                    sublayer.layer, self.params[sublayer.name], before, *values, key=self.key
                )
                self.next_state[sublayer.name] = with_weight_penalties(before, after)

    def check_complete(self) -> None:
        """Raise ValueError if the pass made fewer weights, or more losses, than `init` saw."""
        parts = (("params", self.params), ("state", self.state))
        for part, tree in parts if not self.extended.is_used else ():
            for name, value in tree.items():
                if name not in self.weights and not isinstance(value, Mapping):
                    raise ValueError(
                        f"`{self.label}`: the layer's {part} have the weight {name!r}, which "
                        "`build` did not make this time. It must make the same weights each time."
                    )
        if PENALTY not in self.state and (self.weight_penalties or self.call_penalties):
            raise ValueError(
                f"`{self.label}`: `add_loss` was called in a branch that was not taken when the "
                "layer's state was made. Call it in every pass, with 0.0 where there is nothing."
            )

    def attribute_names(self, shapes: tuple[Any, ...]) -> list[str | None]:
        """Return the attributes to which `build` assigns its weights without a name, in order."""
        return attribute_names(self.owner, shapes, self.training)

    def _check_made(self, sublayer: Sublayer) -> None:
        if sublayer.name not in self.params:
            raise ValueError(
                f"`{self.label}`: the sublayer {sublayer.name!r} has no weights in the params, "
                "because it was not called when they were made. Call it in every pass."
            )


class Trace(Application):
    """A pass whose jaxpr says which arrays the sublayers take and make; see `fjax.core.flow`."""

    def mark(self, tree: PyTree, side: str, name: str) -> PyTree:
        """Return the inputs or outputs of a sublayer, named in the jaxpr."""
        return mark(tree, side, name)
