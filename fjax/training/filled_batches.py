"""Filled up batches: where rows may stand in a batch that do not count (`Batch.valid`)."""

from typing import Any

from fjax.core.rows import rows_are_independent
from fjax.losses import Loss
from fjax.training.accumulators import Metrics
from fjax.training.numpy_eval import can_evaluate
from fjax.training.output_losses import OutputLosses
from fjax.traits import has_trait

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight")


def can_be_filled(network: Any, loss: Any, metrics: Metrics) -> bool:
    """Tell whether a batch may be filled up with rows that are not valid, and nothing changes.

    It may where rows are independent, both in the network and in what is measured. A user's own
    layers, losses and metrics are assumed to mix rows: they get whole batches.

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
        rows_are_independent(network)
        # By another generator what is drawn for a row depends on how many there are.
        and can_evaluate()
        and all(isinstance(one, Loss) and one.reduction in REDUCTIONS for one in single)
        and all(
            has_trait(measure, "rows_independent")
            for measure in (*single, *(named.metric for named in metrics))
        )
    )
