"""Calls of functions on symbolic tensors, as layers without weights: plain data, without code."""

import base64
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured
from fjax.core.function_traits import function_has_trait
from fjax.core.layer import Layer
from fjax.errors import integer_at_least
from fjax.symbols import find_recorder
from fjax.traits import within_rows
from fjax.typing import Key, Params, PyTree, State


class Argument(Configured):
    """The place of an input among the arguments of a `FunctionCall`.

    Args:
        position: The position of the input.
    """

    position: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.position = integer_at_least("Argument", "position", self.position, 0)


class Constant(Configured):
    """An array within a graph, as plain data.

    Args:
        dtype_name: The name of the dtype.
        sizes: The shape.
        data: The bytes of the array in base64.

    >>> constant = Constant.of(np.array([1.0, 2.0], "float32"))
    >>> constant, constant.array.tolist(), constant == Constant.of(np.array([1.0, 2.0], "float32"))
    (<Constant (2,) float32>, [1.0, 2.0], True)
    """

    dtype_name: str
    sizes: tuple[int, ...]
    data: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.sizes = tuple(self.sizes)
        # Raises ValueError if the parts do not fit together, as in a damaged file.
        self.array  # noqa: B018

    def __repr__(self) -> str:
        return f"<Constant {self.sizes} {self.dtype_name}>"

    @classmethod
    def of(cls, array: Any) -> "Constant":
        """Return the constant of an array, in the dtype that JAX computes with."""
        values = np.asarray(array)
        values = values.astype(jax.dtypes.canonicalize_dtype(values.dtype))
        data = base64.b64encode(values.tobytes()).decode("ascii")
        return cls(values.dtype.name, values.shape, data)

    @property
    def array(self) -> np.ndarray:
        """The array."""
        try:
            dtype = jnp.dtype(self.dtype_name)
            if not jnp.issubdtype(dtype, np.number) and dtype.kind != "b":
                raise TypeError(f"{dtype} is not a dtype of numbers")
            values = np.frombuffer(base64.b64decode(self.data, validate=True), dtype)
            return values.reshape(self.sizes)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`Constant`: the data is no array of shape {self.sizes} and dtype "
                f"{self.dtype_name!r}: {error}."
            ) from None


def fill_constants(tree: PyTree) -> PyTree:
    """Return a pytree with each `Constant` replaced by its array.

    >>> fill_constants((Constant.of(np.array([1, 2])), 3.0))
    (array([1, 2], dtype=int32), 3.0)
    """
    return jax.tree.map(lambda leaf: leaf.array if isinstance(leaf, Constant) else leaf, tree)


def is_array(value: Any) -> bool:
    """Return whether a value is an array of numbers with values, and no tracer."""
    if isinstance(value, jax.core.Tracer):
        return False
    is_numpy = isinstance(value, np.ndarray | np.floating) and value.dtype.kind in "biufcV"
    return is_numpy or isinstance(value, jax.Array)


class FunctionCall(Layer):
    """A call of a function with symbolic tensors among its arguments.

    A model file holds the name of the function, which must be public in fjax or registered, and
    the other arguments.

    Args:
        function: The function.
        arguments: Its arguments by position, each tensor replaced by its `Argument`.
        keywords: Its arguments by name, likewise.

    >>> layer = FunctionCall(jnp.add, (Argument(0), 2.0), {})
    >>> layer.apply({}, {}, jnp.ones(2))[0].tolist()
    [3.0, 3.0]
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]

    # As Keras's operations: the outputs have no mask.
    masking = "drops"
    casting = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not callable(self.function) or not isinstance(self.keywords, Mapping):
            raise TypeError(
                "`FunctionCall` needs a function, a tuple of arguments and a dict of arguments by "
                f"name, received {self.function!r}, {self.arguments!r} and {self.keywords!r}."
            )
        self.arguments = tuple(self.arguments)

    @property
    def kind(self) -> str:
        """The function's name, in the form of a class name."""
        words = getattr(self.function, "__name__", "function_call").split("_")
        return "".join(word[:1].upper() + word[1:] for word in words)

    @property
    def rows_independent(self) -> bool:
        """Whether the function is known to process each row independently."""
        if function_has_trait(self.function, "entrywise"):
            return True
        if not function_has_trait(self.function, "rows_independent"):
            return False
        bound = inspect.signature(self.function).bind(*self.arguments, **self.keywords)
        bound.apply_defaults()
        axis = bound.arguments.get("axis")
        return axis is not None and within_rows(axis)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Call the function with the inputs in their places."""
        arguments, keywords = map_nested(
            lambda value: _filled(value, inputs), (self.arguments, dict(self.keywords))
        )
        return self.function(*arguments, **keywords), state


def function_call(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[FunctionCall, list[Any]]:
    """Return the layer for a call of a function, and the symbolic tensors that are its inputs.

    Raises:
        TypeError: A traced array is among the arguments.
    """
    tensors: list[Any] = []

    def plain(value: Any) -> Any:
        if find_recorder((value,)) is not None:
            position = next((i for i, other in enumerate(tensors) if other is value), None)
            if position is None:
                position = len(tensors)
                tensors.append(value)
            return Argument(position)
        return _plain(function, value)

    arguments, keywords = map_nested(plain, (args, dict(kwargs)))
    return FunctionCall(function, arguments, keywords), tensors


def _plain(function: Callable[..., Any], value: Any) -> Any:
    """Return an argument as plain data where it can be: arrays and dtypes by their content."""
    if isinstance(value, jax.core.Tracer):
        raise TypeError(
            f"`{function.__name__}` was called on symbolic tensors and a traced array of shape "
            f"{value.shape}: a graph cannot hold an array that is being computed."
        )
    if is_array(value):
        return Constant.of(value)
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    if isinstance(value, np.dtype) or (isinstance(value, type) and value in (bool, int, float)):
        return jax.dtypes.canonicalize_dtype(value).name
    if hasattr(value, "dtype") and hasattr(value, "__name__"):
        # A scalar type of JAX or numpy, such as `jnp.float32`.
        return jnp.dtype(value).name
    return value


def _filled(value: Any, inputs: tuple[Any, ...]) -> Any:
    if isinstance(value, Argument):
        if value.position >= len(inputs):
            raise ValueError(
                f"`FunctionCall` needs an input {value.position}, received {len(inputs)} inputs."
            )
        return inputs[value.position]
    return jnp.asarray(value.array) if isinstance(value, Constant) else value


def map_nested(function: Callable[[Any], Any], value: Any) -> Any:
    """Return nested lists, tuples and dicts with a function applied to what they contain.

    >>> map_nested(lambda value: -value, (1, [2], {"a": 3}))
    (-1, [-2], {'a': -3})
    """
    if type(value) in (list, tuple):
        return type(value)(map_nested(function, item) for item in value)
    if isinstance(value, dict):
        return {name: map_nested(function, item) for name, item in value.items()}
    return function(value)
