"""The pictures: a folder of JPEG files with a subfolder for each class, and its size."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Sizes:
    """How many pictures there are, and how large.

    Attributes:
        pictures: The number of files.
        side: The height and the width of the files and of the network's inputs.
        classes: The number of classes.
        batch_size: The pictures of a batch.
    """

    pictures: int = 2_000
    side: int = 64
    classes: int = 4
    batch_size: int = 50

    @property
    def steps(self) -> int:
        """The steps of an epoch, all of full batches."""
        return self.pictures // self.batch_size


def sizes(quick: bool) -> Sizes:
    """Return the full sizes, or tiny ones."""
    return Sizes(pictures=24, side=16, batch_size=8) if quick else Sizes()


def write_pictures(folder: Path, size: Sizes) -> None:
    """Write the files: noise, with a bright quarter that tells the class."""
    generator = np.random.default_rng(0)
    half = size.side // 2
    for number in range(size.pictures):
        label = number % size.classes
        pixels = generator.integers(0, 128, (size.side, size.side, 3), dtype="uint8")
        row, column = label // 2 * half, label % 2 * half
        pixels[row : row + half, column : column + half] += 96
        target = folder / f"class_{label}"
        target.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(target / f"{number:05}.jpg", quality=90)


def read_pictures(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return all pictures, uint8 `(pictures, side, side, 3)`, and the numbers of their classes."""
    files = sorted(folder.glob("*/*.jpg"))
    pixels = np.stack([np.asarray(Image.open(file)) for file in files])
    return pixels, np.array([int(file.parent.name[-1]) for file in files], "int32")
