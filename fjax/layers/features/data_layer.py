"""What layers on raw data have in common."""

from typing import Any, ClassVar

import jax
import numpy as np

from fjax.core.layer import Layer
from fjax.core.text import is_text
from fjax.typing import PyTree


class DataLayer(Layer):
    """Base of layers on raw data, which have no weights and are called on data as it comes.

    Called on an array, a nested list or text it returns an array at once, so that it can be mapped
    over data before any model is there; on symbolic tensors, and in a model, it is a layer as any.
    """

    rows_independent = True

    takes_text: ClassVar[bool] = False

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return what the layer makes of data, or of symbolic tensors."""
        leaves = jax.tree.leaves((inputs, options))
        if options or any(hasattr(leaf, "__call_layer__") for leaf in leaves):
            return super().__call__(*inputs, training=training, **options)
        return self.apply({}, {}, *(as_data(type(self).__name__, value) for value in inputs))[0]


def as_data(owner: str, value: PyTree) -> Any:
    """Return data as an array: of a nested list, a frame's column, or one text.

    >>> as_data("StringLookup", ["a", "b"]).shape
    (2,)
    """
    if isinstance(value, jax.Array):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(
            f"`{owner}` takes a rectangular array, received lists of different lengths: fill them "
            "up first, by `fjax.utils.pad_sequences`."
        ) from None
    if array.dtype.kind == "O" and not is_text(array):
        raise TypeError(
            f"`{owner}` takes numbers or text, received an array of objects such as "
            f"{array.ravel()[0] if array.size else value!r}."
        )
    return array


def is_traced(value: Any) -> bool:
    """Tell whether a value is not there yet, as in a compiled program."""
    return isinstance(value, jax.core.Tracer)
