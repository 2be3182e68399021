"""Candidates and folds as members of populations: trained, predicted with, and trained once more.

Candidates that are trained alike are one population, which is one compiled program for each
architecture.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from sklearn.exceptions import FitFailedWarning

from fjax.models.membership import Membership, membership
from fjax.models.plan import matched_batch
from fjax.population import Member, Population
from fjax.search.candidates import Candidate
from fjax.search.folds import Fold, Folds, Split, folds_of
from fjax.training import Batch, TrainState
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples


class Outcome(NamedTuple):
    """What became of one candidate in one fold.

    Attributes:
        outputs: The outputs for the rows to score on.
        train_outputs: The outputs for the rows of the fold to train on, where they are asked for.
        history: The logs, one value for each epoch.
        failed: The epoch whose loss was not finite, from 0; None where all went well.
        seconds: Its share of the time that training took.
        train_state: Returns the train state as it is now.
    """

    outputs: np.ndarray
    train_outputs: np.ndarray | None
    history: dict[str, list[float]]
    failed: int | None
    seconds: float
    train_state: Callable[[], TrainState]


# The last training, of the best one on all data, fills one of so many places on a CPU.
AT_ONCE = {"cpu": 4}


class Task(NamedTuple):
    """What is searched on.

    Attributes:
        owner: Whom an error names.
        estimator: The estimator, without a candidate's parameters.
        examples: All data, checked.
        sample_weight: The weights, or None.
        at_once: How many members a program has room for; None leaves it to the device.
    """

    owner: str
    estimator: Estimator
    examples: Examples
    sample_weight: np.ndarray | None
    at_once: int | None


# Parameters of a fit that are compared by identity.
OBJECTS = ("callbacks", "validation_data", "fit_kwargs")

# What a population measures of all its members alike.
MEASURED = ("metrics", "weighted_metrics")

OnEpoch = Callable[[int, list[dict[str, float]]], Any]


class Company:
    """Candidates that are trained alike, in all folds, and each once more on all data if asked to.

    Args:
        task: What is searched on.
        candidates: The candidates.
        data: Their data; its last fold is all of it.
    """

    def __init__(self, task: Task, candidates: Sequence[Candidate], data: Folds) -> None:
        self.candidates = list(candidates)
        self.epochs = candidates[0].training.epochs
        self._task, self._data = task, data
        self._batch, self._members = _membership(task, candidates, data)
        self.population = self._population(
            [self._member(own, fold) for own in candidates for fold in data.folds[:-1]]
        )

    def train(self, epochs: int, on_epoch: OnEpoch) -> None:
        """Train on up to this epoch."""
        self.population.train(min(epochs, self.epochs), on_epoch)

    def rest(self, candidates: Sequence[Candidate]) -> None:
        """Train these candidates no further."""
        folds = len(self._data.folds) - 1
        resting = {id(candidate) for candidate in candidates}
        self.population.rest(
            [
                place * folds + fold
                for place, own in enumerate(self.candidates)
                for fold in range(folds)
                if id(own) in resting
            ]
        )

    def outcomes(
        self, candidates: Sequence[Candidate], seconds: float, train_too: bool
    ) -> list[list[Outcome]]:
        """Return for each of these candidates its outcome in each fold.

        Args:
            candidates: The candidates, some or all of its own.
            seconds: What their training took.
            train_too: Whether to predict for the rows that were trained on, too.
        """
        folds = self._data.folds[:-1]
        asked = {id(candidate) for candidate in candidates}
        tests = self._predicted(asked, [fold.test for fold in folds])
        trains = self._predicted(asked, [fold.train for fold in folds]) if train_too else None
        places = {id(own): place * len(folds) for place, own in enumerate(self.candidates)}
        return [
            [
                Outcome(
                    outputs=tests[index],
                    train_outputs=None if trains is None else trains[index],
                    history=self.population.history[index],
                    failed=self._failed(index, tests[index]),
                    seconds=seconds / (len(candidates) * len(folds)),
                    train_state=partial(self.population.train_state, index),
                )
                for index in range(places[id(own)], places[id(own)] + len(folds))
            ]
            for own in candidates
        ]

    def refitted(self, candidate: Candidate) -> Estimator:
        """Return the estimator of a candidate, trained on all data by the programs of the folds."""
        member = self._member(candidate, self._data.folds[-1])
        number = next(n for n, own in enumerate(self.candidates) if own is candidate)
        place = number * (len(self._data.folds) - 1)
        population = self._population([member], (self.population, place))
        population.train(self.epochs)
        population.end()
        if population.failed:
            warnings.warn(
                f"`{self._task.owner}`: the best candidate, {candidate.parameters}, was trained on "
                "all data, and there its loss was not finite after epoch "
                f"{population.failed[0] + 1}: `best_estimator_` is of no use; lower the learning "
                "rates.",
                FitFailedWarning,
                stacklevel=3,
            )
        candidate.model.train_state = population.train_state(0)
        history = population.history[0]
        return candidate.estimator.adopt(candidate.model, self._data.whole, history)

    def _failed(self, index: int, outputs: np.ndarray) -> int | None:
        """Return the epoch that made the loss, or at last the outputs, no finite numbers."""
        if index in self.population.failed or np.isfinite(outputs).all():
            return self.population.failed.get(index)
        return len(self.population.history[index]["loss"]) - 1

    def _predicted(self, asked: set[int], rows: Sequence[np.ndarray]) -> list[Any]:
        nothing = [np.zeros(0, np.int32)] * len(rows)
        return self.population.predict(
            [own for one in self.candidates for own in (rows if id(one) in asked else nothing)]
        )

    def _member(self, candidate: Candidate, fold: Fold) -> Member:
        own = self._members[id(candidate)]
        return Member(own.parts, own.specs, candidate.seed(), fold.rows, fold.validation_rows)

    def _population(
        self, members: list[Member], like: tuple[Population, int] | None = None
    ) -> Population:
        first, training = self._members[id(self.candidates[0])], self.candidates[0].training
        at_once = self._task.at_once or AT_ONCE.get(jax.default_backend())
        return Population(
            members, self._batch, first.metrics, first.sums, training.batch_size,
            training.shuffle, at_once, training.callbacks, first.directions, like=like,
        )  # fmt: skip


def companies(
    task: Task, candidates: Sequence[Candidate], splits: Sequence[Split]
) -> list[Company]:
    """Return the candidates in companies; each knows by `candidates` whom it has."""
    alike: list[list[Candidate]] = []
    for candidate in candidates:
        fitting = (own for own in alike if _are_alike(own[0], candidate))
        company = next(fitting, None)
        if company is None:
            alike.append([candidate])
        else:
            company.append(candidate)
    return [
        Company(
            task,
            own,
            folds_of(
                task.owner,
                task.estimator,
                task.examples,
                task.sample_weight,
                splits,
                own[0].training,
            ),
        )
        for own in alike
    ]


def _are_alike(one: Candidate, other: Candidate) -> bool:
    """Tell whether two candidates differ in nothing but their models' parts."""
    # Each candidate has copies of these, and arrays are not compared: the same object was given.
    if any(one.parameters.get(name) is not other.parameters.get(name) for name in OBJECTS):
        return False
    first, second = (
        own.training._replace(callbacks=[], validation_data=None) for own in (one, other)
    )
    if first != second:
        return False
    compiled = [own.model.model_parts.require_config("fit") for own in (one, other)]
    return (
        type(compiled[0].loss) is type(compiled[1].loss)
        and all(getattr(compiled[0], name) == getattr(compiled[1], name) for name in MEASURED)
        and one.model.output_shape == other.model.output_shape
    )


def _membership(
    task: Task, candidates: Sequence[Candidate], data: Folds
) -> tuple[Batch, dict[int, Membership]]:
    """Return the data as the models take it, and each candidate as a member."""
    model = candidates[0].model
    targets = candidates[0].estimator.targets_for(model, data.examples)
    given = Batch((data.examples.x,), targets, data.examples.sample_weight)
    batch = matched_batch(model, given)
    return batch, {id(own): membership(task.owner, own.model, batch) for own in candidates}
