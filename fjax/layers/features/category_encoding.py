"""One-hot, multi-hot or count encoding of category ids."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fjax.core.calling import CallKwargs
from fjax.errors import integer_at_least
from fjax.layers.features.data_layer import DataLayer, is_traced
from fjax.layers.features.encoding import check_output, encode_categories
from fjax.layers.features.integers import to_int32
from fjax.typing import Array, Key, Params, State


class CategoryEncoding(DataLayer):
    """Encode category ids as one-hot, multi-hot or count rows.

    Args:
        num_tokens: The number of categories: ids are from 0 to `num_tokens - 1`.
        output_mode: "one_hot" for one row per id; "multi_hot" and "count" for one row per sample,
            with a one, or the count, for each category.
        sparse: Must be False: fjax has only dense arrays.

    A call may have `count_weights`, an array of the shape of the inputs: the weight of each id in
    the mode "count".

    An id out of range is an error: a model refuses such data before training, and so does the
    layer when it is called on arrays. In a compiled program the row of such an id is zeros.

    Shapes: "one_hot" maps (…) to (…, num_tokens) and replaces a last axis of size 1; the other
    modes map (batch, ids) to (batch, num_tokens), and (ids,) as one sample.

    Raises:
        TypeError: The inputs are text.
        ValueError: `num_tokens` is missing, or an id is out of range.

    Source: Keras's page "CategoryEncoding layer".

    >>> CategoryEncoding(4)([[0, 1], [0, 0], [3, 1]]).tolist()
    [[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """

    # As in Keras, the outputs have the dtype of weights, float32 in mixed precision.
    casting = "none"

    num_tokens: int | None = None
    output_mode: str = "multi_hot"
    sparse: bool = False

    call_options: ClassVar[tuple[str, ...]] = ("count_weights",)

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "CategoryEncoding"
        if self.num_tokens is None:
            raise ValueError(
                f"`{owner}` needs `num_tokens`, the number of categories. If it is unknown, use "
                "`IntegerLookup`, which finds the categories in data."
            )
        self.num_tokens = integer_at_least(owner, "num_tokens", self.num_tokens, 1)
        if self.output_mode == "binary":
            self.output_mode = "multi_hot"
        check_output(self, ["one_hot", "multi_hot", "count"])

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the rows of category ids; `count_weights` may be given as a second input."""
        values, weights = _split_weights(inputs)
        if weights is not None and self.output_mode != "count":
            raise ValueError(
                '`CategoryEncoding`: `count_weights` need `output_mode="count"`, received '
                f"{self.output_mode!r}."
            )
        assert self.num_tokens is not None
        ids = to_int32("CategoryEncoding", values)
        if not is_traced(ids):
            self.check_inputs(ids)
        rows = encode_categories(
            "CategoryEncoding", ids, self.output_mode, self.num_tokens, weights
        )
        return rows.astype(self.variable_dtype), state

    def check_inputs(self, *inputs: Any) -> None:
        """Raise ValueError if an id is out of range."""
        assert self.num_tokens is not None
        ids = np.asarray(_split_weights(inputs)[0])
        invalid = np.argwhere((ids < 0) | (ids >= self.num_tokens))
        if len(invalid):
            position = tuple(int(index) for index in invalid[0])
            raise ValueError(
                f"`CategoryEncoding`: ids must be from 0 to {self.num_tokens - 1} "
                f"(`num_tokens={self.num_tokens}`), found {ids[position]} at {position}."
            )


def _split_weights(inputs: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the ids and their weights, or None for no weights."""
    *values, last = inputs
    if isinstance(last, CallKwargs):
        weights = last.get("count_weights")
    elif values:
        weights = last
    else:
        values, weights = [last], None
    if len(values) != 1:
        raise TypeError(
            "`CategoryEncoding` takes one input and `count_weights`, received "
            f"{len(inputs)} inputs."
        )
    return values[0], None if weights is None else jnp.asarray(weights)
