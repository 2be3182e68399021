"""The entries of an argument of `compile`, such as `loss`, for each output of a model.

There is one entry for all outputs, or one for each: by position, by name, or in dicts and lists
that are nested as the outputs are.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fjax.data.structure import Path, check_count, check_names, paths
from fjax.errors import suggestion
from fjax.typing import PyTree


def entries_by_output(
    argument: str, value: Any, outputs: PyTree, names: Sequence[str]
) -> dict[str, Any]:
    """Return the entry of each output, None if it has none.

    The order is Keras's: that of the argument if it is a dict as the outputs are, or nested; else
    that of the outputs.

    Args:
        argument: The name of the argument, for errors.
        value: One entry; a tuple of entries by position; a dict of entries by name; or dicts and
            tuples of entries that are nested as the outputs are.
        outputs: A tree with the structure of the outputs.
        names: The names of the outputs.

    Raises:
        ValueError: A name is not an output, or the number of entries or the structure differs.

    >>> outputs = {"price": 0, "people": {"age": 0, "size": 0}}
    >>> entries_by_output("loss", {"people": {"size": "mae"}}, outputs, ["a", "b", "c"])
    {'b': 'mae', 'a': None, 'c': None}
    >>> entries_by_output("loss", {"people": "mae"}, outputs, ["a", "b", "c"])
    Traceback (most recent call last):
        ...
    ValueError: `compile`: `loss['people']` must be a dict with the keys 'age', 'size', as the
    outputs of the model are, received 'mae'.
    """
    path_of = paths(outputs, names)
    is_nested = any(len(path) > 1 for path in path_of.values())
    if isinstance(value, Mapping) and not (is_nested and not set(value) <= set(names)):
        check_names(argument, "output", value, names)
        order = [*value] if isinstance(outputs, Mapping) else []
        return {name: value.get(name) for name in dict.fromkeys([*order, *names])}
    if isinstance(value, tuple) and not (is_nested and _is_nested(value, names)):
        check_count(argument, value, names)
        return dict(zip(names, value, strict=True))
    if not isinstance(value, Mapping | tuple):
        return dict.fromkeys(names, value)
    name_of = {path: name for name, path in path_of.items()}
    entries = {name_of[path]: entry for path, entry in _walk(argument, value, outputs, ())}
    return entries | {name: None for name in names if name not in entries}


def loss_name(path: Path, name: str) -> str:
    """Return the name of the loss of an output as in Keras's logs.

    Args:
        path: The path of the output.
        name: The name of the output.

    >>> loss_name((), "price"), loss_name((1, 0), "price"), loss_name(("people", "age"), "price")
    ('price', '1/price', 'people/age')
    """
    if not path or isinstance(path[-1], int):
        path = (*path[:-1], name)
    return "/".join(map(str, path))


def _is_nested(value: tuple[Any, ...], names: Sequence[str]) -> bool:
    return len(value) != len(names) or any(isinstance(entry, Mapping | tuple) for entry in value)


def _walk(argument: str, value: Any, outputs: PyTree, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield the path of each output that has an entry, with the entry."""
    if not isinstance(outputs, Mapping | list | tuple):
        yield path, value
        return
    if value is None:
        return
    if isinstance(outputs, Mapping):
        if not isinstance(value, Mapping):
            keys = ", ".join(map(repr, outputs))
            raise _other_structure(argument, value, f"a dict with the keys {keys}", path)
        children = [*value.items()]
        for key in value:
            if key not in outputs:
                raise ValueError(
                    f"`compile`: `{argument}` has the key {key!r}, which the outputs of the model "
                    f"lack.{suggestion(str(key), outputs)} Their keys: "
                    f"{', '.join(map(repr, outputs))}."
                )
    else:
        if not isinstance(value, tuple) or len(value) != len(outputs):
            raise _other_structure(argument, value, f"a list of {len(outputs)}", path)
        children = [*enumerate(value)]
    for key, entry in children:
        yield from _walk(argument, entry, outputs[key], (*path, key))


def _other_structure(argument: str, value: Any, expected: str, path: Path) -> ValueError:
    where = "".join(f"[{key!r}]" for key in path)
    return ValueError(
        f"`compile`: `{argument}{where}` must be {expected}, as the outputs of the model are, "
        f"received {value!r}."
    )
