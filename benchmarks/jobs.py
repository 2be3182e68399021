"""The jobs: what is trained, and how. Every contestant is given these numbers."""

import dataclasses
import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.tasks import CLASSES, NUMBERS, NUMBERS_MEASURED, TWO_CLASSES, Task


@dataclass(frozen=True)
class Job:
    """A network trained in batches, the samples shuffled each epoch.

    Attributes:
        title: What the tables call it.
        network: The module in `benchmarks.networks` that has it in each framework's words.
        data: The data: "california", "fashion", "mnist", "reviews" or "images"; drawn data alone
            are "rebuilt" images, each its own target, and "translated" words, the first input's
            targets.
        task: What it is trained for.
        input_shape: The shape of one sample.
        units: The sizes of the network's layers, as the network reads them.
        vocabulary: How many words there are, of networks on texts.
        features: The first feature of each input, and the first one behind; empty is one input of
            all features.
        loss_weights: What the loss of each output counts.
        optimizer: "SGD", without momentum, or "Adam".
        epochs_a_turn: So many that even the fastest contestant is warm again after the others.
        drawn: Whether the data is drawn at random.
        without: Contestants that take no part.
    """

    title: str
    network: str
    data: str
    task: Task
    input_shape: tuple[int, ...]
    units: tuple[int, ...]
    learning_rate: float
    rows: int
    vocabulary: int = 0
    features: tuple[tuple[int, int], ...] = ()
    loss_weights: tuple[float, ...] = (1.0,)
    optimizer: str = "SGD"
    batch_size: int = 32
    epochs_a_turn: int = 1
    drawn: bool = False
    without: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """The steps of an epoch; the last one holds what is left."""
        return math.ceil(self.rows / self.batch_size)

    @property
    def input_shapes(self) -> list[tuple[int, ...]]:
        """The shape of one sample of each input."""
        return [(stop - start,) for start, stop in self.features] or [self.input_shape]

    @property
    def module(self) -> ModuleType:
        """The module of the network."""
        return importlib.import_module(f"benchmarks.networks.{self.network}")

    def weighted(self, losses: Sequence[Any]) -> Any:
        """Return what is made smaller: the sum of the outputs' losses, each with its weight."""
        if len(losses) == 1:
            return losses[0]
        return sum(weight * loss for weight, loss in zip(self.loss_weights, losses, strict=True))

    def inputs(self, x: np.ndarray) -> list[np.ndarray]:
        """Return the array of each input."""
        return [np.ascontiguousarray(x[:, start:stop]) for start, stop in self.features] or [x]


WORDS = 10_000

JOBS = {
    "california": Job(
        title="California housing, 8-30-30-1",
        network="dense",
        data="california",
        task=NUMBERS,
        input_shape=(8,),
        units=(30, 30, 1),
        learning_rate=1e-3,
        rows=11_610,
        epochs_a_turn=10,
    ),
    "wide_and_deep": Job(
        title="Wide & deep on California housing, inputs of 5 and 6, 30-30, two outputs of 1",
        network="wide_and_deep",
        data="california",
        task=NUMBERS_MEASURED,
        input_shape=(8,),
        units=(30, 30, 1),
        learning_rate=1e-3,
        rows=11_610,
        features=((0, 5), (2, 8)),
        loss_weights=(0.9, 0.1),
        epochs_a_turn=10,
    ),
    "fashion": Job(
        title="Fashion-MNIST, 784-300-100-10",
        network="dense",
        data="fashion",
        task=CLASSES,
        input_shape=(28, 28),
        units=(300, 100, 10),
        learning_rate=1e-2,
        rows=55_000,
    ),
    "mnist_cnn": Job(
        title="MNIST, convolutions of 32 and 64 of 3 x 3, each pooled, dropout, 10",
        network="pooled_convolutions",
        data="mnist",
        task=CLASSES,
        input_shape=(28, 28, 1),
        units=(32, 64, 10),
        learning_rate=1e-3,
        rows=6_400,
        optimizer="Adam",
        batch_size=128,
        # XLA's convolution runs in one thread within a loop: a minute an epoch.
        without=("jax_loop",),
    ),
    "resnet20": Job(
        title="ResNet-20, images of 32 x 32 x 3",
        network="resnet",
        data="images",
        task=CLASSES,
        input_shape=(32, 32, 3),
        units=(16, 32, 64, 10),
        # So small that drawn labels are not learnt by heart.
        learning_rate=1e-5,
        rows=640,
        optimizer="Adam",
        batch_size=64,
        drawn=True,
        # As above; and its step is no other than that of Keras on JAX.
        without=("jax_loop", "jax_step"),
    ),
    "text_convolution": Job(
        title="Movie reviews of 40 words, embedding of 32, convolution of 64 of 5, maxima, 1",
        network="text_convolution",
        data="reviews",
        task=TWO_CLASSES,
        input_shape=(40,),
        units=(32, 64, 1),
        vocabulary=WORDS,
        learning_rate=1e-4,
        rows=8_548,
        optimizer="Adam",
        batch_size=128,
    ),
    "lstm": Job(
        title="Movie reviews of 40 words, embedding of 32, LSTM of 32, 1",
        network="text_lstm",
        data="reviews",
        task=TWO_CLASSES,
        input_shape=(40,),
        units=(32, 32, 1),
        vocabulary=WORDS,
        # So small that the losses of all stay close together.
        learning_rate=1e-4,
        rows=8_548,
        optimizer="Adam",
        batch_size=128,
    ),
    "attention": Job(
        title="Movie reviews of 40 words, embedding of 32, attention of 2 heads, mean, 1",
        network="text_attention",
        data="reviews",
        task=TWO_CLASSES,
        input_shape=(40,),
        units=(32, 2, 1),
        vocabulary=WORDS,
        learning_rate=1e-4,
        rows=8_548,
        optimizer="Adam",
        batch_size=128,
    ),
}


def _first_epoch(job: Job, without: tuple[str, ...] = ("jax_loop",)) -> Job:
    """Return a job whose epoch is four steps and a smaller one, so nearly all of it compiles."""
    return dataclasses.replace(
        job,
        rows=4 * job.batch_size + job.batch_size // 2,
        epochs_a_turn=1,
        drawn=True,
        without=(*without, "jax_step", "torch_loader", "torch_indexed"),
    )


# What is trained for one epoch in a new process.
FIRST_EPOCHS = {
    "first_dense": _first_epoch(JOBS["california"], without=()),
    "first_convolutions": _first_epoch(JOBS["mnist_cnn"]),
    "first_autoencoder": _first_epoch(
        Job(
            title="Autoencoder, 784-100-30-100-784",
            network="autoencoder",
            data="rebuilt",
            task=NUMBERS,
            input_shape=(28, 28),
            units=(100, 30, 100),
            learning_rate=1e-3,
            rows=0,
        )
    ),
    "first_lstm": _first_epoch(JOBS["lstm"]),
    "first_bidirectional_lstm": _first_epoch(
        dataclasses.replace(
            JOBS["lstm"],
            title="Words, embedding of 32, bidirectional LSTM of 32, 1",
            network="text_bidirectional_lstm",
        )
    ),
    "first_sequence_to_sequence": _first_epoch(
        Job(
            title="Sequence to sequence, 20 words each, embeddings of 32, LSTMs of 64, words",
            network="sequence_to_sequence",
            data="translated",
            task=CLASSES,
            input_shape=(40,),
            units=(32, 64),
            vocabulary=1_000,
            features=((0, 20), (20, 40)),
            learning_rate=1e-3,
            rows=0,
            optimizer="Adam",
        )
    ),
    "first_attention": _first_epoch(JOBS["attention"]),
    "first_resnet20": _first_epoch(JOBS["resnet20"]),
}


def find_job(name: str, quick: bool) -> Job:
    """Return a job, or its tiny form on drawn data, whose last batch is a smaller one too.

    The regression learns so fast that after a few epochs the loss says little of the first weights.
    """
    job = {**JOBS, **FIRST_EPOCHS}[name]
    if not quick:
        return job
    rate = 0.03 if job.task.loss == "mse" else job.learning_rate
    images = job.data in ("mnist", "images")
    return dataclasses.replace(
        job,
        rows=min(job.rows, 650) if not images else 2 * job.batch_size + 22,
        input_shape=(12, 12, job.input_shape[-1]) if images else job.input_shape,
        learning_rate=min(rate, 1e-4) if images else rate,
        epochs_a_turn=1,
        drawn=True,
    )
