"""The arguments of a function that builds models, as parameters of an estimator."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fjax.errors import suggestion

# What the estimator gives by itself: the data, as in Keras, and a dict of facts.
DATA = ("X", "y")
META = "meta"
PREFIX = "model__"


class Arguments:
    """The arguments of a model-building function.

    Attributes:
        defaults: Those with a default, by name.
        required: The names of those without.
        takes_data: Whether it has `X` and `y`.
        takes_meta: Whether it has `meta`.
        takes_any: Whether it has `**kwargs`.

    >>> def build_model(X, y, n_hidden, learning_rate=0.01): ...
    >>> arguments = Arguments(build_model)
    >>> arguments.defaults, arguments.required, arguments.takes_data
    ({'learning_rate': 0.01}, ['n_hidden'], True)
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        parameters = inspect.signature(build).parameters
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        named = {
            name: p.default
            for name, p in parameters.items()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        }
        self.takes_data = all(name in named for name in DATA)
        self.takes_meta = META in named
        given = [*(DATA if self.takes_data else ()), META]
        own = {name: default for name, default in named.items() if name not in given}
        self.defaults = {n: default for n, default in own.items() if default is not inspect._empty}
        self.required = [name for name in own if name not in self.defaults]

    def check_known(
        self, owner: str, build: Any, names: Iterable[str], others: Iterable[str]
    ) -> None:
        """Raise ValueError where a name is no argument.

        Args:
            owner: The estimator's class.
            build: The function.
            names: The names.
            others: The estimator's own parameters, which may have been meant.
        """
        known = [*self.required, *self.defaults]
        for name in names:
            if name in known or self.takes_any:
                continue
            near = suggestion(name, [*known, *others])
            takes = ", ".join(known) if known else "no arguments"
            raise ValueError(
                f"Invalid parameter {name!r} of `{owner}`: `{name_of(build)}` takes no argument of "
                f"this name.{near} It takes: {takes}; the estimator's own parameters are: "
                f"{', '.join(others)}."
            )


def name_of(build: Any) -> str:
    """Return what a function is called in an error."""
    return getattr(build, "__name__", None) or type(build).__name__


def without_prefix(owner: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters by their names alone, where some are spelt `model__name`.

    >>> without_prefix("SKLearnRegressor", {"model__n_hidden": 2})
    {'n_hidden': 2}
    """
    found: dict[str, Any] = {}
    for name, value in given.items():
        name = name.removeprefix(PREFIX)
        if name in found:
            raise TypeError(f"`{owner}`: `{name}` is given twice, as `{PREFIX}{name}` too.")
        found[name] = value
    return found
