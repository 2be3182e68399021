"""What a network is trained for: the loss and what is measured, in each framework's words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Measure = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Task:
    """A loss, and what is measured beside it.

    The hand-written contestants work on logits, and so does PyTorch; Keras's words have the last
    layer's activation.

    Attributes:
        activation: Of the last layer, in Keras's words.
        loss: Its name in Keras.
        metric: Likewise; None measures nothing.
        torch_loss: The name of PyTorch's class.
        counts: Whether the measure is a count, and not a sum of numbers.
    """

    activation: str | None
    loss: str
    metric: str | None
    torch_loss: str
    counts: bool = False

    def by_hand(self, values: Any, y: Any) -> Any:
        """Return the mean loss of a batch, by `jax.numpy`."""
        import jax
        import jax.numpy as jnp

        if self.torch_loss == "MSELoss":
            return jnp.mean((values - y) ** 2)
        if self.torch_loss == "BCEWithLogitsLoss":
            return jnp.mean(jax.nn.softplus(values) - values * y)
        chosen = jax.nn.one_hot(y, values.shape[-1]) * jax.nn.log_softmax(values)
        return -jnp.sum(chosen) / len(y)

    def measured(self, values: Any, y: Any) -> Sequence[Any]:
        """Return what is measured of a batch, a sum; of arrays of JAX and of PyTorch alike."""
        if self.metric is None:
            return []
        if self.metric == "mae":
            return [abs(values - y).sum()]
        if self.loss == "binary_crossentropy":
            return [((values > 0) == (y > 0.5)).sum()]
        return [(values.argmax(-1) == y).sum()]


NUMBERS = Task(None, "mse", None, "MSELoss")
NUMBERS_MEASURED = Task(None, "mse", "mae", "MSELoss")
CLASSES = Task(
    "softmax", "sparse_categorical_crossentropy", "accuracy", "CrossEntropyLoss", counts=True
)
TWO_CLASSES = Task("sigmoid", "binary_crossentropy", "accuracy", "BCEWithLogitsLoss", counts=True)
