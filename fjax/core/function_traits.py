"""Traits of functions of one array, such as activations."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax import activations
from fjax.configuration import is_library_function
from fjax.traits import has_trait


def function_has_trait(function: Any, trait: str) -> bool:
    """Return whether a function of one array has a trait; see `fjax.traits`.

    Args:
        function: The function.
        trait: "entrywise" or "rows_independent".

    Functions of `jax.nn` have the traits of the activation of the same name, and universal
    functions of numpy and `jax.numpy` are entrywise. Any other function is assumed to have no
    trait.

    >>> function_has_trait(jax.nn.relu, "entrywise"), function_has_trait(jnp.sin, "entrywise")
    (True, True)
    >>> function_has_trait(jax.nn.softmax, "entrywise")
    False
    >>> function_has_trait(jnp.flip, "rows_independent")
    False
    """
    if has_trait(function, trait):
        return True
    name = getattr(function, "__name__", "")
    if not is_library_function(function):
        return False
    if function is getattr(jax.nn, name, None) and hasattr(activations, name):
        return has_trait(getattr(activations, name), trait)
    universal = getattr(np, name, None)
    return (
        isinstance(universal, np.ufunc)
        and universal.nin == 1
        and function in (universal, getattr(jnp, name, None))
    )
