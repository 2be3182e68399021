"""Find a learning rate by a trial run that increases it step by step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fjax.errors import explain_keywords, integer_at_least, number_between
from fjax.models import Model
from fjax.models.learning_rate_range import range_test_of_model
from fjax.visualization.figures import MARK, TRAINING, check_file, pyplot, save_figure, style_axes

# A curve of fewer points is too coarse for a suggestion.
MIN_STEPS = 20


@dataclass(frozen=True, eq=False)
class LearningRateSweep:
    """The result of `find_learning_rate`.

    Attributes:
        learning_rates: The rate of each step; each is larger than the one before by the same
            factor.
        losses: The loss of each step's batch; infinite or NaN where the training diverged.

    >>> rates = np.geomspace(1e-4, 1, 100)
    >>> sweep = LearningRateSweep(rates, np.abs(np.log10(rates) + 1) + 1)
    >>> round(sweep.suggestion, 2)
    0.01
    """

    learning_rates: np.ndarray
    losses: np.ndarray

    @property
    def smoothed(self) -> np.ndarray:
        """The median of the losses around each step, which a single bad batch does not change."""
        half = self._half_window
        losses = np.where(np.isfinite(self.losses), self.losses, np.inf)
        return np.array([
            np.median(losses[max(0, step - half) : step + half + 1]) for step in range(len(losses))
        ])  # fmt: skip

    @property
    def suggestion(self) -> float:
        """The suggested learning rate: a tenth of the one at which the loss is lowest.

        The loss rises soon after its minimum: a longer training needs a smaller rate.

        Raises:
            ValueError: The loss did not fall, or is still falling at the last rate.

        Source: Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, for the sweep.
        """
        smoothed = self.smoothed
        lowest, last = int(np.argmin(smoothed)), len(smoothed) - 1
        low, high = self.learning_rates[[0, -1]]
        # The first losses, whose rates are too small to train, differ only by their batches.
        if not smoothed[lowest] < np.min(smoothed[: self._half_window + 1]):
            raise ValueError(
                f"The loss did not fall at any learning rate from {low:g} to {high:g}, so there is "
                "no suggestion: look at `plot()`, and give a smaller `min_learning_rate`."
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
            to_file: Also save the figure in this file: .png, .svg or .pdf.

        Raises:
            ImportError: matplotlib is missing.
        """
        owner = "LearningRateSweep.plot"
        file = check_file(owner, to_file)
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
        # Leave out the losses of a diverging training, which would make the curve look flat.
        low, start = np.min(smoothed), np.median(smoothed[: len(smoothed) // 4])
        if np.isfinite(low) and np.isfinite(start) and start > low:
            axes.set_ylim(low - 0.15 * (start - low), start + 0.6 * (start - low))
        axes.set(xlabel="learning rate", ylabel="loss")
        axes.legend(frameon=False, loc="upper left" if suggestion is None else "best")
        style_axes(axes)
        return save_figure(figure, file)


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
    """Train for a few steps with an increasing learning rate, and return the loss at each rate.

    The trial run makes one step at each rate, from the smallest to the largest; each rate is larger
    than the one before by the same factor. At first the loss stays the same, then it falls, then it
    diverges; a rate somewhat before the minimum is a good one. The whole run is one compiled
    program. It does not change the model's weights or optimizer: a `fit` afterwards gives the same
    result as without the trial. A learning rate schedule of the optimizer is ignored.

    Args:
        model: A compiled model; the trial begins with its weights.
        x: The inputs, as in `fit`, or an iterable of batches, which the trial consumes.
        y: The targets.
        min_learning_rate: The first rate.
        max_learning_rate: The last rate.
        steps: How many rates to try; data with fewer batches is repeated.
        batch_size: Samples per step, by default 32; use that of the training.
        sample_weight: As in `fit`.
        class_weight: As in `fit`.

    Returns:
        A `LearningRateSweep`, with `learning_rates`, `losses`, a `suggestion` and `plot()`.

    Raises:
        RuntimeError: The model was not compiled.
        TypeError: `model` is not a model, or the state of its optimizer has no learning rate.
        ValueError: The data or another argument is invalid.

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
            f"`{type(model).__name__}`. Make a layer or network one by `fjax.Model(network)`."
        )
    low = number_between(owner, "min_learning_rate", min_learning_rate, 0.0, open_low=True)
    high = number_between(owner, "max_learning_rate", max_learning_rate, low, open_low=True)
    steps = integer_at_least(owner, "steps", steps, MIN_STEPS)
    rates = np.geomspace(low, high, steps)
    losses = range_test_of_model(owner, model, x, y, sample_weight, class_weight, batch_size, rates)
    return LearningRateSweep(rates, losses)
