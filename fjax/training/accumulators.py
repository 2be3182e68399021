"""The sums behind the running loss and metrics of an epoch."""

from typing import NamedTuple

import numpy as np

from fjax.metrics import Mean, Metric
from fjax.typing import Array, ArrayLike, PyTree, Spec

# Logs are the numbers that Keras shows: name to value, each the mean over the epoch so far.
Logs = dict[str, Array]


class NamedMetric(NamedTuple):
    """A metric, the key of its result in the logs, and whether sample weights count in it."""

    name: str
    metric: Metric
    weighted: bool = False


Metrics = tuple[NamedMetric, ...]


def init_accumulators(
    metrics: Metrics = (), targets: Spec | None = None, outputs: Spec | None = None
) -> PyTree:
    """Return the empty sums of an epoch, as numpy arrays.

    Args:
        metrics: What is measured beside the loss.
        targets: Shape of the targets; some metrics keep one sum for each class.
        outputs: Shape of the outputs, likewise.

    >>> init_accumulators()
    {'loss': {'total': array(0., dtype=float32), 'count': array(0., dtype=float32)}}
    """
    sums = {named.name: named.metric.init(targets, outputs) for named in metrics}
    return {"loss": Mean().init(), **sums}


def accumulate(
    metrics: Metrics,
    accumulators: PyTree,
    loss: Array,
    size: ArrayLike,
    targets: PyTree,
    outputs: PyTree,
    sample_weight: Array | np.ndarray | None,
) -> PyTree:
    """Add one batch to the sums; its loss counts once for each of its `size` samples."""
    sums = {"loss": Mean().update(accumulators["loss"], loss, sample_weight=size)}
    for name, metric, weighted in metrics:
        weight = sample_weight if weighted else None
        sums[name] = metric.update(accumulators[name], targets, outputs, weight)
    return sums


def results(metrics: Metrics, accumulators: PyTree) -> Logs:
    """Return the loss and metrics that the sums stand for."""
    values = {named.name: named.metric.result(accumulators[named.name]) for named in metrics}
    return {"loss": Mean().result(accumulators["loss"]), **values}
