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


class Reviews(nn.Module):
    """The network for texts; its output is a logit."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        width, units, outputs = job.units
        self.embedding = nn.Embedding(job.vocabulary, width)
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.lstm = nn.LSTM(width, units, batch_first=True)
        weights = dict(self.lstm.named_parameters())
        nn.init.xavier_uniform_(weights["weight_ih_l0"])
        nn.init.orthogonal_(weights["weight_hh_l0"])
        for name in ("bias_ih_l0", "bias_hh_l0"):
            nn.init.zeros_(weights[name])
        with torch.no_grad():
            weights["bias_ih_l0"][units : 2 * units] = 1
        self.dense = _linear(units, outputs)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        _, (hidden, _) = self.lstm(self.embedding(words))
        return self.dense(hidden[0])


def _network(job: Job) -> nn.Module:
    if job.vocabulary:
        return Reviews(job)
    return WideAndDeep(job) if job.features else _sequential(job)


def _loss(job: Job) -> nn.Module:
    if job.vocabulary:
        return nn.BCEWithLogitsLoss()
    return nn.CrossEntropyLoss() if job.classifies else nn.MSELoss()


def _sequential(job: Job) -> nn.Sequential:
    *hidden, last = job.kernels
    model = nn.Sequential()
    for _, _, channels, filters in job.windows:
        model.append(_begun(nn.Conv2d(channels, filters, 3))).append(nn.ReLU())
        model.append(nn.MaxPool2d(2))
    model.append(nn.Flatten())
    for shape in hidden:
        model.append(_linear(*shape)).append(nn.ReLU())
    if job.dropout:
        model.append(nn.Dropout(job.dropout))
    return model.append(_linear(*last))


def _linear(inputs: int, outputs: int) -> nn.Module:
    return _begun(nn.Linear(inputs, outputs))


def _begun(layer: nn.Linear | nn.Conv2d) -> nn.Module:
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
    model, loss_function = _network(job), _loss(job)
    optimizer = getattr(torch.optim, job.optimizer)(model.parameters(), lr=job.learning_rate)
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
