"""The circle loss: embeddings of one class near each other, those of different classes apart."""

from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import number_between, one_of
from fjax.losses import targets
from fjax.losses.loss import NamedLoss
from fjax.losses.preparation import as_floats, shape_error
from fjax.typing import Array, ArrayLike, Shape

_ONE_LABEL = "Give one integer label for each embedding, and embeddings of shape (batch, size)."


def circle(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    ref_labels: ArrayLike | None = None,
    ref_embeddings: ArrayLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Array:
    """Circle loss: it moves embeddings of one class together and those of different classes apart.

    The worst pairs have the largest weights.

    Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.

    Args:
        y_true: Integer labels, `(batch,)` or `(batch, 1)`.
        y_pred: Embeddings of length 1, `(batch, size)`.
        ref_labels: The labels of `ref_embeddings`; None means `y_true`.
        ref_embeddings: The embeddings to compare with, `(references, size)`; None means `y_pred`.
        remove_diagonal: Whether to leave out the pairs of embedding `i` and reference `i`.
        gamma: How much more the worst pairs count.
        margin: The distance that the loss aims at between equal and different pairs.

    Returns:
        One value per sample, `(batch,)`; 0 unless a sample has pairs of equal and of different
        classes.

    Raises:
        ValueError: The shapes do not fit each other.

    >>> values = circle([0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], gamma=1)
    >>> [round(value, 3) for value in values.tolist()]
    [0.616, 0.962, 0.0]
    """
    labels, embeddings = _prepare("y_pred", y_true, y_pred)
    reference_labels, references = labels, embeddings
    if ref_labels is not None or ref_embeddings is not None:
        reference_labels, references = _prepare(
            "ref_embeddings",
            y_true if ref_labels is None else ref_labels,
            y_pred if ref_embeddings is None else ref_embeddings,
        )
    distances = jnp.maximum(1.0 - embeddings @ references.T, 0.0)
    equal = labels[:, None] == reference_labels[None, :]
    different = ~equal
    if remove_diagonal:
        equal &= ~jnp.eye(equal.shape[0], equal.shape[1], dtype=bool)
    too_far = gamma * jnp.maximum(margin + distances, 0.0) * (distances - margin)
    too_near = gamma * jnp.maximum(1.0 + margin - distances, 0.0) * (1.0 - margin - distances)
    logits = _log_sum_exp(too_far, equal) + _log_sum_exp(too_near, different)
    has_both = equal.any(axis=1) & different.any(axis=1)
    return jnp.where(has_both, jax.nn.softplus(logits), 0.0)


class Circle(NamedLoss):
    """The loss of `circle`, with the batch itself as references.

    As in Keras, the mean is taken over the samples whose value is not 0. The model should return
    embeddings of length 1, as `UnitNormalization` does.

    Args:
        gamma: How much more the worst pairs count, at least 0.
        margin: The distance that the loss aims at between equal and different pairs.
        remove_diagonal: Whether to leave out the pair of a sample with itself.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Circle()([0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]))
    19.2...
    """

    function = staticmethod(circle)

    gamma: float = 80.0
    margin: float = 0.4
    remove_diagonal: bool = True
    name: str | None = field(default="circle", kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments."""
        super().__post_init__()
        owner = type(self).__name__
        number_between(owner, "gamma", self.gamma, 0.0)
        number_between(owner, "margin", self.margin, float("-inf"))
        one_of(owner, "remove_diagonal", self.remove_diagonal, (True, False))

    def counted(self, y_true: Array, y_pred: Array) -> Array:
        """Return which samples have a value that is not 0."""
        return self.call(y_true, y_pred) > 0

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is one integer label for each embedding."""
        owner = type(self).__name__
        targets.check_numeric(owner, name, y_true)
        if len(y_pred_shape) != 2 or y_true.shape[1:] not in ((), (1,)):
            raise shape_error(owner, name, y_true.shape, tuple(y_pred_shape), _ONE_LABEL)
        targets.check_integers(owner, name, y_true)


def _prepare(name: str, labels: ArrayLike, embeddings: ArrayLike) -> tuple[Array, Array]:
    """Return integer labels of shape `(batch,)` and embeddings of shape `(batch, size)`."""
    labels, embeddings = as_floats(labels, embeddings)
    shape = labels.shape
    if labels.ndim == 2 and shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or embeddings.ndim != 2 or labels.shape[0] != embeddings.shape[0]:
        raise ValueError(
            f"`circle`: y_true of shape {shape} does not fit {name} of shape {embeddings.shape}. "
            f"{_ONE_LABEL}"
        )
    return labels.astype(jnp.int32), embeddings


def _log_sum_exp(values: Array, mask: Array) -> Array:
    """Return `log(sum(exp(values)))` over the masked values of each row."""
    is_empty = ~mask.any(axis=1, keepdims=True)
    # If the mask leaves no value, a row of zeros keeps the gradient free of NaN.
    values = jnp.where(mask, values, jnp.where(is_empty, 0.0, -jnp.inf))
    return jax.nn.logsumexp(values, axis=1)
