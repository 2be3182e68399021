"""The jobs: what is trained, and how. Every contestant is given these numbers."""

import dataclasses
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A network of relu layers trained by plain SGD in batches, the samples shuffled each epoch.

    Where it classifies, its last layer is a softmax, the loss the cross-entropy of integer labels,
    and the accuracy is measured beside it; else the loss is the mean squared error. So many epochs
    are one turn that even the fastest contestant is warm again after the others' turns.
    """

    title: str
    input_shape: tuple[int, ...]
    units: tuple[int, ...]
    classifies: bool
    learning_rate: float
    rows: int
    batch_size: int = 32
    epochs_a_turn: int = 1
    drawn: bool = False

    @property
    def steps(self) -> int:
        """The steps of an epoch; the last one holds what is left."""
        return math.ceil(self.rows / self.batch_size)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The widths from the flattened input to the output."""
        return (math.prod(self.input_shape), *self.units)


JOBS = {
    "california": Job(
        title="California housing, 8-30-30-1",
        input_shape=(8,),
        units=(30, 30, 1),
        classifies=False,
        learning_rate=1e-3,
        rows=11_610,
        epochs_a_turn=10,
    ),
    "fashion": Job(
        title="Fashion-MNIST, 784-300-100-10",
        input_shape=(28, 28),
        units=(300, 100, 10),
        classifies=True,
        learning_rate=1e-2,
        rows=55_000,
    ),
}


def find_job(name: str, quick: bool) -> Job:
    """Return a job, or its tiny form on drawn data, whose last batch is a smaller one too.

    The regression learns so fast that after a few epochs the loss says little of the first weights.
    """
    job = JOBS[name]
    if not quick:
        return job
    rate = job.learning_rate if job.classifies else 0.03
    return dataclasses.replace(job, rows=650, learning_rate=rate, epochs_a_turn=1, drawn=True)
