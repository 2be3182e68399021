"""The circle loss: embeddings of one class near each other, those of others far away."""

from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np

from fjax.errors import number_between, one_of
from fjax.losses import targets
from fjax.losses.loss import Loss
from fjax.losses.preparation import floating, mismatch
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
    """Circle loss: pairs of one class are drawn together, others apart, the worst ones hardest.

    Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", 2020.

    Args:
        y_true: Integer labels, `(batch,)` or `(batch, 1)`.
        y_pred: Embeddings of length 1, `(batch, size)`.
        ref_labels: The labels of `ref_embeddings`; `y_true` where None.
        ref_embeddings: What the embeddings are compared with, `(references, size)`; `y_pred` where
            None.
        remove_diagonal: Whether embedding `i` and reference `i` are no pair.
        gamma: How strongly the worst pairs count.
        margin: How far the two kinds of pairs should be from each other.

    Returns:
        One value per sample, `(batch,)`; 0 where a sample has not both kinds of pairs.

    Raises:
        ValueError: The shapes do not fit each other.

    >>> values = circle([0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], gamma=1)
    >>> [round(value, 3) for value in values.tolist()]
    [0.616, 0.962, 0.0]
    """
    labels, embeddings = _labeled("y_pred", y_true, y_pred)
    others, references = labels, embeddings
    if ref_labels is not None or ref_embeddings is not None:
        others, references = _labeled(
            "ref_embeddings",
            y_true if ref_labels is None else ref_labels,
            y_pred if ref_embeddings is None else ref_embeddings,
        )
    distances = jnp.maximum(1.0 - embeddings @ references.T, 0.0)
    near = labels[:, None] == others[None, :]
    far = ~near
    if remove_diagonal:
        near &= ~jnp.eye(near.shape[0], near.shape[1], dtype=bool)
    too_far = gamma * jnp.maximum(margin + distances, 0.0) * (distances - margin)
    too_near = gamma * jnp.maximum(1.0 + margin - distances, 0.0) * (1.0 - margin - distances)
    worst = _log_sum_exp(too_far, near) + _log_sum_exp(too_near, far)
    both = near.any(axis=1) & far.any(axis=1)
    return jnp.where(both, jax.nn.softplus(worst), 0.0)


class Circle(Loss):
    """The loss of `circle`, with the batch itself as references.

    As in Keras a mean is taken over the samples whose value is not 0. The model should end in
    embeddings of length 1, as `UnitNormalization` makes them.

    Args:
        gamma: How strongly the worst pairs count, at least 0.
        margin: How far the two kinds of pairs should be from each other.
        remove_diagonal: Whether a sample is no pair with itself.
        reduction: As in `Loss`.
        name: As in `Loss`.

    Raises:
        ValueError: An argument is out of its range.

    >>> print(Circle()([0, 0, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]))
    19.2...
    """

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

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `circle`."""
        return circle(
            y_true,
            y_pred,
            remove_diagonal=self.remove_diagonal,
            gamma=self.gamma,
            margin=self.margin,
        )

    def counted(self, y_true: Array, y_pred: Array) -> Array:
        """Return which samples have a value that is not 0."""
        return self.call(y_true, y_pred) > 0

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that there is one whole number for each embedding."""
        owner = type(self).__name__
        targets.numeric(owner, name, y_true)
        if len(y_pred_shape) != 2 or y_true.shape[1:] not in ((), (1,)):
            raise mismatch(owner, name, y_true.shape, tuple(y_pred_shape), _ONE_LABEL)
        targets.whole(owner, name, y_true)


def _labeled(name: str, labels: ArrayLike, embeddings: ArrayLike) -> tuple[Array, Array]:
    labels, embeddings = floating(labels, embeddings)
    shape = labels.shape
    if labels.ndim == 2 and shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or embeddings.ndim != 2 or labels.shape[0] != embeddings.shape[0]:
        raise ValueError(
            f"`circle`: y_true of shape {shape} does not fit {name} of shape {embeddings.shape}. "
            f"{_ONE_LABEL}"
        )
    return labels.astype(jnp.int32), embeddings


def _log_sum_exp(values: Array, among: Array) -> Array:
    """Return `log(sum(exp))` of each row's values; 0 and without gradient where there are none."""
    any_ = among.any(axis=1, keepdims=True)
    # A row of zeros in place of an empty one: its gradient would be NaN.
    values = jnp.where(among, values, jnp.where(any_, -jnp.inf, 0.0))
    return jax.nn.logsumexp(values, axis=1)
