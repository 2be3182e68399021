"""Match inputs, targets and weights to a network's structure, by position or by name."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax

from fjax.errors import suggestion
from fjax.typing import PyTree

Path = tuple[str | int, ...]


def names_of(network: Any, kind: str, tree: PyTree) -> list[str]:
    """Return the names of a network's inputs or outputs.

    They are the network's `input_names` or `output_names`; else the keys of a dict; else `input_0`,
    `input_1` and so on.

    Args:
        network: The network.
        kind: "input" or "output".
        tree: The inputs, as a tuple, or the outputs.

    >>> names_of(None, "output", {"price": 0, "age": 0}), names_of(None, "input", (0, 0))
    (['age', 'price'], ['input_0', 'input_1'])
    """
    declared = declared_names(network, kind, tree)
    return declared or [f"{kind}_{i}" for i in range(len(_leaves(tree)))]


def declared_names(network: Any, kind: str, tree: PyTree) -> list[str]:
    """Return the names of `names_of`, empty if neither the network nor a dict has names.

    >>> declared_names(None, "output", {"price": 0, "age": 0}), declared_names(None, "input", (0,))
    (['age', 'price'], [])
    """
    declared = getattr(network, f"{kind}_names", None)
    if declared:
        return list(declared)
    inner = _unwrapped(tree)
    return sorted(inner) if _is_flat_dict(inner) else []


def paths(tree: PyTree, names: Sequence[str]) -> dict[str, Path]:
    """Return the path of each name in the structure.

    >>> paths({"price": 0, "age": 0}, ["price", "age"]), paths(0, ["price"])
    ({'price': ('price',), 'age': ('age',)}, {'price': ()})
    >>> paths([0, {"b": 0}], ["price", "age"])
    {'price': (0,), 'age': (1, 'b')}
    """
    if _is_flat_dict(tree) and set(tree) == set(names):
        return {name: (name,) for name in names}
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {name: _keys(path) for name, (path, _) in zip(names, leaves, strict=True)}


def match_structure(
    argument: str,
    kind: str,
    values: PyTree,
    tree: PyTree,
    names: Sequence[str],
    needed: Iterable[str] | None = None,
) -> PyTree:
    """Arrange arrays, by position or by name, in the structure of `tree`.

    Args:
        argument: The name of the arrays in errors: "x", "y", "sample_weight".
        kind: "input" or "output".
        values: A dict by name, a tuple by position, or one array.
        tree: The structure to match.
        names: The names of its leaves.
        needed: The names that must be present, by default all; others may be None.

    Raises:
        ValueError: A name is missing or unknown, or the number of arrays is wrong.

    >>> match_structure("x", "input", {"deep": 2, "wide": 1}, (0, 0), ["wide", "deep"])
    (1, 2)
    >>> match_structure("y", "output", (1, 2), {"price": 0, "age": 0}, ["price", "age"])
    {'age': 2, 'price': 1}
    >>> match_structure("y", "output", {"pric": 1}, {"price": 0, "age": 0}, ["price", "age"])
    Traceback (most recent call last):
        ...
    ValueError: `y` names 'pric', which is not an output of the model. Did you mean `price`? Its
    outputs: price, age.
    """
    names = list(names)
    needed = names if needed is None else [name for name in names if name in set(needed)]
    if _same_structure(values, tree):
        by_name = dict(zip(_flat_names(tree, names), _leaves(values), strict=True))
    elif isinstance(values, Mapping):
        by_name = dict(values)
        check_names(argument, kind, by_name, names)
    else:
        parts = values if isinstance(values, tuple | list) else (values,)
        is_partial = len(parts) != len(names) and len(parts) == len(needed)
        if not is_partial and len(parts) != len(names):
            raise ValueError(
                f"`{argument}` has {_count(len(parts), 'array')}, but the model has "
                f"{_count(len(names), kind)}: {', '.join(names)}."
            )
        by_name = dict(zip(needed if is_partial else names, parts, strict=True))
    for name in needed:
        if by_name.get(name) is None:
            raise ValueError(
                f"`{argument}` has no array for the {kind} {name!r}. It must hold one array for "
                f"each of {', '.join(needed)}."
            )
    for name, value in by_name.items():
        if value is not None and not jax.tree_util.all_leaves([value]):
            raise ValueError(
                f"`{argument}` must hold one array for the {kind} {name!r}, received a "
                f"{type(value).__name__}."
            )
    leaves = [by_name.get(name) for name in _flat_names(tree, names)]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


def check_names(argument: str, kind: str, used: Iterable[str], names: Sequence[str]) -> None:
    """Raise ValueError if a name is not a name of the model's inputs or outputs.

    >>> check_names("loss", "output", ["price"], ["price", "age"])
    """
    for name in used:
        if name not in names:
            raise ValueError(
                f"`{argument}` names {name!r}, which is not an {kind} of the model."
                f"{suggestion(str(name), names)} Its {kind}s: {', '.join(names)}."
            )


def check_count(argument: str, entries: Sequence[Any], names: Sequence[str]) -> None:
    """Raise ValueError unless there is one entry for each output."""
    if len(entries) != len(names):
        raise ValueError(
            f"`{argument}` has {_count(len(entries), 'entry')}, but the model has "
            f"{_count(len(names), 'output')}: {', '.join(names)}. Pass one entry for each, which "
            "may be None, or a dict by name."
        )


def check_shapes(
    arrays: PyTree, expected: Sequence[tuple[int | None, ...]], tree: PyTree, names: Sequence[str]
) -> None:
    """Raise ValueError, naming the input, if samples of an input have another shape."""
    by_leaf = zip(
        _flat_names(_unwrapped(tree), list(names)), _leaves(arrays), expected, strict=True
    )
    for name, array, shape in by_leaf:
        sample = tuple(array.shape[1:])
        sizes = zip(sample, shape, strict=False)
        if len(sample) != len(shape) or any(s not in (None, size) for size, s in sizes):
            raise ValueError(
                f"`x` has samples of shape {sample} (in all {tuple(array.shape)}) for the input "
                f"{name!r}, but the model expects {tuple(shape)}."
            )


def _unwrapped(tree: PyTree) -> PyTree:
    # The inputs are a tuple even if there is only one.
    return tree[0] if isinstance(tree, tuple) and len(tree) == 1 else tree


def _is_flat_dict(tree: PyTree) -> bool:
    return isinstance(tree, Mapping) and all(
        isinstance(key, str) and jax.tree_util.all_leaves([value]) for key, value in tree.items()
    )


def _flat_names(tree: PyTree, names: list[str]) -> list[str]:
    """Return the names in the order of the leaves: a dict's leaves are sorted by key."""
    return sorted(names) if _is_flat_dict(tree) and set(tree) == set(names) else names


def _keys(path: tuple[Any, ...]) -> Path:
    return tuple(key.key if hasattr(key, "key") else key.idx for key in path)


def _leaves(tree: PyTree) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=_is_none)


def _same_structure(first: PyTree, second: PyTree) -> bool:
    # Paths are compared, so that a tuple equals a list.
    paths_of = (jax.tree_util.tree_flatten_with_path(tree, _is_none)[0] for tree in (first, second))
    return [path for path, _ in next(paths_of)] == [path for path, _ in next(paths_of)]


def _is_none(node: Any) -> bool:
    return node is None


def _count(number: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") and what != "array" else f"{what}s"
    return f"{number} {what if number == 1 else plural}"
