"""k-fold cross-validation of a model, all folds trained side by side."""

import random
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from sklearn.model_selection import check_cv

from fjax.callbacks import History
from fjax.core import Layer
from fjax.data.conversion import to_batch
from fjax.data.streams import is_batches
from fjax.errors import explain_keywords, integer_at_least, is_integer, one_of
from fjax.models import Model
from fjax.models.arguments import check_batch_size, check_verbose
from fjax.models.membership import membership
from fjax.models.plan import matched_batch
from fjax.population import Member, Population
from fjax.search.candidates import steering
from fjax.search.folds import Split, checked_splits
from fjax.search.progress import Progress
from fjax.training import Batch
from fjax.training.batch import rows
from fjax.typing import PyTree
from fjax.wrappers.building import cloned, compiled_model, is_builder
from fjax.wrappers.examples import BATCH_SIZE
from fjax.wrappers.parameters import name_of

OWNER = "cross_validate"


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation:
    """What `cross_validate` found.

    Attributes:
        history: A `History`: its `history` has for each log the means over the folds, one an epoch,
            and its `spread` the standard deviations, which `plot_history` draws as a band. A fold
            that has stopped early counts as it was last.
        scores: For each log one value a fold, of the fold's last epoch.
        predictions: The outputs for each row of `x` by the fold that held it out; the mean where
            several folds did, NaN where none did.
        histories: For each fold its logs, one value an epoch.

    A fold whose loss was not finite has NaN among its scores, and makes the means NaN.
    """

    history: History
    scores: dict[str, np.ndarray]
    predictions: Any
    histories: list[dict[str, list[Any]]]

    def __repr__(self) -> str:
        measured = [
            f"{name} {values.mean():.4g} ± {values.std():.2g}"
            for name, values in self.scores.items()
            if name.startswith("val_") and values.ndim == 1
        ]
        return f"{len(self.histories)} folds: {', '.join(measured)}"


@explain_keywords
def cross_validate(
    model: Any,
    x: Any,
    y: Any,
    cv: Any = 5,
    *,
    epochs: int = 1,
    batch_size: int | None = None,
    sample_weight: Any = None,
    callbacks: Any = None,
    shuffle: bool = True,
    verbose: Any = 0,
    at_once: int | None = None,
) -> CrossValidation:
    """Train a model in every fold, side by side in one program, and measure it on what is left out.

    Each fold becomes what `fit` makes of a fresh model of the same seed on the fold's rows, with
    the rows that are held out as `validation_data`. The model that is given stays as it is.

    Args:
        model: A compiled model, of which each fold trains a copy with weights that are drawn anew;
            or a function that returns one.
        x: The inputs, as in `Model.fit`: arrays.
        y: The targets.
        cv: A number of folds, in the order of the rows, and with the classes spread evenly where
            the loss is a crossentropy; a splitter of scikit-learn, as `KFold(5, shuffle=True)`; or
            an iterable of pairs (train, test) of numbers of rows.
        epochs: How many epochs to train for.
        batch_size: Samples a step, by default 32.
        sample_weight: As in `Model.fit`.
        callbacks: `EarlyStopping`, `ReduceLROnPlateau` and `LearningRateScheduler`, of which each
            fold has its own.
        shuffle: Whether each epoch goes through a fold's rows in another order.
        verbose: 0 is silent, else there is a progress bar.
        at_once: How many folds a program has room for; less bounds the memory.

    Raises:
        TypeError: There is no compiled model, or it trains by a step of its own.
        ValueError: The data or a number cannot be, or a fold has no rows.

    What an `adapt` has seen of all data, each fold has seen. A model without a seed has other
    weights in each fold.

    Source: Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", 1974;
    scikit-learn's page "cross_validate".

    >>> import fjax
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = fjax.Sequential([fjax.layers.Dense(1)], seed=0)
    >>> model.compile(fjax.optimizers.SGD(0.05), "mse", metrics=["mae"])
    >>> found = cross_validate(model, x, x.sum(axis=1), cv=3, epochs=20, batch_size=10)
    >>> found
    3 folds: val_loss ... ± ..., val_mae ... ± ...
    >>> found.predictions.shape, len(found.history.history["val_mae"]), found.scores["loss"].shape
    ((60, 1), 20, (3,))
    """
    epochs = integer_at_least(OWNER, "epochs", epochs, 1)
    size = check_batch_size(OWNER, batch_size) or BATCH_SIZE
    one_of(OWNER, "shuffle", shuffle, [True, False])
    shown = bool(check_verbose(OWNER, verbose))
    if is_builder(model) and not isinstance(model, Layer):
        twin = compiled_model(OWNER, name_of(model), model())
    else:
        twin = cloned(OWNER, model)
    if is_batches(x):
        raise ValueError(f"`{OWNER}` needs arrays, whose rows it parts; `x` gives batches.")
    data = matched_batch(twin, to_batch(x, y, sample_weight, text=True))
    splits = _splits(twin, data, cv)
    own = membership(OWNER, twin, data)
    members = [
        Member(
            own.parts,
            own.specs,
            _seed(model, twin),
            np.asarray(train, np.int32),
            np.asarray(held_out, np.int32),
        )
        for train, held_out in splits
    ]
    population = Population(
        members, data, own.metrics, own.sums, size, shuffle, at_once, steering(OWNER, callbacks),
        own.directions,
    )  # fmt: skip
    with Progress(OWNER, shown) as progress:
        progress.begin(epochs, 1, len(splits))
        population.train(epochs, progress.made)
    population.end()
    _tell_failures(population.failed)
    histories = population.history
    held_out = [test for _, test in splits]
    return CrossValidation(
        history=_summary(histories, population.failed),
        scores={name: np.array([own[name][-1] for own in histories]) for name in histories[0]},
        predictions=_out_of_fold(population.predict(held_out), held_out, rows(data)),
        histories=histories,
    )


def _seed(model: Any, twin: Model) -> int:
    """Return the seed of one fold; what has none draws one each time, as a fit of its own would."""
    seeded = twin.model_parts.weights.is_seeded or (
        isinstance(model, Model) and model.model_parts.weights.is_seeded
    )
    return twin.model_parts.weights.seed if seeded else random.getrandbits(32)


def _splits(model: Model, data: Batch, cv: Any) -> list[Split]:
    count = rows(data)
    if is_integer(cv):
        folds = integer_at_least(OWNER, "cv", cv, 2)
        if folds > count:
            raise ValueError(
                f"`{OWNER}`: `cv={folds}` folds cannot be made of {count} rows, each holds out one "
                f"at least: give at most {count}."
            )
    elif cv is None or isinstance(cv, str) or not (hasattr(cv, "split") or hasattr(cv, "__iter__")):
        raise ValueError(
            f"`{OWNER}`: `cv` must be a number of folds, a splitter of scikit-learn or an iterable "
            f"of pairs (train, test), received {cv!r}."
        )
    if not is_integer(cv) and not hasattr(cv, "split"):
        return checked_splits(OWNER, cv, count)
    targets = data.targets if isinstance(data.targets, np.ndarray) else None
    splitter = check_cv(cv, targets, classifier=targets is not None and _classifies(model))
    return checked_splits(OWNER, splitter.split(np.zeros(count), targets), count)


def _classifies(model: Model) -> bool:
    loss = model.loss
    name = loss if isinstance(loss, str) else type(loss).__name__
    return "crossentropy" in name.lower()


def _tell_failures(failed: Mapping[int, int]) -> None:
    if failed:
        folds = ", ".join(f"fold {fold + 1} (epoch {failed[fold] + 1})" for fold in sorted(failed))
        warnings.warn(
            f"`{OWNER}`: the loss was not finite in {folds}: lower the learning rate.",
            RuntimeWarning,
            stacklevel=4,
        )


def _summary(histories: Sequence[Mapping[str, list[Any]]], failed: Mapping[int, int]) -> History:
    """Return the means and standard deviations over the folds as a history."""
    epochs = max(len(logs["loss"]) for logs in histories)
    summary = History()
    summary.epoch = list(range(epochs))
    for name in histories[0]:
        whole = np.array([
            _filled(logs[name], epochs, fold in failed) for fold, logs in enumerate(histories)
        ])  # fmt: skip
        # Of a fold that has diverged there may be infinities.
        with np.errstate(invalid="ignore"):
            summary.history[name] = list(whole.mean(axis=0))
            summary.spread[name] = list(whole.std(axis=0))
    summary.replicas = [dict(logs) for logs in histories]
    return summary


def _filled(values: list[Any], epochs: int, has_failed: bool) -> list[Any]:
    """Return one value for each epoch; one that has ended counts as it was last."""
    last = values[-1] * np.nan if has_failed else values[-1]
    return [*values, *[last] * (epochs - len(values))]


def _out_of_fold(outputs: Sequence[PyTree], held_out: Sequence[np.ndarray], count: int) -> PyTree:
    """Return the outputs of all folds in the order of the rows."""
    times = np.zeros(count)
    for index in held_out:
        np.add.at(times, index, 1)

    def join(*folds: np.ndarray) -> np.ndarray:
        dtype = np.result_type(folds[0].dtype, np.float16)
        total = np.zeros((count, *folds[0].shape[1:]), dtype)
        for index, own in zip(held_out, folds, strict=True):
            np.add.at(total, index, own)
        shape = (count, *[1] * (total.ndim - 1))
        total[times == 0] = np.nan
        return (total / np.maximum(times, 1).reshape(shape)).astype(dtype)

    return jax.tree.map(join, *outputs)
