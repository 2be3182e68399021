"""What is known of a function of one array that stands in a network."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax import activations
from fjax.configuration import is_library_function
from fjax.traits import has_trait


def function_has_trait(function: Any, trait: str) -> bool:
    """Tell whether a function of one array is "entrywise" or "rows_independent"; see `fjax.traits`.

    The functions of `jax.nn` are what those of the same name are here, and numpy's universal
    functions work entry by entry. Of any other function nothing is known.

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
