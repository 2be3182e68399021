"""What all searches have in common: from candidates to `cv_results_` and the best estimator."""

import copy
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils.validation import _num_samples

from fjax.errors import integer_at_least, is_integer
from fjax.models import Model
from fjax.search.candidates import Candidate, candidates_of
from fjax.search.execution import Company, Outcome, Task, companies
from fjax.search.folds import Split, checked_splits
from fjax.search.progress import Progress
from fjax.search.results import table
from fjax.search.scores import Scorer, fitted_with, scored
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples, checked_weight


class Round(NamedTuple):
    """Candidates that were scored together.

    Attributes:
        candidates: Their places among all.
        epochs: How many epochs they had been trained for.
        columns: For each quantity a row for each of them and a column for each fold.
    """

    candidates: list[int]
    epochs: int
    columns: dict[str, np.ndarray]


class Scoring(NamedTuple):
    """What scores are made of.

    Attributes:
        whole: All data, checked.
        X: The inputs.
        y: The targets.
        splits: The rows of each fold.
        scorer: Returns a number, or a dict of them.
        weight: What each row counts in a score; None where all count the same.
    """

    whole: Examples
    X: Any
    y: Any
    splits: list[Split]
    scorer: Scorer
    weight: np.ndarray | None


class Search:
    """Base of the searches, beside a class of scikit-learn; see `RandomizedSearchCV`."""

    estimator: Any
    scoring: Any
    refit: Any
    cv: Any
    verbose: Any
    error_score: Any
    return_train_score: bool
    at_once: int | None

    def fit(self, X: Any, y: Any = None, **arguments: Any) -> Self:
        """Train and score all candidates in all folds, and the best one on all data.

        Args:
            X: The inputs.
            y: The targets.
            arguments: `sample_weight`, one number for each row; `groups`, for the splitter; and
                arguments of `Model.fit`, as `epochs`, which win over the estimator's.

        Raises:
            TypeError: The estimator is none of `fjax.wrappers`.
            ValueError: A parameter is not known, a fold cannot be made, or no fit succeeded.
        """
        begun = time.perf_counter()
        owner = type(self).__name__
        estimator = clone(self._checked())
        arguments = self._arguments_of_fit(arguments)
        groups, weight = arguments.pop("groups", None), arguments.pop("sample_weight", None)
        X, y, groups = indexable(X, y, groups)
        raises = self.error_score == "raise"
        scorer = check_scoring(estimator, scoring=self.scoring, raise_exc=raises)
        if hasattr(scorer, "_scorers"):
            # Of a function that returns several the names are known by what it returned.
            self.multimetric_ = True
            self._refit_by([f"test_{name}" for name in scorer._scorers])
        splits = self._splits(estimator, X, y, groups)
        examples = estimator.prepare(X, y)
        weight = checked_weight(weight, len(examples.x))
        candidates = candidates_of(owner, estimator, list(self._candidates()), examples, arguments)
        task = Task(owner, estimator, examples, weight, self.at_once)
        everything = np.arange(len(examples.x))
        found = companies(task, candidates, [*splits, (everything, everything)])
        with Progress(owner, bool(self.verbose)) as progress:
            counts = weight if weight is not None and self._weighs_scores() else None
            scoring = Scoring(examples, X, y, splits, scorer, counts)
            rounds = self._rounds(candidates, found, scoring, progress)
        self.n_architectures_ = sum(own.population.architectures for own in found)
        self.n_splits_ = len(splits)
        self._tabulate(candidates, rounds)
        if self.refit:
            refitting = time.perf_counter()
            best = candidates[self._places[self.best_index_]]
            self.best_estimator_ = _company_of(best, found).refitted(best)
            self.refit_time_ = time.perf_counter() - refitting
            if hasattr(estimator, "feature_names_in_"):
                self.feature_names_in_ = estimator.feature_names_in_
        self.scorer_ = getattr(scorer, "_scorers", scorer)
        self.search_time_ = time.perf_counter() - begun
        return self

    def _arguments_of_fit(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of `Model.fit`, of those that `fit` was given."""
        return given

    def _candidates(self) -> Iterable[Mapping[str, Any]]:
        """Return the parameters of all candidates."""
        raise NotImplementedError

    def _rounds(
        self,
        candidates: Sequence[Candidate],
        found: Sequence[Company],
        scoring: Scoring,
        progress: Progress,
    ) -> list[Round]:
        """Train the candidates, and return how they were scored."""
        begun = time.perf_counter()
        progress.begin(sum(own.epochs for own in found), len(candidates), len(scoring.splits))
        for company in found:
            company.train(company.epochs, progress.made)
            company.population.end()
        outcomes = self._outcomes(candidates, found, time.perf_counter() - begun)
        self.histories_ = [[one.history for one in own] for own in outcomes]
        places = list(range(len(candidates)))
        columns = self._columns(candidates, outcomes, scoring)
        return [Round(places, max(own.epochs for own in found), columns)]

    def _outcomes(
        self, candidates: Sequence[Candidate], found: Sequence[Company], seconds: float
    ) -> list[list[Outcome]]:
        """Return what became of each candidate in each fold."""
        by_candidate: dict[int, list[Outcome]] = {}
        wanted = {id(candidate) for candidate in candidates}
        for company in found:
            asked = [one for one in company.candidates if id(one) in wanted]
            share = seconds * len(asked) / len(candidates)
            own = company.outcomes(asked, share, self.return_train_score) if asked else []
            pairs = zip(asked, own, strict=True)
            by_candidate |= {id(candidate): outcome for candidate, outcome in pairs}
        return [by_candidate[id(candidate)] for candidate in candidates]

    def _columns(
        self,
        candidates: Sequence[Candidate],
        outcomes: Sequence[Sequence[Outcome]],
        scoring: Scoring,
    ) -> dict[str, np.ndarray]:
        """Return times and scores, a row for each candidate and a column for each fold."""
        rows = [
            [
                self._scores(candidate, outcome, split, scoring)
                for outcome, split in zip(own, scoring.splits, strict=True)
            ]
            for candidate, own in zip(candidates, outcomes, strict=True)
        ]
        self._tell_failures(outcomes)
        # The names of the scores are known by a fit and a scorer that went well.
        names = max((list(one) for row in rows for one in row), key=len)
        if not any(name.startswith("test_") for name in names):
            parts = ("test", "train") if self.return_train_score else ("test",)
            names += [f"{part}_score" for part in parts]
        return {
            name: np.array(
                [[one.get(name, self.error_score) for one in row] for row in rows], float
            )
            for name in names
        }

    def _scores(
        self, candidate: Candidate, outcome: Outcome, split: Split, scoring: Scoring
    ) -> dict[str, float]:
        begun = time.perf_counter()
        parts = [("test", split[1], outcome.outputs)]
        if outcome.train_outputs is not None:
            parts.append(("train", split[0], outcome.train_outputs))
        found: dict[str, float] = {"fit_time": outcome.seconds, "score_time": 0.0}
        for part, rows, outputs in parts:
            own = self._score(candidate, outcome, rows, outputs, scoring)
            found |= {f"{part}_{name}": value for name, value in own.items()}
        found["score_time"] = time.perf_counter() - begun
        return found

    def _score(
        self,
        candidate: Candidate,
        outcome: Outcome,
        rows: np.ndarray,
        outputs: Any,
        scoring: Scoring,
    ) -> dict[str, float]:
        if outcome.failed is not None:
            return {}
        fitted = fitted_with(
            candidate.estimator, scoring.whole, rows, outputs, outcome.history,
            candidate.model, lambda: _trained(candidate, outcome),
        )  # fmt: skip
        given = scoring.X, scoring.y, scoring.weight
        X, y, weight = (None if own is None else _safe_indexing(own, rows) for own in given)
        return scored(scoring.scorer, fitted, X, y, weight, self.error_score)

    def _tell_failures(self, outcomes: Sequence[Sequence[Outcome]]) -> None:
        failed = [one.failed for own in outcomes for one in own if one.failed is not None]
        count = sum(map(len, outcomes))
        if not failed:
            return
        what = (
            f"{len(failed)} of {count} fits failed: their loss was not finite, first after epoch "
            f"{min(failed) + 1}."
        )
        if len(failed) == count or self.error_score == "raise":
            raise ValueError(f"`{type(self).__name__}`: {what} Lower the learning rates.")
        warnings.warn(
            f"{what} They are scored as {self.error_score!r}; the others are untouched by it.",
            FitFailedWarning,
            stacklevel=5,
        )

    def _tabulate(self, candidates: Sequence[Candidate], rounds: Sequence[Round]) -> None:
        """Set `cv_results_` and what is best."""
        self._places = [place for own in rounds for place in own.candidates]
        columns = {
            name: np.concatenate([own.columns[name] for own in rounds])
            for name in rounds[0].columns
        }
        ranked = [name for name in columns if name.startswith("test_")]
        parameters = [candidates[place].parameters for place in self._places]
        self.cv_results_ = table(parameters, columns, ranked, self._further(rounds))
        self.multimetric_ = ranked != ["test_score"]
        by = self._refit_by(ranked)
        if by is None:
            return
        if callable(self.refit):
            self.best_index_ = self._chosen(self.refit(self.cv_results_))
        else:
            self.best_index_ = self._best_index(rounds, self.cv_results_[f"mean_{by}"])
            self.best_score_ = float(self.cv_results_[f"mean_{by}"][self.best_index_])
        self.best_params_ = self.cv_results_["params"][self.best_index_]

    def _further(self, rounds: Sequence[Round]) -> dict[str, np.ndarray]:
        """Return further columns of the results."""
        return {}

    def _best_index(self, rounds: Sequence[Round], means: np.ndarray) -> int:
        """Return the place of the best candidate in the results."""
        self._require_scores(means)
        return int(np.nanargmax(means))

    def _require_scores(self, means: np.ndarray) -> None:
        if np.isnan(means).all():
            raise ValueError(
                f"`{type(self).__name__}`: no candidate has a score, since none was trained and "
                "scored in all folds: see the warnings above. Lower the learning rates, mend the "
                "scorer, or give a number as `error_score`."
            )

    def _refit_by(self, ranked: list[str]) -> str | None:
        """Return the score that the best candidate has most of; None where nothing is best."""
        if not self.multimetric_:
            return "test_score"
        if self.refit is False:
            return None
        if callable(self.refit):
            return ranked[0]
        if f"test_{self.refit}" not in ranked:
            known = ", ".join(repr(name.removeprefix("test_")) for name in ranked)
            raise ValueError(
                f"`{type(self).__name__}`: with several scorers `refit` must name the one that "
                f"decides, {known}, or be False, received {self.refit!r}."
            )
        return f"test_{self.refit}"

    def _chosen(self, place: Any) -> int:
        """Return the place that a user's function chose."""
        count = len(self.cv_results_["params"])
        if is_integer(place) and 0 <= place < count:
            return int(place)
        raise ValueError(
            f"`{type(self).__name__}`: the function `refit` must return the place of a candidate, "
            f"an integer from 0 to {count - 1}, it returned {place!r}."
        )

    def _checked(self) -> Estimator:
        owner, estimator = type(self).__name__, self.estimator
        if not isinstance(estimator, Estimator):
            raise TypeError(
                f"`{owner}` searches over `fjax.wrappers.SKLearnClassifier`, `SKLearnRegressor` or "
                f"`SKLearnTransformer`, received {type(estimator).__name__}: search over any other "
                "estimator, a Pipeline among them, by `sklearn.model_selection`."
            )
        if self.at_once is not None:
            integer_at_least(owner, "at_once", self.at_once, 1)
        if self.error_score != "raise" and not isinstance(self.error_score, int | float):
            raise ValueError(
                f'`{owner}`: `error_score` must be a number or "raise", received '
                f"{self.error_score!r}."
            )
        return estimator

    def _weighs_scores(self) -> bool:
        """Tell whether weights of rows count in the scores; that depends on scikit-learn's age."""
        accept = getattr(self, "_check_scorers_accept_sample_weight", None)
        return accept is not None and accept()

    def _splits(self, estimator: Estimator, X: Any, y: Any, groups: Any) -> list[Split]:
        splitter = check_cv(self.cv, y, classifier=is_classifier(estimator))
        return checked_splits(type(self).__name__, splitter.split(X, y, groups), _num_samples(X))


def _trained(candidate: Candidate, outcome: Outcome) -> Model:
    """Return a model of the candidate's with the weights that it was trained to in one fold."""
    model = copy.copy(candidate.model)
    model.train_state = outcome.train_state()
    return model


def _company_of(candidate: Candidate, found: Sequence[Company]) -> Company:
    return next(own for own in found if any(one is candidate for one in own.candidates))
