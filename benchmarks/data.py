"""The data of the jobs; the parent loads it, so that no process of a peer imports fjax."""

import os
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.jobs import Job
from fjax.datasets import california_housing, fashion_mnist, mnist, movie_reviews

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def load(job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs, float32 or of words int32, and the targets.

    These are float32 `(rows, 1)`, the numbers of classes, int32 `(rows,)`, images or words.
    """
    if job.drawn:
        return _drawn(job)
    if SHARED.is_dir():
        os.environ.setdefault("FJAX_DATA", str(SHARED))
    if job.data == "california":
        return _districts(job)
    if job.data == "reviews":
        (texts, labels), _ = movie_reviews.load_data()
        return _numbered(job, texts[: job.rows]), labels[: job.rows, None].astype("float32")
    (x, y), _ = (mnist if job.data == "mnist" else fashion_mnist).load_data()
    x = (x[: job.rows] / 255).astype("float32").reshape(-1, *job.input_shape)
    return x, y[: job.rows].astype("int32")


def _districts(job: Job) -> tuple[np.ndarray, np.ndarray]:
    (x, y), _ = california_housing.load_data()
    known = np.isfinite(x).all(axis=1)
    x, y = x[known], y[known, None] / 100_000
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x[: job.rows].astype("float32"), y[: job.rows].astype("float32")


def _numbered(job: Job, texts: np.ndarray) -> np.ndarray:
    """Return the numbers of the last words: 1 for rare ones, the commonest from 2 on, 0 before."""
    counts = Counter(word for text in texts for word in str(text).split())
    common = counts.most_common(job.vocabulary - 2)
    numbers = {word: number for number, (word, _) in enumerate(common, start=2)}
    (length,) = job.input_shape
    x = np.zeros((len(texts), length), "int32")
    for row, text in zip(x, texts, strict=True):
        words = [numbers.get(word, 1) for word in str(text).split()[-length:]]
        row[length - len(words) :] = words
    return x


def _drawn(job: Job) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    if job.data == "rebuilt":
        x = generator.random((job.rows, *job.input_shape), dtype="float32")
        return x, x
    if job.vocabulary:
        words = generator.integers(job.vocabulary, size=(job.rows, *job.input_shape), dtype="int32")
        if job.data == "translated":
            start, stop = job.features[0]
            return words, words[:, start:stop]
        return words, (words[:, -1:] % 2).astype("float32")
    x = generator.standard_normal((job.rows, *job.input_shape), dtype="float32")
    flat = x.reshape(job.rows, -1)
    scores = flat @ generator.standard_normal((flat.shape[1], job.units[-1]), dtype="float32")
    if job.task.torch_loss == "CrossEntropyLoss":
        return x, scores.argmax(axis=1).astype("int32")
    return x, scores / scores.std() + generator.standard_normal(scores.shape, dtype="float32")
