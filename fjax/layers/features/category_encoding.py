"""Category numbers as rows."""

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fjax.core.calling import CallKwargs
from fjax.errors import integer_at_least, one_of
from fjax.layers.features.data_layer import DataLayer, is_traced
from fjax.layers.features.encoding import encode_categories
from fjax.layers.features.integers import integers
from fjax.typing import Array, Key, Params, State


class CategoryEncoding(DataLayer):
    """Category numbers as rows of zeros and ones, or of counts.

    Args:
        num_tokens: How many categories there are: numbers go from 0 to `num_tokens - 1`.
        output_mode: "one_hot" for a row for each number; "multi_hot" and "count" for one row for
            each sample, with a one, or the count, of each category.
        sparse: False; arrays are dense here.

    When called, `count_weights`, an array of the inputs' shape, is what each number counts in the
    mode "count".

    A number out of range is a mistake: a model refuses data that has one before it trains, and so
    does the layer when it is called on arrays; within a compiled program its row is zeros.

    Shapes: "one_hot" (…) to (…, num_tokens), which takes the place of a last axis of size 1; the
    others (batch, numbers) to (batch, num_tokens), and (batch,) as one sample.

    Raises:
        TypeError: Text is given.
        ValueError: `num_tokens` is missing, or a number is out of range.

    Source: Keras's page "CategoryEncoding layer".

    >>> CategoryEncoding(4)([[0, 1], [0, 0], [3, 1]]).tolist()
    [[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0]]
    """

    num_tokens: int | None = None
    output_mode: str = "multi_hot"
    sparse: bool = False

    call_options: ClassVar[tuple[str, ...]] = ("count_weights",)

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = "CategoryEncoding"
        if self.num_tokens is None:
            raise ValueError(
                f"`{owner}` needs `num_tokens`, the number of categories. Where it is not known, "
                "`IntegerLookup` finds them in data."
            )
        self.num_tokens = integer_at_least(owner, "num_tokens", self.num_tokens, 1)
        if self.output_mode == "binary":
            self.output_mode = "multi_hot"
        one_of(owner, "output_mode", self.output_mode, ["one_hot", "multi_hot", "count"])
        if self.sparse:
            raise ValueError(f"`{owner}`: `sparse` must be False: arrays are dense here.")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the rows of category numbers, which may be followed by their weights."""
        values, weights = _with_weights(inputs)
        if weights is not None and self.output_mode != "count":
            raise ValueError(
                '`CategoryEncoding`: `count_weights` are for `output_mode="count"`, received '
                f"{self.output_mode!r}."
            )
        assert self.num_tokens is not None
        ids = integers("CategoryEncoding", values)
        if not is_traced(ids):
            self.check_inputs(ids)
        return encode_categories(
            "CategoryEncoding", ids, self.output_mode, self.num_tokens, weights
        ), state

    def check_inputs(self, *inputs: Any) -> None:
        """Raise ValueError where data holds a number out of range."""
        assert self.num_tokens is not None
        ids = np.asarray(_with_weights(inputs)[0])
        bad = np.argwhere((ids < 0) | (ids >= self.num_tokens))
        if len(bad):
            place = tuple(int(index) for index in bad[0])
            raise ValueError(
                f"`CategoryEncoding`: numbers must be from 0 to {self.num_tokens - 1} "
                f"(`num_tokens={self.num_tokens}`), found {ids[place]} at {place}."
            )


def _with_weights(inputs: tuple[Any, ...]) -> tuple[Any, Any]:
    *values, last = inputs
    if isinstance(last, CallKwargs):
        weights = last.get("count_weights")
    elif values:
        weights = last
    else:
        values, weights = [last], None
    if len(values) != 1:
        raise TypeError(
            "`CategoryEncoding` takes one input, and `count_weights`, received "
            f"{len(inputs)} inputs."
        )
    return values[0], None if weights is None else jnp.asarray(weights)
