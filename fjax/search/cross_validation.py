"""k-fold cross-validation of a model; all folds train side by side."""

import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from sklearn.model_selection import check_cv

from fjax.callbacks import History
from fjax.core import Layer
from fjax.data.conversion import is_batches, to_batch
from fjax.errors import explain_keywords, integer_at_least, is_integer, one_of, warn_user
from fjax.models import Model
from fjax.models.arguments import check_batch_size, check_verbose
from fjax.models.membership import member_template
from fjax.models.plan import matched_batch
from fjax.population import Population
from fjax.search.candidates import per_member_callbacks
from fjax.search.folds import Split, check_splits
from fjax.search.progress import Progress
from fjax.training import Batch
from fjax.training.batch import rows
from fjax.typing import PyTree, Splitter
from fjax.wrappers.building import check_compiled, clone_compiled, is_builder
from fjax.wrappers.examples import BATCH_SIZE
from fjax.wrappers.parameters import name_of

OWNER = "cross_validate"


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation:
    """The result of `cross_validate`.

    Attributes:
        history: A `History`. Its `history` has for each log the means over the folds, one for each
            epoch; its `spread` has the standard deviations, which `plot_history` draws as a band.
            A fold that has stopped early counts with its last values.
        scores: For each log one value for each fold, that of its last epoch.
        predictions: The outputs for each row of `x`, from the fold that held it out: the mean if
            several folds did, NaN if none did.
        histories: For each fold its logs, with one value for each epoch.

    A fold whose loss was not finite has NaN among its scores, and makes the means NaN.
    """

    history: History
    scores: dict[str, np.ndarray]
    predictions: Any
    histories: list[dict[str, list[Any]]]

    def __repr__(self) -> str:
        scores = [
            f"{name} {values.mean():.4g} ± {values.std():.2g}"
            for name, values in self.scores.items()
            if name.startswith("val_") and values.ndim == 1
        ]
        return f"{len(self.histories)} folds: {', '.join(scores)}"


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
    """Train a model in every fold, side by side in one program, and score it on the held-out rows.

    Each fold becomes what `fit` makes of a new model with the same seed, trained on the rows of the
    fold, with the held-out rows as `validation_data`. The model that is passed does not change.

    Args:
        model: A compiled model, of which each fold trains a copy with new weights; or a function
            that returns a compiled model.
        x: The inputs, as in `Model.fit`: arrays.
        y: The targets.
        cv: A number of folds; a splitter of scikit-learn, such as `KFold(5, shuffle=True)`; or an
            iterable of pairs (train, test) of row numbers. With a number the rows stay in order,
            and the classes are spread evenly if the loss is a crossentropy.
        epochs: The number of epochs.
        batch_size: The number of samples in a step, by default 32.
        sample_weight: As in `Model.fit`.
        callbacks: `EarlyStopping`, `ReduceLROnPlateau` and `LearningRateScheduler`; each fold has
            its own copies.
        shuffle: Whether each epoch takes the rows of a fold in another order.
        verbose: 0 is silent, anything else shows a progress bar.
        at_once: How many folds a program has room for; a smaller number needs less memory.

    Raises:
        TypeError: The model is not a compiled model, or has its own `train_step`.
        ValueError: The data or a number is not valid, or a fold has no rows.

    Statistics that `adapt` has computed of all data are those of each fold. A model without a seed
    has different weights in each fold.

    Source: Stone, "Cross-Validatory Choice and Assessment of Statistical Predictions", 1974;
    scikit-learn's page "cross_validate".

    >>> import fjax
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> model = fjax.Sequential([fjax.layers.Dense(1)], seed=0)
    >>> model.compile(fjax.optimizers.SGD(0.05), "mse", metrics=["mae"])
    >>> result = cross_validate(model, x, x.sum(axis=1), cv=3, epochs=20, batch_size=10)
    >>> result
    3 folds: val_loss ... ± ..., val_mae ... ± ...
    >>> result.predictions.shape, result.scores["loss"].shape
    ((60, 1), (3,))
    >>> len(result.history.history["val_mae"])
    20
    """
    epochs = integer_at_least(OWNER, "epochs", epochs, 1)
    size = check_batch_size(OWNER, batch_size) or BATCH_SIZE
    one_of(OWNER, "shuffle", shuffle, [True, False])
    shown = bool(check_verbose(OWNER, verbose))
    if is_builder(model) and not isinstance(model, Layer):
        twin = check_compiled(OWNER, name_of(model), model())
    else:
        twin = clone_compiled(OWNER, model)
    if is_batches(x):
        raise ValueError(
            f"`{OWNER}` needs arrays, whose rows it splits into folds, and `x` yields batches."
        )
    data = matched_batch(twin, to_batch(x, y, sample_weight, text=True))
    splits = _make_splits(twin, data, cv)
    template = member_template(OWNER, twin, data)
    members = [template.member(_seed(model, twin), train, test) for train, test in splits]
    population = Population(
        members, data, template.measurements, size, shuffle, at_once,
        per_member_callbacks(OWNER, callbacks), placement=template.placement,
    )  # fmt: skip
    with closing(Progress(OWNER, shown)) as progress:
        progress.begin(epochs, 1, len(splits))
        population.train(epochs, progress.on_epoch)
    population.end()
    _warn_of_failures(population.failed)
    histories = population.history
    held_out = [test for _, test in splits]
    return CrossValidation(
        history=_summary(histories, population.failed),
        scores={name: np.array([logs[name][-1] for logs in histories]) for name in histories[0]},
        predictions=_out_of_fold(population.predict(held_out), held_out, rows(data)),
        histories=histories,
    )


def _seed(model: Any, twin: Model) -> int:
    """Return the seed of one fold; without a seed each fold draws one, as a fit does."""
    models = [twin, model] if isinstance(model, Model) else [twin]
    is_seeded = any(one.model_parts.weights.is_seeded for one in models)
    return twin.model_parts.weights.seed if is_seeded else random.getrandbits(32)


def _make_splits(model: Model, data: Batch, cv: Any) -> list[Split]:
    count = rows(data)
    if is_integer(cv):
        folds = integer_at_least(OWNER, "cv", cv, 2)
        if folds > count:
            raise ValueError(
                f"`{OWNER}`: {count} rows cannot be split into `cv={folds}` folds, since each "
                f"fold holds out at least one row: give at most {count}."
            )
    elif isinstance(cv, str) or not isinstance(cv, Splitter | Iterable):
        raise ValueError(
            f"`{OWNER}`: `cv` must be a number of folds, a splitter of scikit-learn or an iterable "
            f"of pairs (train, test), received {cv!r}."
        )
    elif not isinstance(cv, Splitter):
        return check_splits(OWNER, cv, count)
    targets = data.targets if isinstance(data.targets, np.ndarray) else None
    loss = model.loss if isinstance(model.loss, str) else type(model.loss).__name__
    classifies = targets is not None and "crossentropy" in loss.lower()
    splitter = check_cv(cv, targets, classifier=classifies)
    return check_splits(OWNER, splitter.split(np.zeros(count), targets), count)


def _warn_of_failures(failed: Mapping[int, int]) -> None:
    if failed:
        folds = ", ".join(f"fold {fold + 1} (epoch {failed[fold] + 1})" for fold in sorted(failed))
        warn_user(
            f"`{OWNER}`: the loss was not finite in {folds}: lower the learning rate.",
            RuntimeWarning,
        )


def _summary(histories: Sequence[Mapping[str, list[Any]]], failed: Mapping[int, int]) -> History:
    """Return the means and standard deviations over the folds as a history."""
    epochs = max(len(logs["loss"]) for logs in histories)
    summary = History()
    summary.epoch = list(range(epochs))
    for name in histories[0]:
        table = np.array([
            _extend(logs[name], epochs, fold in failed) for fold, logs in enumerate(histories)
        ])  # fmt: skip
        # A fold that has diverged may have infinite values.
        with np.errstate(invalid="ignore"):
            summary.history[name] = list(table.mean(axis=0))
            summary.spread[name] = list(table.std(axis=0))
    summary.replicas = [dict(logs) for logs in histories]
    return summary


def _extend(values: list[Any], epochs: int, has_failed: bool) -> list[Any]:
    """Return one value for each epoch: the last value, or NaN, for those after the end."""
    last = values[-1] * np.nan if has_failed else values[-1]
    return [*values, *[last] * (epochs - len(values))]


def _out_of_fold(outputs: Sequence[PyTree], held_out: Sequence[np.ndarray], count: int) -> PyTree:
    """Return the outputs of all folds in the order of the rows."""
    times = np.zeros(count)
    for index in held_out:
        np.add.at(times, index, 1)

    def average(*folds: np.ndarray) -> np.ndarray:
        dtype = np.result_type(folds[0].dtype, np.float16)
        total = np.zeros((count, *folds[0].shape[1:]), dtype)
        for index, fold in zip(held_out, folds, strict=True):
            np.add.at(total, index, fold)
        shape = (count, *[1] * (total.ndim - 1))
        total[times == 0] = np.nan
        return (total / np.maximum(times, 1).reshape(shape)).astype(dtype)

    return jax.tree.map(average, *outputs)
