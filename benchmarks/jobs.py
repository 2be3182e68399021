"""The jobs: what is trained, and how. Every contestant is given these numbers."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Job:
    """A network of relu layers trained by plain SGD in batches, the samples shuffled each epoch.

    Where it classifies, its last layer is a softmax, the loss the cross-entropy of integer labels,
    and the accuracy is measured beside it; else the loss is the mean squared error.

    With two inputs it is the wide & deep network: the first input goes around the hidden layers,
    which the second one goes through. Of its two outputs the main one is made of the first input
    and the last hidden layer together, the auxiliary one of that layer alone. Both learn the same
    targets, and the mean absolute error of each is measured.

    With a vocabulary it is a network for texts, trained by Adam: an embedding of the first of
    `units`, an LSTM of the second, and a sigmoid; the loss is the binary cross-entropy.

    With convolutions it is a network for images, trained by Adam: each convolution is one of 3 x 3
    without padding, behind it stand a relu and a pooling of the maxima of 2 x 2.

    Attributes:
        convolutions: The filters of each convolution that stands before the other layers.
        dropout: The share that is dropped before the last layer.
        without: Contestants that take no part.
        features: The first feature of each input, and the first one behind; empty is one input of
            all features.
        loss_weights: What the loss of each output counts.
        vocabulary: How many words there are, for a network for texts.
        epochs_a_turn: So many that even the fastest contestant is warm again after the others.
    """

    title: str
    input_shape: tuple[int, ...]
    units: tuple[int, ...]
    classifies: bool
    learning_rate: float
    rows: int
    features: tuple[tuple[int, int], ...] = ()
    loss_weights: tuple[float, ...] = (1.0,)
    vocabulary: int = 0
    batch_size: int = 32
    epochs_a_turn: int = 1
    drawn: bool = False
    convolutions: tuple[int, ...] = ()
    dropout: float = 0.0
    without: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """The steps of an epoch; the last one holds what is left."""
        return math.ceil(self.rows / self.batch_size)

    @property
    def optimizer(self) -> str:
        """The optimizer's name."""
        return "Adam" if self.vocabulary or self.convolutions else "SGD"

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """The shape of one sample of each input."""
        return [(stop - start,) for start, stop in self.features] or [self.input_shape]

    @property
    def kernels(self) -> list[tuple[int, int]]:
        """The shapes of the kernels: those of the hidden layers, then those of the outputs."""
        *around, through = (math.prod(shape) for shape in self.input_shapes)
        if self.convolutions:
            through = self._pooled_size()
        *hidden, (width, units) = pairwise((through, *self.units))
        if not around:
            return [*hidden, (width, units)]
        return [*hidden, (sum(around) + width, units), (width, units)]

    @property
    def windows(self) -> list[tuple[int, int, int, int]]:
        """The shapes of the convolutions' kernels."""
        channels = pairwise((self.input_shape[-1], *self.convolutions))
        return [(3, 3, inputs, filters) for inputs, filters in channels]

    def _pooled_size(self) -> int:
        """Return how many numbers of a sample the convolutions leave."""
        height, width = self.input_shape[:2]
        for _ in self.convolutions:
            height, width = (height - 2) // 2, (width - 2) // 2
        return height * width * self.convolutions[-1]

    def weighted(self, losses: Sequence[Any]) -> Any:
        """Return what is made smaller: the sum of the outputs' losses, each with its weight."""
        if len(losses) == 1:
            return losses[0]
        return sum(weight * loss for weight, loss in zip(self.loss_weights, losses, strict=True))

    def inputs(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the array of each input."""
        return [np.ascontiguousarray(x[:, start:stop]) for start, stop in self.features] or [x]


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
    "wide_and_deep": Job(
        title="Wide & deep on California housing, inputs of 5 and 6, 30-30, two outputs of 1",
        input_shape=(8,),
        units=(30, 30, 1),
        classifies=False,
        learning_rate=1e-3,
        rows=11_610,
        features=((0, 5), (2, 8)),
        loss_weights=(0.9, 0.1),
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
    "lstm_reviews": Job(
        title="Movie reviews of 40 words, embedding of 10,000 by 32, LSTM of 32, one output",
        input_shape=(40,),
        units=(32, 32, 1),
        classifies=False,
        # So small that the losses of all stay close together.
        learning_rate=1e-4,
        rows=8_548,
        vocabulary=10_000,
        batch_size=128,
    ),
    "mnist_cnn": Job(
        title="MNIST, 28 x 28: convolutions of 32 and 64, each pooled, dropout, 10",
        input_shape=(28, 28, 1),
        units=(10,),
        classifies=True,
        learning_rate=1e-3,
        rows=6_400,
        batch_size=128,
        convolutions=(32, 64),
        dropout=0.5,
        # XLA's convolution runs in one thread within a loop: a minute an epoch.
        without=("jax_loop",),
    ),
}


def find_job(name: str, quick: bool) -> Job:
    """Return a job, or its tiny form on drawn data, whose last batch is a smaller one too.

    The regression learns so fast that after a few epochs the loss says little of the first weights.
    """
    job = JOBS[name]
    if not quick:
        return job
    if job.convolutions:
        # Small images, and nothing dropped: so few steps do not bring the losses together.
        job = dataclasses.replace(job, input_shape=(12, 12, 1), dropout=0.0)
    rate = job.learning_rate if job.classifies or job.vocabulary else 0.03
    return dataclasses.replace(job, rows=650, learning_rate=rate, epochs_a_turn=1, drawn=True)
