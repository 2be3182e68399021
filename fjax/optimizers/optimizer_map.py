"""Which optimizer updates which params."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fjax.configuration import Configured
from fjax.optimizers.inner import inner_optimizer
from fjax.optimizers.optimizer import Optimizer


class Param(NamedTuple):
    """What a function that chooses optimizers sees of a param.

    Attributes:
        path: Its path in the params, such as "dense/kernel".
        name: The last name of the path.
        shape: The shape.
        dtype: The dtype.
    """

    path: str
    name: str
    shape: tuple[int, ...]
    dtype: Any


class OptimizerMap(Configured):
    """Map the paths of params to optimizers.

    `optimizer_map[path]` is the optimizer of a param: that of the entry with this path as its key;
    else that of the one entry whose key, a regular expression, matches the whole path; else
    `default_optimizer`. Entries are added by `optimizer_map[key] = optimizer`, until the map is
    given to a `MultiOptimizer`.

    Args:
        default_optimizer: The optimizer of params that no entry matches.
        optimizer_map: The entries, a dict.

    Raises:
        TypeError: An optimizer is not one of `fjax.optimizers`, or contains another one.
        ValueError: Two entries have the same key or the same optimizer object, or match one path.

    Source: Keras, `OptimizerMap`.

    >>> from fjax.optimizers.adam import Adam
    >>> from fjax.optimizers.sgd import SGD
    >>> optimizers = OptimizerMap(SGD(), {"encoder/.*": Adam()})
    >>> optimizers["encoder/kernel"], optimizers["decoder/kernel"]
    (Adam(), SGD())
    """

    default_optimizer: Any
    optimizer_map: Any = None

    def __post_init__(self) -> None:
        owner = type(self).__name__
        self.default_optimizer = inner_optimizer(owner, "default_optimizer", self.default_optimizer)
        given = {} if self.optimizer_map is None else self.optimizer_map
        if not isinstance(given, Mapping):
            raise TypeError(f"`{owner}`: `optimizer_map` must be a dict, received {given!r}.")
        self.optimizer_map: dict[str, Optimizer] = {}
        for key, optimizer in given.items():
            self[key] = optimizer

    def __getitem__(self, path: str) -> Optimizer:
        key = self.key_of(path)
        return self.default_optimizer if key is None else self.optimizer_map[key]

    def __setitem__(self, key: str, optimizer: Any) -> None:
        self._check_open()
        if not isinstance(key, str):
            raise ValueError(f"`OptimizerMap`: a key must be a string, received {key!r}.")
        if key in self.optimizer_map:
            raise ValueError(
                f"`OptimizerMap` has an entry {key!r} already. Delete it first, by `del`."
            )
        optimizer = inner_optimizer("OptimizerMap", repr(key), optimizer)
        if any(optimizer is other for other in (self.default_optimizer, *self.values())):
            raise ValueError(
                f"`OptimizerMap`: the optimizer of {key!r} is in the map already. Write one entry "
                "for its params, such as 'first/.*|second/.*', or a separate optimizer."
            )
        self.optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        self._check_open()
        del self.optimizer_map[key]

    def __len__(self) -> int:
        return len(self.optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.optimizer_map)

    def __call__(self, variable: Any) -> Optimizer:
        """Return the optimizer of a variable or param, which has a `path`."""
        return self[variable.path]

    def values(self) -> list[Optimizer]:
        """Return the optimizers of the entries."""
        return list(self.optimizer_map.values())

    def key_of(self, path: str) -> str | None:
        """Return the key of the entry for a path, or None if there is none.

        Raises:
            ValueError: Several entries match.
        """
        if path in self.optimizer_map:
            return path
        matching = [key for key in self.optimizer_map if re.fullmatch(key, path)]
        if len(matching) > 1:
            raise ValueError(
                f"`OptimizerMap`: the param {path!r} matches several entries: "
                f"{', '.join(map(repr, matching))}. Change them so that only one matches."
            )
        return matching[0] if matching else None

    def close(self) -> None:
        """Refuse further entries, since compiled programs depend on them."""
        vars(self)["_closed"] = True

    def _check_open(self) -> None:
        if "_closed" in vars(self):
            raise ValueError(
                "`OptimizerMap`: its entries cannot be changed once a `MultiOptimizer` uses it. "
                "Add all entries first."
            )


def group_by_optimizer(
    choose: Callable[[Any], Any], params: list[Param]
) -> tuple[list[Optimizer], list[int]]:
    """Return the optimizers, and for each param the position of its one.

    Args:
        choose: An `OptimizerMap`, or a function from a param to an optimizer. The params with the
            same object share an optimizer.
        params: The params.
    """
    optimizers: list[Optimizer] = []
    if isinstance(choose, OptimizerMap):
        optimizers = [*choose.values(), choose.default_optimizer]
    owners = []
    for param in params:
        chosen = choose(param)
        known = [index for index, each in enumerate(optimizers) if each is chosen]
        if not known:
            optimizers.append(inner_optimizer("MultiOptimizer", f"optimizer_map({param})", chosen))
        owners.append(known[0] if known else len(optimizers) - 1)
    return optimizers, owners
