"""The arguments of a function that builds models, as parameters of an estimator."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fjax.errors import suggestion

PREFIX = "model__"


class BuilderArguments:
    """The arguments of a function that builds models.

    Attributes:
        name: The name of the function, for errors.
        defaults: The arguments with a default, by name.
        required: The names of the arguments without a default.
        takes_data: Whether the function has `X` and `y`.
        takes_meta: Whether it has `meta`.
        takes_any: Whether it has `**kwargs`.

    >>> def build_model(X, y, n_hidden, learning_rate=0.01): ...
    >>> arguments = BuilderArguments(build_model)
    >>> arguments.defaults, arguments.required, arguments.takes_data
    ({'learning_rate': 0.01}, ['n_hidden'], True)
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self.name = name_of(build)
        parameters = inspect.signature(build).parameters
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        named = {
            name: p.default
            for name, p in parameters.items()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        }
        # The estimator passes these itself: the data, as in Keras, and facts about the data.
        self.takes_data = {"X", "y"} <= named.keys()
        self.takes_meta = "meta" in named
        passed = {"X", "y", "meta"} if self.takes_data else {"meta"}
        named = {name: default for name, default in named.items() if name not in passed}
        self.defaults = {
            name: default
            for name, default in named.items()
            if default is not inspect.Parameter.empty
        }
        self.required = [name for name in named if name not in self.defaults]

    def check_names(
        self, owner: str, names: Iterable[str], estimator_parameters: Iterable[str]
    ) -> None:
        """Raise ValueError if a name is not an argument of the function.

        Args:
            owner: The class of the estimator.
            names: The names.
            estimator_parameters: The estimator's own parameters, one of which may be meant.
        """
        known = [*self.required, *self.defaults]
        for name in names:
            if name in known or self.takes_any:
                continue
            hint = suggestion(name, [*known, *estimator_parameters])
            takes = ", ".join(known) if known else "no arguments"
            raise ValueError(
                f"Invalid parameter {name!r} of `{owner}`: `{self.name}` has no argument of "
                f"this name.{hint} It takes: {takes}; the estimator's own parameters are: "
                f"{', '.join(estimator_parameters)}."
            )


def name_of(build: Any) -> str:
    """Return the name of a function for errors."""
    return getattr(build, "__name__", None) or type(build).__name__


def without_prefix(owner: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters by their plain names, where some are spelled `model__name`.

    >>> without_prefix("SKLearnRegressor", {"model__n_hidden": 2})
    {'n_hidden': 2}
    """
    plain: dict[str, Any] = {}
    for name, value in parameters.items():
        name = name.removeprefix(PREFIX)
        if name in plain:
            raise TypeError(f"`{owner}`: `{name}` is given twice, as `{PREFIX}{name}` too.")
        plain[name] = value
    return plain
