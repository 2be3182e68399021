"""Filled up batches: where rows may stand in a batch that do not count (`Batch.valid`)."""

from typing import Any

from fjax.configuration import Configured
from fjax.core.rows import rows_are_apart
from fjax.losses import Loss
from fjax.training.accumulators import Metrics
from fjax.training.on_host import can_evaluate
from fjax.training.output_losses import OutputLosses

# What these say of a batch is made of all its rows together.
OF_THE_BATCH = frozenset({"Circle", "Dice", "Tversky", "circle", "dice", "tversky"})
REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight")


def can_be_filled(network: Any, loss: Any, metrics: Metrics) -> bool:
    """Tell whether a batch may be filled up with rows that are not valid, and nothing changes.

    It may where no row touches another, neither in the network nor in what is measured. Of a
    user's own layers, losses and metrics nobody knows: they see whole batches.

    >>> from fjax import serial
    >>> from fjax.layers import BatchNormalization, Dense
    >>> from fjax.losses import MeanSquaredError
    >>> can_be_filled(serial(Dense(1)), MeanSquaredError(), ())
    True
    >>> can_be_filled(serial(BatchNormalization(), Dense(1)), MeanSquaredError(), ())
    False
    """
    single = [term.loss for term in loss.losses] if isinstance(loss, OutputLosses) else [loss]
    return (
        rows_are_apart(network)
        # By another generator what is drawn for a row depends on how many there are.
        and can_evaluate()
        and all(isinstance(one, Loss) and one.reduction in REDUCTIONS for one in single)
        and all(map(_takes_rows_apart, (*single, *(named.metric for named in metrics))))
    )


def _takes_rows_apart(measure: Any) -> bool:
    owner = type(measure)
    if not owner.__module__.startswith("fjax.") or owner.__name__ in OF_THE_BATCH:
        return False
    # Along another axis may be along the batch; an ignored class and the number of samples, which
    # adjusts R2, are counted without the weights.
    usual = {"axis": -1, "ignore_class": None, "num_regressors": 0}
    if any(getattr(measure, field, value) != value for field, value in usual.items()):
        return False
    return all(_is_known(value) for value in vars(measure).values() if callable(value))


def _is_known(function: Any) -> bool:
    module = getattr(function, "__module__", None) or ""
    name = getattr(function, "__name__", "")
    known = module.startswith("fjax.") and name not in OF_THE_BATCH
    return known and not isinstance(function, Configured)
