"""Searches that train all candidates for a little, and only the best of them for long."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.model_selection._search import BaseSearchCV

from fjax.errors import integer_at_least, number_between
from fjax.search.base import Round, Scoring, Search
from fjax.search.candidates import Candidate
from fjax.search.execution import Company
from fjax.search.progress import Progress
from fjax.wrappers.estimator import Estimator


class Halving(Search, BaseSearchCV):
    """Base of the searches by successive halving; see `HalvingRandomSearchCV`."""

    factor: Any
    min_epochs: int | None
    max_epochs: int | None

    def _arguments_of_fit(self, given: dict[str, Any]) -> dict[str, Any]:
        if self.max_epochs is None:
            return given
        if given.get("epochs", self.max_epochs) != self.max_epochs:
            raise ValueError(
                f"`{type(self).__name__}`: `max_epochs={self.max_epochs!r}` and "
                f"`epochs={given['epochs']!r}` of `fit` say the same thing: give one."
            )
        return {**given, "epochs": self.max_epochs}

    def _sampled(self) -> Iterable[Mapping[str, Any]]:
        """Return the parameters of all candidates."""
        raise NotImplementedError

    def _candidates(self) -> Iterable[Mapping[str, Any]]:
        owner, found = type(self).__name__, list(self._sampled())
        if any("epochs" in own for own in found):
            raise ValueError(
                f"`{owner}` gives its candidates more and more `epochs`, so that these are no "
                "parameter to search over: set `min_epochs` and `max_epochs`."
            )
        if len(found) < self.factor:
            raise ValueError(
                f"`{owner}`: of {len(found)} candidates the best of {self.factor} cannot go on, "
                "`factor` is too large or there are too few: search by `RandomizedSearchCV` or "
                "`GridSearchCV`, which train all of them to the end."
            )
        return found

    def _checked(self) -> Estimator:
        owner = type(self).__name__
        number_between(owner, "factor", self.factor, 1.0, open_low=True)
        for name in ("min_epochs", "max_epochs"):
            if getattr(self, name) is not None:
                integer_at_least(owner, name, getattr(self, name), 1)
        if self.min_epochs is not None and self.max_epochs is not None:
            self._check_epochs(self.max_epochs)
        return super()._checked()

    def _check_epochs(self, most: int) -> None:
        least = 1 if self.min_epochs is None else self.min_epochs
        if least >= most:
            raise ValueError(
                f"`{type(self).__name__}`: the first round must be shorter than the last, and "
                f"`min_epochs` is {least} where the last round ends after {most} epochs: train "
                "for longer by `max_epochs`, or by `epochs` of the estimator."
            )

    def _rounds(
        self,
        candidates: Sequence[Candidate],
        found: Sequence[Company],
        scoring: Scoring,
        progress: Progress,
    ) -> list[Round]:
        most = candidates[0].training.epochs
        self._check_epochs(most)
        named = getattr(scoring.scorer, "_scorers", None)
        if named is not None:
            self._deciding([f"test_{name}" for name in named])
        self.n_resources_ = epochs_of_rounds(len(candidates), self.factor, self.min_epochs, most)
        self.n_iterations_ = len(self.n_resources_)
        places, rounds, made = list(range(len(candidates))), list[Round](), 0
        for epochs in self.n_resources_:
            own, begun = [candidates[place] for place in places], time.perf_counter()
            busy = [company for company in found if company.population.is_training]
            progress.begin((epochs - made) * len(busy), len(own), len(scoring.splits))
            for company in busy:
                company.train(epochs, progress.made)
            if epochs == most:
                for company in found:
                    company.population.end()
            outcomes = self._outcomes(own, found, time.perf_counter() - begun)
            if not rounds:
                # They grow with the training.
                self.histories_ = [[one.history for one in row] for row in outcomes]
            rounds.append(Round(places, epochs, self._columns(own, outcomes, scoring)))
            if epochs < most:
                kept = self._best_of(rounds[-1])
                for company in found:
                    company.rest([candidates[place] for place in places if place not in kept])
                places, made = kept, epochs
        self.n_candidates_ = [len(own.candidates) for own in rounds]
        return rounds

    def _best_of(self, own: Round) -> list[int]:
        """Return the places of the candidates that go on; one without a score does not."""
        by = self._deciding([name for name in own.columns if name.startswith("test_")])
        means = own.columns[by].mean(axis=1)
        self._require_scores(means)
        count = min(math.ceil(len(means) / self.factor), int(np.isfinite(means).sum()) or 1)
        # NaN is sorted behind all numbers; of equal candidates the first ones go on.
        best = np.argsort(-means, kind="stable")[:count]
        return sorted(own.candidates[index] for index in best)

    def _deciding(self, ranked: list[str]) -> str:
        """Return the score by which candidates go on."""
        self.multimetric_ = ranked != ["test_score"]
        by = self._refit_by(ranked) if isinstance(self.refit, str) else None
        if not self.multimetric_:
            return "test_score"
        if by is None:
            known = ", ".join(repr(name.removeprefix("test_")) for name in ranked)
            raise ValueError(
                f"`{type(self).__name__}`: with several scorers `refit` must name the one by which "
                f"candidates go on, {known}, received {self.refit!r}."
            )
        return by

    def _best_index(self, rounds: Sequence[Round], means: np.ndarray) -> int:
        """Return the place of the best candidate of the last round."""
        first = len(means) - len(rounds[-1].candidates)
        return first + super()._best_index(rounds, means[first:])

    def _further(self, rounds: Sequence[Round]) -> dict[str, np.ndarray]:
        sizes = [len(own.candidates) for own in rounds]
        return {
            "iter": np.repeat(np.arange(len(rounds)), sizes),
            "n_resources": np.repeat([own.epochs for own in rounds], sizes),
        }


class HalvingRandomSearchCV(Halving):
    """Random search by successive halving: all candidates for a little, the best ones for long.

    All candidates are trained in all folds for `min_epochs`; the best 1/`factor` of them go on from
    where they are until they have made `factor` times as many epochs, and so on; the last round
    ends after `max_epochs`. All else is as of `RandomizedSearchCV`, and a candidate that comes
    through has the score that it has there.

    Args:
        estimator: A `fjax.wrappers.SKLearnClassifier`, `SKLearnRegressor` or `SKLearnTransformer`.
        param_distributions: As of `RandomizedSearchCV`; `epochs` cannot be among them.
        n_candidates: How many candidates are drawn.
        factor: In each round the best 1/`factor` go on, for `factor` times as many epochs.
        min_epochs: The epochs of the first round; by default as many as let the last round begin
            with fewer than `factor` candidates.
        max_epochs: The epochs that the last round ends after; by default the estimator's.
        scoring: A scorer's name or function; of several, in a list, tuple or dict, `refit` names
            the one by which candidates go on.
        refit: Whether the best one is trained on all data.
        cv: Folds, a splitter, or an iterable of (train, test).
        verbose: 1 or more shows a progress bar for each round.
        random_state: Draws the candidates.
        error_score: The score of a fit whose loss was not finite; "raise" raises.
        return_train_score: Whether the rows that were trained on are scored, too.
        at_once: How many members a program has room for, as of `RandomizedSearchCV`.

    Attributes:
        cv_results_: scikit-learn's table, with a row for each candidate of each round, and the
            columns `iter`, the round, and `n_resources`, the epochs made; times are of the round.
        best_index_: The best one of the last round.
        n_iterations_: How many rounds there were.
        n_resources_: The epochs that each round ended after.
        n_candidates_: How many candidates each round had.
        histories_: For each candidate and fold the logs of its training, as long as it went on.

    Callbacks steer each member as in `RandomizedSearchCV`. Best weights are put back and averages
    of weights taken when all is trained: rounds before the last score the weights as they are.

    Source: Jamieson & Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
    Optimization", 2016; scikit-learn's page "HalvingRandomSearchCV".

    >>> import fjax
    >>> from scipy.stats import loguniform
    >>> def build_model(n_neurons=3, learning_rate=0.1):
    ...     hidden = fjax.layers.Dense(n_neurons, "tanh")
    ...     model = fjax.Sequential([hidden, fjax.layers.Dense(1)], seed=0)
    ...     model.compile(fjax.optimizers.Adam(learning_rate), "mse")
    ...     return model
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> regressor = fjax.wrappers.SKLearnRegressor(build_model, epochs=9)
    >>> drawn = {"n_neurons": [2, 3, 4], "learning_rate": loguniform(1e-4, 1)}
    >>> search = HalvingRandomSearchCV(regressor, drawn, n_candidates=9, cv=3, random_state=0)
    >>> search = search.fit(X, X[:, 0])
    >>> search.n_candidates_, search.n_resources_, search.cv_results_["iter"].tolist()
    ([9, 3, 1], [1, 3, 9], [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_candidates: int = 27,
        factor: Any = 3,
        min_epochs: int | None = None,
        max_epochs: int | None = None,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        verbose: Any = 0,
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        at_once: int | None = None,
    ) -> None:
        super().__init__(
            estimator, scoring=scoring, refit=refit, cv=cv, verbose=verbose,
            error_score=error_score, return_train_score=return_train_score,
        )  # fmt: skip
        self.param_distributions = param_distributions
        self.n_candidates = n_candidates
        self.factor, self.min_epochs, self.max_epochs = factor, min_epochs, max_epochs
        self.random_state, self.at_once = random_state, at_once

    def _sampled(self) -> Iterable[Mapping[str, Any]]:
        count = integer_at_least(type(self).__name__, "n_candidates", self.n_candidates, 1)
        return ParameterSampler(self.param_distributions, count, random_state=self.random_state)


class HalvingGridSearchCV(Halving):
    """Grid search by successive halving; rounds, attributes and errors as of the random one.

    Args:
        estimator: As of `HalvingRandomSearchCV`.
        param_grid: A dict of a parameter's name to a list of values, or a list of such dicts;
            `epochs` cannot be among them.
        factor: As of `HalvingRandomSearchCV`, and so on.

    Source: Jamieson & Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter
    Optimization", 2016; scikit-learn's page "HalvingGridSearchCV".

    >>> import fjax
    >>> def build_model(learning_rate=0.1):
    ...     model = fjax.Sequential([fjax.layers.Dense(1)], seed=0)
    ...     model.compile(fjax.optimizers.SGD(learning_rate), "mse")
    ...     return model
    >>> X = np.random.default_rng(0).normal(size=(60, 1))
    >>> regressor = fjax.wrappers.SKLearnRegressor(build_model, epochs=6)
    >>> grid = {"learning_rate": [1e-4, 1e-3, 1e-2, 1e-1]}
    >>> search = HalvingGridSearchCV(regressor, grid, factor=2, cv=3).fit(X, X[:, 0])
    >>> search.best_params_, search.n_candidates_, search.n_resources_
    ({'learning_rate': 0.1}, [4, 2, 1], [1, 2, 6])
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        factor: Any = 3,
        min_epochs: int | None = None,
        max_epochs: int | None = None,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        verbose: Any = 0,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        at_once: int | None = None,
    ) -> None:
        super().__init__(
            estimator, scoring=scoring, refit=refit, cv=cv, verbose=verbose,
            error_score=error_score, return_train_score=return_train_score,
        )  # fmt: skip
        self.param_grid = param_grid
        self.factor, self.min_epochs, self.max_epochs = factor, min_epochs, max_epochs
        self.at_once = at_once

    def _sampled(self) -> Iterable[Mapping[str, Any]]:
        return ParameterGrid(self.param_grid)


def epochs_of_rounds(candidates: int, factor: float, least: int | None, most: int) -> list[int]:
    """Return the epochs that each round ends after.

    Args:
        candidates: How many there are, of which fewer than `factor` shall be in the last round.
        factor: How many times as many epochs each round ends after as the one before.
        least: The epochs of the first round; None for as many as need all rounds.
        most: The epochs that the last round ends after.

    >>> epochs_of_rounds(27, 3, None, 30), epochs_of_rounds(27, 3, 4, 30)
    ([1, 3, 9, 30], [4, 30])
    """
    needed, size = 1, candidates / factor
    while size >= 1:
        needed, size = needed + 1, size / factor
    first = max(1, int(most / factor ** (needed - 1))) if least is None else least
    rising = [first * factor**number for number in range(needed)]
    epochs = list(dict.fromkeys(int(own) for own in rising if own <= most))
    return [*(epochs[:-1] or epochs), most]
