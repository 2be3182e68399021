"""`Config`: named values in one object, which can be frozen."""

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

from fjax.errors import suggestion


class Config(MutableMapping[str, Any]):
    """Named values, as attributes and as entries, as `keras.utils.Config`.

    Args:
        kwargs: The values by name.

    Raises:
        AttributeError: A value that is read does not exist.
        ValueError: A value is set or removed while the object is frozen.

    >>> config = Config(learning_rate=0.1, momentum=0.9)
    >>> config.seed = 3
    >>> config["seed"], config.as_dict()
    (3, {'learning_rate': 0.1, 'momentum': 0.9, 'seed': 3})
    >>> config.freeze()
    >>> config.seed = 4
    Traceback (most recent call last):
        ...
    ValueError: The `Config` is frozen, so `seed` cannot be changed: call `unfreeze()` first.
    """

    def __init__(self, **kwargs: Any) -> None:
        vars(self).update(_values=dict(kwargs), _frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether the values cannot be changed."""
        return bool(vars(self)["_frozen"])

    def freeze(self) -> None:
        """Make changes an error."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Allow changes again."""
        vars(self)["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """Return the values in a new dict."""
        return dict(vars(self)["_values"])

    def to_json(self) -> str:
        """Return the values as JSON.

        Raises:
            TypeError: JSON cannot hold a value.
        """
        return json.dumps(self.as_dict())

    def __getattr__(self, name: str) -> Any:
        # `copy` and `pickle` look up attributes on an empty object.
        values = vars(self).get("_values", {})
        if name not in values:
            raise AttributeError(f"The `Config` has no `{name}`.{suggestion(name, values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __getitem__(self, key: str) -> Any:
        return vars(self)["_values"][key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_not_frozen(key)
        vars(self)["_values"][key] = value

    def __delitem__(self, key: str) -> None:
        self._check_not_frozen(key)
        del vars(self)["_values"][key]

    def __iter__(self) -> Iterator[str]:
        # Sorted, as in Keras.
        return iter(sorted(vars(self)["_values"]))

    def __len__(self) -> int:
        return len(vars(self)["_values"])

    def __repr__(self) -> str:
        return f"<Config {self.as_dict()}>"

    def _check_not_frozen(self, name: str) -> None:
        if self.frozen:
            raise ValueError(
                f"The `Config` is frozen, so `{name}` cannot be changed: call `unfreeze()` first."
            )
