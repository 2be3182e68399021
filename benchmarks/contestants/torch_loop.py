"""PyTorch: the eager loop, as a user writes it, with its `DataLoader`, and with rows by index.

The second is the faster way for arrays in memory, which fewer users know. The number of threads is
PyTorch's own choice.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.child import Turns
from benchmarks.jobs import Job

Batches = Iterable[Sequence[torch.Tensor]]


def train_from_loader(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train on the batches of a `DataLoader`."""
    loader = data_loader(in_torch_layout(job, inputs, targets), job.batch_size)
    _train(job, lambda: loader, epochs, turns)


def train_by_index(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train on rows picked from the tensors by a permutation."""
    tensors = [torch.from_numpy(array) for array in in_torch_layout(job, inputs, targets)]

    def batches() -> Batches:
        order = torch.randperm(job.rows)
        return ([tensor[rows] for tensor in tensors] for rows in order.split(job.batch_size))

    _train(job, batches, epochs, turns)


def data_loader(arrays: Sequence[np.ndarray], batch_size: int) -> DataLoader:
    """Return the loader of the samples, in a new order each epoch."""
    dataset = TensorDataset(*(torch.from_numpy(array) for array in arrays))
    return DataLoader(dataset, batch_size=batch_size, shuffle=True)


def in_torch_layout(job: Job, inputs: list[np.ndarray], targets: np.ndarray) -> list[np.ndarray]:
    """Return inputs and targets, the channels of images first and classes as int64."""
    if len(job.input_shape) == 3:
        inputs = [np.ascontiguousarray(np.moveaxis(array, -1, 1)) for array in inputs]
    classes = targets.dtype.kind == "i"
    return [*inputs, targets.astype("int64") if classes else targets]


def trainer(job: Job) -> Callable[[Batches], float]:
    """Return a function that trains one epoch of batches and returns its mean loss."""
    torch.manual_seed(0)
    model, loss_function = job.module.torch_module(job), getattr(nn, job.task.torch_loss)()
    optimizer = getattr(torch.optim, job.optimizer)(model.parameters(), lr=job.learning_rate)

    def train_epoch(batches: Batches) -> float:
        totals = [0.0 for _ in job.loss_weights]
        measured = [0.0 for _ in job.loss_weights]
        for *inputs, y in batches:
            optimizer.zero_grad()
            outputs = model(*inputs) if len(job.loss_weights) > 1 else [model(*inputs)]
            losses = [loss_function(values, y) for values in outputs]
            job.weighted(losses).backward()
            optimizer.step()
            for index, (loss, values) in enumerate(zip(losses, outputs, strict=True)):
                totals[index] += loss.item() * len(y)
                for number in job.task.measured(values.detach(), y):
                    measured[index] += number.item()
        return job.weighted(totals) / job.rows

    return train_epoch


def _train(job: Job, batches: Callable[[], Batches], epochs: int, turns: Turns) -> None:
    train_epoch = trainer(job)
    for _ in range(epochs):
        turns.begin()
        turns.end(train_epoch(batches()))
