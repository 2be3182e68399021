"""The loss after training, by learning rate."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords
from fjax.typing import RateSweep
from fjax.visualization.figures import MARK, TRAINING, check_file, pyplot, save_figure, style_axes

# The ratio of the largest to the smallest loss above which the axis is logarithmic.
LOG_SCALE_RATIO = 30


@explain_keywords
def plot_sweep(sweep: Any, to_file: Any = None) -> Any:
    """Draw the loss after training by learning rate, with the best rate marked.

    Crosses at the top mark the rates at which the training diverged.

    Args:
        sweep: The result of `fjax.search.sweep_learning_rates`.
        to_file: Also save the figure in this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: `sweep` is not such a result.

    >>> from fjax.search import TrainedRates
    >>> rates = np.geomspace(1e-4, 1, 5)
    >>> figure = plot_sweep(TrainedRates(rates, [], np.array([0.9, 0.8, 0.2, 0.5, np.nan])))
    >>> figure.axes[0].get_xscale(), figure.axes[0].get_legend().get_texts()[0].get_text()
    ('log', 'best: 0.01')
    """
    owner = "plot_sweep"
    if not isinstance(sweep, RateSweep):
        raise TypeError(
            f"`{owner}` takes the result of `fjax.search.sweep_learning_rates`, received "
            f"{type(sweep).__name__}."
        )
    file = check_file(owner, to_file)
    figure, axes = pyplot(owner).subplots(figsize=(6.4, 4.0), layout="constrained")
    order = np.argsort(sweep.learning_rates)
    rates, losses = sweep.learning_rates[order], sweep.losses[order]
    diverged = np.isnan(losses)
    axes.plot(
        rates[~diverged], losses[~diverged], color=TRAINING, marker="o", markersize=3.5,
        linewidth=1.6,
    )  # fmt: skip
    axes.set_xscale("log")
    finite = losses[~diverged]
    if len(finite) and finite.min() > 0 and finite.max() > LOG_SCALE_RATIO * finite.min():
        axes.set_yscale("log")
    if len(finite):
        best = rates[~diverged][finite.argmin()]
        axes.plot(
            best, finite.min(), "*", color=MARK, markersize=14, linestyle="none",
            label=f"best: {best:.2g}",
        )  # fmt: skip
    if diverged.any():
        axes.plot(
            rates[diverged], np.full(diverged.sum(), 0.97), "x", color=MARK, linestyle="none",
            label="diverged", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    loss = "val_loss" if any("val_loss" in logs for logs in sweep.histories) else "loss"
    axes.set(xlabel="learning rate", ylabel=f"{loss} after the last epoch")
    axes.legend(frameon=False)
    style_axes(axes)
    return save_figure(figure, file)
