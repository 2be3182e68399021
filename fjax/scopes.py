"""Scopes of the process: the names of variables, and the device of new arrays."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

import jax

from fjax.errors import suggestion

_NAMES: ContextVar[tuple[str, ...]] = ContextVar("names", default=())

# Keras's names of kinds of devices, and those of JAX.
_KINDS = {"cuda": "gpu"}


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[None]:
    """Let the paths of new variables begin with a name, as `keras.name_scope`.

    The names of nested scopes are joined by "/". Weights of layers are named after the layers, in
    any scope. In a traced function, the name is that of the operations in profiles.

    Args:
        name: The name, without "/".

    Raises:
        ValueError: The name is not a str, is empty, or contains "/".

    >>> from fjax import Variable
    >>> with name_scope("outer"), name_scope("inner"):
    ...     print(Variable(0.0, name="count").path)
    outer/inner/count
    """
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"`name_scope`: `name` must be a str without '/', received {name!r}.")
    token = _NAMES.set((*_NAMES.get(), name))
    try:
        with jax.named_scope(name):
            yield
    finally:
        _NAMES.reset(token)


def scoped_path(name: str) -> str:
    """Return a name after those of the scopes that are entered, joined by "/".

    >>> scoped_path("count")
    'count'
    """
    return "/".join((*_NAMES.get(), name))


@contextlib.contextmanager
def device(device_name: str) -> Iterator[None]:
    """Put new arrays, weights and computations on a device, as `keras.device`.

    Args:
        device_name: The kind of device and its number: "cpu:0", "gpu:1"; the number may be left
            out.

    Raises:
        ValueError: There is no such device.

    >>> import jax.numpy as jnp
    >>> with device("cpu:0"):
    ...     print(jnp.ones(2).device.platform)
    cpu
    """
    with jax.default_device(_find_device(device_name)):
        yield


def _find_device(device_name: str) -> jax.Device:
    devices = {f"{each.platform}:{each.id}": each for each in [*jax.devices("cpu"), *jax.devices()]}
    kind, _, number = str(device_name).lower().strip("/").partition(":")
    wanted = f"{_KINDS.get(kind, kind)}:{number or 0}"
    if not isinstance(device_name, str) or wanted not in devices:
        raise ValueError(
            f"`device`: `device_name` must be one of {', '.join(map(repr, devices))}, received "
            f"{device_name!r}.{suggestion(wanted, devices)}"
        )
    return devices[wanted]
