"""A layer that adds an activity penalty to the loss."""

from fjax.errors import number_between
from fjax.layers.array_layer import ArrayLayer
from fjax.regularizers import L1L2
from fjax.typing import Array, Params


class ActivityRegularization(ArrayLayer):
    """Return the inputs, and add `(l1 * sum(abs(x)) + l2 * sum(x**2)) / batch_size` to the loss.

    Args:
        l1: The factor of the sum of absolute values, not negative.
        l2: The factor of the sum of squares, not negative.

    Shapes: any, unchanged.

    Raises:
        ValueError: A factor is negative or not a number.

    Source: Keras's page "ActivityRegularization layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = ActivityRegularization(l2=0.5)
    >>> inputs = jnp.array([[1.0], [3.0]])
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> outputs, state = layer.apply(params, state, inputs)
    >>> float(state["penalty"]["calls"])
    2.5
    """

    l1: float = 0.0
    l2: float = 0.0

    masking = "keeps"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.l1 = number_between("ActivityRegularization", "l1", self.l1, 0.0)
        self.l2 = number_between("ActivityRegularization", "l2", self.l2, 0.0)

    @property
    def activity_regularizer(self) -> L1L2:
        """The regularizer of the outputs."""
        return L1L2(self.l1, self.l2)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return the inputs, and a state with their penalty."""
        return values
