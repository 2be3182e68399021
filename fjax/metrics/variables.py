"""The variables of a metric: where its stateful methods keep their sums."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from fjax.typing import Array, ArrayLike, PyTree
from fjax.variable import OwnStorage, Variable


class AccumulatorVariables:
    """The variables that hold an accumulator: one for each of its arrays.

    Args:
        owner: The metric's name, the first part of the variables' paths.
        start: The accumulator before the first batch.

    >>> stored = AccumulatorVariables("mean", {"total": np.float32(0), "count": np.float32(0)})
    >>> stored.write({"total": 3.0, "count": 2.0})
    >>> [variable.path for variable in stored.by_name.values()], stored.read()["total"].item()
    (['mean/total', 'mean/count'], 3.0)
    """

    def __init__(self, owner: str, start: Mapping[str, PyTree]) -> None:
        self._owner, self._first = owner, start
        self._variables: dict[str, list[Variable]] = {}
        self.by_name: dict[str, Variable] = {}
        # In the order of the entries; a tree of JAX sorts them.
        for entry, tree in start.items():
            leaves = jax.tree.leaves(tree)
            names = [entry] if len(leaves) == 1 else [f"{entry}_{i}" for i in range(len(leaves))]
            self._variables[entry] = [
                _variable(f"{owner}/{name}", leaf) for name, leaf in zip(names, leaves, strict=True)
            ]
            self.by_name |= dict(zip(names, self._variables[entry], strict=True))

    def read(self) -> dict[str, PyTree]:
        """Return the accumulator."""
        return {
            entry: jax.tree.unflatten(
                jax.tree.structure(tree), [variable.value for variable in self._variables[entry]]
            )
            for entry, tree in self._first.items()
        }

    def write(self, accumulator: Mapping[str, PyTree]) -> None:
        """Assign the arrays of an accumulator to the variables.

        Raises:
            ValueError: It has other entries than at the beginning, or another shape.
            TypeError: It has floating numbers where it began with integers.
        """
        structures: list[Any] = [
            jax.tree.structure(dict(tree)) for tree in (self._first, accumulator)
        ]
        if structures[0] != structures[1]:
            raise ValueError(
                f"`update` of the metric {self._owner!r} must return an accumulator like that of "
                f"`init`, {structures[0]}, it returned {structures[1]}."
            )
        for entry, variables in self._variables.items():
            leaves = jax.tree.leaves(accumulator[entry])
            for variable, leaf in zip(variables, leaves, strict=True):
                self._assign(variable, jnp.asarray(leaf))

    def _assign(self, variable: Variable, value: Array) -> None:
        if _is_floating(value.dtype) and not _is_floating(variable.dtype):
            raise TypeError(
                f"`update` of the metric {self._owner!r} returned {value.dtype.name} for "
                f"{variable.name!r}, which is {variable.dtype} in `init`: begin with a float, such "
                "as `np.float32(0)`."
            )
        variable.assign(value)

    def reset(self) -> None:
        """Assign the first accumulator."""
        self.write(self._first)

    def fits(self, start: Mapping[str, PyTree]) -> bool:
        """Tell whether another accumulator has the same entries and shapes."""
        shapes = [jax.tree.map(np.shape, dict(tree)) for tree in (self._first, start)]
        return bool(shapes[0] == shapes[1])

    def __copy__(self) -> Self:
        duplicate = type(self)(self._owner, self._first)
        duplicate.write(self.read())
        return duplicate


class AccumulatorVariable:
    """An attribute of a metric's class: the variable of an entry of the accumulator.

    An author's `__init__` may assign a weight of its own to the attribute.

    Args:
        name: The entry.

    >>> from fjax.metrics import Mean
    >>> Mean("loss").total.path
    'loss/total'
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, metric: Any, owner: type | None = None) -> Any:
        return self if metric is None else metric.stored_accumulator().by_name[self._name]


def unique_names(variables: list[Variable]) -> dict[str, Variable]:
    """Return variables by their names; a name that occurs again is numbered.

    >>> list(unique_names([Variable(0.0, name="total"), Variable(0.0, name="total")]))
    ['total', 'total_1']
    """
    named: dict[str, Variable] = {}
    for variable in variables:
        name, number = variable.name, 0
        while name in named:
            number += 1
            name = f"{variable.name}_{number}"
        named[name] = variable
    return named


def values_in(attributes: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the values of attributes, and those within lists, tuples and dicts."""
    for value in attributes.values():
        if isinstance(value, Mapping):
            yield from values_in(value)
        elif isinstance(value, list | tuple):
            yield from values_in(dict(enumerate(value)))  # type: ignore[arg-type]
        else:
            yield value


def _variable(path: str, value: ArrayLike) -> Variable:
    # A metric may be made while JAX traces: its variables hold arrays, not tracers.
    with jax.ensure_compile_time_eval():
        array = jnp.asarray(value)
    return Variable.linked(OwnStorage(array), path, array.shape, array.dtype, trainable=False)


def _is_floating(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jnp.floating)
