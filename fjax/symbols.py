"""Functions of arrays that also accept symbolic tensors, which record the call in a graph."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def find_recorder(values: Iterable[Any]) -> Any | None:
    """Return the first value that records calls of functions, also in lists, tuples and dicts.

    Such a value is a symbolic tensor: its type has `__call_function__(function, args, kwargs)`.

    >>> from fjax.layers import Input
    >>> find_recorder([1.0, Input((3,), name="features")])
    <SymbolicTensor (None, 3) float32 of 'features'>
    """
    for value in values:
        if hasattr(type(value), "__call_function__"):
            return value
        if isinstance(value, list | tuple | Mapping):
            inner = find_recorder(value.values() if isinstance(value, Mapping) else value)
            if inner is not None:
                return inner
    return None


def accepts_symbols(function: Function) -> Function:
    """Decorate a function of arrays: called on symbolic tensors, it becomes a node of their graph.

    >>> from fjax.activations import relu
    >>> from fjax.layers import Input
    >>> relu(Input((3,)))
    <SymbolicTensor (None, 3) float32 of 'relu'>
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        recorder = find_recorder((*args, *kwargs.values()))
        if recorder is None:
            return function(*args, **kwargs)
        return recorder.__call_function__(call, args, kwargs)

    return call  # type: ignore[return-value]
