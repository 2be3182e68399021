"""Generalized cross-entropy: between cross-entropy and absolute error, for noisy labels."""

from dataclasses import field

import jax.numpy as jnp
import numpy as np

from fjax.errors import number_between
from fjax.losses.labels import check_sparse, integer_labels
from fjax.losses.loss import NamedLoss
from fjax.typing import Array, ArrayLike, Shape


def categorical_generalized_cross_entropy(y_true: ArrayLike, y_pred: ArrayLike, q: float) -> Array:
    """`(1 - p ** q) / q`, where `p` is the predicted probability of the label.

    Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy
    Labels", 2018.

    Args:
        y_true: Labels from 0 to `classes - 1`, `(batch, …)` or `(batch, …, 1)`.
        y_pred: Probabilities, `(batch, …, classes)`.
        q: Near 0 the loss is the cross-entropy; near 1 it is the absolute error, on which wrong
            labels have less influence.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes do not fit each other.

    >>> print(categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5))
    [1.]
    """
    name = "categorical_generalized_cross_entropy"
    labels, y_pred = integer_labels(name, y_true, y_pred, -1)
    is_label = labels[..., None] == jnp.arange(y_pred.shape[-1])
    p = jnp.sum(jnp.where(is_label, y_pred, 0.0), axis=-1)
    # The power's gradient at 0 is infinite, which would become NaN in the gradient of a softmax.
    power = jnp.where(p > 0, jnp.where(p > 0, p, 1.0) ** q, 0.0)
    return (1.0 - power) / q


class CategoricalGeneralizedCrossEntropy(NamedLoss):
    """The loss of `categorical_generalized_cross_entropy`.

    Args:
        q: Between 0 and 1. Near 0 the loss is the cross-entropy, near 1 the absolute error.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: `q` is not between 0 and 1.

    >>> print(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
    1.0
    """

    function = staticmethod(categorical_generalized_cross_entropy)
    rows_independent = True

    q: float = 0.5
    name: str | None = field(default="categorical_generalized_cross_entropy", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        number_between(owner, "q", self.q, 0.0, 1.0, open_low=True, open_high=True)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that every label is an integer below the number of classes."""
        check_sparse(type(self).__name__, y_true, y_pred_shape, name, -1, None)
