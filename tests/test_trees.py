"""Functions of trees."""

from collections import OrderedDict
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import trees

pytestmark = pytest.mark.short


class Pair(NamedTuple):
    left: object
    right: object


TREE = {"dense": {"bias": np.zeros(4), "kernel": np.zeros((3, 4))}, "rest": [1.0, (np.zeros(2),)]}


@pytest.mark.parametrize(
    "received",
    [
        TREE,
        jax.tree.map(jnp.asarray, TREE),
        jax.eval_shape(lambda: jax.tree.map(jnp.asarray, TREE)),
        jax.tree.map(lambda leaf: np.zeros(np.shape(leaf), np.int32), TREE),
    ],
    ids=["itself", "arrays", "specs", "other dtypes"],
)
def test_trees_of_equal_structure_and_shapes_do_not_differ(received):
    assert trees.first_difference(TREE, received) is None


@pytest.mark.parametrize("tree", [{}, (), None, 1.0, Pair({}, None), {"a": {}}])
def test_small_trees_do_not_differ_from_themselves(tree):
    assert trees.first_difference(tree, tree) is None


@pytest.mark.parametrize(
    ("expected", "received", "message"),
    [
        ({"a": {"b": np.zeros(2)}}, {"a": {"b": np.zeros(3)}},
         "['a']['b']: expected an array of shape (2,), received an array of shape (3,)"),
        ({"a": 1.0}, {"a": [1.0]}, "['a']: expected an array of shape (), received a list"),
        ({"a": [1.0]}, {"a": (1.0,)}, "['a']: expected a list, received a tuple"),
        ({"a": 1.0}, {"a": None}, "['a']: expected an array of shape (), received None"),
        ({"a": None}, {"a": 1.0}, "['a']: expected None, received an array of shape ()"),
        ({"a": 1.0, "b": {}}, {"a": 1.0}, "['b']: expected a dict, received nothing"),
        ({"a": 1.0}, {"a": 1.0, "b": 1.0},
         "['b']: expected nothing, received an array of shape ()"),
        ([1.0, 2.0], [1.0], "[1]: expected an array of shape (), received nothing"),
        (Pair(1.0, {"w": 2.0}), Pair(1.0, {"v": 2.0}),
         ".right['w']: expected an array of shape (), received nothing"),
        ({"a": 1.0}, OrderedDict(a=1.0),
         "the tree itself: expected a dict, received a OrderedDict"),
        ({}, None, "the tree itself: expected a dict, received None"),
    ],
)  # fmt: skip
def test_the_first_difference_is_named(expected, received, message):
    assert trees.first_difference(expected, received) == message


def test_trees_of_tracers_can_be_compared():
    def compare(tree):
        assert trees.first_difference(tree, {"w": jnp.zeros(2)}) is None
        return tree

    jax.jit(compare)({"w": jnp.zeros(2)})
    jax.vmap(compare)({"w": jnp.zeros((5, 2))})
