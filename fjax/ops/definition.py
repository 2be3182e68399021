"""How an operation is defined: a function of arrays that also accepts symbolic tensors."""

import ast
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import jax
import jax.numpy as jnp

from fjax.core.masking import split_mask
from fjax.core.text_inputs import describe_text, is_text
from fjax.errors import check_keywords
from fjax.symbols import find_recorder
from fjax.traits import entrywise
from fjax.typing import Array
from fjax.variable import Variable

Function = TypeVar("Function", bound=Callable[..., Any])

# Parameters that many operations share.
UNARY = "x: Array"
BINARY = "x1: Array, x2: Array"
REDUCTION = "x: Array, axis=None, keepdims=False"

# The annotations of parameters that are converted to arrays, in a signature written as text.
_ANNOTATIONS: Mapping[str, Any] = {"Array": Array, "Arrays": list[Array]}


class OperationTable:
    """Defines the operations of one module.

    An operation converts its arguments to arrays where the signature says `Array` (one array) or
    `Arrays` (a list of arrays). Called on symbolic tensors, it becomes a node of their graph.

    Args:
        module: The name of the module.

    >>> op = OperationTable(__name__)
    >>> double = op(lambda x: x + x, "x: Array", "Return `2 * x`.", name="double")
    >>> double([1, 2]).tolist(), op.names
    ([2, 4], ['double'])
    >>> double("a")
    Traceback (most recent call last):
        ...
    TypeError: `double`: `x` must be an array of numbers, received text such as 'a'.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self.names: list[str] = []

    def __call__(
        self, function: Callable[..., Any], parameters: str, doc: str, name: str | None = None
    ) -> Callable[..., Any]:
        """Return an operation that calls a function of `jax.numpy` or the like.

        Args:
            function: The function. It gets required arrays by position, all others by name.
            parameters: The parameters of the operation, in the form that `def` has.
            doc: The docstring.
            name: The name of the operation, by default that of the function.
        """
        signature = _parse(parameters)

        def delegate(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        delegate.__name__ = delegate.__qualname__ = name or function.__name__
        delegate.__module__, delegate.__doc__ = self.module, doc
        delegate.__signature__ = signature  # type: ignore[attr-defined]
        return self.define(delegate)

    def entrywise(
        self, function: Callable[..., Any], parameters: str, doc: str, name: str | None = None
    ) -> Callable[..., Any]:
        """Return an operation that works entry by entry; the arguments are those of a call."""
        return entrywise(self(function, parameters, doc, name))

    def alias(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        """Return an operation that has two names, after noting the second one."""
        self.names.append(name)
        return operation

    def function(self, function: Function) -> Function:
        """Note a public function that is no operation: it does not become a node; a decorator."""
        self.names.append(function.__name__)
        return function

    def define(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the operation for a function of arrays; a decorator."""
        name = function.__name__
        signature = inspect.signature(function)
        kinds = {key: parameter.annotation for key, parameter in signature.parameters.items()}
        converted = {key: kind for key, kind in kinds.items() if kind in (Array, list[Array])}
        converted |= {key: Array for key, kind in kinds.items() if kind == Array | None}

        required = [
            key
            for key, kind in kinds.items()
            if kind is Array and signature.parameters[key].default is inspect.Parameter.empty
        ]

        @functools.wraps(function)
        def operation(*args: Any, **kwargs: Any) -> Any:
            recorder = find_recorder((*args, *kwargs.values()))
            bound = _bind(name, signature, args, kwargs)
            for key in required:
                if bound.arguments[key] is None:
                    raise TypeError(f"`{name}`: `{key}` must be an array, received None.")
            if recorder is not None:
                return recorder.__call_function__(operation, args, kwargs)
            for key, kind in converted.items():
                bound.arguments[key] = _converted(
                    name, key, bound.arguments[key],
                    kind is not Array or signature.parameters[key].kind is _VARIADIC,
                )  # fmt: skip
            return function(*_required(bound, signature), **_optional(bound, signature))

        self.names.append(name)
        return operation


_VARIADIC = inspect.Parameter.VAR_POSITIONAL


def as_tensor(operation: str, argument: str, value: Any) -> Any:
    """Return an argument of an operation as an array; None stays None.

    Raises:
        TypeError: The argument is text, or is not made of numbers.
    """
    if isinstance(value, jax.Array) or value is None:
        return value
    if is_text(value):
        raise TypeError(
            f"`{operation}`: `{argument}` must be an array of numbers, received "
            f"{describe_text(value)}."
        )
    try:
        return jnp.asarray(value.value if isinstance(value, Variable) else split_mask(value)[0])
    except (TypeError, ValueError) as error:
        error.add_note(
            f"`{operation}`: `{argument}` must be an array, a number, or a list of them, received "
            f"`{type(value).__name__}`."
        )
        raise


def _converted(operation: str, argument: str, value: Any, is_sequence: bool) -> Any:
    if not is_sequence or value is None:
        return as_tensor(operation, argument, value)
    is_several = isinstance(value, list | tuple) or (hasattr(value, "ndim") and value.ndim > 0)
    items = value if is_several else [value]
    return [as_tensor(operation, argument, item) for item in items]


def _bind(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> inspect.BoundArguments:
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        check_keywords(name, kwargs, signature.parameters)
        raise TypeError(f"`{name}`: {error}.") from None
    bound.apply_defaults()
    return bound


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD


def _required(bound: inspect.BoundArguments, signature: inspect.Signature) -> list[Any]:
    """Return the arguments that are given by position: those without a default."""
    values: list[Any] = []
    for name, parameter in signature.parameters.items():
        if _is_required(parameter):
            value = bound.arguments[name]
            values += value if parameter.kind is _VARIADIC else [value]
    return values


def _optional(bound: inspect.BoundArguments, signature: inspect.Signature) -> dict[str, Any]:
    """Return the arguments that are given by name: those with a default."""
    values: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            values |= bound.arguments[name]
        elif not _is_required(parameter):
            values[name] = bound.arguments[name]
    if isinstance(values.get("axis"), list):
        # The reductions of `jax.numpy` take tuples.
        values["axis"] = tuple(values["axis"])
    return values


def _parse(parameters: str) -> inspect.Signature:
    """Return the signature for parameters as `def` has them."""
    (definition,) = ast.parse(f"def f({parameters}): ...").body
    assert isinstance(definition, ast.FunctionDef)
    names = definition.args
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    missing = [None] * (len(names.args) - len(names.defaults))
    result = [
        _parameter(arg, kind, default)
        for arg, default in zip(names.args, [*missing, *names.defaults], strict=True)
    ]
    if names.vararg is not None:
        result.append(_parameter(names.vararg, _VARIADIC, None))
    result += [
        _parameter(arg, inspect.Parameter.KEYWORD_ONLY, default)
        for arg, default in zip(names.kwonlyargs, names.kw_defaults, strict=True)
    ]
    if names.kwarg is not None:
        result.append(_parameter(names.kwarg, inspect.Parameter.VAR_KEYWORD, None))
    return inspect.Signature(result)


def _parameter(arg: ast.arg, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    return inspect.Parameter(
        arg.arg,
        kind,
        default=inspect.Parameter.empty if default is None else ast.literal_eval(default),
        annotation=(
            inspect.Parameter.empty
            if arg.annotation is None
            else _ANNOTATIONS[ast.unparse(arg.annotation)]
        ),
    )
