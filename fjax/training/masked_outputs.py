"""Outputs with a mask: what is masked counts neither in the loss nor in means of values."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from fjax.core.masking import split, unmasked
from fjax.metrics import Metric
from fjax.metrics.reduction import MeanOfValues
from fjax.typing import Array, PyTree

# The reductions that divide by how many values there are: by those that count, under a mask.
MEANS = ("sum_over_batch_size", "mean")


def loss_of(
    loss: Callable[..., Array], targets: PyTree, outputs: PyTree, sample_weight: PyTree
) -> Array:
    """Return the loss of outputs, of which only the entries count that their mask lets count.

    A mean is that over the entries that count, as in Keras: their weights grow by the share of
    them. A loss that does not tell its `reduction` is taken for a mean.

    >>> from fjax.core.masking import Masked
    >>> from fjax.losses import MeanSquaredError
    >>> outputs = Masked(jnp.array([[[1.0], [2.0]]]), jnp.array([[True, False]]))
    >>> print(loss_of(MeanSquaredError(), jnp.zeros((1, 2, 1)), outputs, None))
    1.0
    """
    values, mask = split(outputs)
    if mask is None:
        return loss(targets, unmasked(outputs), sample_weight)
    weight = jnp.asarray(mask, jnp.float32)
    if getattr(loss, "reduction", MEANS[0]) in MEANS:
        counted = jnp.sum(weight)
        weight = weight * jnp.where(counted > 0, weight.size / jnp.maximum(counted, 1.0), 0.0)
    return loss(targets, values, product(weight, sample_weight))


def metric_weight(metric: Metric, outputs: PyTree, sample_weight: Any) -> Any:
    """Return the weights for a metric of these outputs.

    As in Keras a mask counts in the metrics that are means of a value for each entry.
    """
    _, mask = split(outputs)
    if mask is None or not isinstance(metric, MeanOfValues):
        return sample_weight
    return product(jnp.asarray(mask, jnp.float32), sample_weight)


def weight_of_valid(
    loss: Callable[..., Array], valid: Array | None, sample_weight: PyTree
) -> PyTree:
    """Return the weights with which a loss of a filled up batch is that of its valid rows.

    >>> from fjax.losses import MeanSquaredError
    >>> weight_of_valid(MeanSquaredError(), jnp.array([1.0, 0.0]), None)
    Array([2., 0.], dtype=float32)
    """
    if valid is not None and getattr(loss, "reduction", MEANS[0]) in MEANS:
        valid = valid * (valid.size / jnp.maximum(jnp.sum(valid), 1.0))
    return product(valid, sample_weight)


def product(mask: Array | None, sample_weight: Any) -> Any:
    """Return the product of a mask, with one entry for each value, and weights for the samples."""
    if sample_weight is None or mask is None:
        return mask if sample_weight is None else sample_weight
    weight = jnp.asarray(sample_weight, jnp.float32)
    # One weight a sample counts for each of its steps.
    return mask * weight.reshape(weight.shape + (1,) * (mask.ndim - weight.ndim))
