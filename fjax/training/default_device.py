"""`device`: a context in which a device is the default one."""

from contextlib import AbstractContextManager
from typing import Any

import jax


def device(device_name: str | jax.Device) -> AbstractContextManager[Any]:
    """Return a context in which a device is the default one, for new arrays and programs.

    Args:
        device_name: The platform and the number of the device, as in "cpu:0" or "gpu:1"; without a
            number, the first device of the platform. Or a device of JAX.

    Raises:
        TypeError: The argument is neither.
        ValueError: There is no such device.

    Source: Keras's `keras.device`.

    >>> with device("cpu:0"):
    ...     array = jax.numpy.ones(3)
    >>> array.device.platform
    'cpu'
    """
    if isinstance(device_name, jax.Device):
        return jax.default_device(device_name)
    if not isinstance(device_name, str):
        raise TypeError(
            f"`device`: `device_name` must be a name such as 'cpu:0' or a device of JAX, received "
            f"{device_name!r}."
        )
    platform, _, number = device_name.lower().partition(":")
    try:
        found = [each for each in jax.devices(platform) if str(each.id) == (number or "0")]
    except RuntimeError:
        found = []
    if not found:
        raise ValueError(
            f"`device`: there is no device {device_name!r}. The devices of the default platform "
            f"are {', '.join(f'{each.platform}:{each.id}' for each in jax.devices())}."
        )
    return jax.default_device(found[0])
