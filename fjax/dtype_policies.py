"""Dtype policies: the dtypes of a layer's weights, computations and outputs, by name.

A layer gets its policy when it is made: that of its argument `dtype`, or the global one.
`fjax.core.precision` applies it.
"""

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import suggestion

__all__ = ["DTypePolicy", "deserialize", "get", "serialize"]

# The policy that a layer has unless something else is said.
DEFAULT = "float32"

# The dtypes of the weights and of the computations, by the name of the policy.
NAMED: Mapping[str, tuple[str, str]] = {
    "float32": ("float32", "float32"),
    "mixed_bfloat16": ("float32", "bfloat16"),
    "mixed_float16": ("float32", "float16"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "float16": ("float16", "float16"),
    "float64": ("float64", "float64"),
}

# The parts of a policy that is described part by part.
PARTS = ("params", "compute", "output")

FLOATS = ("float16", "bfloat16", "float32", "float64")

_GLOBAL: ContextVar[str] = ContextVar("dtype_policy", default=DEFAULT)


class DTypePolicy:
    """The dtypes of a layer's weights, computations and outputs.

    Args:
        name: "float32"; "mixed_bfloat16" or "mixed_float16", which compute in half precision with
            weights of float32; "bfloat16", "float16" or "float64", which have weights of that
            dtype, too; or the dtypes of the three parts, as in
            "params=float32,compute=bfloat16,output=float32". None is the global policy.

    Attributes:
        name: The name.
        variable_dtype: The dtype of the weights.
        compute_dtype: The dtype that inputs and weights are cast to for the computation.
        output_dtype: The dtype of the outputs.

    Raises:
        ValueError: The name is unknown, or it is float64 without JAX's 64-bit mode.

    Source: Keras's page "Mixed precision policy API"; Micikevicius et al., "Mixed Precision
    Training" (2018), https://arxiv.org/abs/1710.03740.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy, policy.variable_dtype, policy.compute_dtype
    (<DTypePolicy "mixed_bfloat16">, 'float32', 'bfloat16')
    >>> DTypePolicy("mixed_bfloat17")
    Traceback (most recent call last):
        ...
    ValueError: `DTypePolicy`: `name` must be one of 'float32', 'mixed_bfloat16', ... \
received 'mixed_bfloat17'. Did you mean `mixed_bfloat16`?
    """

    __slots__ = ("compute_dtype", "name", "output_dtype", "variable_dtype")

    def __init__(self, name: str | None = None) -> None:
        self.name = policy_name("DTypePolicy", "name", name)
        dtypes = _dtypes(self.name)
        assert dtypes is not None
        self.variable_dtype, self.compute_dtype, self.output_dtype = dtypes

    def get_config(self) -> dict[str, Any]:
        """Return the name, in Keras's form."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "DTypePolicy":
        """Return the policy with this configuration."""
        return cls(**config)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __reduce__(self) -> Any:
        return DTypePolicy, (self.name,)


@functools.lru_cache(256)
def policy_named(name: str) -> DTypePolicy:
    """Return the policy of this name; it is made once."""
    return DTypePolicy(name)


def policy_name(owner: str, argument: str, value: Any) -> str:
    """Return the name of the policy that an argument means; None is the global policy.

    Args:
        owner: The class or function that an error names.
        argument: The name of the argument.
        value: A name, a policy, a dtype, or a policy as plain data.

    Raises:
        ValueError: There is no such policy, or it is float64 without JAX's 64-bit mode.

    >>> policy_name("Dense", "dtype", jnp.bfloat16)
    'bfloat16'
    >>> policy_name("Dense", "dtype", {"class_name": "DTypePolicy", "config": {"name": "float16"}})
    'float16'
    """
    if value is None:
        return _GLOBAL.get()
    name = value
    if isinstance(value, Mapping):
        name = (value.get("config") or {}).get("name")
    elif not isinstance(value, str):
        # A policy has a name. A scalar type such as `jnp.float32` is a dtype.
        name = getattr(value, "name", None) or _name_of_dtype(value)
    known = _dtypes(name) if isinstance(name, str) else None
    if known is None:
        hint = suggestion(name, NAMED) if isinstance(name, str) else ""
        raise ValueError(
            f"`{owner}`: `{argument}` must be one of {', '.join(map(repr, NAMED))}, or a policy or "
            "dtype of such a name, or 'params=float32,compute=bfloat16,output=float32' with other "
            f"dtypes, received {value!r}.{hint}"
        )
    if "float64" in known and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise ValueError(
            f"`{owner}`: `{argument}` {name!r} needs JAX's 64-bit mode: call "
            '`jax.config.update("jax_enable_x64", True)` at the start of the program.'
        )
    return str(name)


def get(identifier: Any = None) -> DTypePolicy:
    """Return the policy that a name, a dtype, a policy or its plain data means; None: the global.

    Raises:
        ValueError: There is no such policy.

    >>> get("mixed_float16").compute_dtype
    'float16'
    """
    return policy_named(policy_name("dtype_policies.get", "identifier", identifier))


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """Return a policy as plain data, in Keras's form.

    >>> serialize(DTypePolicy("bfloat16"))["config"]
    {'name': 'bfloat16'}
    """
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def describe_policy(name: str) -> dict[str, Any]:
    """Return the policy of a name as plain data, as `get_config` of a layer contains it."""
    return serialize(policy_named(name))


def deserialize(config: Mapping[str, Any], custom_objects: Any = None) -> DTypePolicy:
    """Return the policy that `serialize` described.

    >>> deserialize(serialize(DTypePolicy("bfloat16")))
    <DTypePolicy "bfloat16">
    """
    return get(config)


def dtype_policy() -> DTypePolicy:
    """Return the global policy, which new layers get.

    >>> dtype_policy()
    <DTypePolicy "float32">
    """
    return policy_named(_GLOBAL.get())


def set_dtype_policy(policy: Any) -> None:
    """Set the global policy: that of the layers and models that are made from now on.

    Args:
        policy: The name of a policy, a dtype, or a policy.

    Raises:
        ValueError: There is no such policy.

    >>> set_dtype_policy("mixed_bfloat16")
    >>> from fjax.layers import Dense
    >>> layer = Dense(3)
    >>> set_dtype_policy("float32")
    >>> layer.compute_dtype, layer.variable_dtype
    ('bfloat16', 'float32')
    """
    _GLOBAL.set(policy_name("set_dtype_policy", "policy", policy or DEFAULT))


@contextmanager
def policy_scope(name: str) -> Iterator[None]:
    """Let a policy be the global one within the context."""
    token = _GLOBAL.set(name)
    try:
        yield
    finally:
        _GLOBAL.reset(token)


def _dtypes(name: str) -> tuple[str, str, str] | None:
    """Return the dtypes of weights, computations and outputs that a name means, or None."""
    if name in NAMED:
        params, compute = NAMED[name]
        return params, compute, compute
    parts = dict(part.split("=", 1) for part in name.split(",") if "=" in part)
    if tuple(parts) != PARTS or not set(parts.values()) <= set(FLOATS):
        return None
    return parts["params"], parts["compute"], parts["output"]


def _name_of_dtype(value: Any) -> Any:
    try:
        return jnp.dtype(value).name
    except TypeError:
        return None
