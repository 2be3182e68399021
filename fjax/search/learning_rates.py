"""The sweep of learning rates: the same training at many rates, side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fjax.data.arrays import Arrays
from fjax.data.source import read
from fjax.errors import explain_keywords, integer_at_least, one_of
from fjax.models import Model
from fjax.models.arguments import check_batch_size
from fjax.models.membership import member_template, training_data
from fjax.population import Population
from fjax.training import TrainState
from fjax.typing import HasLearningRate
from fjax.wrappers.examples import BATCH_SIZE

OWNER = "sweep_learning_rates"

FIRST, LAST, COUNT = 1e-5, 1.0, 30


@dataclass(frozen=True, eq=False)
class TrainedRates:
    """The result of `sweep_learning_rates`; `fjax.visualization.plot_sweep` draws it.

    Attributes:
        learning_rates: The learning rates.
        histories: For each rate the logs of its training, with one value for each epoch.
        losses: For each rate the `val_loss` of the last epoch, or the `loss` without validation;
            NaN if the training diverged.

    >>> TrainedRates(np.array([0.1, 1.0, 10.0]), [], np.array([0.5, 0.2, np.nan])).best
    1.0
    """

    learning_rates: np.ndarray
    histories: list[dict[str, list[Any]]]
    losses: np.ndarray

    @property
    def best(self) -> float:
        """The learning rate with the lowest loss.

        Raises:
            ValueError: All trainings diverged.
        """
        if np.isnan(self.losses).all():
            raise ValueError(
                f"The training diverged at all {len(self.losses)} learning rates, the smallest of "
                f"which is {min(self.learning_rates):g}: try smaller rates."
            )
        return float(self.learning_rates[np.nanargmin(self.losses)])


@explain_keywords
def sweep_learning_rates(
    model: Any,
    x: Any,
    y: Any,
    learning_rates: Any = None,
    *,
    epochs: int = 1,
    batch_size: int | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    sample_weight: Any = None,
    shuffle: bool = True,
    at_once: int | None = None,
) -> TrainedRates:
    """Train the same model at each of many learning rates, all in one program.

    Each training becomes what `fit` makes of the model with that rate: it begins with the current
    weights of the model and takes the samples in the same order. The model does not change.
    `fjax.visualization.find_learning_rate` makes one step at each rate; here each rate has whole
    epochs, and its score is the loss at the end.

    Args:
        model: A compiled model.
        x: The inputs, as in `Model.fit`: arrays.
        y: The targets.
        learning_rates: The learning rates; by default 30 rates from 1e-5 to 1 in equal factors.
        epochs: The number of epochs.
        batch_size: The number of samples in a step, by default 32.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on; overrides the split.
        sample_weight: As in `Model.fit`.
        shuffle: Whether each epoch takes the samples in another order.
        at_once: How many rates a program has room for; a smaller number needs less memory.

    Raises:
        TypeError: The model is not a `Model`, or has its own `train_step`; or its optimizer has no
            learning rate in its state, or a schedule.
        ValueError: The data or a number is not valid.

    Source: Bengio, "Practical Recommendations for Gradient-Based Training of Deep Architectures",
    2012, section 3.1.1, for the rates in equal factors.

    >>> import fjax
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = fjax.Sequential([fjax.layers.Dense(1, input_shape=(3,))], seed=0)
    >>> model.compile("sgd", "mse")
    >>> rates = [0.001, 0.1, 10.0]
    >>> sweep = sweep_learning_rates(model, x, x.sum(axis=1), rates, epochs=5, batch_size=4)
    >>> sweep.best, np.isnan(sweep.losses).tolist()
    (0.1, [False, False, True])
    """
    if not isinstance(model, Model):
        raise TypeError(
            f"`{OWNER}` takes a compiled model, received {model!r} of type "
            f"`{type(model).__name__}`."
        )
    rates = _check_rates(learning_rates)
    epochs = integer_at_least(OWNER, "epochs", epochs, 1)
    size = check_batch_size(OWNER, batch_size) or BATCH_SIZE
    one_of(OWNER, "shuffle", shuffle, [True, False])
    arrays = read(OWNER, x, y, sample_weight)
    if not isinstance(arrays, Arrays):
        raise ValueError(
            f"`{OWNER}` needs arrays, which all rates are trained on, and `x` yields batches."
        )
    model.model_parts.require_config(OWNER)
    data = training_data(OWNER, model, arrays, validation_split, validation_data)
    template, first = member_template(OWNER, model, data.batch), _first_state(model)
    seed = model.model_parts.weights.seed
    members = [
        template.member(seed, data.rows, data.validation_rows, _with_rate(first, rate))
        for rate in rates
    ]
    population = Population(
        members, data.batch, template.measurements, size, shuffle, at_once,
        placement=template.placement,
    )  # fmt: skip
    population.train(epochs)
    population.end()
    score = "loss" if data.validation_rows is None else "val_loss"
    losses = np.array([logs[score][-1] for logs in population.history])
    losses[~np.isfinite(losses)] = np.nan
    losses[list(population.failed)] = np.nan
    return TrainedRates(rates, population.history, losses)


def _check_rates(learning_rates: Any) -> np.ndarray:
    if learning_rates is None:
        return np.geomspace(FIRST, LAST, COUNT)
    try:
        rates = np.asarray(learning_rates, np.float64)
    except (TypeError, ValueError):
        rates = np.zeros(0)
    if rates.ndim != 1 or not len(rates) or not np.isfinite(rates).all() or (rates <= 0).any():
        raise ValueError(
            f"`{OWNER}`: `learning_rates` must be a list of positive numbers, received "
            f"{learning_rates!r}."
        )
    return rates


def _first_state(model: Model) -> TrainState:
    optimizer: Any = model.model_parts.require_config(OWNER).optimizer
    if getattr(optimizer, "has_schedule", False):
        raise TypeError(
            f"`{OWNER}`: the learning rate of {model.name!r} follows the schedule "
            f"{optimizer.schedule!r}: "
            "compile with a number instead."
        )
    state: TrainState = model.train_state
    if not isinstance(state.opt_state, HasLearningRate):
        raise TypeError(
            f"`{OWNER}` changes the leaf `learning_rate` of the optimizer's state, and that of "
            f"{model.name!r} has no such leaf: use one of `fjax.optimizers`."
        )
    return state


def _with_rate(state: TrainState, rate: float) -> TrainState:
    opt_state: Any = state.opt_state
    return state._replace(opt_state=opt_state._replace(learning_rate=np.float32(rate)))
