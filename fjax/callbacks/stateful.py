"""The base of callbacks that remember something from one epoch to the next."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.callbacks.callback import Callback, Logs


class StatefulCallback(Callback):
    """A callback with a memory: what `first_state` names is saved, put back and begun anew.

    Each training begins with the first state, unless `set_state` came before: then it goes on.

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
        """Return the attributes that are remembered, as a training begins with them."""
        return {}

    def get_state(self) -> dict[str, Any]:
        """Return what is remembered, by attribute."""
        return {name: _copied(getattr(self, name)) for name in self.first_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take what `get_state` returned: this training, or the next one, goes on from it.

        Raises:
            TypeError: The state is no dict.
            ValueError: It is not that of such a callback.
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
        vars(self).update({name: _copied(value) for name, value in state.items()})
        self._continues = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew, unless a state was set to go on from."""
        if not self._continues:
            vars(self).update(self.first_state())
        self._continues = False

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Let the next training begin anew."""
        self._continues = False


def _copied(value: Any) -> Any:
    """Return the same of new lists and dicts, and of JAX arrays that no step will be given."""
    if isinstance(value, Mapping):
        return {name: _copied(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return jnp.copy(value) if isinstance(value, jax.Array) else value


def _names(state: Mapping[str, Any]) -> str:
    return ", ".join(map(repr, state)) or "nothing"
