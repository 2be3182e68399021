"""Symbolic tensors: values that are not there yet, and the calls that will make them."""

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from fjax.core.calling import call_inputs
from fjax.core.inputs import PLACEHOLDER_SIZES, explain_placeholder_sizes, merge_shapes
from fjax.core.location import layer_context
from fjax.core.masking import is_masked, split_mask, with_mask
from fjax.core.naming import default_name
from fjax.core.operations import OPERATORS, Index, Operation, as_index
from fjax.core.shapes import eval_shapes
from fjax.core.text import is_text
from fjax.typing import PyTree

# Tells which of two nodes was drawn first; nothing depends on the numbers themselves.
_numbers = itertools.count()


class Node:
    """One call of a layer on symbolic tensors.

    Attributes:
        layer: The layer that is called; None for an input.
        inputs: What it is called on: a tuple of tensors, constants, and nestings of them.
        training: The mode that the call fixes; None follows the pass.
        tensors: The tensors that it makes, masks among them.
        outputs: The same in their structure, each mask being its tensor's attribute.
        number: Larger than that of every node that was drawn before.
    """

    def __init__(
        self,
        layer: Any,
        inputs: tuple[PyTree, ...],
        training: bool | None,
        specs: Callable[[int], PyTree],
    ) -> None:
        self.layer = layer
        self.inputs = inputs
        self.training = training
        self.number = next(_numbers)
        self.specs_at = specs
        leaves, structure = jax.tree.flatten(specs(0))
        self.tensors = [SymbolicTensor(self, position) for position in range(len(leaves))]
        made = jax.tree.unflatten(structure, self.tensors)
        self.outputs: PyTree = jax.tree.map(_with_own_mask, made, is_leaf=is_masked)

    @functools.cached_property
    def specs(self) -> tuple[list[Any], list[Any]]:
        """The shapes and dtypes of the outputs' leaves, at each of the `PLACEHOLDER_SIZES`."""
        smaller, larger = (
            jax.tree.leaves(self.specs_at(which)) for which in range(len(PLACEHOLDER_SIZES))
        )
        return smaller, larger

    @property
    def name(self) -> str:
        """What messages call the node."""
        return getattr(self.layer, "name", None) or default_name(self.layer)

    def parents(self) -> Iterator["SymbolicTensor"]:
        """Return the tensors that the layer is called on."""
        for leaf in jax.tree.leaves(self.inputs):
            if isinstance(leaf, SymbolicTensor):
                yield leaf


class SymbolicTensor:
    """A value in a graph that is being drawn: a shape and a dtype, and where it comes from.

    `fjax.Input` makes the first ones, a layer called on some makes others, and Python's operators
    and indexing do. `fjax.Model(inputs, outputs)` makes a network of them.

    >>> from fjax.layers import Dense, Input
    >>> inputs = Input((8,), name="features")
    >>> outputs = Dense(3)(inputs) * 2.0 + 1.0
    >>> inputs, outputs[:, 0].shape
    (<SymbolicTensor (None, 8) float32 of 'features'>, (None,))
    """

    # numpy's operators step back for these.
    __array_ufunc__ = None

    # `==` makes a tensor, as with arrays: as a key it is equal to itself alone.
    __hash__ = object.__hash__

    def __init__(self, node: Node, position: int) -> None:
        self.node = node
        self.position = position
        # The symbolic tensor of booleans that says what counts; None where all does.
        self.mask: SymbolicTensor | None = None

    def __repr__(self) -> str:
        return f"<SymbolicTensor {self.shape} {self.dtype} of {self.node.name!r}>"

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, with None for axes of any size."""
        smaller, larger = (specs[self.position] for specs in self.node.specs)
        return merge_shapes(smaller.shape, larger.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """The number type, by name."""
        spec = self.spec(0)
        return "string" if is_text(spec) else spec.dtype.name

    @property
    def name(self) -> str:
        """The name of the layer that makes the tensor."""
        return self.node.name

    def spec(self, which: int) -> Any:
        """Return the shape and dtype at one of the `PLACEHOLDER_SIZES`."""
        return jax.tree.leaves(self.node.specs_at(which))[self.position]

    def __call_layer__(
        self, layer: Any, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
    ) -> PyTree:
        return call(layer, call_inputs(layer, inputs, options), training)

    def __getitem__(self, index: Any) -> Any:
        return call(Index(as_index(index)), (self,))

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0 or self.shape[0] is None:
            raise TypeError(
                f"{self!r} has a first axis of any size and cannot be iterated: take parts of it "
                "by indexing, as in `tensor[:, 0]`."
            )
        return iter([self[position] for position in range(self.shape[0])])

    def __bool__(self) -> bool:
        raise TypeError(
            f"{self!r} has no value yet, so that Python's `if`, `and`, `or` and `in` cannot decide "
            "by it: write the condition into a layer, with `jnp.where`; ask by `is` whether two "
            "symbolic tensors are the same."
        )

    @property
    def __jax_array__(self) -> Any:
        # A property, for JAX asks for it first; a TypeError it would replace by one of its own.
        raise ValueError(
            f"{self!r} has no value yet and was given to a function of arrays. Make the function a "
            "layer: `fjax.core.as_layer(function)(tensor)`."
        )

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.__jax_array__


def _operator(name: str, swapped: bool = False) -> Callable[..., Any]:
    def apply(self: SymbolicTensor, *others: Any) -> Any:
        for other in others:
            if not _is_operand(other):
                _refuse_array(Operation(name), other)
                return NotImplemented
        return call(Operation(name), (*others, self) if swapped else (self, *others))

    return apply


def _is_operand(value: Any) -> bool:
    return isinstance(value, SymbolicTensor | int | float | np.number)


for _name, _method in OPERATORS.items():
    setattr(SymbolicTensor, f"__{_method}__", _operator(_name))
    if _method in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        setattr(SymbolicTensor, f"__r{_method}__", _operator(_name, swapped=True))


def _refuse_array(layer: Any, value: Any) -> None:
    if hasattr(value, "shape") and not isinstance(value, np.number):
        raise TypeError(
            f"{layer!r} was called on symbolic tensors and an array of shape {value.shape}: a "
            "graph holds no arrays. Give the array as an `Input`, or make a layer that has it as "
            "a weight."
        )


def _with_own_mask(value: Any) -> SymbolicTensor:
    tensor, mask = split_mask(value)
    tensor.mask = mask
    return tensor


def _explicit(value: Any) -> Any:
    """Return a value as a layer will be given it: the mask of a tensor stands beside it.

    Where a mask was given by name it does so already.
    """
    return with_mask(value, value.mask) if isinstance(value, SymbolicTensor) else value


def input_tensor(declaration: Any) -> SymbolicTensor:
    """Return the symbolic tensor of a declared input, a layer with a method `spec`."""
    node = Node(declaration, (), None, declaration.spec)
    return node.tensors[0]


def call(layer: Any, inputs: tuple[PyTree, ...], training: bool | None = None) -> PyTree:
    """Record a call of a layer, and return the tensors that it will make.

    Raises:
        TypeError: An array is among the inputs.
        ValueError: The layer does not take these inputs; the error says which layer.
    """
    if training is not None and not isinstance(training, bool):
        raise TypeError(
            f"{layer!r} was called with `training={training!r}`: it must be True, False or None, "
            "which follows the model."
        )
    for leaf in jax.tree.leaves(inputs):
        if not isinstance(leaf, SymbolicTensor):
            _refuse_array(layer, leaf)
    if not isinstance(layer, Operation | Index):
        inputs = jax.tree.map(_explicit, inputs, is_leaf=is_masked)

    def known_axes() -> Iterator[tuple[int | None, ...]]:
        return (t.shape[1:] for t in jax.tree.leaves(inputs) if isinstance(t, SymbolicTensor))

    @functools.cache
    def specs(which: int) -> PyTree:
        values = jax.tree.map(
            lambda leaf: leaf.spec(which) if isinstance(leaf, SymbolicTensor) else leaf, inputs
        )
        name = getattr(layer, "name", None) or default_name(layer)
        with explain_placeholder_sizes(known_axes), layer_context(name, layer, values):
            return eval_shapes(layer, *values).outputs

    return Node(layer, inputs, training, specs).outputs
