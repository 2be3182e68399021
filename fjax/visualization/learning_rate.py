"""Which learning rate to begin with: a trial run through all of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fjax.errors import explain_keywords, integer_at_least, number_between
from fjax.models import Model
from fjax.models.learning_rate_range import range_test_of_model
from fjax.visualization.figures import MARK, TRAINING, checked_file, pyplot, tidy, written

# A curve of fewer points says nothing.
FEWEST = 20


@dataclass(frozen=True, eq=False)
class LearningRateSweep:
    """What a sweep of learning rates found; see `find_learning_rate`.

    Attributes:
        learning_rates: The rate of each step, rising by the same factor at each.
        losses: The loss of each step's batch; infinite or NaN where the training exploded.

    >>> rates = np.geomspace(1e-4, 1, 100)
    >>> sweep = LearningRateSweep(rates, np.abs(np.log10(rates) + 1) + 1)
    >>> round(sweep.suggestion, 2)
    0.01
    """

    learning_rates: np.ndarray
    losses: np.ndarray

    @property
    def smoothed(self) -> np.ndarray:
        """The median of the losses around each step, which a single bad batch does not move."""
        half = self._half_window
        losses = np.where(np.isfinite(self.losses), self.losses, np.inf)
        return np.array([
            np.median(losses[max(0, step - half) : step + half + 1]) for step in range(len(losses))
        ])  # fmt: skip

    @property
    def suggestion(self) -> float:
        """The learning rate to begin with: a tenth of the one at which the loss is lowest.

        There the loss is about to turn, and rises soon after: training that goes on for longer
        needs a smaller rate.

        Raises:
            ValueError: The loss did not fall, or is still falling at the end.

        Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, for the sweep.
        """
        smoothed = self.smoothed
        lowest, last = int(np.argmin(smoothed)), len(smoothed) - 1
        low, high = self.learning_rates[[0, -1]]
        # Rates so small that nothing happens differ by their batches alone.
        if not smoothed[lowest] < np.min(smoothed[: self._half_window + 1]):
            raise ValueError(
                f"The loss did not fall at any learning rate from {low:g} to {high:g}, so none can "
                "be suggested: look at `plot()`, and begin at a smaller rate."
            )
        if lowest >= last - self._half_window:
            raise ValueError(
                f"The loss is still falling at the learning rate {high:g}, the last of the sweep: "
                "give a larger `max_learning_rate`."
            )
        return float(self.learning_rates[lowest]) / 10

    @property
    def _half_window(self) -> int:
        return max(1, len(self.losses) // 40)

    def plot(self, to_file: Any = None) -> Any:
        """Draw the losses by learning rate, and return the matplotlib figure.

        Args:
            to_file: Also write the figure into this file: .png, .svg or .pdf.

        Raises:
            ImportError: matplotlib is missing.
        """
        owner = "LearningRateSweep.plot"
        file = checked_file(owner, to_file)
        figure, axes = pyplot(owner).subplots(figsize=(6.4, 4.0), layout="constrained")
        smoothed = self.smoothed
        rates = self.learning_rates
        axes.plot(rates, self.losses, color=TRAINING, alpha=0.3, linewidth=0.8, label="batch")
        axes.plot(rates, smoothed, color=TRAINING, linewidth=2, label="median around it")
        try:
            suggestion: float | None = self.suggestion
        except ValueError:
            suggestion = None
        if suggestion is not None:
            label = f"suggestion: {suggestion:.2g}"
            axes.axvline(suggestion, color=MARK, linestyle="--", linewidth=1.4, label=label)
        axes.set_xscale("log")
        axes.set_xlim(rates[0], rates[-1])
        # What explodes would leave the rest of the curve flat.
        low, begin = np.min(smoothed), np.median(smoothed[: len(smoothed) // 4])
        if np.isfinite(low) and np.isfinite(begin) and begin > low:
            axes.set_ylim(low - 0.15 * (begin - low), begin + 0.6 * (begin - low))
        axes.set(xlabel="learning rate", ylabel="loss")
        axes.legend(frameon=False, loc="upper left" if suggestion is None else "best")
        tidy(axes)
        return written(figure, file)


@explain_keywords
def find_learning_rate(
    model: Any,
    x: Any,
    y: Any = None,
    min_learning_rate: float = 1e-5,
    max_learning_rate: float = 10.0,
    steps: int = 500,
    batch_size: int | None = None,
    sample_weight: Any = None,
    class_weight: Any = None,
) -> LearningRateSweep:
    """Try all learning rates in one trial run, and return the loss at each.

    The run makes one step at each rate, from the smallest to the largest, each larger than the one
    before by the same factor. The loss stays, falls, and explodes; a rate somewhat before the
    turning point is a good one. The whole run is one compiled program. The model keeps its weights
    and its optimizer as they are: `fit` afterwards goes as if there had been no sweep. A schedule
    that the optimizer has is set aside.

    Args:
        model: A compiled model; the trial begins with the weights that it has.
        x: The inputs, as in `fit`, or an iterable of batches, which the trial uses up.
        y: The targets.
        min_learning_rate: The first rate.
        max_learning_rate: The last rate.
        steps: How many rates to try; where the data has fewer batches it passes by again.
        batch_size: Samples a step, by default 32: it should be that of the training.
        sample_weight: As in `fit`.
        class_weight: As in `fit`.

    Returns:
        A `LearningRateSweep`, with `learning_rates`, `losses`, a `suggestion` and `plot()`.

    Raises:
        RuntimeError: The model was not compiled.
        TypeError: It is no model, or its optimizer keeps no learning rate in its state.
        ValueError: The data or a number cannot be.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, section 3.3.

    >>> import fjax
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> model = fjax.Sequential([fjax.layers.Dense(1, input_shape=(3,))], seed=0)
    >>> model.compile("sgd", "mse")
    >>> sweep = find_learning_rate(model, x, x.sum(axis=1), steps=100)
    >>> 0.005 < sweep.suggestion < 0.2
    True
    """
    owner = "find_learning_rate"
    if not isinstance(model, Model):
        raise TypeError(
            f"`{owner}` takes a compiled model, received {model!r} of type "
            f"`{type(model).__name__}`. A layer or network becomes one by `fjax.Model(network)`."
        )
    low = number_between(owner, "min_learning_rate", min_learning_rate, 0.0, open_low=True)
    high = number_between(owner, "max_learning_rate", max_learning_rate, low, open_low=True)
    steps = integer_at_least(owner, "steps", steps, FEWEST)
    rates = np.geomspace(low, high, steps)
    losses = range_test_of_model(owner, model, x, y, sample_weight, class_weight, batch_size, rates)
    return LearningRateSweep(rates, losses)
