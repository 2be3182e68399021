"""A layer that adds an activity penalty to the loss."""

from typing import Any

from fjax.core.checks import single_input
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import number_between
from fjax.regularizers import L1L2
from fjax.typing import Array, Key, Params, Spec, State


class ActivityRegularization(Layer):
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

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return a state with a penalty of zero; there are no weights."""
        return {}, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs, and a state with their penalty."""
        values = single_input("ActivityRegularization", inputs)
        return values, with_penalty(self, params, state, values)
