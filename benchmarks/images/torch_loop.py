"""The classifier in PyTorch: its loop, and the loaders of arrays and of files."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from benchmarks.images.epochs import BRIGHTNESS, FILTERS
from benchmarks.images.pictures import Sizes
from benchmarks.networks.by_torch import as_keras_begins, linear


class Pictures(Dataset):
    """The pictures of a folder, read one by one."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.glob("*/*.jpg"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        file = self.files[index]
        pixels = np.asarray(Image.open(file), "float32").transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(pixels)), int(file.parent.name[-1])


def memory_loader(pixels: np.ndarray, labels: np.ndarray, size: Sizes) -> DataLoader:
    """Return the loader of pictures in memory."""
    first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2).astype("float32"))
    dataset = TensorDataset(torch.from_numpy(first), torch.from_numpy(labels.astype("int64")))
    return DataLoader(dataset, batch_size=size.batch_size, shuffle=True)


def disk_loader(folder: Path, size: Sizes, workers: int) -> DataLoader:
    """Return the loader of files, with worker processes that stay alive."""
    return DataLoader(
        Pictures(folder), batch_size=size.batch_size, shuffle=True, num_workers=workers,
        persistent_workers=workers > 0,
    )  # fmt: skip


def trainer(size: Sizes) -> Callable[[Iterable], float]:
    """Return a function that trains one epoch of batches, and returns the accuracy."""
    torch.manual_seed(0)
    model, side = nn.Sequential(), size.side
    for channels, filters in pairwise((3, *FILTERS)):
        model.append(as_keras_begins(nn.Conv2d(channels, filters, 3))).append(nn.ReLU())
        model.append(nn.MaxPool2d(2))
        side = (side - 2) // 2
    model.append(nn.Flatten()).append(linear(side * side * FILTERS[-1], size.classes))
    optimizer, loss_function = torch.optim.Adam(model.parameters()), nn.CrossEntropyLoss()

    def train_epoch(batches: Iterable) -> float:
        correct = 0.0
        for images, labels in batches:
            optimizer.zero_grad()
            outputs = model(augmented(images) / 255)
            loss_function(outputs, labels).backward()
            optimizer.step()
            correct += (outputs.argmax(-1) == labels).sum().item()
        return correct / size.pictures

    return train_epoch


def augmented(images: torch.Tensor) -> torch.Tensor:
    """Return images, each flipped with probability 1/2, and brighter or darker."""
    shape = (len(images), 1, 1, 1)
    flipped = torch.where(torch.rand(shape) < 0.5, images.flip(-1), images)
    delta = (torch.rand(shape) * 2 - 1) * BRIGHTNESS * 255
    return (flipped + delta).clamp(0, 255)
