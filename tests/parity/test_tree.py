"""The functions of `fjax.tree`, compared with `keras.tree`."""

from collections import OrderedDict, namedtuple

import keras
import pytest

import fjax

Pair = namedtuple("Pair", ["left", "right"])
STRUCTURES = [
    1, None, [], {}, [1, 2], (1, [2, None]), {"b": 2, "a": [1, (3,)]}, Pair(1, [2]),
    OrderedDict(b=1, a={"c": ()}), [[1], [2, 3]], [(None, 3), {"a": (2,)}],
]  # fmt: skip
UNARY = [
    "is_nested", "flatten", "flatten_with_path", "lists_to_tuples",
]  # fmt: skip


def outcome(call):
    try:
        return call()
    except ValueError:
        return ValueError


def compare(call):
    ours, theirs = (outcome(lambda m=module: call(m.tree)) for module in (fjax, keras))
    assert ours == theirs
    assert type(ours) is type(theirs)


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_functions_of_one_structure(structure):
    for name in UNARY:
        compare(lambda tree, name=name: getattr(tree, name)(structure))
    compare(lambda tree: tree.map_structure(repr, structure))
    compare(lambda tree: tree.map_structure(repr, structure, none_is_leaf=False))
    compare(lambda tree: tree.map_shape_structure(repr, structure))
    compare(lambda tree: tree.pack_sequence_as(structure, [7, 8]))

    def replace(tree, part):
        if isinstance(part, list):
            return tuple(part)
        return tree.MAP_TO_NONE if part == 2 else None

    for top_down in (True, False):
        compare(lambda t, down=top_down: t.traverse(lambda part: replace(t, part), structure, down))


@pytest.mark.parametrize("first", STRUCTURES, ids=repr)
def test_functions_of_two_structures(first):
    for second in STRUCTURES:
        compare(lambda tree, b=second: tree.map_structure(lambda *x: repr(x), first, b))
        compare(lambda tree, b=second: tree.assert_same_structure(first, b))
        compare(lambda tree, b=second: tree.assert_same_paths(first, b))
        compare(lambda tree, b=second: tree.map_structure_up_to(first, repr, b))


def test_all_names_are_there():
    names = {name for name in dir(keras.tree) if not name.startswith("_")}
    assert names <= set(dir(fjax.tree))
    compare(lambda tree: tree.map_structure(repr))
    compare(lambda tree: tree.map_structure_up_to([0], repr))
