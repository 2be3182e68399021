"""Accumulators: the sums from which the running loss and metrics are computed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from fjax.core.masking import strip_masks
from fjax.metrics import Mean, Metric
from fjax.training.masked_outputs import metric_weight, product
from fjax.training.output_losses import OutputLosses, OutputPath, output_path, weight_at
from fjax.trees import branch
from fjax.typing import Array, ArrayLike, PyTree, Spec

# Logs map names to values, each the mean over the epoch so far, as Keras shows them.
Logs = dict[str, Array]


class NamedMetric(NamedTuple):
    """A metric with its name in the logs and the output that it measures.

    Attributes:
        name: The key in the logs.
        metric: The metric.
        weighted: Whether sample weights apply to it.
        output: The output that it measures, as in `OutputLoss`; `()` is all outputs.
    """

    name: str
    metric: Metric
    weighted: bool = False
    output: OutputPath = ()


Metrics = tuple[NamedMetric, ...]


def init_accumulators(
    metrics: Metrics = (),
    targets: PyTree | Spec | None = None,
    outputs: PyTree | Spec | None = None,
    loss: Any = None,
) -> PyTree:
    """Return the empty sums of an epoch, as numpy arrays.

    Args:
        metrics: The metrics beside the loss.
        targets: The targets or their shapes; some metrics have one sum per class.
        outputs: The outputs or their shapes.
        loss: The loss; `OutputLosses` has one sum per loss.

    >>> init_accumulators()
    {'loss': {'total': array(0., dtype=float32), 'count': array(0., dtype=float32)}}
    """
    sums = empty_means(["loss", *(loss.log_names if isinstance(loss, OutputLosses) else ())])
    for name, metric, _, output in metrics:
        path = output_path(output)
        measured = [tree if tree is None else branch(tree, path) for tree in (targets, outputs)]
        sums[name] = metric.init(*measured)
    return sums


def empty_means(names: Iterable[str]) -> dict[str, Any]:
    """Return the empty sums of running means."""
    return {name: Mean().init() for name in names}


def add_means(
    accumulators: PyTree, values: Mapping[str, Array], size: ArrayLike
) -> dict[str, PyTree]:
    """Return the sums with the values of a batch added, weighted by its number of samples."""
    return {
        name: Mean().update(accumulators[name], value, sample_weight=size)
        for name, value in values.items()
    }


def accumulate(
    metrics: Metrics,
    accumulators: PyTree,
    values: Mapping[str, Array],
    size: ArrayLike,
    targets: PyTree,
    outputs: PyTree,
    sample_weight: PyTree,
    valid: Array | None = None,
) -> PyTree:
    """Return the sums with one batch added; its losses are weighted by its number of samples.

    Samples that are not `valid` are ignored.
    """
    sums = add_means(accumulators, values, size)
    for name, metric, weighted, key in metrics:
        path = output_path(key)
        output = branch(outputs, path)
        weight = weight_at(sample_weight, path) if weighted else None
        weight = product(valid, metric_weight(metric, output, weight))
        target = branch(targets, path)
        sums[name] = metric.update(accumulators[name], target, strip_masks(output), weight)
    return sums


def results(metrics: Metrics, accumulators: PyTree) -> Logs:
    """Return the losses and metrics, computed from the sums."""
    values = {named.name: named.metric.result(accumulators[named.name]) for named in metrics}
    means = [name for name in accumulators if name not in values]
    return {name: Mean().result(accumulators[name]) for name in means} | values
