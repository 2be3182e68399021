"""How processes agree on the batches of a stream, of which each yields its own rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from fjax.processes.errors import DisagreementError, ProcessError
from fjax.processes.job import shared_job
from fjax.training.batch import Batch, rows


class BatchAgreement:
    """What this process can use next, and what all can.

    Attributes:
        count: The number of batches that all processes use.
    """

    def __init__(self) -> None:
        self.count = 0
        self.offered: dict[str, Any] = {"count": 0}

    def offer(self, batch: Batch, size: int) -> None:
        """Offer batches of this process.

        Args:
            batch: The rows of all batches.
            size: The rows of one batch.
        """
        shapes = [f"{leaf.dtype} {tuple(leaf.shape[1:])}" for leaf in jax.tree.leaves(batch)]
        self.offered = {"count": rows(batch) // size, "rows": size, "shapes": shapes}


@contextmanager
def agree_on_batches(start: int) -> Iterator[BatchAgreement]:
    """Agree with the other processes on the batches that are read in the block.

    Args:
        start: The rows of the epoch before these batches, for errors.

    Raises:
        DisagreementError: A process has no further batch, or batches of another size or shape.
        ProcessError: Another process cannot read or check its batch.
    """
    agreement, job = BatchAgreement(), shared_job()
    try:
        yield agreement
    except Exception as error:
        job.exchange("a batch of `x`", {"error": f"{type(error).__name__}: {error}"})
        raise
    offers = job.exchange("a batch of `x`", agreement.offered)
    for number, offer in enumerate(offers):
        if "error" in offer:
            raise ProcessError(
                f"Process {number} of {job.count} could not read its next batch: {offer['error']}"
            )
    _check_offers(offers, start)
    agreement.count = min(offer["count"] for offer in offers)


def _check_offers(offers: list[dict[str, Any]], start: int) -> None:
    ended = [number for number, offer in enumerate(offers) if not offer["count"]]
    if ended and len(ended) < len(offers):
        raise DisagreementError(
            f"`x` has ended in {_named(ended)} after {start} rows of the epoch in all processes "
            f"together, but other processes have more batches. `x` must yield equally many batches "
            "in each process: leave out the last ones, or give `steps_per_epoch`."
        )
    for name, what in (("rows", "rows"), ("shapes", "arrays of the shapes")):
        values = [offer.get(name) for offer in offers]
        if any(value != values[0] for value in values):
            told = ", ".join(f"{value} in process {each}" for each, value in enumerate(values))
            raise DisagreementError(
                f"The next batch of `x` has different {what}: {told}. Each process must yield an "
                "equal part of every batch."
            )


def _named(processes: list[int]) -> str:
    numbers = ", ".join(map(str, processes))
    return f"process {numbers}" if len(processes) == 1 else f"the processes {numbers}"
