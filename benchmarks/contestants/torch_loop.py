"""PyTorch: the eager loop, as a user writes it, with its `DataLoader`, and with rows by index.

The second is the faster way for arrays in memory, which fewer users know. The number of threads is
PyTorch's own choice.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.child import Turns
from benchmarks.jobs import Job

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]


def train_from_loader(job: Job, x: np.ndarray, y: np.ndarray, epochs: int, turns: Turns) -> None:
    """Train on the batches of a `DataLoader`."""
    torch.manual_seed(0)
    dataset = TensorDataset(torch.from_numpy(x), _targets(job, y))
    loader = DataLoader(dataset, batch_size=job.batch_size, shuffle=True)
    _train(job, lambda: loader, epochs, turns)


def train_by_index(job: Job, x: np.ndarray, y: np.ndarray, epochs: int, turns: Turns) -> None:
    """Train on rows picked from the tensors by a permutation."""
    torch.manual_seed(0)
    inputs, targets = torch.from_numpy(x), _targets(job, y)

    def batches() -> Batches:
        order = torch.randperm(job.rows)
        return ((inputs[rows], targets[rows]) for rows in order.split(job.batch_size))

    _train(job, batches, epochs, turns)


def _targets(job: Job, y: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(y.astype("int64") if job.classifies else y)


def _train(job: Job, batches: Callable[[], Batches], epochs: int, turns: Turns) -> None:
    model = nn.Sequential(nn.Flatten())
    for inputs, outputs in pairwise(job.sizes):
        if len(model) > 1:
            model.append(nn.ReLU())
        linear = nn.Linear(inputs, outputs)
        # Keras's first weights, so that the losses can be held against each other.
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        model.append(linear)
    loss_function = nn.CrossEntropyLoss() if job.classifies else nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=job.learning_rate)
    for _ in range(epochs):
        turns.begin()
        total, right = 0.0, 0
        for x, y in batches():
            optimizer.zero_grad()
            outputs = model(x)
            loss = loss_function(outputs, y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
            if job.classifies:
                right += (outputs.argmax(dim=1) == y).sum().item()
        turns.end(total / job.rows)
