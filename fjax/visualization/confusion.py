"""Which classes are taken for which."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords, one_of
from fjax.visualization.figures import checked_file, pyplot, written
from fjax.visualization.labels import checked_names, classes_of

# Beyond these, the numbers in the cells and the names beside them cannot be read.
MOST_NUMBERS, MOST_NAMES = 25, 60

# What never happened is not to catch the eye.
ZERO = "#b8c4d2"


@explain_keywords
def plot_confusion_matrix(
    y_true: Any,
    y_pred: Any,
    class_names: Any = None,
    normalize: str | None = None,
    to_file: Any = None,
) -> Any:
    """Draw how often each class was taken for each: a row for each true class.

    Args:
        y_true: The true classes: numbers from 0, of shape (n,) or (n, 1), or one-hot.
        y_pred: What was predicted, likewise, or as a model's outputs: probabilities of shape
            (n, classes), or of shape (n, 1) or (n,) for class 1 of two.
        class_names: A name for each class, by default its number.
        normalize: "true" divides each row by its sum, so that the diagonal is the recall; "pred"
            each column, and it is the precision; "all" divides by the number of samples.
        to_file: Also write the figure into this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: The labels are of different number, or no classes.

    Source: scikit-learn's page "confusion_matrix", for `normalize`.

    >>> figure = plot_confusion_matrix([0, 1, 1], [[0.9], [0.8], [0.2]], ["ham", "spam"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0', '1', '1', '1']
    """
    owner = "plot_confusion_matrix"
    file = checked_file(owner, to_file)
    one_of(owner, "normalize", normalize, [None, "true", "pred", "all"])
    true, predicted = classes_of(owner, "y_true", y_true), classes_of(owner, "y_pred", y_pred)
    if len(true) != len(predicted):
        raise ValueError(
            f"`{owner}`: `y_true` has {len(true)} samples and `y_pred` {len(predicted)}."
        )
    names = checked_names(owner, class_names, int(max(true.max(), predicted.max())) + 1)
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (true, predicted), 1)
    shares = _shares(counts, normalize)

    size = min(3.0 + 0.5 * len(names), 14.0)
    figure, axes = pyplot(owner).subplots(figsize=(size + 1.2, size), layout="compressed")
    top = max(shares.max(), 1e-9) if normalize in (None, "all") else 1.0
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=top)
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03, label=_meaning(normalize))
    if normalize is None:
        bar.ax.yaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="predicted", ylabel="true")
    _name_ticks(axes, names)
    if len(names) <= MOST_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            share = shares[row, column]
            text = f"{share:.2f}" if normalize and count else str(count)
            color = ZERO if not count else "white" if share > 0.6 * top else "#1a202c"
            axes.text(
                column, row, text, ha="center", va="center", color=color,
                fontsize="medium" if len(names) <= 12 else "x-small",
            )  # fmt: skip
    return written(figure, file)


def _shares(counts: np.ndarray, normalize: str | None) -> np.ndarray:
    if normalize is None:
        return counts.astype(float)
    axis = {"true": 1, "pred": 0, "all": None}[normalize]
    # A class that does not occur has a row or column of zeros.
    return counts / np.maximum(counts.sum(axis=axis, keepdims=True), 1)


def _meaning(normalize: str | None) -> str:
    return {
        None: "samples",
        "true": "share of the true class",
        "pred": "share of the predicted class",
        "all": "share of all samples",
    }[normalize]


def _name_ticks(axes: Any, names: list[str]) -> None:
    if len(names) > MOST_NAMES:
        return
    size = "medium" if len(names) <= MOST_NUMBERS else "xx-small"
    ticks = range(len(names))
    axes.set_yticks(ticks, names, fontsize=size)
    slanted = max(map(len, names)) > 3
    axes.set_xticks(
        ticks, names, fontsize=size,
        rotation=45 if slanted else 0, ha="right" if slanted else "center", rotation_mode="anchor",
    )  # fmt: skip
