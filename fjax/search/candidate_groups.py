"""Groups of candidates: candidates and folds as the members of populations.

Candidates that are trained alike are one population, which is one compiled program for each
architecture.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import FitFailedWarning

from fjax.errors import plain, warn_user
from fjax.models.membership import member_template
from fjax.models.plan import matched_batch
from fjax.population import Member, Population
from fjax.search.candidates import Candidate
from fjax.search.folds import Fold, SearchData, Split, make_folds
from fjax.training import Batch, TrainState
from fjax.wrappers.estimator import Estimator

# The best candidate is trained on all data alone, in a program with so much room a device.
SLOTS_ON_CPU = 4

# Parameters of a fit that are compared by identity.
COMPARED_BY_IDENTITY = ("callbacks", "validation_data", "fit_kwargs")

OnEpoch = Callable[[int, list[dict[str, float]]], Any]


class Outcome(NamedTuple):
    """The outcome of one candidate in one fold.

    Attributes:
        candidate: The candidate.
        fold: The fold.
        outputs: The outputs for the rows to score on.
        train_outputs: The outputs for the rows of the fold to train on, or None.
        history: The logs, with one value for each epoch.
        failed: The epoch whose loss was not finite, from 0; None if all were finite.
        seconds: Its share of the time that training took.
        train_state: Returns the current train state.
    """

    candidate: Candidate
    fold: Fold
    outputs: np.ndarray
    train_outputs: np.ndarray | None
    history: dict[str, list[float]]
    failed: int | None
    seconds: float
    train_state: Callable[[], TrainState]


class CandidateGroup:
    """Candidates that are trained alike, in all folds, and the best one on all data.

    Args:
        search: What the search trains on.
        candidates: The candidates.
        splits: For each fold the rows to train on and to score on; the last fold is all data.

    Attributes:
        candidates: The candidates.
        epochs: One past their last epoch.
        population: The candidates in all folds; the folds of a candidate are side by side.
    """

    def __init__(
        self, search: SearchData, candidates: Sequence[Candidate], splits: Sequence[Split]
    ) -> None:
        first, self.candidates, self._search = candidates[0], candidates, search
        self.epochs = first.training.epochs
        examples, (*self._folds, self._whole) = make_folds(search, splits, first.training)
        targets = first.estimator.targets_for(first.model, examples)
        self._batch = matched_batch(
            first.model, Batch((examples.x,), targets, examples.sample_weight)
        )
        self._templates = {
            candidate.number: member_template(search.owner, candidate.model, self._batch)
            for candidate in candidates
        }
        self.population = self._make_population(
            [self._member(candidate, fold) for candidate in candidates for fold in self._folds]
        )
        # The members of each candidate, one for each fold.
        count = len(self._folds)
        self._members = {
            candidate.number: range(position * count, (position + 1) * count)
            for position, candidate in enumerate(candidates)
        }

    def __contains__(self, number: int) -> bool:
        """Return whether the candidate with this number belongs to the group."""
        return number in self._members

    def train(self, epochs: int, on_epoch: OnEpoch) -> None:
        """Train up to this epoch."""
        self.population.train(min(epochs, self.epochs), on_epoch)

    def deactivate(self, candidates: Collection[int]) -> None:
        """Train the candidates with these numbers no further."""
        members = [self._members[number] for number in candidates if number in self]
        self.population.deactivate(list(chain.from_iterable(members)))

    def outcomes(
        self, candidates: Collection[int], seconds: float, with_train_outputs: bool
    ) -> dict[int, list[Outcome]]:
        """Return the outcomes of some candidates in all folds.

        Args:
            candidates: The numbers of candidates; those of other groups are ignored.
            seconds: The time that the training of one candidate took.
            with_train_outputs: Whether to predict for the rows that were trained on, too.
        """
        tests = self._predict(candidates, [fold.test for fold in self._folds])
        trains = [None] * len(tests)
        if with_train_outputs:
            trains = self._predict(candidates, [fold.train for fold in self._folds])
        return {
            candidate.number: [
                Outcome(
                    candidate=candidate,
                    fold=fold,
                    outputs=tests[member],
                    train_outputs=trains[member],
                    history=self.population.history[member],
                    failed=self._failed_epoch(member, tests[member]),
                    seconds=seconds / len(self._folds),
                    train_state=partial(self.population.train_state, member),
                )
                for fold, member in zip(self._folds, self._members[candidate.number], strict=True)
            ]
            for candidate in self.candidates
            if candidate.number in candidates
        }

    def refit(self, candidate: Candidate) -> Estimator:
        """Return the estimator of a candidate, trained on all data by the programs of the folds."""
        member = self._member(candidate, self._whole)
        like = self.population, self._members[candidate.number][0]
        population = self._make_population([member], like)
        population.train(self.epochs)
        population.end()
        if population.failed:
            parameters = {name: plain(value) for name, value in candidate.parameters.items()}
            warn_user(
                f"`{self._search.owner}`: the best candidate, {parameters}, was trained on all "
                "data, and its loss was not finite after epoch "
                f"{population.failed[0] + 1}: do not use `best_estimator_`, and lower the learning "
                "rates.",
                FitFailedWarning,
            )
        candidate.model.train_state = population.train_state(0)
        history = population.history[0]
        return candidate.estimator.adopt(candidate.model, self._search.examples, history)

    def _failed_epoch(self, member: int, outputs: np.ndarray) -> int | None:
        """Return the epoch after which the loss, or at last the outputs, were not finite."""
        if member in self.population.failed or np.isfinite(outputs).all():
            return self.population.failed.get(member)
        return len(self.population.history[member]["loss"]) - 1

    def _predict(self, candidates: Collection[int], rows: Sequence[np.ndarray]) -> list[Any]:
        """Return the outputs of some candidates for the rows of each fold."""
        no_rows = [np.zeros(0, np.int32)] * len(rows)
        return self.population.predict(
            [
                fold_rows
                for number in self._members
                for fold_rows in (rows if number in candidates else no_rows)
            ]
        )

    def _member(self, candidate: Candidate, fold: Fold) -> Member:
        template = self._templates[candidate.number]
        return template.member(candidate.seed(), fold.rows, fold.validation_rows)

    def _make_population(
        self, members: list[Member], like: tuple[Population, int] | None = None
    ) -> Population:
        first = self.candidates[0]
        training, template = first.training, self._templates[first.number]
        placement = template.placement
        slots = SLOTS_ON_CPU * placement.batch_shards if placement.is_cpu else None
        at_once = self._search.at_once or slots
        return Population(
            members, self._batch, template.measurements, training.batch_size, training.shuffle,
            at_once, training.callbacks, placement=placement, like=like,
        )  # fmt: skip


def group_candidates(
    search: SearchData, candidates: Sequence[Candidate], splits: Sequence[Split]
) -> list[CandidateGroup]:
    """Return the candidates in groups of those that are trained alike."""
    kinds: list[Any] = []
    groups: list[list[Candidate]] = []
    for candidate in candidates:
        kind = _kind(candidate)
        if kind not in kinds:
            kinds.append(kind)
            groups.append([])
        groups[kinds.index(kind)].append(candidate)
    return [CandidateGroup(search, group, splits) for group in groups]


def _kind(candidate: Candidate) -> tuple[Any, ...]:
    """Return what candidates of a group have in common: all but the parts of their models."""
    config = candidate.model.model_parts.require_config("fit")
    # Each candidate has copies of these objects, and arrays cannot be compared: they are alike if
    # the same object was given.
    given = [id(candidate.parameters.get(name)) for name in COMPARED_BY_IDENTITY]
    training = candidate.training._replace(callbacks=[], validation_data=None)
    measured = (type(config.loss), config.metrics, config.weighted_metrics)
    placement = candidate.model.model_parts.placement
    return (given, training, measured, placement, candidate.model.output_shape)
