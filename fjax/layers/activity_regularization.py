"""A penalty of what passes through, as a layer of its own."""

from typing import Any

from fjax.core.checks import only
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import number_between
from fjax.regularizers import L1L2
from fjax.typing import Array, Key, Params, Spec, State


class ActivityRegularization(Layer):
    """Charge `(l1 * sum(|inputs|) + l2 * sum(inputs ** 2)) / batch size`; the inputs pass.

    Args:
        l1: Factor of the first sum, not negative.
        l2: Factor of the second, likewise.

    Shapes: any, unchanged.

    Raises:
        ValueError: A factor is negative or no number.

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
        """What charges for the outputs."""
        return L1L2(self.l1, self.l2)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Make the penalty's place in the state; there are no weights."""
        return {}, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the inputs, and their penalty in the state."""
        values = only("ActivityRegularization", inputs)
        return values, with_penalty(self, params, state, values)
