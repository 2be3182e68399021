"""Successive halving: all candidates are trained for a few epochs, and the best go on."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler
from sklearn.model_selection._search import BaseSearchCV

from fjax.errors import integer_at_least, number_between
from fjax.search.base import Round, Search, quoted_names
from fjax.search.candidates import Candidate
from fjax.wrappers.estimator import Estimator


@dataclass(eq=False, repr=False)
class Halving(Search, BaseSearchCV):
    """The base of the searches by successive halving; see `HalvingRandomSearchCV`."""

    _: KW_ONLY
    factor: Any = 3
    min_epochs: int | None = None
    max_epochs: int | None = None

    def _fit_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if self.max_epochs is None:
            return arguments
        if arguments.get("epochs", self.max_epochs) != self.max_epochs:
            raise ValueError(
                f"`{type(self).__name__}`: `max_epochs={self.max_epochs!r}` and "
                f"`epochs={arguments['epochs']!r}` of `fit` contradict each other: give one of "
                "them."
            )
        return {**arguments, "epochs": self.max_epochs}

    def _sample(self) -> Iterable[Mapping[str, Any]]:
        """Return the parameters of all candidates."""
        raise NotImplementedError

    def _parameters(self) -> Iterable[Mapping[str, Any]]:
        owner, parameters = type(self).__name__, list(self._sample())
        if any("epochs" in values for values in parameters):
            raise ValueError(
                f"`{owner}` increases the `epochs` of its candidates and cannot search over them: "
                "set `min_epochs` and `max_epochs`."
            )
        if len(parameters) < self.factor:
            raise ValueError(
                f"`{owner}`: the best 1/{self.factor} of {len(parameters)} candidates is less than "
                "one candidate: give a smaller `factor` or more candidates, or search with "
                "`RandomizedSearchCV` or `GridSearchCV`, which train all of them to the end."
            )
        return parameters

    def _check_estimator(self) -> Estimator:
        owner = type(self).__name__
        number_between(owner, "factor", self.factor, 1.0, open_low=True)
        for name in ("min_epochs", "max_epochs"):
            if getattr(self, name) is not None:
                integer_at_least(owner, name, getattr(self, name), 1)
        return super()._check_estimator()

    def _round_ends(self, candidates: Sequence[Candidate]) -> list[int]:
        first, last = self.min_epochs or 1, candidates[0].training.epochs
        if first >= last:
            raise ValueError(
                f"`{type(self).__name__}`: the first round must be shorter than the last, and "
                f"`min_epochs` is {first} where the last round ends after {last} epochs: set a "
                "larger `max_epochs`, or more `epochs` of the estimator."
            )
        self.n_resources_ = epochs_of_rounds(len(candidates), self.factor, self.min_epochs, last)
        self.n_iterations_ = len(self.n_resources_)
        return self.n_resources_

    def _best_candidates(self, scored: Round) -> list[int]:
        """Return the numbers of the candidates that go on; one without a score does not."""
        column = self._refit_column([n for n in scored.columns if n.startswith("test_")])
        assert column is not None
        means = scored.columns[column].mean(axis=1)
        self._require_scores(means)
        count = min(math.ceil(len(means) / self.factor), int(np.isfinite(means).sum()) or 1)
        # NaN is sorted last; of equal candidates the first ones go on.
        best = np.argsort(-means, kind="stable")[:count]
        return sorted(scored.candidates[row] for row in best)

    def _refit_column(self, ranked: list[str]) -> str | None:
        if ranked != ["test_score"] and not isinstance(self.refit, str):
            raise ValueError(
                f"`{type(self).__name__}`: with several scorers `refit` must name the scorer that "
                f"decides which candidates go on, {quoted_names(ranked)}, received {self.refit!r}."
            )
        return super()._refit_column(ranked)

    def _tabulate(self, candidates: Sequence[Candidate], rounds: Sequence[Round]) -> None:
        self.n_candidates_ = [len(scored.candidates) for scored in rounds]
        super()._tabulate(candidates, rounds)

    def _extra_columns(self) -> dict[str, np.ndarray]:
        return {
            "iter": np.repeat(np.arange(self.n_iterations_), self.n_candidates_),
            "n_resources": np.repeat(self.n_resources_, self.n_candidates_),
        }


@dataclass(eq=False, repr=False)
class HalvingRandomSearchCV(Halving):
    """Random search by successive halving: few epochs for all candidates, many for the best.

    All candidates are trained in all folds for `min_epochs`. The best 1/`factor` of them continue
    until they have been trained for `factor` times as many epochs, and so on. The last round ends
    after `max_epochs`. Everything else is as in `RandomizedSearchCV`, and a candidate of the last
    round has the score that it has there.

    Args:
        estimator: A `fjax.wrappers.SKLearnClassifier`, `SKLearnRegressor` or `SKLearnTransformer`.
        param_distributions: As in `RandomizedSearchCV`; `epochs` cannot be one of them.
        n_candidates: How many candidates are drawn.
        factor: In each round the best 1/`factor` continue, for `factor` times as many epochs.
        min_epochs: The epochs of the first round; by default the smallest number for which the last
            round begins with fewer than `factor` candidates.
        max_epochs: The epoch after which the last round ends; by default the estimator's `epochs`.
        scoring: The name or the function of a scorer; several in a list, tuple or dict, where
            `refit` names the one that decides which candidates continue.
        refit: Whether the best candidate is trained on all data.
        cv: Folds, a splitter, or an iterable of (train, test).
        verbose: 1 or more shows a progress bar for each round.
        random_state: Draws the candidates.
        error_score: The score of a fit whose loss was not finite; "raise" raises an error.
        return_train_score: Whether the rows that were trained on are scored, too.
        at_once: How many members a program has room for, as in `RandomizedSearchCV`.

    Attributes:
        cv_results_: scikit-learn's table, with a row for each candidate of each round, and the
            columns `iter`, the round, and `n_resources`, the epochs made. Times are those of the
            round.
        best_index_: The row of the best candidate of the last round.
        n_iterations_: The number of rounds.
        n_resources_: The epoch after which each round ended.
        n_candidates_: The number of candidates of each round.
        histories_: For each candidate and fold the logs of its training.

    Callbacks apply to each member, as in `RandomizedSearchCV`. Best weights are restored, and
    averaged weights used, after the last round: earlier rounds score the current weights.

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

    param_distributions: Any
    _: KW_ONLY
    n_candidates: int = 27
    random_state: Any = None

    def _sample(self) -> Iterable[Mapping[str, Any]]:
        count = integer_at_least(type(self).__name__, "n_candidates", self.n_candidates, 1)
        return ParameterSampler(self.param_distributions, count, random_state=self.random_state)


@dataclass(eq=False, repr=False)
class HalvingGridSearchCV(Halving):
    """Grid search by successive halving; see `HalvingRandomSearchCV` for rounds and attributes.

    Args:
        estimator: As in `HalvingRandomSearchCV`.
        param_grid: A dict from names of parameters to lists of values, or a list of such dicts;
            `epochs` cannot be one of the parameters.
        factor: As in `HalvingRandomSearchCV`, like all that follow.

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

    param_grid: Any

    def _sample(self) -> Iterable[Mapping[str, Any]]:
        return ParameterGrid(self.param_grid)


def epochs_of_rounds(candidates: int, factor: float, first: int | None, last: int) -> list[int]:
    """Return the epoch after which each round ends.

    Args:
        candidates: The number of candidates, of which the last round has fewer than `factor`.
        factor: How many times as many epochs each round has as the round before.
        first: The epochs of the first round; None for the number that makes all rounds necessary.
        last: The epochs of the last round.

    >>> epochs_of_rounds(27, 3, None, 30), epochs_of_rounds(27, 3, 4, 30)
    ([1, 3, 9, 30], [4, 30])
    """
    rounds, size = 1, candidates / factor
    while size >= 1:
        rounds, size = rounds + 1, size / factor
    start = max(1, int(last / factor ** (rounds - 1))) if first is None else first
    rising = [start * factor**number for number in range(rounds)]
    epochs = list(dict.fromkeys(int(value) for value in rising if value <= last))
    return [*(epochs[:-1] or epochs), last]
