"""Variables that an author's code sets as attributes of an object: its weights, as in Keras."""

from typing import Any

import jax
import numpy as np

from fjax.authoring.attributes import INIT_WEIGHTS, author_attributes, map_items
from fjax.authoring.weights import InitWeight, WeightSpec
from fjax.initializers import Constant, Zeros
from fjax.typing import Array
from fjax.variable import Variable


def is_free_variable(value: Any) -> bool:
    """Tell whether a value is a variable with an array of its own, not that of a weight slot."""
    return type(value) is Variable and value.is_free


def variable_spec(variable: Variable, value: Array | None = None) -> WeightSpec:
    """Return what the weight for a variable is made of: its first value is that of the variable.

    Args:
        variable: The variable.
        value: Its value, if the variable has a traced one.
    """
    array = variable.value if value is None else value
    # A pass that has the weights already needs no first value.
    traced = isinstance(array, jax.core.Tracer)
    initializer = Zeros() if traced or array.size == 0 else Constant(np.asarray(array))
    name = None if variable.name == "variable" else variable.name
    return WeightSpec(
        name, variable.shape, np.dtype(variable.dtype), initializer, variable.trainable,
        None, variable.constraint,
    )  # fmt: skip


def adopt_variables(author: Any) -> None:
    """Make weights of the variables that `__init__` has set as attributes."""
    adopted: dict[int, InitWeight] = {}

    def replaced(value: Any) -> Any:
        if not is_free_variable(value):
            return map_items(lambda _, item: replaced(item), value)
        if id(value) not in adopted:
            adopted[id(value)] = InitWeight(author, variable_spec(value))
            # Whoever holds the variable sees the weight; another object cannot adopt it.
            value.link(adopted[id(value)])
        return adopted[id(value)]

    for name, value in author_attributes(author).items():
        if _holds_variables(value):
            vars(author)[name] = replaced(value)
    if adopted:
        before = vars(author).get(INIT_WEIGHTS, ())
        vars(author)[INIT_WEIGHTS] = (*before, *adopted.values())


def _holds_variables(value: Any) -> bool:
    return any(
        is_free_variable(leaf)
        for leaf in jax.tree.leaves(value, is_leaf=lambda x: isinstance(x, Variable))
    )
