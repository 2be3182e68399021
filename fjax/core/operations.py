"""Python's operators and indexing as layers without weights, recorded by symbolic tensors."""

import operator
from collections.abc import Callable
from types import EllipsisType
from typing import Any

import jax.numpy as jnp
import numpy as np

from fjax.core.layer import Layer
from fjax.errors import is_integer, one_of
from fjax.typing import Key, Params, PyTree, State

# The names of operations, and those of the special methods of Python.
OPERATORS = {
    "add": "add",
    "subtract": "sub",
    "multiply": "mul",
    "true_divide": "truediv",
    "floor_divide": "floordiv",
    "mod": "mod",
    "power": "pow",
    "matmul": "matmul",
    "negative": "neg",
    "absolute": "abs",
    "greater": "gt",
    "greater_equal": "ge",
    "less": "lt",
    "less_equal": "le",
    "equal": "eq",
    "not_equal": "ne",
    "logical_and": "and",
    "logical_or": "or",
    "logical_xor": "xor",
    "logical_not": "invert",
}

# Those that also exist with the symbolic tensor on the right.
SWAPPED = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor",
)  # fmt: skip

# As in Keras, `&`, `|`, `^` and `~` are logical for tensors of any dtype.
_LOGICAL = ("logical_and", "logical_or", "logical_xor", "logical_not")


class Operation(Layer):
    """One of Python's operators.

    Args:
        operation: "add", "subtract", "multiply", "true_divide", "floor_divide", "mod", "power",
            "matmul", "negative", "absolute", "greater", "greater_equal", "less", "less_equal",
            "equal", "not_equal", "logical_and", "logical_or", "logical_xor" or "logical_not".

    >>> Operation("multiply").apply({}, {}, 2.0, 3.0)
    (6.0, {})
    """

    operation: str

    masking = "drops"
    casting = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("Operation", "operation", self.operation, OPERATORS)

    @property
    def rows_independent(self) -> bool:
        """Whether the operator treats each row alone; a matrix product mixes rows."""
        return self.operation != "matmul"

    @property
    def kind(self) -> str:
        """The name of the operation, in the form of a class name."""
        return self.operation.title().replace("_", "")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the result of the operator for its one or two operands."""
        if self.operation in _LOGICAL:
            return getattr(jnp, self.operation)(*inputs), state
        function: Callable[..., Any] = getattr(operator, f"__{OPERATORS[self.operation]}__")
        return function(*inputs), state


class Index(Layer):
    """Index an array: `inputs[index]`.

    Args:
        index: One entry for each axis: an int, None for a new axis, "..." for an ellipsis, or
            `("slice", start, stop, step)`; see `as_index`.

    >>> import jax.numpy as jnp
    >>> outputs, _ = Index(as_index((slice(None), 0))).apply({}, {}, jnp.eye(3))
    >>> outputs.tolist()
    [1.0, 0.0, 0.0]
    """

    index: tuple[Any, ...]

    masking = "drops"
    casting = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.index = tuple(
            tuple(entry) if isinstance(entry, list | tuple) else entry for entry in self.index
        )

    @property
    def rows_independent(self) -> bool:
        """Whether the whole batch axis is kept."""
        return self.index[:1] == (("slice", None, None, None),)

    @property
    def kind(self) -> str:
        """Keras's word for indexing."""
        return "GetItem"

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the indexed input."""
        (values,) = inputs
        entries = tuple(
            slice(*entry[1:]) if isinstance(entry, tuple) else ... if entry == "..." else entry
            for entry in self.index
        )
        # numpy raises if an index is out of bounds; JAX would clamp it. Within an exported program
        # a size may be symbolic: any index is within its bounds.
        sizes = [size if isinstance(size, int) else 2**20 for size in values.shape]
        np.broadcast_to(0, sizes)[entries]
        return values[entries], state


def as_index(index: Any) -> tuple[Any, ...]:
    """Return a Python index as plain data.

    Raises:
        TypeError: An entry is none of an int, a slice of ints, `...` and None.

    >>> as_index((..., slice(1, None), 0))
    ('...', ('slice', 1, None, None), 0)
    """
    entries = index if isinstance(index, tuple) else (index,)
    return tuple(_plain_entry(entry) for entry in entries)


def _plain_entry(entry: Any) -> Any:
    if isinstance(entry, EllipsisType):
        return "..."
    if isinstance(entry, slice):
        bounds = (entry.start, entry.stop, entry.step)
        if all(bound is None or is_integer(bound) for bound in bounds):
            return ("slice", *(None if bound is None else int(bound) for bound in bounds))
    if entry is None:
        return None
    if is_integer(entry):
        return int(entry)
    raise TypeError(
        f"A symbolic tensor can be indexed by integers, slices of integers, `...` and None, "
        f"received {entry!r}. For other indices make a layer: `fjax.core.as_layer(function)`."
    )
