"""The confusion matrix of a classifier."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords, one_of
from fjax.visualization.figures import check_file, pyplot, save_figure
from fjax.visualization.labels import check_class_names, read_classes

# With more classes, the numbers in the cells and the names beside them cannot be read.
MAX_CLASSES_WITH_NUMBERS, MAX_CLASSES_WITH_NAMES = 25, 60

# For each value of `normalize` the axis of the sums, and the label of the color bar.
NORMALIZATIONS: dict[str, tuple[int | None, str]] = {
    "true": (1, "share of the true class"),
    "pred": (0, "share of the predicted class"),
    "all": (None, "share of all samples"),
}

# The color of zeros, which should not catch the eye.
ZERO_COLOR = "#b8c4d2"


@explain_keywords
def plot_confusion_matrix(
    y_true: Any,
    y_pred: Any,
    class_names: Any = None,
    normalize: str | None = None,
    to_file: Any = None,
) -> Any:
    """Draw a confusion matrix: a row for each true class, a column for each predicted class.

    Args:
        y_true: The true classes: numbers from 0, of shape (n,) or (n, 1), or one-hot rows.
        y_pred: The predicted classes in the same forms, or the outputs of a model: probabilities
            of shape (n, classes), or the probability of class 1 of two, of shape (n, 1) or (n,).
        class_names: A name for each class, by default its number.
        normalize: "true" divides each row by its sum, so that the diagonal is the recall; "pred"
            divides each column, so that the diagonal is the precision; "all" divides by the number
            of samples.
        to_file: Also save the figure in this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        ValueError: The labels are not classes, or `y_true` and `y_pred` differ in length.

    Source: scikit-learn's page "confusion_matrix", for `normalize`.

    >>> figure = plot_confusion_matrix([0, 1, 1], [[0.9], [0.8], [0.2]], ["ham", "spam"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0', '1', '1', '1']
    """
    owner = "plot_confusion_matrix"
    file = check_file(owner, to_file)
    one_of(owner, "normalize", normalize, [None, *NORMALIZATIONS])
    true, predicted = read_classes(owner, "y_true", y_true), read_classes(owner, "y_pred", y_pred)
    if len(true) != len(predicted):
        raise ValueError(
            f"`{owner}`: `y_true` has {len(true)} samples and `y_pred` {len(predicted)}."
        )
    names = check_class_names(owner, class_names, int(max(true.max(), predicted.max())) + 1)
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (true, predicted), 1)
    values, bar_label = counts.astype(float), "samples"
    if normalize is not None:
        axis, bar_label = NORMALIZATIONS[normalize]
        # The row or column of a class without samples is 0 rather than NaN.
        values /= np.maximum(counts.sum(axis=axis, keepdims=True), 1)

    size = min(3.0 + 0.5 * len(names), 14.0)
    figure, axes = pyplot(owner).subplots(figsize=(size + 1.2, size), layout="compressed")
    top = max(values.max(), 1e-9) if normalize in (None, "all") else 1.0
    image = axes.imshow(values, cmap="Blues", vmin=0, vmax=top)
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03, label=bar_label)
    if normalize is None:
        bar.ax.yaxis.get_major_locator().set_params(integer=True)
    axes.set(xlabel="predicted", ylabel="true")
    _set_ticks(axes, names)
    if len(names) <= MAX_CLASSES_WITH_NUMBERS:
        for (row, column), count in np.ndenumerate(counts):
            value = values[row, column]
            text = f"{value:.2f}" if normalize and count else str(count)
            color = ZERO_COLOR if not count else "white" if value > 0.6 * top else "#1a202c"
            axes.text(
                column, row, text, ha="center", va="center", color=color,
                fontsize="medium" if len(names) <= 12 else "x-small",
            )  # fmt: skip
    return save_figure(figure, file)


def _set_ticks(axes: Any, names: list[str]) -> None:
    if len(names) > MAX_CLASSES_WITH_NAMES:
        return
    size = "medium" if len(names) <= MAX_CLASSES_WITH_NUMBERS else "xx-small"
    ticks = range(len(names))
    axes.set_yticks(ticks, names, fontsize=size)
    rotate = max(map(len, names)) > 3
    axes.set_xticks(
        ticks, names, fontsize=size,
        rotation=45 if rotate else 0, ha="right" if rotate else "center", rotation_mode="anchor",
    )  # fmt: skip
