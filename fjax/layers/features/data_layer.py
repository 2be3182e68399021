"""The base of the layers on raw data."""

from typing import Any, ClassVar

import jax
import numpy as np

from fjax.core.layer import Layer
from fjax.core.precision import apply_layer
from fjax.core.text_inputs import is_text
from fjax.typing import PyTree


class DataLayer(Layer):
    """Base of the layers on raw data, which have no weights and accept data of many types.

    Called on an array, a nested list or text, such a layer returns an array, so that it can
    preprocess data before there is a model. On symbolic tensors, and in a model, it is like any
    other layer.
    """

    rows_independent = True

    takes_text: ClassVar[bool] = False

    def resolve_dtype(self, dtype: Any) -> Any:
        """Return the name of the policy; a layer that has none takes only float32.

        Raises:
            ValueError: There is no such policy, or the layer has none.
        """
        if self.has_policy:
            return super().resolve_dtype(dtype)
        if getattr(dtype, "name", dtype) not in (None, "float32"):
            raise ValueError(
                f"`{self.kind}`: `dtype` must be 'float32', received {dtype!r}: the outputs are "
                "int32 or float32. Cast them by the `dtype` of the next layer."
            )
        return "float32"

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the outputs for data, or for symbolic tensors."""
        leaves = jax.tree.leaves((inputs, options))
        if options or any(hasattr(leaf, "__call_layer__") for leaf in leaves):
            return super().__call__(*inputs, training=training, **options)
        return apply_layer(self, {}, {}, *(as_array(self.kind, value) for value in inputs))[0]


def as_array(owner: str, value: PyTree) -> Any:
    """Return an array of numbers or text for a nested list, a data frame's column or one text.

    Raises:
        TypeError: The data is neither numbers nor text.
        ValueError: Nested lists differ in length.

    >>> as_array("StringLookup", ["a", "b"]).shape
    (2,)
    """
    if isinstance(value, jax.Array):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"`{owner}` takes a rectangular array, received lists of different lengths: pad them "
            "first, by `fjax.utils.pad_sequences`."
        ) from None
    if array.dtype.kind == "O" and not is_text(array):
        raise TypeError(
            f"`{owner}` takes numbers or text, received an array of objects such as "
            f"{array.ravel()[0] if array.size else value!r}."
        )
    return array


def is_traced(value: Any) -> bool:
    """Tell whether a value is being traced, so that its entries are unknown."""
    return isinstance(value, jax.core.Tracer)
