"""The functions of `keras.ops` as Keras has them in the graphs of its files.

There a call of a function is an object, which has some of the arguments as its fields and is called
with the others: `ops.mean(x, axis=1)` is `Mean(axis=1)(x)`.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from fjax.configuration import snake_case
from fjax.storage.functions import function_named

# The arguments that the objects are called with.
_CALLED_WITH = frozenset({
    "a", "abs_", "angle", "array", "b", "bias", "choicelist", "condition", "condlist",
    "constant_values", "coordinates", "data", "default", "depthwise_kernel", "elements",
    "end_points", "image1", "image2", "images", "indices", "inputs", "kernel", "key", "mask",
    "operands", "output", "output_length", "pointwise_kernel", "predictions", "q", "query", "scale",
    "segment_ids", "sequence_lengths", "sorted_sequence", "start", "start_indices", "start_points",
    "step", "stop", "target", "target_length", "targets", "transform", "translation", "updates",
    "value", "values", "variable", "weights", "x", "x1", "x2", "xs", "y",
})  # fmt: skip
# Exceptions, by function: what is an argument of the call, and what is a field.
_CALLED_BESIDE = {
    "digitize": {"bins"}, "full": {"fill_value"}, "full_like": {"fill_value"},
    "isclose": {"atol", "rtol"}, "scale_and_translate": {"output_shape"},
}  # fmt: skip
_FIELDS = {"bincount": {"weights"}, "squareplus": {"b"}, "trapezoid": {"x"}}
# The classes whose names do not follow from that of the function.
_CLASSES = {
    "allclose": "AllClose", "cdist": "CDist", "ctc_decode": "CTCDecode", "ctc_loss": "CTCLoss",
    "fft": "FFT", "fft2": "FFT2", "hsv_to_rgb": "HSVToRGB", "ifft2": "IFFT2", "irfft": "IRFFT",
    "isin": "IsIn", "istft": "ISTFT", "psnr": "PSNR", "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale", "rgb_to_hsv": "RGBToHSV", "searchsorted": "SearchSorted",
    "ssim": "SSIM", "stft": "STFT", "svd": "SVD",
}  # fmt: skip
_FUNCTIONS = {kind: name for name, kind in _CLASSES.items()}
# What has no class in Keras: it is another function there, or several.
_WITHOUT_CLASS = frozenset({
    "batch_normalization", "extract_patches_3d", "hard_swish", "layer_normalization",
    "rms_normalization", "swish", "vectorize",
})  # fmt: skip
# The modules of `fjax.ops`, and the families of Keras to which their functions belong.
_FAMILIES = {
    "numpy": "numpy", "nn": "nn", "math": "math", "spectral": "math", "linalg": "linalg",
    "image": "image", "core": "core",
}  # fmt: skip


class KerasOperation(NamedTuple):
    """A function of `keras.ops` as an object of Keras.

    Attributes:
        module: The module of its class.
        kind: The name of its class.
        called_with: The arguments that it is called with; the others are its fields.
    """

    module: str
    kind: str
    called_with: tuple[str, ...]


def keras_operation(function: Callable[..., Any]) -> KerasOperation | None:
    """Return the object of Keras for a function of `fjax.ops`; None if there is none.

    >>> from fjax import ops
    >>> keras_operation(ops.mean)
    KerasOperation(module='keras.src.ops.numpy', kind='Mean', called_with=('x',))
    """
    name = getattr(function, "__name__", "")
    family = next((family for module, family in _FAMILIES.items() if _has(module, function)), None)
    if family is None or name in _WITHOUT_CLASS:
        return None
    camel_case = "".join(word[:1].upper() + word[1:] for word in name.split("_"))
    called = (_CALLED_WITH | _CALLED_BESIDE.get(name, set())) - _FIELDS.get(name, set())
    parameters = inspect.signature(function).parameters
    return KerasOperation(
        f"keras.src.ops.{family}",
        _CLASSES.get(name, camel_case),
        tuple(parameter for parameter in parameters if parameter in called),
    )


def function_of(kind: str) -> Callable[..., Any]:
    """Return the function of `fjax.ops` for a class of Keras.

    Raises:
        ValueError: fjax has no such function.
    """
    name = _FUNCTIONS.get(kind, snake_case(kind))
    for module in ("ops", "ops.image"):
        try:
            return function_named(f"{module}.{name}")
        except ValueError:
            continue
    raise ValueError(f"it contains Keras's operation {kind[:80]!r}, which fjax does not have")


def split_arguments(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of the object for a call of a function, and what it is called with."""
    operation = keras_operation(function)
    called_with = () if operation is None else operation.called_with
    bound = inspect.signature(function).bind(*args, **kwargs).arguments
    fields = {name: value for name, value in bound.items() if name not in called_with}
    return fields, {name: bound[name] for name in called_with if name in bound}


def call_operation(
    function: Callable[..., Any],
    fields: Mapping[str, Any],
    args: Iterable[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    """Return the result of a function, given the fields of its object and what it is called with.

    >>> from fjax import ops
    >>> call_operation(ops.einsum, {"subscripts": "i,i->"}, ([1.0, 2.0], [3.0, 4.0]), {}).item()
    11.0
    """
    kinds = {each.kind for each in inspect.signature(function).parameters.values()}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        # The tensors follow the fields, which have no names then.
        return function(*fields.values(), *args, **kwargs)
    return function(*args, **fields, **kwargs)


def _has(module: str, function: Callable[..., Any]) -> bool:
    members = vars(importlib.import_module(f"fjax.ops.{module}"))
    name = getattr(function, "__name__", "")
    return name in members["__all__"] and members[name] is function
