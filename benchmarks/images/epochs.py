"""Epochs of the classifier, as a user trains it.

The orders are `memory`, all pictures in an array, and `disk`, where each epoch reads the files.
"""

import functools
import importlib
import importlib.util
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.images.pictures import Sizes, read_pictures, sizes

Answers = Mapping[str, Callable[[], dict[str, float]]]
# The environment variable that names the folder of the pictures.
FOLDER = "BENCHMARKS_PICTURES"
FILTERS = (16, 32)
BRIGHTNESS = 0.1


def of_fjax(quick: bool) -> Answers:
    """Return the epochs of fjax."""
    library = importlib.import_module("fjax")
    folder, size = Path(os.environ[FOLDER]), sizes(quick)
    return _by_fit(library, folder, size, {"disk": lambda: _read(library, folder, size, "tf")})


def of_keras(quick: bool) -> Answers:
    """Return the epochs of Keras on JAX; its data set of files needs Grain or TensorFlow."""
    library = importlib.import_module("keras")
    folder, size = Path(os.environ[FOLDER]), sizes(quick)
    formats = [name for package, name in (("tensorflow", "tf"), ("grain", "grain"))
               if importlib.util.find_spec(package) is not None]  # fmt: skip
    disk = {"disk": lambda: _read(library, folder, size, formats[0])} if formats else {}
    return _by_fit(library, folder, size, disk)


def of_torch(quick: bool) -> Answers:
    """Return the epochs of PyTorch's loop on its `DataLoader`, whose workers read the files."""
    loop = importlib.import_module("benchmarks.images.torch_loop")
    folder, size = Path(os.environ[FOLDER]), sizes(quick)
    workers = 0 if quick else min(os.cpu_count() or 1, 8)
    train = loop.trainer(size)
    orders = {
        "memory": loop.memory_loader(*read_pictures(folder), size),
        "disk": loop.disk_loader(folder, size, workers),
    }
    return {name: _epoch(functools.partial(train, loader)) for name, loader in orders.items()}


def classifier(library: Any, size: Sizes) -> Any:
    """Return the compiled model, which augments its inputs, by Keras's words."""
    layers = library.layers
    convolutions = [
        layer
        for count in FILTERS
        for layer in (layers.Conv2D(count, 3, activation="relu"), layers.MaxPooling2D(2))
    ]
    model = library.Sequential(
        [
            layers.Input((size.side, size.side, 3)),
            layers.RandomFlip("horizontal"),
            layers.RandomBrightness(BRIGHTNESS),
            layers.Rescaling(1 / 255),
            *convolutions,
            layers.Flatten(),
            layers.Dense(size.classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def _by_fit(library: Any, folder: Path, size: Sizes, disk: Mapping[str, Any]) -> Answers:
    pixels, labels = read_pictures(folder)
    pixels = pixels.astype("float32")
    model = classifier(library, size)

    def from_memory() -> None:
        model.fit(pixels, labels, batch_size=size.batch_size, verbose=0)

    answers = {"memory": _epoch(from_memory)}
    for name, read in disk.items():
        dataset = read()
        answers[name] = _epoch(functools.partial(model.fit, dataset, verbose=0))
    return answers


def _read(library: Any, folder: Path, size: Sizes, form: str) -> Any:
    return library.utils.image_dataset_from_directory(
        folder, image_size=(size.side, size.side), batch_size=size.batch_size, seed=0,
        format=form, verbose=False,
    )  # fmt: skip


def _epoch(train: Callable[[], object]) -> Callable[[], dict[str, float]]:
    """Return the measurement of an epoch, which was made once before."""
    train()

    def epoch() -> dict[str, float]:
        started = time.perf_counter()
        train()
        return {"seconds": time.perf_counter() - started}

    return epoch
