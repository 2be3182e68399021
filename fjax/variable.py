"""Variables: named arrays that can be assigned, as `keras.Variable`.

A pair owns no array, so a variable belongs to a facade: it has its own array, or it reads and
writes the array of a weight slot. Within a `StatelessScope` a variable reads and writes the scope,
so that code which assigns variables becomes a pure function.
"""

import operator
import random
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Protocol, Self

import jax
import jax.numpy as jnp
import numpy as np

from fjax import initializers
from fjax.initializers.drawing import draw
from fjax.scopes import scoped_path
from fjax.typing import Array, DType, Shape


class Storage(Protocol):
    """Where the array of a variable is."""

    def read(self) -> Array:
        """Return the array."""
        ...

    def write(self, value: Array) -> None:
        """Replace the array by one of the same shape and dtype."""
        ...


def to_numpy(values: Any) -> Any:
    """Return copies of an array or of several; all processes that share them must call this."""
    if any(map(_is_shared, jax.tree.leaves(values))):
        from fjax.processes.arrays import whole

        values = whole(values)
    return jax.tree.map(np.array, values)


def _is_shared(value: Any) -> bool:
    is_array = isinstance(value, jax.Array) and not isinstance(value, jax.core.Tracer)
    return is_array and not value.is_fully_addressable


class OwnStorage:
    """Storage of a variable that belongs to nothing else."""

    def __init__(self, value: Array) -> None:
        self.value = value

    def read(self) -> Array:
        """Return the array."""
        return self.value

    def write(self, value: Array) -> None:
        """Replace the array."""
        self.value = value


class Variable:
    """A named array that can be assigned, as `keras.Variable`.

    It is an operand of arithmetic, and an argument of numpy's functions. For a function of
    `jax.numpy` take its `value`.

    Args:
        initializer: A number or an array, or the name of an initializer or a function
            `(shape, dtype)`.
        shape: The shape, for a name or a function.
        dtype: The dtype; by default that of the array, of at most 32 bits, or float32.
        trainable: Whether training updates it.
        name: Its name, without "/".

    Attributes:
        name: The name.
        path: The names of the layers that have it and its own, joined by "/".
        trainable: Whether training updates it.
        constraint: A function that an optimizer applies to the updated array, or None.

    Raises:
        ValueError: The name is not a str or contains "/", or a named initializer has no shape.

    Source: Keras's page "Variables".

    >>> count = Variable(0, dtype="int32", name="count")
    >>> count.assign_add(2)
    Array(2, dtype=int32)
    >>> count + 1
    Array(3, dtype=int32)
    """

    # An array on the left leaves the operation to the variable.
    __array_priority__ = 100

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: DType = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"`Variable`: `name` must be a str without '/', received {name!r}.")
        value = _initial_value(initializer, shape, dtype)
        path = scoped_path(name or "variable")
        self._link(OwnStorage(value), path, value.shape, value.dtype, trainable)

    @classmethod
    def linked(
        cls,
        storage: Storage,
        path: str,
        shape: Shape,
        dtype: DType,
        trainable: bool = True,
    ) -> Self:
        """Return a variable whose array is elsewhere, such as in the slot of a layer.

        Args:
            storage: Reads and writes the array.
            path: The names of the layers that have it and its own, joined by "/".
            shape: The array's shape.
            dtype: The array's dtype.
            trainable: Whether training updates it.
        """
        variable = cls.__new__(cls)
        variable._link(storage, path, shape, dtype, trainable)
        return variable

    @property
    def storage(self) -> Storage:
        """Where the array is."""
        return self._storage

    def _link(
        self, storage: Storage, path: str, shape: Shape, dtype: DType, trainable: bool
    ) -> None:
        self._storage = storage
        self.path = path
        self.name = path.rpartition("/")[2]
        self.trainable = trainable
        self.constraint: Callable[[Array], Array] | None = None
        self._shape = tuple(shape)
        self._dtype = jnp.dtype(dtype).name

    def link(self, other: "Variable") -> None:
        """Read and write the array of another variable from now on."""
        self._storage = other._storage

    @property
    def is_free(self) -> bool:
        """Whether the array belongs to this variable alone, not to a layer, model or optimizer."""
        return isinstance(self._storage, OwnStorage)

    @property
    def shape(self) -> Shape:
        """The shape."""
        return self._shape

    @property
    def dtype(self) -> str:
        """The name of the dtype, as "float32"."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self._shape)

    @property
    def spec(self) -> jax.ShapeDtypeStruct:
        """The shape and the dtype."""
        return jax.ShapeDtypeStruct(self._shape, self._dtype)

    @property
    def value(self) -> Array:
        """The array."""
        scope = _SCOPE.get()
        current = None if scope is None else scope.get_current_value(self)
        return self._storage.read() if current is None else current

    def numpy(self) -> np.ndarray:
        """Return a copy of the array as a numpy array."""
        array: np.ndarray = to_numpy(self.value)
        return array

    def assign(self, value: Any) -> Array:
        """Replace the array, and return the new one.

        Args:
            value: An array of the same shape; it is cast to the variable's dtype.

        Raises:
            TypeError: The value is not made of numbers.
            ValueError: The shape differs.
            RuntimeError: A traced array is assigned outside of a `StatelessScope`.
        """
        try:
            array = jnp.asarray(getattr(value, "value", value), self._dtype)
        except (TypeError, ValueError):
            raise TypeError(
                f"`assign`: the variable {self.path!r} takes an array of numbers of the shape "
                f"{self._shape}, received {value!r}."
            ) from None
        if array.shape != self._shape:
            raise ValueError(
                f"`assign`: the variable {self.path!r} has the shape {self._shape}, received an "
                f"array of the shape {array.shape}."
            )
        scope = _SCOPE.get()
        if scope is not None:
            scope.assign(self, array)
        elif isinstance(array, jax.core.Tracer):
            raise RuntimeError(
                f"`assign`: the variable {self.path!r} received a traced array, which exists only "
                "while JAX traces a function. Return the new value from the function and assign it "
                "outside, or run the function within `fjax.StatelessScope`."
            )
        else:
            self._storage.write(array)
        return array

    def assign_add(self, value: Any) -> Array:
        """Add to the array, and return the new one."""
        return self.assign(self.value + value)

    def assign_sub(self, value: Any) -> Array:
        """Subtract from the array, and return the new one."""
        return self.assign(self.value - value)

    def __array__(self, dtype: DType = None, copy: bool | None = None) -> np.ndarray:
        value = self.value
        return np.asarray(to_numpy(value) if _is_shared(value) else value, dtype)

    def __jax_array__(self) -> Array:
        return self.value

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path}, shape={self._shape}, dtype={self._dtype}, "
            f"value={self.value}>"
        )

    def __getitem__(self, index: Any) -> Array:
        return self.value[index]

    def __len__(self) -> int:
        return len(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)

    # Comparison is elementwise, as in Keras; a variable is a key of a dict by its identity.
    __hash__ = object.__hash__


def _unary(function: Callable[[Any], Any]) -> Callable[[Variable], Array]:
    def method(self: Variable) -> Array:
        return function(self.value)

    return method


def _binary(function: Callable[[Any, Any], Any], swapped: bool = False) -> Callable[..., Array]:
    def method(self: Variable, other: Any) -> Any:
        if hasattr(type(other), "__call_function__"):
            # A symbolic tensor records the operation.
            return NotImplemented
        left, right = self.value, getattr(other, "value", other)
        return function(right, left) if swapped else function(left, right)

    return method


for _name in ("neg", "pos", "abs", "invert"):
    setattr(Variable, f"__{_name}__", _unary(getattr(operator, f"__{_name}__")))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Variable, f"__{_name}__", _binary(getattr(operator, f"__{_name}__")))
for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
):
    setattr(Variable, f"__{_name}__", _binary(getattr(operator, f"__{_name}__")))
    setattr(Variable, f"__r{_name}__", _binary(getattr(operator, f"__{_name}__"), swapped=True))


class StatelessScope:
    """A scope in which variables read and write values of the scope, as `keras.StatelessScope`.

    Args:
        state_mapping: Pairs of a variable and its value in the scope; any other variable has its
            own value until it is assigned.

    Source: Keras's page "StatelessScope".

    >>> total = Variable(1.0)
    >>> with StatelessScope([(total, jnp.float32(5.0))]) as scope:
    ...     _ = total.assign_add(2.0)
    >>> print(scope.get_current_value(total), total.numpy())
    7.0 1.0
    """

    def __init__(self, state_mapping: Iterable[tuple[Variable, Any]] = ()) -> None:
        # By identity, since comparison of variables is elementwise; a variable must stay alive.
        self._values: dict[int, tuple[Variable, Array]] = {}
        for variable, value in state_mapping:
            array = jnp.asarray(value, variable.dtype)
            if array.shape != variable.shape:
                raise ValueError(
                    f"`StatelessScope`: the variable {variable.path!r} has the shape "
                    f"{variable.shape}, received a value of the shape {array.shape}."
                )
            self._values[id(variable)] = variable, array
        self._tokens: list[Token[StatelessScope | None]] = []

    def get_current_value(self, variable: Variable) -> Array | None:
        """Return the value of a variable in this scope, or None if the scope has none."""
        return self._values.get(id(variable), (None, None))[1]

    def assign(self, variable: Variable, value: Array) -> None:
        """Set the value of a variable in this scope."""
        self._values[id(variable)] = variable, value

    def next_key(self) -> Array | None:
        """Return the key of a call in this scope, or None if the scope has no keys."""
        return None

    def __enter__(self) -> Self:
        self._tokens.append(_SCOPE.set(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _SCOPE.reset(self._tokens.pop())


def _flatten(variable: Variable) -> tuple[tuple[Array], None]:
    return (variable.value,), None


def _unflatten(_: None, children: tuple[Any, ...]) -> Any:
    return children[0]


# A function of JAX, such as a compiled one, takes variables as their arrays, and returns arrays.
jax.tree_util.register_pytree_node(Variable, _flatten, _unflatten)

_SCOPE: ContextVar[StatelessScope | None] = ContextVar("scope", default=None)


def current_scope() -> StatelessScope | None:
    """Return the innermost `StatelessScope` that is entered, or None."""
    return _SCOPE.get()


def _initial_value(initializer: Any, shape: Sequence[int] | None, dtype: DType) -> Array:
    if not callable(initializer) and not isinstance(initializer, str | dict):
        # JAX makes 64-bit numbers 32-bit numbers; a Python number has the type that JAX gives it.
        array = jnp.asarray(getattr(initializer, "value", initializer), dtype)
        # A Python number becomes a weakly typed array; `assign` would change that type, so that
        # each compiled function would be compiled again.
        return jax.lax.convert_element_type(array, array.dtype)
    if shape is None:
        raise ValueError(
            f"`Variable`: the initializer {initializer!r} needs a `shape`, received None."
        )
    # Python's generator, which also draws the seeds of models.
    key = jax.random.key(random.getrandbits(32))
    return draw(initializers.get(initializer), key, tuple(shape), dtype or jnp.float32)
