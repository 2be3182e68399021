"""Padded batches: whether a batch may have rows that do not count (`Batch.valid`)."""

from typing import Any

from fjax.core.row_independence import rows_are_independent
from fjax.losses import Loss
from fjax.training.accumulators import Metrics
from fjax.training.numpy_eval import can_evaluate
from fjax.training.output_losses import OutputLosses
from fjax.traits import has_trait

# Not "mean_with_sample_weight": it divides by the weights, and rows that do not count have weights.
REDUCTIONS = ("sum_over_batch_size", "mean", "sum")


def can_be_filled(network: Any, loss: Any, metrics: Metrics, training: bool = True) -> bool:
    """Return whether padding a batch with invalid rows leaves all results unchanged.

    This holds if rows are independent, in the network and in the loss and metrics. A user's layers,
    losses and metrics are assumed to mix rows, and get batches without padding.

    Args:
        network: The network.
        loss: The loss.
        metrics: The metrics.
        training: Whether the batches are for training steps, in which more layers mix rows.

    >>> from fjax import serial
    >>> from fjax.layers import BatchNormalization, Dense
    >>> from fjax.losses import MeanSquaredError
    >>> can_be_filled(serial(Dense(1)), MeanSquaredError(), ())
    True
    >>> can_be_filled(serial(BatchNormalization(), Dense(1)), MeanSquaredError(), ())
    False
    >>> can_be_filled(serial(BatchNormalization()), None, (), training=False)
    True
    """
    if loss is None:
        losses = []
    else:
        losses = [term.loss for term in loss.losses] if isinstance(loss, OutputLosses) else [loss]
    return (
        rows_are_independent(network, training)
        # With another generator, the numbers drawn for a row depend on the number of rows.
        and can_evaluate()
        and all(isinstance(each, Loss) and each.reduction in REDUCTIONS for each in losses)
        and all(
            has_trait(measure, "rows_independent")
            for measure in (*losses, *(named.metric for named in metrics))
        )
    )
