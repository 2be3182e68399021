"""What a training leads to, by its learning rate."""

from typing import Any

import numpy as np

from fjax.errors import explain_keywords
from fjax.visualization.figures import MARK, TRAINING, checked_file, pyplot, tidy, written

# Losses further apart than so many times are drawn by a logarithmic axis.
FAR_APART = 30


@explain_keywords
def plot_sweep(sweep: Any, to_file: Any = None) -> Any:
    """Draw the loss that training at each learning rate led to, the best rate marked.

    Rates at which the training diverged are crosses at the top.

    Args:
        sweep: What `fjax.search.sweep_learning_rates` returned.
        to_file: Also write the figure into this file: .png, .svg or .pdf.

    Returns:
        The matplotlib figure.

    Raises:
        ImportError: matplotlib is missing.
        TypeError: It is no such sweep.

    >>> from fjax.search import TrainedRates
    >>> rates = np.geomspace(1e-4, 1, 5)
    >>> figure = plot_sweep(TrainedRates(rates, [], np.array([0.9, 0.8, 0.2, 0.5, np.nan])))
    >>> figure.axes[0].get_xscale(), figure.axes[0].get_legend().get_texts()[0].get_text()
    ('log', 'best: 0.01')
    """
    owner = "plot_sweep"
    if not all(hasattr(sweep, name) for name in ("learning_rates", "losses", "histories")):
        raise TypeError(
            f"`{owner}` takes what `fjax.search.sweep_learning_rates` returned, received "
            f"{type(sweep).__name__}."
        )
    file = checked_file(owner, to_file)
    figure, axes = pyplot(owner).subplots(figsize=(6.4, 4.0), layout="constrained")
    # They may come in any order.
    order = np.argsort(sweep.learning_rates)
    rates, losses = sweep.learning_rates[order], sweep.losses[order]
    diverged = np.isnan(losses)
    axes.plot(
        rates[~diverged], losses[~diverged], color=TRAINING, marker="o", markersize=3.5,
        linewidth=1.6,
    )  # fmt: skip
    axes.set_xscale("log")
    finite = losses[~diverged]
    if len(finite) and finite.min() > 0 and finite.max() > FAR_APART * finite.min():
        axes.set_yscale("log")
    if len(finite):
        axes.plot(
            sweep.best, finite.min(), "*", color=MARK, markersize=14, linestyle="none",
            label=f"best: {sweep.best:.2g}",
        )  # fmt: skip
    if diverged.any():
        axes.plot(
            rates[diverged], np.full(diverged.sum(), 0.97), "x", color=MARK, linestyle="none",
            label="diverged", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    judged = "val_loss" if any("val_loss" in logs for logs in sweep.histories) else "loss"
    axes.set(xlabel="learning rate", ylabel=f"{judged} after the last epoch")
    axes.legend(frameon=False)
    tidy(axes)
    return written(figure, file)
