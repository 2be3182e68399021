"""Embedding vectors for integers, such as word indices."""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import jax.numpy as jnp
import numpy as np

from fjax import initializers
from fjax.configuration import stored
from fjax.core.checks import single_input
from fjax.core.layer_facade import has_weights_field
from fjax.core.masking import Masked
from fjax.errors import integer_at_least
from fjax.layers.array_layer import ArrayLayer, draw_weights
from fjax.lowering import lookup
from fjax.typing import Array, DType, Identifier, Key, Params, Shape


class EmbeddingTable(ArrayLayer):
    """Base class of the layers with a learned vector for each integer; see `Embedding`.

    A subclass has the fields of `Embedding`.
    """

    input_dim: int
    output_dim: int

    if TYPE_CHECKING:
        embeddings_initializer: Any
        mask_zero: bool
        weights: Any

    # In other layers `input_dim` is an older spelling of `input_shape`.
    _renamed: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        self.input_dim = integer_at_least(self.kind, "input_dim", self.input_dim, 1)
        self.output_dim = integer_at_least(self.kind, "output_dim", self.output_dim, 1)
        if not isinstance(self.mask_zero, bool):
            raise ValueError(
                f"`{self.kind}`: `mask_zero` must be True or False, received {self.mask_zero!r}."
            )
        initial = stored(self, "weights")
        if initial is not None:
            # Fields must not be arrays, so that the initializer holds the vectors.
            self.embeddings_initializer = self._array_initializer(initial)
            self.weights = None
        super().__post_init__()

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Draw the vectors."""
        return draw_weights(self, key, {"embeddings": (self.input_dim, self.output_dim)})

    def compute_outputs(self, params: Params, values: Array) -> Array | Masked:
        """Return the vectors; with `mask_zero` those of 0 are masked."""
        ids = jnp.asarray(values)
        if ids.dtype == bool:
            raise ValueError(
                f"`{self.kind}` takes whole numbers, received booleans: write `x.astype(int)`."
            )
        outputs = lookup(params["embeddings"], ids)
        return Masked(outputs, ids != 0) if self.mask_zero else outputs

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs: with `mask_zero`, where an id is not 0."""
        return jnp.asarray(inputs) != 0 if self.mask_zero else None

    def check_inputs(self, *inputs: Any) -> None:
        """Raise ValueError if the data contains anything but integers below `input_dim`."""
        ids = np.asarray(single_input(self.kind, inputs))
        if ids.size == 0 or (
            ids.dtype.kind != "f" and 0 <= ids.min() <= ids.max() < self.input_dim
        ):
            return
        bad = np.argwhere(~((ids >= 0) & (ids < self.input_dim) & (ids == np.floor(ids))))
        if len(bad):
            index = tuple(int(i) for i in bad[0])
            raise ValueError(
                f"`{self.kind}` takes whole numbers from 0 to {self.input_dim - 1}, as `input_dim` "
                f"is {self.input_dim}; the data contains {ids[index].item()!r} at {index}. Raise "
                "`input_dim`, or replace unknown words by an integer below it."
            )

    def _array_initializer(self, weights: Any) -> "ArrayInitializer":
        if self.embeddings_initializer != "uniform":
            raise ValueError(
                f"`{self.kind}` received `weights` and an `embeddings_initializer`, which both set "
                "the initial vectors: pass only one of them."
            )
        if isinstance(weights, list | tuple) and len(weights) == 1:
            (weights,) = weights
        values = np.array(weights, np.float32)
        if values.shape != (self.input_dim, self.output_dim):
            raise ValueError(
                f"`{self.kind}`: `weights` must have shape {(self.input_dim, self.output_dim)}, "
                f"`(input_dim, output_dim)`, received {values.shape}."
            )
        return ArrayInitializer(values)


@has_weights_field
class Embedding(EmbeddingTable):
    """Map each integer from 0 to `input_dim - 1` to a learned vector.

    Inputs outside this range, and fractions, are invalid: a model rejects such data before training
    or prediction, and `apply` returns NaN for them. (They are never truncated, and negative numbers
    do not count from the end.)

    Args:
        input_dim: The number of different integers: the largest one plus 1.
        output_dim: The size of a vector.
        embeddings_initializer: Draws the vectors, `(input_dim, output_dim)`.
        embeddings_regularizer: Adds a penalty of the vectors to the loss; None adds none.
        embeddings_constraint: Applied to the vectors after each training step; None for no
            constraint.
        mask_zero: Whether 0 is padding, as at the end of short sequences: the outputs then have a
            mask (`fjax.core.masking.Masked`) for later layers.
        weights: The initial vectors, instead of drawn ones: an array, or a list of one array. They
            are not part of `get_config`.

    Shapes: `(batch, …)` to `(batch, …, output_dim)`.

    Raises:
        ValueError: A size is not positive, or `weights` has the wrong shape.

    Source: Keras's page "Embedding layer".

    >>> import jax
    >>> layer = Embedding(5, 2, embeddings_initializer="ones", mask_zero=True)
    >>> words = jnp.array([[3, 4, 0]])
    >>> params, state = layer.init(jax.random.key(0), words)
    >>> outputs, state = layer.apply(params, state, words)
    >>> outputs.values.shape, outputs.mask.tolist()
    ((1, 3, 2), [[True, True, False]])
    """

    # Weights are not quantized.
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **ArrayLayer.neutral_arguments,
        "activity_regularizer": (None,),
        "quantization_config": (None,),
    }
    rows_independent = True

    embeddings_initializer: Identifier = "uniform"
    embeddings_regularizer: Identifier = None
    embeddings_constraint: Identifier = None
    mask_zero: bool = False
    weights: Any = None


class ArrayInitializer:
    """An initializer that returns a given array; equal arrays make equal initializers."""

    # The name in a configuration, which cannot hold the array.
    __name__ = "uniform"

    @property
    def described_by(self) -> Any:
        """The initializer that a model file names; the file holds the array among its weights."""
        return initializers.get(self.__name__)

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self._digest = hashlib.sha256(values.tobytes()).hexdigest()

    def __call__(self, key: Key, shape: Shape, dtype: DType = jnp.float32) -> Array:
        """Return the array."""
        return jnp.asarray(self._values, dtype)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayInitializer) and self._digest == other._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return f"<given {self._values.shape}>"
