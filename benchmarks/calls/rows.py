"""The calls that are timed, and the most that each may take in fjax."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A call.

    Attributes:
        label: What the table calls it.
        at_most: The target, in seconds.
    """

    label: str
    at_most: float


ROWS = {
    "fit_generator": Row("`fit` of a generator, a step", 60e-6),
    "fit_callback": Row("`fit`, `on_train_batch_end` reads a log, a step", 90e-6),
    "train_on_batch": Row("`train_on_batch` of 32 rows", 250e-6),
    "test_on_batch": Row("`test_on_batch` of 32 rows", 250e-6),
    "predict_on_batch": Row("`predict_on_batch` of 32 rows", 100e-6),
    "predict_row": Row("`predict` of one row", 200e-6),
    "call_row": Row("`model(x[:1])`", 200e-6),
    "fit_batch": Row("`fit` of 32 rows, one epoch", 600e-6),
    "predict_new": Row("`predict` of a new number of rows", 5e-3),
    "predict_new_convolutions": Row("the same, of a network of convolutions", 50e-3),
}
