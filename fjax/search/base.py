"""What all searches share: from candidates to `cv_results_` and the best estimator."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import indexable
from sklearn.utils.validation import _num_samples

from fjax.errors import integer_at_least, is_integer, warn_user
from fjax.search.candidate_groups import CandidateGroup, Outcome, group_candidates
from fjax.search.candidates import Candidate, make_candidates
from fjax.search.folds import SearchData, check_splits
from fjax.search.progress import Progress
from fjax.search.results import results_table
from fjax.search.scores import Scoring, scorers_of
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import check_sample_weight


class Round(NamedTuple):
    """Candidates that were scored together.

    Attributes:
        candidates: The numbers of the candidates.
        columns: For each quantity an array of shape (candidates, folds).
    """

    candidates: list[int]
    columns: dict[str, np.ndarray]


@dataclass(eq=False, repr=False)
class Search:
    """The base of the searches, next to a class of scikit-learn; see `RandomizedSearchCV`.

    The fields of a search are its parameters, which scikit-learn reads from the signature of the
    constructor.
    """

    estimator: Any
    _: KW_ONLY
    scoring: Any = None
    refit: Any = True
    cv: Any = None
    verbose: Any = 0
    error_score: Any = np.nan
    return_train_score: bool = False
    at_once: int | None = None

    def fit(self, X: Any, y: Any = None, **arguments: Any) -> Self:
        """Train and score all candidates in all folds, and train the best one on all data.

        Args:
            X: The inputs.
            y: The targets.
            arguments: `sample_weight`, one number for each row; `groups`, for the splitter; and
                arguments of `Model.fit`, such as `epochs`, which override the estimator's.

        Raises:
            TypeError: The estimator is not from `fjax.wrappers`.
            ValueError: A parameter is unknown, a fold cannot be made, or no fit succeeded.
        """
        start = time.perf_counter()
        owner = type(self).__name__
        estimator = clone(self._check_estimator())
        arguments = self._fit_arguments(arguments)
        groups, weight = arguments.pop("groups", None), arguments.pop("sample_weight", None)
        X, y, groups = indexable(X, y, groups)
        raises = self.error_score == "raise"
        scorer = check_scoring(estimator, scoring=self.scoring, raise_exc=raises)
        scorers = scorers_of(scorer)
        if scorers is not None:
            # The names of a function that returns several scores are known after scoring only.
            self._refit_column([f"test_{name}" for name in scorers])
        splitter = check_cv(self.cv, y, classifier=is_classifier(estimator))
        splits = check_splits(owner, splitter.split(X, y, groups), _num_samples(X))
        examples = estimator.prepare(X, y)
        weight = check_sample_weight(weight, len(examples.x))
        candidates = make_candidates(
            owner, estimator, list(self._parameters()), examples, arguments
        )
        data = SearchData(owner, estimator, examples, weight, self.at_once)
        all_rows = np.arange(len(examples.x), dtype=np.int32)
        candidate_groups = group_candidates(data, candidates, [*splits, (all_rows, all_rows)])
        self.n_splits_ = len(splits)
        score_weight = weight if weight is not None and self._weights_scores() else None
        scoring = Scoring(examples, X, y, score_weight, scorer, self.error_score)
        with closing(Progress(owner, bool(self.verbose))) as progress:
            rounds = self._run(candidates, candidate_groups, scoring, progress)
        self.n_architectures_ = sum(group.population.architectures for group in candidate_groups)
        self._tabulate(candidates, rounds)
        if self.refit:
            refit_start = time.perf_counter()
            best = candidates[self._candidate_of_row[self.best_index_]]
            group = next(group for group in candidate_groups if best.number in group)
            self.best_estimator_ = group.refit(best)
            self.refit_time_ = time.perf_counter() - refit_start
            if "feature_names_in_" in vars(estimator):
                self.feature_names_in_ = estimator.feature_names_in_
        self.scorer_ = scorer if scorers is None else scorers
        self.search_time_ = time.perf_counter() - start
        return self

    def _fit_arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `fit` with those that parameters of the search imply."""
        return arguments

    def _parameters(self) -> Iterable[Mapping[str, Any]]:
        """Return the parameters of all candidates."""
        raise NotImplementedError

    def _round_ends(self, candidates: Sequence[Candidate]) -> list[int]:
        """Return the epoch after which each round ends."""
        return [max(candidate.training.epochs for candidate in candidates)]

    def _run(
        self,
        candidates: Sequence[Candidate],
        groups: Sequence[CandidateGroup],
        scoring: Scoring,
        progress: Progress,
    ) -> list[Round]:
        """Train and score the candidates: all in the first round, the best in later ones."""
        ends, rounds = self._round_ends(candidates), list[Round]()
        numbers = [candidate.number for candidate in candidates]
        for end in ends:
            start = time.perf_counter()
            training = [group for group in groups if group.population.is_training]
            epochs = sum(min(end, group.epochs) - group.population.epochs for group in training)
            progress.begin(epochs, len(numbers), self.n_splits_)
            for group in training:
                group.train(end, progress.on_epoch)
            if end == ends[-1]:
                for group in groups:
                    group.population.end()
            seconds = (time.perf_counter() - start) / len(numbers)
            outcomes: dict[int, list[Outcome]] = {}
            for group in groups:
                outcomes |= group.outcomes(numbers, seconds, self.return_train_score)
            outcomes = {number: outcomes[number] for number in numbers}
            if not rounds:
                # The lists of the logs grow with the training.
                self.histories_ = [[fold.history for fold in folds] for folds in outcomes.values()]
            rounds.append(Round(numbers, self._columns(outcomes.values(), scoring)))
            if end != ends[-1]:
                numbers = self._best_candidates(rounds[-1])
                for group in groups:
                    group.deactivate(outcomes.keys() - set(numbers))
        return rounds

    def _best_candidates(self, scored: Round) -> list[int]:
        """Return the numbers of the candidates that go on to the next round."""
        raise NotImplementedError

    def _columns(
        self, outcomes: Collection[Sequence[Outcome]], scoring: Scoring
    ) -> dict[str, np.ndarray]:
        """Return times and scores as arrays of shape (candidates, folds)."""
        rows = [[scoring.score(outcome) for outcome in folds] for folds in outcomes]
        self._report_failures(outcomes)
        # A fit that failed has no scores: the names are those of a fit that succeeded.
        names = max((list(scores) for row in rows for scores in row), key=len)
        if not any(name.startswith("test_") for name in names):
            parts = ("test", "train") if self.return_train_score else ("test",)
            names += [f"{part}_score" for part in parts]
        return {
            name: np.array(
                [[scores.get(name, self.error_score) for scores in row] for row in rows], float
            )
            for name in names
        }

    def _report_failures(self, outcomes: Collection[Sequence[Outcome]]) -> None:
        """Warn of fits that failed; raise ValueError if all did, or if `error_score` says so."""
        epochs = [outcome.failed for folds in outcomes for outcome in folds]
        failed = [epoch for epoch in epochs if epoch is not None]
        if not failed:
            return
        message = (
            f"{len(failed)} of {len(epochs)} fits failed: their loss was not finite, first after "
            f"epoch {min(failed) + 1}."
        )
        if len(failed) == len(epochs) or self.error_score == "raise":
            raise ValueError(f"`{type(self).__name__}`: {message} Lower the learning rates.")
        warn_user(
            f"{message} They are scored as {self.error_score!r}; the other fits are not affected.",
            FitFailedWarning,
        )

    def _tabulate(self, candidates: Sequence[Candidate], rounds: Sequence[Round]) -> None:
        """Set `cv_results_` and the attributes of the best candidate."""
        self._candidate_of_row = [number for scored in rounds for number in scored.candidates]
        columns = {
            name: np.concatenate([scored.columns[name] for scored in rounds])
            for name in rounds[0].columns
        }
        ranked = [name for name in columns if name.startswith("test_")]
        parameters = [candidates[number].parameters for number in self._candidate_of_row]
        self.cv_results_ = results_table(parameters, columns, ranked, self._extra_columns())
        column = self._refit_column(ranked)
        if column is None:
            return
        if callable(self.refit):
            self.best_index_ = self._check_best_index(self.refit(self.cv_results_))
        else:
            means = self.cv_results_[f"mean_{column}"]
            first_of_last_round = len(means) - len(rounds[-1].candidates)
            last_means = means[first_of_last_round:]
            self._require_scores(last_means)
            self.best_index_ = first_of_last_round + int(np.nanargmax(last_means))
            self.best_score_ = float(means[self.best_index_])
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _extra_columns(self) -> dict[str, np.ndarray]:
        """Return more columns of the results."""
        return {}

    def _require_scores(self, means: np.ndarray) -> None:
        if np.isnan(means).all():
            raise ValueError(
                f"`{type(self).__name__}`: no candidate has a score, since none was trained and "
                "scored in all folds: see the warnings above. Lower the learning rates, fix the "
                "scorer, or give a number as `error_score`."
            )

    def _refit_column(self, ranked: list[str]) -> str | None:
        """Return the test score that decides which candidate is best; None for no decision."""
        self.multimetric_ = ranked != ["test_score"]
        if not self.multimetric_:
            return "test_score"
        if self.refit is False:
            return None
        if callable(self.refit):
            return ranked[0]
        if f"test_{self.refit}" not in ranked:
            raise ValueError(
                f"`{type(self).__name__}`: with several scorers `refit` must name the scorer that "
                f"decides, {quoted_names(ranked)}, or be False, received {self.refit!r}."
            )
        return f"test_{self.refit}"

    def _check_best_index(self, index: Any) -> int:
        """Return the index that a user's function chose, or raise ValueError."""
        count = len(self.cv_results_["params"])
        if is_integer(index) and 0 <= index < count:
            return int(index)
        raise ValueError(
            f"`{type(self).__name__}`: the function `refit` must return the index of a candidate, "
            f"an integer from 0 to {count - 1}, it returned {index!r}."
        )

    def _check_estimator(self) -> Estimator:
        """Return the estimator if it and the parameters of the search are valid, or raise."""
        owner, estimator = type(self).__name__, self.estimator
        if not isinstance(estimator, Estimator):
            raise TypeError(
                f"`{owner}` searches over `fjax.wrappers.SKLearnClassifier`, `SKLearnRegressor` or "
                f"`SKLearnTransformer`, received {type(estimator).__name__}: search over other "
                "estimators, pipelines among them, with `sklearn.model_selection`."
            )
        if self.at_once is not None:
            integer_at_least(owner, "at_once", self.at_once, 1)
        if self.error_score != "raise" and not isinstance(self.error_score, int | float):
            raise ValueError(
                f'`{owner}`: `error_score` must be a number or "raise", received '
                f"{self.error_score!r}."
            )
        return estimator

    def _weights_scores(self) -> bool:
        """Return whether row weights count in the scores: if the installed scikit-learn does so."""
        accept = getattr(self, "_check_scorers_accept_sample_weight", None)
        return accept is not None and accept()


def quoted_names(ranked: Sequence[str]) -> str:
    """Return the names of test scores, as an error shows them."""
    return ", ".join(repr(name.removeprefix("test_")) for name in ranked)
