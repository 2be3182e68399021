"""Symbolic tensors: placeholders for arrays that record the layers called on them.

A `SymbolicTensor` is one output of a `Node`, and a `Node` is one call of a layer. The network
between some tensors and others is a `Graph`; see `fjax.core.graph_builder`.
"""

import functools
import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import jax
import numpy as np

from fjax.core.calling import call_inputs
from fjax.core.function_calls import (
    Constant,
    fill_constants,
    function_call,
    is_array,
    map_nested,
)
from fjax.core.input_spec import check_input_spec
from fjax.core.location import layer_context
from fjax.core.masking import is_masked, masking_of, split_mask, with_mask
from fjax.core.naming import default_name, given_name
from fjax.core.operations import OPERATORS, SWAPPED, Index, Operation, as_index
from fjax.core.placeholders import PLACEHOLDER_SIZES, at_placeholder_sizes, merge_shapes
from fjax.core.shapes import LayerShapes, eval_shapes
from fjax.core.slot_variables import SlotStorage
from fjax.core.text_inputs import is_text
from fjax.core.weight_slot import Path, connect_slots, give_slots, slot_of
from fjax.trees import branch
from fjax.typing import PyTree
from fjax.variable import Variable

# Tells which of two nodes is older; nothing depends on the numbers themselves.
_numbers = itertools.count()


class Node:
    """One call of a layer on symbolic tensors.

    Attributes:
        layer: The layer; the `InputLayer` where the node is a declared input.
        inputs: The arguments of the call: tensors, constants, and nested structures of them.
        training: The mode of this call, True or False; None follows the mode of the network.
        tensors: The outputs as a flat list, masks included.
        outputs: The outputs in the layer's structure, each mask as an attribute of its tensor.
        number: Larger than the number of every older node.
        weights: The shapes of the layer's params and state.
        weight: The part and the path of the weight that the node reads, "params" or "state" first;
            empty for a call. Such a node has no `inputs`: the graph gives it those of a call.
        source: The call that the weight's layer was built for.
    """

    def __init__(
        self,
        layer: Any,
        inputs: tuple[PyTree, ...],
        training: bool | None,
        specs: Callable[[int], LayerShapes],
        weight: Path = (),
        source: "Node | None" = None,
    ) -> None:
        self.layer, self.weight, self.source = layer, weight, source
        self.inputs = inputs
        self.training = training
        self.number = next(_numbers)
        self.specs_at = specs
        shapes = specs(0)
        self.weights = shapes.params, shapes.state
        leaves, structure = jax.tree.flatten(shapes.outputs)
        self.tensors = [SymbolicTensor(self, index) for index in range(len(leaves))]
        outputs = jax.tree.unflatten(structure, self.tensors)
        self.outputs: PyTree = jax.tree.map(_attach_mask, outputs, is_leaf=is_masked)

    @functools.cached_property
    def specs(self) -> tuple[list[Any], list[Any]]:
        """The shapes and dtypes of the flat outputs, at each of the `PLACEHOLDER_SIZES`."""
        smaller, larger = (
            jax.tree.leaves(self.specs_at(which).outputs) for which in range(len(PLACEHOLDER_SIZES))
        )
        return smaller, larger

    @property
    def name(self) -> str:
        """The name of the layer, or that of its class, for messages."""
        return given_name(self.layer) or default_name(self.layer)

    def parents(self) -> Iterator["SymbolicTensor"]:
        """Yield the tensors that the layer is called on."""
        for leaf in jax.tree.leaves(self.inputs):
            if isinstance(leaf, SymbolicTensor):
                yield leaf


class SymbolicTensor:
    """A placeholder for an array: a shape, a dtype, and the call that computes it.

    `fjax.Input` returns the first ones. Calling layers on them, Python's operators and indexing
    return further ones, and `fjax.Model(inputs, outputs)` is the network between them.

    Attributes:
        node: The call that computes the tensor.
        index: Which of the node's `tensors` this is.
        mask: The symbolic tensor of booleans that is True where an entry counts; None where all
            entries count.

    >>> from fjax.layers import Dense, Input
    >>> inputs = Input((8,), name="features")
    >>> outputs = Dense(3)(inputs) * 2.0 + 1.0
    >>> inputs, outputs[:, 0].shape
    (<SymbolicTensor (None, 8) float32 of 'features'>, (None,))
    """

    # Makes numpy's operators return NotImplemented.
    __array_ufunc__ = None

    # `==` returns a tensor, as with arrays, so the hash is that of the identity.
    __hash__ = object.__hash__

    def __init__(self, node: Node, index: int) -> None:
        self.node = node
        self.index = index
        self.mask: SymbolicTensor | None = None

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.shape} {self.dtype} of {self.node.name!r}>"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, with None for an axis of any size."""
        smaller, larger = (specs[self.index] for specs in self.node.specs)
        return merge_shapes(smaller.shape, larger.shape)

    @property
    def _keras_mask(self) -> "SymbolicTensor | None":
        # Keras's guides read the mask of a tensor here.
        return self.mask

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """The name of the dtype, "string" for text."""
        spec = self.spec(0)
        return "string" if is_text(spec) else spec.dtype.name

    @property
    def name(self) -> str:
        """The name of the layer that computes the tensor."""
        return self.node.name

    def spec(self, which: int) -> Any:
        """Return the shape and dtype at one of the `PLACEHOLDER_SIZES`, by its index."""
        return jax.tree.leaves(self.node.specs_at(which).outputs)[self.index]

    def __call_layer__(
        self, layer: Any, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
    ) -> PyTree:
        give_slots(layer)
        node = record_call(layer, call_inputs(layer, inputs, options), training)
        note_call(layer, node)
        return node.outputs

    def __call_function__(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> PyTree:
        args, kwargs = map_nested(as_symbolic, (args, kwargs))
        layer, tensors = function_call(function, args, kwargs)
        return record_call(layer, tuple(tensors)).outputs

    def __getitem__(self, index: Any) -> Any:
        return record_call(Index(as_index(index)), (self,)).outputs

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0 or self.shape[0] is None:
            raise TypeError(
                f"{self!r} cannot be iterated: the size of its first axis is not known. Index it "
                "instead, as in `tensor[:, 0]`."
            )
        return iter([self[index] for index in range(self.shape[0])])

    def reshape(self, newshape: Any) -> Any:
        """Return the tensor in another shape, batch axis included; one size may be -1.

        >>> from fjax.layers import Input
        >>> Input((2, 3)).reshape((-1, 6)).shape
        (None, 6)
        """
        return _operation("reshape")(self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """Return the tensor without an axis of size 1; None removes all of them."""
        return _operation("squeeze")(self, axis)

    def __round__(self, decimals: int | None = None) -> Any:
        return _operation("round")(self, decimals or 0)

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no value yet, so Python's `if`, `and`, `or` and `in` cannot test it: "
            "write the condition inside a layer, with `jnp.where`. To ask whether two symbolic "
            "tensors are the same, use `is`."
        )

    @property
    def __jax_array__(self) -> Any:
        # A property, because JAX looks the attribute up first; it would replace a TypeError.
        raise ValueError(
            f"{self!r} has no value yet, but was passed to a function of arrays. Make the function "
            "a layer: `fjax.core.as_layer(function)(tensor)`."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.__jax_array__


class _Operations:
    """What returns the module of operations."""

    load: ClassVar[Callable[[], Any] | None] = None


def register_operations(load: Callable[[], Any]) -> None:
    """Set what returns the module of operations: `fjax.ops`, which lies above this package."""
    _Operations.load = staticmethod(load)


def _operation(name: str) -> Callable[..., Any]:
    assert _Operations.load is not None
    function: Callable[..., Any] = getattr(_Operations.load(), name)
    return function


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    def apply(self: SymbolicTensor, *others: Any) -> Any:
        others = tuple(_as_operand(other) for other in others)
        for other in others:
            if not (isinstance(other, SymbolicTensor | int | float | np.number) or is_array(other)):
                _refuse_tracer(Operation(name), other)
                return NotImplemented
        operands = (*others, self) if swapped else (self, *others)
        return record_call(Operation(name), operands).outputs

    return apply


for _name, _method in OPERATORS.items():
    setattr(SymbolicTensor, f"__{_method}__", _operator(_name))
    if _method in SWAPPED:
        setattr(SymbolicTensor, f"__r{_method}__", _operator(_name, swapped=True))


def as_symbolic(value: Any) -> Any:
    """Return the symbolic tensor of a layer's weight, and any other value as it is.

    Raises:
        TypeError: The layer was not called on symbolic tensors.
    """
    storage = value.storage if isinstance(value, Variable) else None
    if not isinstance(storage, SlotStorage):
        return value
    source = None if storage.slot.node is None else storage.slot.node()
    if source is None:
        raise TypeError(
            f"The weight {value.path!r} was given to an operation on symbolic tensors, but its "
            "layer is in no graph: call the layer on a symbolic tensor of this graph first. For a "
            "layer within a model or layer, write a class with `call` that has it as an attribute; "
            "for the weight's present value as a constant, pass `numpy.array(weight)`."
        )
    return weight_tensor(source, (storage.part, *storage.path))


def weight_tensor(source: Node, weight: Path) -> SymbolicTensor:
    """Return the symbolic tensor of a weight of a layer that was called.

    Args:
        source: A call of the layer.
        weight: The part, "params" or "state", and the path of the weight in it.
    """

    def specs(which: int) -> LayerShapes:
        shapes = source.specs_at(which)
        weights = {"params": shapes.params, "state": shapes.state}
        return shapes._replace(outputs=branch(weights, weight))

    return Node(source.layer, (), None, specs, weight, source).tensors[0]


def _as_operand(value: Any) -> Any:
    value = as_symbolic(value)
    return value.value if isinstance(value, Variable) else value


def _is_variable(value: Any) -> bool:
    return isinstance(value, Variable)


def _as_leaf(layer: Any, leaf: Any) -> Any:
    """Return an argument of a call as a graph holds it: an array becomes a `Constant`."""
    leaf = _as_operand(leaf)
    if is_array(leaf):
        return Constant.of(leaf)
    _refuse_tracer(layer, leaf)
    return leaf


def _refuse_tracer(layer: Any, value: Any) -> None:
    if isinstance(value, jax.core.Tracer):
        raise TypeError(
            f"{layer!r} was called on symbolic tensors and a traced array of shape {value.shape}: "
            "a graph cannot hold an array that is being computed. Pass it as an `Input`, or make "
            "it a weight of a layer."
        )


def _attach_mask(value: Any) -> SymbolicTensor:
    """Return a tensor with its mask as an attribute."""
    tensor, mask = split_mask(value)
    tensor.mask = mask
    return tensor


def _with_attached_mask(value: Any) -> Any:
    """Return a tensor beside its attached mask, as `apply` will receive them.

    A value whose mask was passed by name is `Masked` already, and returned as it is.
    """
    return with_mask(value, value.mask) if isinstance(value, SymbolicTensor) else value


def input_tensor(declaration: Any) -> SymbolicTensor:
    """Return the symbolic tensor of an `InputLayer`."""
    return Node(
        declaration, (), None, lambda which: LayerShapes({}, {}, declaration.spec(which))
    ).tensors[0]


def note_call(layer: Any, node: Node) -> None:
    """Note in the layer's slot that a user called it, so that it is built and has an `output`."""
    slot = slot_of(layer)
    if slot.node is None or slot.node() is None:
        slot.node = weakref.ref(node)
    if slot.shapes is None:
        specs = jax.tree.map(
            lambda leaf: leaf.spec(0) if isinstance(leaf, SymbolicTensor) else leaf, node.inputs
        )
        connect_slots(node.name, layer, *node.weights).specs = fill_constants(specs)


def record_call(layer: Any, inputs: tuple[PyTree, ...], training: bool | None = None) -> Node:
    """Return the node of a call of a layer on symbolic tensors.

    Raises:
        TypeError: A traced array is among the inputs, or `training` is no mode.
        ValueError: The layer does not take these inputs; the error names the layer.
    """
    if training is not None and not isinstance(training, bool):
        raise TypeError(
            f"{layer!r} was called with `training={training!r}`: it must be True, False or None, "
            "which follows the mode of the model."
        )
    inputs = jax.tree.map(
        lambda leaf: leaf if isinstance(leaf, SymbolicTensor) else _as_leaf(layer, leaf),
        inputs, is_leaf=_is_variable,
    )  # fmt: skip
    # Here the sizes are known; those of a shape evaluation may be placeholders.
    spec = getattr(layer, "__dict__", {}).get("input_spec")
    if len(inputs) == 1 and spec is not None:
        check_input_spec(type(layer).__name__, spec, inputs[0])
    if masking_of(layer) != "drops":
        inputs = jax.tree.map(_with_attached_mask, inputs, is_leaf=is_masked)

    def evaluate(which: int) -> LayerShapes:
        values = jax.tree.map(
            lambda leaf: leaf.spec(which) if isinstance(leaf, SymbolicTensor) else leaf, inputs
        )
        values = fill_constants(values)
        name = given_name(layer) or default_name(layer)
        with layer_context(name, layer, values):
            return eval_shapes(layer, *values)

    @functools.cache
    def specs(which: int) -> LayerShapes:
        return at_placeholder_sizes(evaluate, which)

    return Node(layer, inputs, training, specs)
