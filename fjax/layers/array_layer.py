"""The base class of the layers that take one array."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from fjax import activations, initializers
from fjax.configuration import fields_ending
from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.masking import strip_masks
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.typing import Array, Key, Params, Shape, Spec, State

# How the fields end that name a function, and what finds the function.
FUNCTION_FIELDS = (("activation", activations.get), ("_initializer", initializers.get))


class ArrayLayer(Layer):
    """Base class of the layers that take one array, and have no state but penalties.

    A subclass defines `compute_outputs`, `draw_params` if it has weights, and `check_shape` if it
    does not take inputs of all shapes. The penalties of its regularizers are added here.

    >>> class Scale(ArrayLayer):
    ...     scale_initializer: Any = "ones"
    ...     def draw_params(self, key, shape):
    ...         return draw_weights(self, key, {"scale": shape[1:]})
    ...     def compute_outputs(self, params, values):
    ...         return values * params["scale"]
    >>> params, state = Scale().init(jax.random.key(0), jax.ShapeDtypeStruct((2, 3), "float32"))
    >>> params["scale"].shape, state
    ((3,), {})
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        resolve_functions(self)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the weights."""
        shape = tuple(single_input(self.kind, specs).shape)
        self.check_shape(shape)
        return self.draw_params(key, shape), empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Any, State]:
        """Return the outputs, and a state with the penalties of the regularizers."""
        values = single_input(self.kind, inputs)
        self.check_shape(np.shape(values))
        outputs = self.compute_outputs(params, values)
        return outputs, with_penalty(self, params, state, strip_masks(outputs))

    def check_shape(self, shape: Shape) -> None:
        """Raise ValueError if the layer does not take inputs of a shape, batch axis included."""

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Return the initial params for inputs of a shape, batch axis included."""
        return {}

    def compute_outputs(self, params: Params, values: Array) -> Any:
        """Return the outputs for one array."""
        raise NotImplementedError(f"`{self.kind}` defines no `compute_outputs`.")


def resolve_functions(layer: Any) -> None:
    """Replace names by functions in the fields `…activation` and `…_initializer` of a layer.

    Fields that may be None are left as they are.

    Raises:
        ValueError: A name is unknown.
        TypeError: A value is neither a name nor a function.
    """
    for item in dataclasses.fields(layer):
        for suffix, resolve in FUNCTION_FIELDS:
            if item.name.endswith(suffix) and item.default is not None:
                setattr(layer, item.name, resolve(getattr(layer, item.name)))


def draw_weights(layer: Any, key: Key, shapes: Mapping[str, Shape]) -> Params:
    """Return weights of these shapes, drawn by the initializers of a layer's fields.

    The bias is left out if the field `use_bias` is False; the other weights stay the same.
    """
    found = fields_ending(layer, "_initializer")
    found = {layer.weight_of(name): initializer for name, initializer in found.items()}
    keys = jax.random.split(key, len(shapes)) if len(shapes) > 1 else [key]
    return {
        weight: initializers.draw(found[weight], weight_key, shape, layer.variable_dtype)
        for (weight, shape), weight_key in zip(shapes.items(), keys, strict=True)
        if weight != "bias" or layer.use_bias
    }
