"""What was derived from the parts of a model, kept as long as they do not change."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import jax

from fjax.caching import generation
from fjax.configuration import Watch

Derived = TypeVar("Derived")


class Plans:
    """Derived values by key; each is valid as long as what it was derived from is unchanged.

    >>> plans, sources = Plans(), ([1, 2],)
    >>> plans.get("sum", sources, lambda: (3, ())), plans.get("sum", sources, lambda: (4, ()))
    (3, 3)
    >>> plans.get("sum", ([2, 2],), lambda: (4, ()))
    4
    """

    def __init__(self) -> None:
        self._entries: dict[Hashable, tuple[tuple[Any, ...], Watch, Any]] = {}
        self._generation = generation()

    def get(
        self,
        key: Hashable,
        sources: tuple[Any, ...],
        derive: Callable[[], tuple[Derived, tuple[Any, ...]]],
    ) -> Derived:
        """Return the value of a key; derive it anew if its sources have changed.

        Args:
            key: The key.
            sources: The objects that the value is derived from, compared by identity, and by the
                code of their classes and functions.
            derive: Returns the value, and more objects whose code it depends on.
        """
        if self._generation != generation():
            self._entries, self._generation = {}, generation()
        # The random numbers of a row depend on the generator that JAX is set to.
        key = (key, jax.config.jax_threefry_partitionable)  # type: ignore[attr-defined]
        entry = self._entries.get(key)
        if entry is not None:
            known, watch, value = entry
            if all(a is b for a, b in zip(known, sources, strict=True)) and watch.is_current():
                return value
        value, parts = derive()
        self._entries[key] = (sources, Watch(*sources, *parts), value)
        return value
