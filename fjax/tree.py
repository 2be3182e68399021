"""Functions of nested structures, with the names of `keras.tree`.

A structure is nested dicts, lists, tuples and JAX's other pytrees. As in Keras, None is a leaf.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax


class MAP_TO_NONE:  # noqa: N801 (Keras's name)
    """The result of a function of `traverse` that replaces a part by None.

    >>> traverse(lambda part: MAP_TO_NONE if part == 1 else None, [1, 2])
    [None, 2]
    """


def is_nested(structure: Any) -> bool:
    """Return whether a value is a structure and not a leaf.

    >>> is_nested([]), is_nested(None)
    (True, False)
    """
    return not jax.tree_util.all_leaves([structure], is_leaf=_is_none)


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a structure; dicts in the order of their sorted keys.

    >>> flatten({"b": [2, None], "a": 1})
    [1, 2, None]
    """
    return jax.tree.leaves(structure, is_leaf=_is_none)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return pairs of the path of a leaf, a tuple of keys and positions, and the leaf.

    >>> flatten_with_path({"a": [1, 2]})
    [(('a', 0), 1), (('a', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    children = jax.tree_util.tree_leaves_with_path(structure, is_leaf=lambda x: x is not structure)
    return [
        ((getattr(path[0], "key", position), *rest), leaf)
        for position, (path, child) in enumerate(children)
        for rest, leaf in flatten_with_path(child)
    ]


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Return the structure of the results of a function of corresponding leaves.

    Args:
        func: The function, of one leaf of each structure.
        structures: The structures.
        none_is_leaf: Whether the function also gets None; otherwise None stays as it is.

    Raises:
        ValueError: There is no structure, or they differ.

    >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    first, *others = _at_least_one("map_structure", structures)
    is_leaf = _is_none if none_is_leaf else None
    for other in others:
        _check_same("map_structure", first, other, is_leaf)
    return jax.tree.map(func, first, *others, is_leaf=is_leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Return the results of a function of the parts at the leaves of a shallow structure.

    Args:
        shallow_structure: How deep the function is applied.
        func: The function, of one part of each structure.
        structures: The structures, which begin like the shallow one.

    Raises:
        ValueError: There is no structure, or one does not begin like the shallow one, or that
            contains None.

    >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
    [2, 1]
    """
    _at_least_one("map_structure_up_to", structures)
    if None in flatten(shallow_structure):
        raise ValueError("`map_structure_up_to`: `shallow_structure` must not contain None.")
    definition = jax.tree.structure(shallow_structure, is_leaf=_is_none)
    parts = [definition.flatten_up_to(structure) for structure in structures]  # type: ignore[attr-defined]
    return jax.tree.unflatten(definition, [func(*each) for each in zip(*parts, strict=True)])


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Return a structure with some of its parts replaced.

    Args:
        func: A function of each part, from the whole down to the leaves, that returns what
            replaces it; None leaves it as it is, `MAP_TO_NONE` makes it None.
        structure: The structure.
        top_down: Whether the function gets the whole before its parts, and not the parts of what
            it has replaced; otherwise after them.

    >>> traverse(lambda part: tuple(part) if isinstance(part, list) else None, [1, [2]], False)
    (1, (2,))
    """
    if top_down:
        replaced = func(structure)
        if replaced is not None:
            return None if replaced is MAP_TO_NONE else replaced
    if is_nested(structure):
        children, definition = jax.tree.flatten(structure, is_leaf=lambda x: x is not structure)
        parts = [traverse(func, child, top_down) for child in children]
        structure = jax.tree.unflatten(definition, parts)
    if top_down:
        return structure
    replaced = func(structure)
    if replaced is None:
        return structure
    return None if replaced is MAP_TO_NONE else replaced


def assert_same_structure(a: Any, b: Any) -> None:
    """Raise ValueError unless two structures have the same containers and keys.

    >>> assert_same_structure([1, 2], [3])
    Traceback (most recent call last):
        ...
    ValueError: `assert_same_structure`: the structures differ: [1, 2] and [3].
    """
    _check_same("assert_same_structure", a, b, _is_none)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise ValueError unless the leaves of two structures have the same paths.

    >>> assert_same_paths([1, 2], (3, 4))
    """
    first, second = ({path for path, _ in flatten_with_path(each)} for each in (a, b))
    if first != second:
        raise ValueError(
            f"`assert_same_paths`: only the first structure has {sorted(first - second, key=str)}, "
            f"only the second {sorted(second - first, key=str)}."
        )


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """Return the structure with other leaves, in the order of `flatten`.

    Raises:
        ValueError: The number of leaves is another one.

    >>> pack_sequence_as({"b": 0, "a": 0}, [1, 2])
    {'a': 1, 'b': 2}
    """
    definition, count = jax.tree.structure(structure, is_leaf=_is_none), len(flatten(structure))
    if len(flat_sequence) != count:
        raise ValueError(
            f"`pack_sequence_as`: `flat_sequence` must have {count} entries, one for each leaf, "
            f"received {len(flat_sequence)}."
        )
    return jax.tree.unflatten(definition, list(flat_sequence))


def lists_to_tuples(structure: Any) -> Any:
    """Return a structure with tuples in place of lists.

    >>> lists_to_tuples({"a": [1, [2]]})
    {'a': (1, (2,))}
    """
    return traverse(lambda part: tuple(part) if isinstance(part, list) else None, structure, False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Return the results of a function of each shape, a tuple or list of sizes and None.

    >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,)]})
    {'a': 2, 'b': [1]}
    """
    return jax.tree.map(func, structure, is_leaf=lambda part: _is_none(part) or _is_shape(part))


def _is_none(value: Any) -> bool:
    return value is None


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(e, int | None) for e in value)


def _at_least_one(owner: str, structures: tuple[Any, ...]) -> tuple[Any, ...]:
    if not structures:
        raise ValueError(f"`{owner}` needs at least one structure.")
    return structures


def _check_same(owner: str, a: Any, b: Any, is_leaf: Any) -> None:
    definitions: list[Any] = [jax.tree.structure(each, is_leaf=is_leaf) for each in (a, b)]
    if definitions[0] != definitions[1]:
        raise ValueError(f"`{owner}`: the structures differ: {a!r} and {b!r}.")
