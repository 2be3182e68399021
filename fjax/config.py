"""Settings of the package, with the names of `keras.config`.

Most of them have one value here: the position of a model's channels and the small numbers of its
formulas are arguments of layers, not of the process. Setting another value is an error that names
the argument.
"""

from typing import Any

from fjax.dtype_policies import dtype_policy as dtype_policy
from fjax.dtype_policies import set_dtype_policy as set_dtype_policy
from fjax.errors import one_of
from fjax.languages import language as language
from fjax.languages import set_language as set_language


class _Switches:
    """The switches of the process: what is printed, and what JAX may do."""

    interactive_logging = True
    flash_attention: bool | None = None
    traceback_filtering = True


def backend() -> str:
    """Return the name of the library that computes, always "jax".

    >>> backend()
    'jax'
    """
    return "jax"


def set_backend(backend: str) -> None:
    """Raise ValueError unless the backend is "jax"."""
    _only("set_backend", "backend", backend, "jax", "fjax computes with JAX")


def floatx() -> str:
    """Return the default dtype of weights, always "float32"."""
    return "float32"


def set_floatx(value: str) -> None:
    """Raise ValueError unless the dtype is "float32"."""
    hint = f"set the dtype of new layers by `set_dtype_policy({value!r})`"
    _only("set_floatx", "value", value, "float32", hint)


def epsilon() -> float:
    """Return the small number by which losses and metrics avoid a division by zero.

    >>> epsilon()
    1e-07
    """
    return 1e-7


def set_epsilon(value: float) -> None:
    """Raise ValueError unless the number is `epsilon()`."""
    hint = "give `epsilon=` to the layers and optimizers that have one"
    _only("set_epsilon", "value", value, epsilon(), hint)


def image_data_format() -> str:
    """Return the default position of the channel axis, always "channels_last"."""
    return "channels_last"


def set_image_data_format(data_format: str) -> None:
    """Raise ValueError unless the format is "channels_last"."""
    one_of("set_image_data_format", "data_format", data_format, ["channels_last", "channels_first"])
    hint = 'give `data_format="channels_first"` to each layer'
    _only("set_image_data_format", "data_format", data_format, "channels_last", hint)


def enable_interactive_logging() -> None:
    """Let `fit`, `evaluate` and `predict` print their progress; they do by default."""
    _Switches.interactive_logging = True


def disable_interactive_logging() -> None:
    """Let `fit`, `evaluate` and `predict` print nothing, whatever their `verbose`."""
    _Switches.interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Return whether `fit`, `evaluate` and `predict` print their progress."""
    return _Switches.interactive_logging


def enable_flash_attention() -> None:
    """Accepted for compatibility with Keras: JAX chooses how attention is computed."""
    _Switches.flash_attention = True


def disable_flash_attention() -> None:
    """Accepted for compatibility with Keras: JAX chooses how attention is computed."""
    _Switches.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """Return what was last set, or None."""
    return _Switches.flash_attention


def enable_traceback_filtering() -> None:
    """Accepted for compatibility with Keras: errors show all frames."""
    _Switches.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Accepted for compatibility with Keras: errors show all frames."""
    _Switches.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Return what was last set."""
    return _Switches.traceback_filtering


def enable_unsafe_deserialization() -> None:
    """Raise RuntimeError: no file can run code here, and nothing enables it."""
    raise RuntimeError(
        "`enable_unsafe_deserialization`: fjax loads no code from files, so there is nothing to "
        "enable. Define the functions and classes that a file names, and pass them by name: "
        "`load_model(path, custom_objects={…})`."
    )


def is_nnx_enabled() -> bool:
    """Return False: layers are not modules of flax."""
    return False


def _only(owner: str, argument: str, value: Any, expected: Any, hint: str) -> None:
    if value != expected:
        raise ValueError(
            f"`{owner}`: `{argument}` must be {expected!r}, received {value!r}: {hint}."
        )
