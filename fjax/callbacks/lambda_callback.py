"""A callback made of functions."""

import inspect
from collections.abc import Callable
from typing import Any

from fjax.callbacks.callback import Callback
from fjax.errors import check_keywords

HOOKS = {
    name: list(inspect.signature(method).parameters)[1:]
    for name, method in vars(Callback).items()
    if name.startswith("on_")
}


class LambdaCallback(Callback):
    """Call functions at the hooks of a run.

    Args:
        on_epoch_begin: `function(epoch, logs)`.
        on_epoch_end: `function(epoch, logs)`.
        on_train_begin: `function(logs)`.
        on_train_end: `function(logs)`.
        on_train_batch_begin: `function(batch, logs)`.
        on_train_batch_end: `function(batch, logs)`.
        hooks: Functions for any other hook of `Callback`, by its name.

    Raises:
        TypeError: A keyword is no hook, or its function cannot be called with what it is told.

    Source: Keras's page "LambdaCallback".

    >>> tell = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> tell.on_epoch_end(0, {"loss": 0.5})
    0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any] | None,
    ) -> None:
        super().__init__()
        check_keywords("LambdaCallback", hooks, HOOKS)
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for hook, function in given.items():
            if function is not None:
                _check(hook, function)
                # The instance's own function hides the class's method of this name.
                setattr(self, hook, function)


def _check(hook: str, function: Any) -> None:
    takes = ", ".join(HOOKS[hook])
    if not callable(function):
        raise TypeError(
            f"`LambdaCallback`: `{hook}` must be a function of ({takes}), received {function!r}."
        )
    try:
        signature = inspect.signature(function)
    except ValueError:
        # Some functions that are written in C do not tell theirs.
        return
    try:
        signature.bind(*HOOKS[hook])
    except TypeError:
        raise TypeError(
            f"`LambdaCallback`: `{hook}` is called with ({takes}), and {function!r} takes "
            f"{signature}."
        ) from None
