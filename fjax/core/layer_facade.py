"""Keras's names for the weights of a layer, which are in its weight slot."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from fjax.core.array_calls import draw_weights, filled_slot, layer_name, stateless_call
from fjax.core.author import Author
from fjax.core.calling import is_authored
from fjax.core.checks import is_shape, whole_shape
from fjax.core.penalties import layer_losses
from fjax.core.placeholders import (
    PLACEHOLDER_SIZES,
    at_placeholder_sizes,
    merge_shapes,
    placeholder_spec,
)
from fjax.core.policies import policy_of
from fjax.core.shapes import eval_shapes
from fjax.core.slot_variables import read_weights, slot_variables, write_weights
from fjax.core.weight_slot import WeightName, find_slot
from fjax.typing import Array, PyTree
from fjax.variable import Variable

LayerType = TypeVar("LayerType")


class FieldWithFacade:
    """A field whose attribute shows something else: the field's value is in the object's `vars`.

    Args:
        name: The name of the field.
        read: Returns the value of the attribute for an object.
    """

    def __init__(self, name: str, read: Callable[[Any], Any]) -> None:
        self.name, self.read = name, read

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return None if instance is None else self.read(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self.name] = value


class LayerFacade(Author):
    """The part of a layer that reads and writes its weight slot; `init` and `apply` never do.

    A layer has weights if it is in a built model, was called on arrays, or was built by `build`.
    """

    @property
    def given_name(self) -> str | None:
        """The name that the layer was created with; in a model, `name` may be a numbered one."""
        return vars(self).get("name")

    @property
    def weights(self) -> list[Variable]:
        """The weights as variables, in Keras's order; none before the layer is built."""
        return weights_of(self)

    @property
    def variables(self) -> list[Variable]:
        """The weights, as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training updates; none if the layer is frozen."""
        return [variable for variable in self.weights if variable.trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The weights that training updates, as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not update, or not by gradients."""
        return [variable for variable in self.weights if not variable.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The weights that training does not update, as `non_trainable_weights`."""
        return self.non_trainable_weights

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        training: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Return the outputs for these variables and inputs; it is pure, and changes nothing.

        It works under `jit`, `grad`, `vmap` and `scan`. A layer that draws random numbers in
        training needs the key of a model's step there; elsewhere use `layer.apply(…, key=key)`.

        Args:
            trainable_variables: The values of `trainable_variables`.
            non_trainable_variables: The values of `non_trainable_variables`.
            args: The inputs, as in a call of the layer.
            return_losses: Whether to return the losses of regularizers and of `add_loss`, too.
            training: Whether the call is in training mode.
            kwargs: The inputs by name, and further arguments of `call`.

        Returns:
            `(outputs, non_trainable_variables)`, or `(outputs, non_trainable_variables, losses)`.

        Raises:
            ValueError: The layer is not built, a list has another length, or an array another
                shape.

        Source: Keras, `Layer.stateless_call`.

        >>> from fjax.layers import BatchNormalization
        >>> layer = BatchNormalization(momentum=0.5)
        >>> layer.build((None, 1))
        >>> outputs, others = layer.stateless_call(
        ...     layer.trainable_variables, layer.non_trainable_variables,
        ...     np.array([[1.0], [3.0]]), training=True,
        ... )
        >>> [other.tolist() for other in others], layer.moving_mean.numpy().tolist()
        ([[1.0], [1.0]], [0.0])
        """
        self._check_outside("stateless_call")
        if not _is_built(self) or filled_slot(self) is None:
            raise self._not_built("stateless_call")
        trainable = _with_values(self, "trainable_variables", trainable_variables)
        others = _with_values(self, "non_trainable_variables", non_trainable_variables)
        outputs, state, losses = stateless_call(self, trainable, others, args, training, kwargs)
        return (outputs, state, losses) if return_losses else (outputs, state)

    @property
    def losses(self) -> list[Array]:
        """The penalties of the weights as they are now, and of the outputs of the last call."""
        self._check_outside("losses")
        slot = filled_slot(self)
        if slot is None:
            return []
        return layer_losses(self, slot.gather("params"), slot.gather("state"), slot.was_called)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the weights, in Keras's order: `kernel, bias`."""
        self._check_outside("get_weights")
        slot = filled_slot(self)
        return [] if slot is None else read_weights(slot)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights, in each model that has the layer.

        Args:
            weights: Arrays in the order of `get_weights`.

        Raises:
            ValueError: The layer is not built, or the number of arrays or a shape does not fit.
        """
        self._check_outside("set_weights")
        slot = filled_slot(self)
        if slot is None:
            if len(weights):
                raise self._not_built("set_weights")
            return
        write_weights(slot, weights, f"layer {layer_name(self)!r}")

    def count_params(self) -> int:
        """Return the number of values in the weights.

        Raises:
            ValueError: The layer is not built.
        """
        self._check_outside("count_params")
        slot = filled_slot(self)
        if slot is None:
            raise self._not_built("count_params")
        return sum(weight.size for weight in read_weights(slot))

    def compute_output_shape(self, *input_shapes: Any) -> Any:
        """Return the shape of the outputs for inputs of a shape, batch axis included.

        Args:
            input_shapes: One for each input, None for an axis of any size. A list of shapes is a
                list of inputs.

        >>> from fjax.layers import Conv2D
        >>> Conv2D(8, 3).compute_output_shape((None, 28, 28, 1))
        (None, 26, 26, 8)
        """
        shapes = several_inputs(input_shapes)

        def evaluate(which: int) -> PyTree:
            return eval_shapes(self, *input_specs(type(self).__name__, shapes, which)).outputs

        smaller, larger = (
            at_placeholder_sizes(evaluate, which) for which in range(len(PLACEHOLDER_SIZES))
        )
        return jax.tree.map(lambda a, b: merge_shapes(a.shape, b.shape), smaller, larger)

    def build(self, *input_shapes: Any) -> None:
        """Draw the weights for inputs of a shape, batch axis included, if there are none yet.

        An author's class overrides it, to make weights by `add_weight`.

        Args:
            input_shapes: One for each input, None for an axis of any size. A list of shapes is a
                list of inputs.

        >>> from fjax.layers import Dense
        >>> layer = Dense(3)
        >>> layer.build((None, 8))
        >>> layer.kernel.shape
        (8, 3)
        """
        # An author's `build` calls it on the copy that is bound for one pass.
        if not self._authoring.is_running(self) and filled_slot(self) is None:
            shapes = several_inputs(input_shapes)
            at_placeholder_sizes(
                lambda which: draw_weights(self, input_specs(type(self).__name__, shapes, which))
            )

    def _check_outside(self, attribute: str) -> None:
        """Raise RuntimeError on the copy of an author's object that is bound for one pass."""
        if self._authoring.is_bound(self):
            raise RuntimeError(
                f"`{type(self).__name__}`: `{attribute}` was used in `build` or `call`, where the "
                "weights are attributes: read `self.kernel`, or `self.dense.kernel`."
            )

    def _not_built(self, what: str) -> ValueError:
        return ValueError(
            f"`{what}`: the layer {layer_name(self)!r} is not built, so it has no weights yet. "
            "Call it on data, or `layer.build(input_shape)`, or put it into a model."
        )


def _with_values(layer: Any, argument: str, values: Sequence[Any]) -> list[tuple[Variable, Any]]:
    """Return the variables of a layer with their values, for `stateless_call`."""
    variables = getattr(layer, argument)
    if not isinstance(values, list | tuple) or len(values) != len(variables):
        received = len(values) if isinstance(values, list | tuple) else type(values).__name__
        raise ValueError(
            f"`stateless_call` of the layer {layer_name(layer)!r} takes a list of {len(variables)} "
            f"arrays as `{argument}`, one for each of `layer.{argument}`, received {received}."
        )
    arrays = [getattr(value, "value", value) for value in values]
    return list(zip(variables, arrays, strict=True))


def weights_of(layer: Any) -> list[Variable]:
    """Return the weights of a layer as variables, in Keras's order."""
    layer._check_outside("weights")
    slot = filled_slot(layer)
    if slot is None:
        # The weights that an author's `__init__` made are there before the layer is built.
        return layer._authoring.init_variables(layer) if is_authored(layer) else []
    prefix = (layer_name(layer),) if slot.link is None else slot.link.path
    return slot_variables(layer, slot, prefix)


def has_weights_field(cls: type[LayerType]) -> type[LayerType]:
    """Make the weights of a class with a field `weights`, an argument in Keras, its attribute."""
    setattr(cls, "weights", FieldWithFacade("weights", weights_of))  # noqa: B010
    return cls


def shown_name(layer: Any) -> str | None:
    """Return the name that a layer was given, or the one that it has in its model, or None."""
    given, slot = vars(layer).get("name"), find_slot(layer)
    if given is not None or slot is None or slot.link is None:
        return given
    return slot.link.name


def derived_attribute(layer: Any, name: str) -> Any:
    """Return an attribute that a layer does not store: its place in a model, or one of its weights.

    Raises:
        AttributeError: There is none of this name.
    """
    if name in _DERIVED:
        return _DERIVED[name](layer)
    if name in FACADE_NAMES:
        # A property raised an AttributeError of its own, which is not to be hidden.
        return object.__getattribute__(layer, name)
    slot = None if name.startswith("__") else find_slot(layer)
    if slot is not None and name in slot.attributes:
        value = slot.attributes[name]
        if not isinstance(value, WeightName):
            return value
        name = str(value)
    shapes = slot.shapes if slot is not None and slot.shapes is not None and slot.is_built else ()
    if any(name in tree and not isinstance(tree[name], Mapping) for tree in shapes):
        return _own_weight(layer, name)
    weight = layer._authoring.context_of(layer).extended_weight(name)
    if weight is not None:
        return weight
    raise AttributeError(f"`{type(layer).__name__}` has no attribute `{name}`.{_hint(layer, name)}")


def _own_weight(layer: Any, name: str) -> Variable:
    # The layer's own weights come before those of its sublayers.
    variable = next((each for each in weights_of(layer) if each.name == name), None)
    if variable is None:
        raise AttributeError(
            f"The layer {layer_name(layer)!r} is in a model whose weights are not made yet, so it "
            f"has no `{name}` here. A head that reads the weight of another layer takes it in an "
            'operation on symbolic tensors, such as `ops.einsum("btd,vd->btv", x, layer.'
            f"{name})`; or make both layers attributes of a class with `call`."
        )
    return variable


def _tensors(layer: Any) -> Any:
    """Return the inputs and outputs of a layer's symbolic call: in its model, or the first one."""
    slot = find_slot(layer)
    link = None if slot is None else slot.link
    tensors = link.tensors(layer) if link is not None and link.is_alive else None
    if tensors is None and slot is not None and slot.node is not None:
        tensors = slot.node()
    if tensors is None and hasattr(type(layer), "symbolic_node"):
        return layer.symbolic_node()
    if tensors is None:
        raise AttributeError(
            f"The layer {layer_name(layer)!r} was not called on symbolic tensors, so it has no "
            "`input` and `output`: call it on `fjax.Input`, or give its model an `Input`."
        )
    return tensors


def _input(layer: Any) -> PyTree:
    inputs = _tensors(layer).inputs
    return inputs[0] if isinstance(inputs, tuple) and len(inputs) == 1 else inputs


def _output(layer: Any) -> PyTree:
    return _tensors(layer).outputs


def _output_shape(layer: Any) -> Any:
    return jax.tree.map(lambda tensor: tensor.shape, _output(layer))


def _is_built(layer: Any) -> bool:
    slot = find_slot(layer)
    return slot is not None and slot.is_built


def variable_dtype(layer: Any) -> str:
    """Return the dtype of a layer's weights."""
    return policy_of(layer).variable_dtype


# What a bound layer does not pass on, as within a pass its weights are in params and state.
FACADE_NAMES = frozenset(name for name in vars(LayerFacade) if not name.startswith("_")) - {
    "build", "compute_output_shape", "given_name",
}  # fmt: skip

# Read by `__getattr__`, so that an author's attribute may have one of these names.
_DERIVED: Mapping[str, Callable[[Any], Any]] = {
    "input": _input, "output": _output, "output_shape": _output_shape, "built": _is_built,
    "dtype_policy": policy_of, "compute_dtype": lambda layer: policy_of(layer).compute_dtype,
    "variable_dtype": variable_dtype, "input_dtype": lambda layer: policy_of(layer).compute_dtype,
}  # fmt: skip


def _hint(layer: Any, name: str) -> str:
    is_weight = f"{name}_initializer" in {item.name for item in dataclasses.fields(layer)}
    if not is_weight or _is_built(layer):
        return ""
    return (
        " The layer is not built, so it has no weights yet: call it on data, or "
        "`layer.build(input_shape)`, or put it into a model."
    )


def several_inputs(shapes: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return one shape or structure of shapes for each input: a list of shapes is several."""
    if len(shapes) == 1 and isinstance(shapes[0], list | tuple) and not is_shape(shapes[0]):
        return tuple(shapes[0])
    return shapes


def input_specs(owner: str, shapes: tuple[Any, ...], which: int) -> tuple[PyTree, ...]:
    """Return the specs of inputs of these shapes, batch axis included."""

    def spec(shape: Any) -> jax.ShapeDtypeStruct:
        batch, *sizes = whole_shape(owner, shape)
        return placeholder_spec(sizes, "float32", which, batch)

    return jax.tree.map(spec, shapes, is_leaf=is_shape)
