"""The attributes of an author's object, and the containers in them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from fjax.configuration import RECORDED, SEALED
from fjax.core.author import UNCOPIED, facade_attributes

# The attributes that this package sets on an object: what its methods act on, the weights that
# `__init__` made, and of a model the layers that its `build` made, and the inputs of the layers
# that are built and that its `call` does not call; the arguments of a user's call of `build`.
CONTEXT = "_context"
INIT_WEIGHTS = "_init_weights"
BUILT_LAYERS = "_built_layers"
UNCALLED_INPUTS = "_uncalled_inputs"
BUILD_ARGUMENTS = "_build_arguments"

# The way to a value: the attribute, and the keys within its containers.
Path = tuple[Any, ...]


def author_attributes(author: Any) -> dict[str, Any]:
    """Return the attributes that an author's code has set, without those that fjax has set."""
    ours = {
        CONTEXT,
        INIT_WEIGHTS,
        BUILT_LAYERS,
        UNCALLED_INPUTS,
        BUILD_ARGUMENTS,
        RECORDED,
        SEALED,
        *UNCOPIED,
        *facade_attributes(author),
    }
    return {name: value for name, value in vars(author).items() if name not in ours}


def items_of(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return the keys and entries of a list, tuple or dict; of any other value nothing."""
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def map_items(function: Callable[[Any, Any], Any], value: Any) -> Any:
    """Return a copy of a list, tuple or dict with a function's values; any other value itself."""
    if isinstance(value, dict):
        return {key: function(key, item) for key, item in value.items()}
    if not isinstance(value, list | tuple):
        return value
    items = [function(index, item) for index, item in enumerate(value)]
    if isinstance(value, list):
        return items
    return type(value)(*items) if hasattr(value, "_fields") else tuple(items)


def paths_to(author: Any, wanted: Any) -> Iterator[Path]:
    """Yield the paths to a value in an author's object.

    >>> class Thing:
    ...     pass
    >>> thing, weight = Thing(), object()
    >>> thing.first, thing.others = weight, [None, {"a": weight}]
    >>> list(paths_to(thing, weight))
    [('first',), ('others', 1, 'a')]
    """

    def search(value: Any, path: Path) -> Iterator[Path]:
        if value is wanted:
            yield path
        for key, item in items_of(value):
            yield from search(item, (*path, key))

    return search(author_attributes(author), ())


def value_at(author: Any, path: Path) -> Any:
    """Return the value at a path in an author's object, or None if there is none."""
    value: Any = vars(author)
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def name_at(path: Path | None) -> str | None:
    """Return the name of a weight or layer at a path.

    >>> name_at(("pairs", 1, "a"))
    'pairs_1_a'
    """
    return None if path is None else "_".join(map(str, path))


def free_name(taken: Iterable[str]) -> str:
    """Return the name of a weight that is assigned to no attribute.

    >>> free_name([]), free_name(["variable"])
    ('variable', 'variable_1')
    """
    taken = set(taken)
    name, number = "variable", 0
    while name in taken:
        number += 1
        name = f"variable_{number}"
    return name
