"""The dtype policies of layers, and casts of arrays to their dtypes."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core.calling import is_authored
from fjax.core.reserved import PENALTY
from fjax.dtype_policies import DEFAULT, DTypePolicy, policy_named
from fjax.typing import Params, PyTree, State


def policy_of(layer: Any) -> DTypePolicy:
    """Return the dtype policy of a layer; anything that has none is in float32.

    >>> from fjax.layers import Dense
    >>> policy_of(Dense(3, dtype="mixed_bfloat16")), policy_of(abs)
    (<DTypePolicy "mixed_bfloat16">, <DTypePolicy "float32">)
    """
    if not getattr(layer, "has_policy", False):
        return policy_named(DEFAULT)
    return policy_named(vars(layer).get("dtype", DEFAULT))


def author_policy(author: Any) -> DTypePolicy:
    """Return the dtype policy of an author's layer or model."""
    # A model has that of its network.
    policy = getattr(author, "dtype_policy", None)
    return policy if isinstance(policy, DTypePolicy) else policy_of(author)


def call_dtype(author: Any) -> str | None:
    """Return the dtype in which an author's `call` reads weights, or None for their own."""
    policy = author_policy(author)
    is_cast = policy.compute_dtype != policy.variable_dtype and getattr(author, "autocast", True)
    return policy.compute_dtype if is_cast else None


def casting_of(layer: Any) -> str:
    """Return how `apply_layer` casts for a layer; see `fjax.core.precision`.

    >>> from fjax.layers import Dense, TimeDistributed
    >>> casting_of(Dense(3)), casting_of(TimeDistributed(Dense(3))), casting_of(abs)
    ('compute', 'inputs', 'none')
    """
    casting = getattr(layer, "casting", "none")
    if casting == "compute" and (is_authored(layer) or layer.inside()):
        return "inputs"
    return casting


def cast_floats(tree: PyTree, dtype: Any) -> PyTree:
    """Return a tree with its floating arrays in a dtype; everything else stays as it is.

    >>> import numpy as np
    >>> cast = cast_floats({"x": np.ones(2, "float32"), "ids": np.ones(2, "int32")}, "bfloat16")
    >>> cast["x"].dtype.name, cast["ids"].dtype.name
    ('bfloat16', 'int32')
    """
    target = jnp.dtype(dtype)

    def cast(leaf: Any) -> Any:
        if getattr(leaf, "dtype", target) == target or not is_floating(leaf):
            return leaf
        if isinstance(leaf, jax.ShapeDtypeStruct):
            return leaf.update(dtype=target)
        return jnp.asarray(leaf).astype(target)

    return jax.tree.map(cast, tree)


def is_floating(value: Any) -> bool:
    """Tell whether a value is an array, or the spec of one, of real floating numbers."""
    dtype = getattr(value, "dtype", None)
    return dtype is not None and jax.dtypes.issubdtype(dtype, jnp.floating)


def cast_weights(weights: Mapping[str, Any], dtype: Any) -> dict[str, Any]:
    """Return a layer's params or state in a dtype, without a change of penalties."""
    return {
        name: value if name == PENALTY else cast_floats(value, dtype)
        for name, value in weights.items()
    }


def cast_params(layer: Any, params: Params) -> Params:
    """Return the params of a layer in the dtype that it computes in.

    For layers that run another one without `apply_layer`, as a recurrent layer runs its cell.
    """
    policy = policy_of(layer)
    if policy.name == DEFAULT or casting_of(layer) != "compute" or not layer.autocast:
        return params
    return cast_weights(params, policy.compute_dtype)


def like(new: State, old: State) -> State:
    """Return a layer's next state with the dtypes of its state before.

    >>> like({"mean": jnp.ones(1)}, {"mean": jnp.ones(1, "bfloat16")})["mean"].dtype.name
    'bfloat16'
    """
    return {
        name: cast_floats(value, old[name].dtype)
        if name in old and is_floating(value) and is_floating(old[name])
        else like(value, old[name])
        if isinstance(value, Mapping) and name in old
        else value
        for name, value in new.items()
    }
