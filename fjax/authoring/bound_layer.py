"""A sublayer as an author's `build` and `call` see it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax

from fjax.authoring.arguments import takes_more_than_shapes
from fjax.authoring.build_calls import note_in_pass
from fjax.authoring.phases import Operation
from fjax.authoring.weights import InitWeight
from fjax.core.calling import call_inputs, is_authored
from fjax.core.layer_facade import FACADE_NAMES
from fjax.core.weight_slot import PARTS
from fjax.typing import Key
from fjax.variable import Variable

if TYPE_CHECKING:
    from fjax.authoring.binding import Binding


class Sublayer:
    """A layer within an author's object, during one pass.

    Attributes:
        name: Its name in the object's params and state.
        layer: The layer itself.
        position: Its number among the object's sublayers, which is folded into its key.
        calls: How often it was called in this pass.
    """

    def __init__(self, name: str, layer: Any, position: int) -> None:
        self.name = name
        self.layer = layer
        self.position = position
        self.calls = 0

    def next_key(self, key: Key | None) -> Key | None:
        """Return the key of the next call, from the key of the pass: each call draws anew."""
        if key is None:
            return None
        key = jax.random.fold_in(key, self.position)
        return jax.random.fold_in(key, self.calls) if self.calls else key


class BoundLayer:
    """A sublayer that can be called, and has its fields and its weights as attributes.

    It has few attributes of its own, so that it hides none of the layer's.
    """

    def __init__(self, binding: "Binding", sublayer: Sublayer) -> None:
        self._binding = binding
        self._sublayer = sublayer

    @property
    def name(self) -> str:
        """The sublayer's name in the object's params and state."""
        return self._sublayer.name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        trees = zip(PARTS, self._binding.sublayer_weights(self._sublayer), strict=True)
        for part, weights in trees:
            if isinstance(weights, Mapping) and attribute in weights:
                return self._binding.sublayer_weight(
                    self._sublayer, part, attribute, weights[attribute]
                )
        value = None
        if attribute not in FACADE_NAMES:
            try:
                value = getattr(self._sublayer.layer, attribute)
            except AttributeError as error:
                error.add_note(
                    f"`{self._binding.label}` read `{self._sublayer.name}.{attribute}`. In `build` "
                    "and `call` a sublayer has its weights after it was called, here or, if "
                    "another layer has it too, in a class with `call` that has both as attributes."
                )
                raise
        if isinstance(value, InitWeight):
            return self._binding.sublayer_init_weight(self._sublayer, value)
        if attribute in FACADE_NAMES or isinstance(value, Variable):
            # These would be the arrays of the facade, and not of this pass.
            raise AttributeError(
                f"`{self._binding.label}`: `{attribute}` of the sublayer {self._sublayer.name!r} "
                "is not there in `build` and `call`. A weight is an attribute of the sublayer, "
                f"such as `self.{self._sublayer.name}.kernel`, after the sublayer was called."
            )
        return value

    def build(self, *shapes: Any, **named_shapes: Any) -> None:
        """Let `build` read the sublayer's weights; a call builds the sublayer, in every pass.

        Keras's authors build sublayers in their own `build`.
        """
        layer = self._sublayer.layer
        if is_authored(layer) and takes_more_than_shapes(layer):
            shapes, named_shapes = note_in_pass(layer, shapes, named_shapes), {}
        self._binding.build_sublayer(self._sublayer, shapes)

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Return the sublayer's outputs; its next state becomes part of the object's."""
        binding, sublayer = self._binding, self._sublayer
        binding.require(Operation.CALL_SUBLAYER, f"the sublayer {sublayer.name!r}")
        mode = self._mode(options)
        values = call_inputs(sublayer.layer, inputs, options)
        key = sublayer.next_key(binding.key)
        sublayer.calls += 1
        return binding.call_sublayer(sublayer, values, key, mode)

    def _mode(self, options: dict[str, Any]) -> bool | None:
        """Return the mode of a call, and take it from the options."""
        of_pass = self._binding.training
        if "training" not in options:
            return of_pass
        given = options.pop("training")
        # As in Keras, `training=None` is not the default of a layer that augments images.
        return bool(of_pass if given is None else given)
