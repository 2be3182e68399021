"""The base class of callbacks that have state."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.callbacks.callback import Callback, Logs


class StatefulCallback(Callback):
    """A callback whose state, the attributes that `first_state` names, is saved and restored.

    Each training begins with the first state, unless `set_state` was called before it.

    >>> class Epochs(StatefulCallback):
    ...     def first_state(self):
    ...         return {"seen": 0}
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         self.seen += 1
    >>> callback = Epochs()
    >>> callback.on_train_begin()
    >>> callback.on_epoch_end(0)
    >>> callback.get_state()
    {'seen': 1}
    """

    _continues = False

    def __init__(self) -> None:
        super().__init__()
        vars(self).update(self.first_state())

    def first_state(self) -> dict[str, Any]:
        """Return the attributes of the state, with their values when a training begins."""
        return {}

    def get_state(self) -> dict[str, Any]:
        """Return a copy of the state, by attribute."""
        return {name: _copy(getattr(self, name)) for name in self.first_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `get_state` returned; the current or next training continues from it.

        Raises:
            TypeError: The state is not a dict.
            ValueError: The state is not that of such a callback.
        """
        owner, expected = type(self).__name__, self.first_state()
        if not isinstance(state, Mapping):
            raise TypeError(
                f"`{owner}.set_state` takes the dict that `get_state` returned, received {state!r}."
            )
        if state.keys() != expected.keys():
            raise ValueError(
                f"`{owner}.set_state` takes a state with {_names(expected)}, received one with "
                f"{_names(state)}: it must come from the `get_state` of an `{owner}`."
            )
        vars(self).update({name: _copy(value) for name, value in state.items()})
        self._continues = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Reset the state, unless it was restored."""
        if not self._continues:
            vars(self).update(self.first_state())
        self._continues = False

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Let the next training begin with the first state."""
        self._continues = False


def _copy(value: Any) -> Any:
    """Return a copy of lists, dicts and JAX arrays: a step may donate the original arrays."""
    if isinstance(value, Mapping):
        return {name: _copy(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return jnp.copy(value) if isinstance(value, jax.Array) else value


def _names(state: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, state)) or "nothing"
