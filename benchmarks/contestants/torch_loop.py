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
    torch.manual_seed(0)
    dataset = TensorDataset(*_tensors(job, inputs, targets))
    loader = DataLoader(dataset, batch_size=job.batch_size, shuffle=True)
    _train(job, lambda: loader, epochs, turns)


def train_by_index(
    job: Job, inputs: list[np.ndarray], targets: np.ndarray, epochs: int, turns: Turns
) -> None:
    """Train on rows picked from the tensors by a permutation."""
    torch.manual_seed(0)
    tensors = _tensors(job, inputs, targets)

    def batches() -> Batches:
        order = torch.randperm(job.rows)
        return ([tensor[rows] for tensor in tensors] for rows in order.split(job.batch_size))

    _train(job, batches, epochs, turns)


class WideAndDeep(nn.Module):
    """The network of two inputs and two outputs."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        *hidden, main, auxiliary = job.kernels
        self.hidden = nn.Sequential()
        for shape in hidden:
            self.hidden.append(_linear(*shape)).append(nn.ReLU())
        self.main, self.auxiliary = _linear(*main), _linear(*auxiliary)

    def forward(self, wide: torch.Tensor, deep: torch.Tensor) -> list[torch.Tensor]:
        """Return the main and the auxiliary output."""
        values = self.hidden(deep)
        return [self.main(torch.cat([wide, values], dim=1)), self.auxiliary(values)]


def _sequential(job: Job) -> nn.Sequential:
    *hidden, last = job.kernels
    model = nn.Sequential()
    for _, _, channels, filters in job.windows:
        model.append(_as_keras_begins(nn.Conv2d(channels, filters, 3))).append(nn.ReLU())
        model.append(nn.MaxPool2d(2))
    model.append(nn.Flatten())
    for shape in hidden:
        model.append(_linear(*shape)).append(nn.ReLU())
    if job.dropout:
        model.append(nn.Dropout(job.dropout))
    return model.append(_linear(*last))


def _linear(inputs: int, outputs: int) -> nn.Module:
    return _as_keras_begins(nn.Linear(inputs, outputs))


def _as_keras_begins(layer: nn.Linear | nn.Conv2d) -> nn.Module:
    """Return a layer with Keras's first weights, so that the losses can be compared."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _tensors(job: Job, inputs: list[np.ndarray], targets: np.ndarray) -> list[torch.Tensor]:
    if job.convolutions:
        # PyTorch has the channels first.
        inputs = [np.ascontiguousarray(np.moveaxis(array, -1, 1)) for array in inputs]
    arrays = [*inputs, targets.astype("int64") if job.classifies else targets]
    return [torch.from_numpy(array) for array in arrays]


def _train(job: Job, batches: Callable[[], Batches], epochs: int, turns: Turns) -> None:
    model = WideAndDeep(job) if job.features else _sequential(job)
    loss_function = nn.CrossEntropyLoss() if job.classifies else nn.MSELoss()
    kind = torch.optim.SGD if job.optimizer == "SGD" else torch.optim.Adam
    optimizer = kind(model.parameters(), lr=job.learning_rate)
    for _ in range(epochs):
        turns.begin()
        totals = [0.0 for _ in job.loss_weights]
        measured = [0.0 for _ in job.loss_weights]
        for *inputs, y in batches():
            optimizer.zero_grad()
            outputs = model(*inputs) if job.features else [model(*inputs)]
            losses = [loss_function(values, y) for values in outputs]
            job.weighted(losses).backward()
            optimizer.step()
            for index, (loss, values) in enumerate(zip(losses, outputs, strict=True)):
                totals[index] += loss.item() * len(y)
                if job.classifies:
                    measured[index] += (values.argmax(dim=1) == y).sum().item()
                elif job.features:
                    measured[index] += (values.detach() - y).abs().sum().item()
        turns.end(job.weighted(totals) / job.rows)
