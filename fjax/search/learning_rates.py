"""The same training at many learning rates, side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fjax.data.arrays import split
from fjax.data.conversion import to_batch
from fjax.data.streams import is_batches
from fjax.errors import explain_keywords, integer_at_least, one_of
from fjax.models import Model
from fjax.models.arguments import check_batch_size
from fjax.models.membership import concatenate, held_out_batch, membership
from fjax.models.plan import matched_batch
from fjax.population import Member, Population
from fjax.training import Batch, TrainState
from fjax.training.batch import rows
from fjax.wrappers.examples import BATCH_SIZE

OWNER = "sweep_learning_rates"

FIRST, LAST, COUNT = 1e-5, 1.0, 30


@dataclass(frozen=True, eq=False)
class TrainedRates:
    """What `sweep_learning_rates` found; `fjax.visualization.plot_sweep` draws it.

    Attributes:
        learning_rates: The rates.
        histories: For each rate the logs of its training, one value an epoch.
        losses: For each rate the `val_loss` of the last epoch, or the `loss` where nothing was
            validated; NaN where the training diverged.

    >>> TrainedRates(np.array([0.1, 1.0, 10.0]), [], np.array([0.5, 0.2, np.nan])).best
    1.0
    """

    learning_rates: np.ndarray
    histories: list[dict[str, list[Any]]]
    losses: np.ndarray

    @property
    def best(self) -> float:
        """The learning rate whose loss is lowest.

        Raises:
            ValueError: All trainings diverged.
        """
        if np.isnan(self.losses).all():
            raise ValueError(
                f"The training diverged at all {len(self.losses)} learning rates, the smallest of "
                f"them {min(self.learning_rates):g}: sweep smaller ones."
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

    Each training becomes what `fit` makes of the model with that rate: it begins with the weights
    that the model has, and goes through the samples in the same order. The model stays as it is.
    Where `fjax.visualization.find_learning_rate` gives each rate one step, here each has whole
    epochs, and is judged by what it leads to.

    Args:
        model: A compiled model.
        x: The inputs, as in `Model.fit`: arrays.
        y: The targets.
        learning_rates: The rates; by default 30 from 1e-5 to 1, each larger than the one before by
            the same factor.
        epochs: How many epochs to train for.
        batch_size: Samples a step, by default 32.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(x, y)` or `(x, y, sample_weight)` to validate on; wins over a split.
        sample_weight: As in `Model.fit`.
        shuffle: Whether each epoch goes through the samples in another order.
        at_once: How many rates a program has room for; less bounds the memory.

    Raises:
        TypeError: It is no model, it trains by a step of its own, or its optimizer keeps no
            learning rate in its state, or has a schedule for it.
        ValueError: The data or a number cannot be.

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
    rates = _checked_rates(learning_rates)
    epochs = integer_at_least(OWNER, "epochs", epochs, 1)
    size = check_batch_size(OWNER, batch_size) or BATCH_SIZE
    one_of(OWNER, "shuffle", shuffle, [True, False])
    if is_batches(x):
        raise ValueError(f"`{OWNER}` needs arrays, through which all rates go; `x` gives batches.")
    model.model_parts.require_config(OWNER)
    data, held_out = split(
        OWNER,
        matched_batch(model, to_batch(x, y, sample_weight, text=True)),
        0.0 if validation_data is not None else validation_split,
    )
    if validation_data is not None:
        held_out = held_out_batch(OWNER, model, validation_data)
    population = _population(model, data, held_out, rates, size, shuffle, at_once)
    population.train(epochs)
    population.end()
    judged = "loss" if held_out is None else "val_loss"
    losses = np.array([logs[judged][-1] for logs in population.history])
    losses[[not np.isfinite(loss) for loss in losses]] = np.nan
    losses[list(population.failed)] = np.nan
    return TrainedRates(rates, population.history, losses)


def _checked_rates(given: Any) -> np.ndarray:
    if given is None:
        return np.geomspace(FIRST, LAST, COUNT)
    try:
        rates = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        rates = np.zeros(0)
    if rates.ndim != 1 or not len(rates) or not np.isfinite(rates).all() or (rates <= 0).any():
        raise ValueError(
            f"`{OWNER}`: `learning_rates` must be a list of positive numbers, received {given!r}."
        )
    return rates


def _population(
    model: Model,
    data: Batch,
    held_out: Batch | None,
    rates: np.ndarray,
    batch_size: int,
    shuffle: bool,
    at_once: int | None,
) -> Population:
    own, first = membership(OWNER, model, data), _first_state(model)
    trained = np.arange(rows(data), dtype=np.int32)
    validated = None
    if held_out is not None:
        validated = np.arange(rows(data), rows(data) + rows(held_out), dtype=np.int32)
        data = concatenate(data, held_out)
    members = [
        Member(
            own.parts,
            own.specs,
            model.model_parts.weights.seed,
            trained,
            validated,
            _at_rate(first, rate),
        )
        for rate in rates
    ]
    return Population(
        members, data, own.metrics, own.sums, batch_size, shuffle, at_once,
        directions=own.directions,
    )  # fmt: skip


def _first_state(model: Model) -> TrainState:
    held: TrainState = model.train_state
    rate = getattr(model.model_parts.require_config(OWNER).optimizer, "learning_rate", None)
    if callable(rate):
        raise TypeError(
            f"`{OWNER}`: the learning rate of {model.name!r} follows the schedule {rate!r}: "
            "compile with a number in its place."
        )
    if not hasattr(held.opt_state, "learning_rate"):
        raise TypeError(
            f"`{OWNER}` changes the leaf `learning_rate` of the optimizer's state, and that of "
            f"{model.name!r} has none: use one of `fjax.optimizers`."
        )
    return held


def _at_rate(held: TrainState, rate: float) -> TrainState:
    opt_state: Any = held.opt_state
    return held._replace(opt_state=opt_state._replace(learning_rate=np.float32(rate)))
