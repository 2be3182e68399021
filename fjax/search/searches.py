"""Grid and random search with scikit-learn's interface; all candidates train side by side."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from sklearn import model_selection
from sklearn.model_selection import ParameterGrid, ParameterSampler

from fjax.search.base import Search


@dataclass(eq=False, repr=False)
class GridSearchCV(Search, model_selection.GridSearchCV):
    """scikit-learn's `GridSearchCV` over models of fjax, in one program for each architecture.

    Arguments, attributes and `cv_results_` are scikit-learn's; see `RandomizedSearchCV` for the
    rest.

    Args:
        estimator: As in `RandomizedSearchCV`.
        param_grid: A dict from names of parameters to lists of values, or a list of such dicts.
        scoring: As in `RandomizedSearchCV`, like all that follow.

    Source: scikit-learn's page "GridSearchCV".

    >>> import fjax, numpy as np
    >>> def build_model(n_neurons=3, learning_rate=0.1):
    ...     hidden = fjax.layers.Dense(n_neurons, "tanh")
    ...     model = fjax.Sequential([hidden, fjax.layers.Dense(1)], seed=0)
    ...     model.compile(fjax.optimizers.Adam(learning_rate), "mse")
    ...     return model
    >>> X = np.random.default_rng(0).normal(size=(60, 1))
    >>> regressor = fjax.wrappers.SKLearnRegressor(build_model, epochs=20)
    >>> grid = {"n_neurons": [2, 4], "learning_rate": [0.001, 0.1]}
    >>> search = GridSearchCV(regressor, grid, cv=3).fit(X, X[:, 0])
    >>> search.best_params_["learning_rate"], search.n_architectures_
    (0.1, 1)
    """

    param_grid: Any
    _: KW_ONLY
    n_jobs: Any = None
    pre_dispatch: Any = "2*n_jobs"

    def _parameters(self) -> Iterable[Mapping[str, Any]]:
        return ParameterGrid(self.param_grid)


@dataclass(eq=False, repr=False)
class RandomizedSearchCV(Search, model_selection.RandomizedSearchCV):
    """scikit-learn's `RandomizedSearchCV` over models of fjax, one program for each architecture.

    Candidates and folds are members of one population. Learning rates and other hyperparameters of
    the optimizer, dropout rates, strengths of regularizers, seeds and folds are inputs of a
    program. Networks that differ only in the widths of hidden `Dense` layers are padded to the
    widest. Networks that differ in depth or in kinds of layers are compiled separately. The scores
    are those of the same fits one by one, except for the rounding of sums.

    Args:
        estimator: A `fjax.wrappers.SKLearnClassifier`, `SKLearnRegressor` or `SKLearnTransformer`.
        param_distributions: A dict from names of parameters to lists or distributions of scipy, or
            a list of such dicts. Arguments of a fit, such as `epochs` and `batch_size`, are
            parameters too.
        n_iter: How many candidates are drawn.
        scoring: The name or the function of a scorer; several in a list, tuple or dict.
        n_jobs: Has no effect: there is one process, whose programs use all cores.
        refit: Whether the best candidate is trained on all data; with several scorers, the name of
            the scorer that decides.
        cv: A number of folds, a splitter, or an iterable of (train, test).
        verbose: 1 or more shows a progress bar.
        pre_dispatch: Has no effect.
        random_state: The seed by which the candidates are drawn.
        error_score: The score of a fit whose loss was not finite; "raise" raises an error.
        return_train_score: Whether the rows that were trained on are scored, too.
        at_once: How many members a program has room for; by default 4 on a CPU, 256 elsewhere. A
            smaller number needs less memory.

    Attributes:
        best_estimator_: The best candidate, trained on all data.
        cv_results_: scikit-learn's table; the times are shares of the total time.
        histories_: For each candidate and fold the logs of its training.
        n_architectures_: The number of compiled programs.
        search_time_: The seconds that `fit` took.

    `EarlyStopping`, `ReduceLROnPlateau` and `LearningRateScheduler` among the callbacks of the
    estimator apply to each member separately.

    Source: scikit-learn's page "RandomizedSearchCV".

    >>> import fjax, numpy as np
    >>> from scipy.stats import loguniform
    >>> def build_model(n_neurons=3, learning_rate=0.1):
    ...     hidden = fjax.layers.Dense(n_neurons, "tanh")
    ...     model = fjax.Sequential([hidden, fjax.layers.Dense(1)], seed=0)
    ...     model.compile(fjax.optimizers.Adam(learning_rate), "mse")
    ...     return model
    >>> X = np.linspace(-1, 1, 60)[:, None]
    >>> regressor = fjax.wrappers.SKLearnRegressor(build_model, epochs=20)
    >>> drawn = {"n_neurons": [2, 3, 4], "learning_rate": loguniform(1e-3, 1e-1)}
    >>> search = RandomizedSearchCV(regressor, drawn, n_iter=5, cv=3, random_state=0)
    >>> len(search.fit(X, X[:, 0]).cv_results_["params"]), search.best_estimator_.predict(X).shape
    (5, (60,))
    """

    param_distributions: Any
    _: KW_ONLY
    n_iter: int = 10
    n_jobs: Any = None
    pre_dispatch: Any = "2*n_jobs"
    random_state: Any = None

    def _parameters(self) -> Iterable[Mapping[str, Any]]:
        return ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state
        )
