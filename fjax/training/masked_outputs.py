"""Masked outputs: masked entries are ignored by the loss and by metrics that are means."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from fjax.core.masking import split_mask, strip_masks
from fjax.losses import Loss
from fjax.metrics import Metric
from fjax.metrics.reduction import MeanOfValues
from fjax.typing import Array, PyTree

# The reductions that divide by the number of values; under a mask, by the number that counts.
MEANS = ("sum_over_batch_size", "mean")


def loss_of(
    loss: Callable[..., Array],
    targets: PyTree,
    outputs: PyTree,
    sample_weight: PyTree,
    valid: Array | None = None,
) -> Array:
    """Return the loss of the outputs' unmasked entries.

    A mean is the mean over the unmasked entries, as in Keras: their weights are scaled by the
    inverse of their share. A loss without a `reduction` is treated as a mean. Rows that are not
    `valid` are treated as masked.

    >>> from fjax.core.masking import Masked
    >>> from fjax.losses import MeanSquaredError
    >>> outputs = Masked(jnp.array([[[1.0], [2.0]]]), jnp.array([[True, False]]))
    >>> print(loss_of(MeanSquaredError(), jnp.zeros((1, 2, 1)), outputs, None))
    1.0
    """
    values, mask = split_mask(outputs)
    weight = product(valid, None if mask is None else jnp.asarray(mask, jnp.float32))
    if weight is None:
        return loss(targets, strip_masks(outputs), sample_weight)
    if sample_weight is None and isinstance(loss, Loss) and loss.is_one_number(targets, values):
        # As in Keras: the loss of a function that counts entries itself.
        return loss(targets, strip_masks(outputs), None)
    if getattr(loss, "reduction", MEANS[0]) in MEANS:
        total, counted = _totals(loss, targets, strip_masks(values), weight)
        weight = weight * jnp.where(counted > 0, total / jnp.maximum(counted, 1.0), 0.0)
    return loss(targets, strip_masks(values), product(weight, sample_weight))


def _totals(
    loss: Callable[..., Array], targets: PyTree, outputs: PyTree, weight: Array
) -> tuple[Any, Array]:
    """Return the number of entries that a mean divides by, and how many of them have a weight.

    A loss may leave out entries itself, as by `ignore_class`.
    """
    included = loss.included(targets, outputs) if isinstance(loss, Loss) else None
    if included is None:
        return weight.size, jnp.sum(weight)
    included = included.astype(weight.dtype)
    return jnp.sum(included), jnp.sum(product(weight, included))


def metric_weight(metric: Metric, outputs: PyTree, sample_weight: Any) -> Any:
    """Return the weights for a metric of these outputs.

    As in Keras, a mask applies to metrics that are means of one value per entry.
    """
    _, mask = split_mask(outputs)
    if mask is None or not isinstance(metric, MeanOfValues):
        return sample_weight
    return product(jnp.asarray(mask, jnp.float32), sample_weight)


def product(mask: Array | None, sample_weight: Any) -> Any:
    """Return the product of a mask and weights, either of which may have fewer axes.

    >>> print(product(jnp.array([1.0, 0.0]), jnp.array([[1.0, 2.0], [3.0, 4.0]])))
    [[1. 2.]
     [0. 0.]]
    """
    if sample_weight is None or mask is None:
        return mask if sample_weight is None else sample_weight
    weight = jnp.asarray(sample_weight, jnp.float32)
    # One weight per sample applies to each of its steps.
    return _with_axes(mask, weight.ndim) * _with_axes(weight, mask.ndim)


def _with_axes(values: Array, count: int) -> Array:
    return values.reshape(values.shape + (1,) * (count - values.ndim))
