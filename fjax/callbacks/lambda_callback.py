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
        hooks: Functions for other hooks of `Callback`, by the hook's name.

    Raises:
        TypeError: A keyword is not a hook, or its function does not accept the hook's arguments.

    Source: Keras's page "LambdaCallback".

    >>> show_loss = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    >>> show_loss.on_epoch_end(0, {"loss": 0.5})
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
        functions = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for hook, function in functions.items():
            if function is not None:
                _check_signature(hook, function)
                # An attribute of the instance takes precedence over the method of its class.
                setattr(self, hook, function)


def _check_signature(hook: str, function: Any) -> None:
    arguments = ", ".join(HOOKS[hook])
    if not callable(function):
        raise TypeError(
            f"`LambdaCallback`: `{hook}` must be a function of ({arguments}), received "
            f"{function!r}."
        )
    try:
        signature = inspect.signature(function)
    except ValueError:
        # Some functions that are written in C have no signature.
        return
    try:
        signature.bind(*HOOKS[hook])
    except TypeError:
        raise TypeError(
            f"`LambdaCallback`: `{hook}` is called with ({arguments}), and {function!r} takes "
            f"{signature}."
        ) from None
