"""Successive halving: which candidates continue, and the table of results."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import KFold, ParameterGrid

import fjax
from fjax.search import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
)
from fjax.search.halving import epochs_of_rounds
from fjax.visualization import plot_search

pytestmark = pytest.mark.sampled(3, whole=True)

random = np.random.default_rng(0)
X = random.normal(size=(60, 3)).astype("float32")
Y = X[:, 0] - X[:, 1] ** 2 + 0.1 * random.normal(size=60).astype("float32")

DISTRIBUTIONS = {"n_neurons": [2, 3, 4], "learning_rate": loguniform(1e-3, 1e-1)}
RATES = {"learning_rate": [1e-4, 1e-3, 1e-2, 5e-2]}


def build_model(n_neurons=3, learning_rate=0.01):
    hidden = fjax.layers.Dense(n_neurons, "tanh")
    model = fjax.Sequential([hidden, fjax.layers.Dropout(0.1), fjax.layers.Dense(1)], seed=0)
    model.compile(fjax.optimizers.Adam(learning_rate), "mse")
    return model


def build_line(learning_rate=0.01):
    model = fjax.Sequential([fjax.layers.Dense(1)], seed=0)
    model.compile(fjax.optimizers.SGD(learning_rate), "mse")
    return model


def regressor(build=build_model, **arguments):
    return fjax.wrappers.SKLearnRegressor(build, **{"epochs": 4, "batch_size": 20} | arguments)


def halving(build=build_line, grid=RATES, **arguments):
    options = {name: arguments.pop(name) for name in ("epochs", "callbacks") if name in arguments}
    return HalvingGridSearchCV(
        regressor(build, **options), grid, **{"factor": 2, "cv": 3} | arguments
    )


@pytest.fixture(scope="module")
def searches():
    """Return a halving search and a whole search over the same six candidates.

    Four members run at once, so that runners are compacted.
    """
    shared = {"cv": 3, "random_state": 0, "at_once": 4, "return_train_score": True}
    halved = HalvingRandomSearchCV(regressor(), DISTRIBUTIONS, n_candidates=6, factor=2, **shared)
    whole = RandomizedSearchCV(regressor(), DISTRIBUTIONS, n_iter=6, **shared)
    return halved.fit(X, Y), whole.fit(X, Y)


def rows_of(search, number):
    return np.flatnonzero(search.cv_results_["iter"] == number)


def test_the_candidates_and_epochs_of_the_rounds(searches):
    halved, _ = searches
    assert halved.n_candidates_ == [6, 3, 2]
    assert halved.n_resources_ == [1, 2, 4]
    assert halved.n_iterations_ == 3
    assert halved.cv_results_["iter"].tolist() == [0] * 6 + [1] * 3 + [2] * 2
    assert halved.cv_results_["n_resources"].tolist() == [1] * 6 + [2] * 3 + [4] * 2


def test_a_candidate_of_the_last_round_has_the_scores_of_a_whole_search(searches):
    halved, whole = searches
    for row in rows_of(halved, 2):
        place = whole.cv_results_["params"].index(halved.cv_results_["params"][row])
        for part in ("split0_test", "split1_test", "split2_test", "mean_train"):
            found, expected = (
                search.cv_results_[f"{part}_score"][at]
                for search, at in ((halved, row), (whole, place))
            )
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        for own, other in zip(halved.histories_[place], whole.histories_[place], strict=True):
            np.testing.assert_allclose(own["loss"], other["loss"], rtol=1e-4)


def test_the_first_round_has_the_scores_of_a_short_search(searches):
    halved, _ = searches
    short = RandomizedSearchCV(
        regressor(epochs=1), DISTRIBUTIONS, n_iter=6, cv=3, random_state=0, at_once=4
    )
    short.fit(X, Y)
    np.testing.assert_allclose(
        halved.cv_results_["mean_test_score"][:6], short.cv_results_["mean_test_score"], rtol=1e-4
    )


def test_the_best_candidates_continue(searches):
    halved, _ = searches
    for number in (0, 1):
        own, after = rows_of(halved, number), rows_of(halved, number + 1)
        best = own[np.argsort(-halved.cv_results_["mean_test_score"][own])][: len(after)]
        params = halved.cv_results_["params"]
        assert sorted(map(str, (params[row] for row in best))) == sorted(
            map(str, (params[row] for row in after))
        )
    epochs = [len(folds[0]["loss"]) for folds in halved.histories_]
    assert sorted(epochs) == [1, 1, 1, 2, 4, 4]
    assert halved.best_index_ in rows_of(halved, 2)
    last = halved.cv_results_["mean_test_score"][rows_of(halved, 2)]
    assert halved.best_score_ == last.max()


def test_the_best_candidate_is_trained_on_all_rows_to_the_end(searches):
    halved, _ = searches
    alone = regressor(**halved.best_params_).fit(X, Y)
    np.testing.assert_allclose(halved.predict(X), alone.predict(X), rtol=1e-4, atol=1e-5)
    assert halved.best_estimator_.n_iter_ == 4


def test_later_rounds_compile_nothing(compilations):
    def count_training_programs(search):
        compilations.clear()
        search.fit(X, Y)
        return sum("advance" in name for name in compilations)

    # Widths that no other test has, so that nothing is compiled yet.
    grid = {"n_neurons": [6, 7], "learning_rate": [1e-3, 1e-2, 5e-2]}
    search = HalvingGridSearchCV(regressor(), grid, cv=3, factor=2, at_once=4, refit=False)
    assert count_training_programs(search) == 1


def test_a_grid_with_several_batch_sizes():
    grid = {"learning_rate": [1e-3, 1e-2], "batch_size": [10, 20]}
    search = halving(grid=grid, max_epochs=3).fit(X, Y)
    whole = GridSearchCV(regressor(build_line, epochs=3), grid, cv=3).fit(X, Y)
    assert search.n_candidates_ == [4, 2] and search.n_resources_ == [1, 3]
    assert [dict(own) for own in search.cv_results_["params"][:4]] == list(ParameterGrid(grid))
    place = whole.cv_results_["params"].index(search.best_params_)
    score = whole.cv_results_["mean_test_score"][place]
    np.testing.assert_allclose(search.best_score_, score, rtol=1e-4)
    assert search.best_estimator_.n_iter_ == 3


def test_early_stopping_applies_to_each_member_through_the_rounds():
    stop = fjax.callbacks.EarlyStopping("loss", min_delta=100.0, patience=1)
    search = halving(callbacks=[stop], epochs=8).fit(X, Y)
    assert search.n_resources_ == [2, 4, 8]
    assert {len(own["loss"]) for row in search.histories_ for own in row} == {2}


def test_a_candidate_that_diverges_does_not_continue():
    grid = {"learning_rate": [1e-2, 1e30, 1e-3, 1e31]}
    with pytest.warns(FitFailedWarning, match="6 of 12 fits failed") as warned:
        search = halving(grid=grid).fit(X, Y)
    assert warned[0].filename == __file__
    assert np.isnan(search.cv_results_["mean_test_score"][[1, 3]]).all()
    assert {own["learning_rate"] for own in search.cv_results_["params"][4:]} == {1e-2, 1e-3}


def test_the_figure_marks_the_best_of_the_last_round(searches):
    # Candidates of earlier rounds may have a better score.
    results = dict(searches[0].cv_results_)
    results["rank_test_score"] = np.arange(len(results["iter"])) + 1
    figure = plot_search(results)
    stars = [
        line for line in figure.axes[0].lines if line.get_marker() == "*" and len(line.get_xdata())
    ]
    first = rows_of(searches[0], 2)[0]
    assert stars[0].get_ydata()[0] == results["mean_test_score"][first]
    plt.close(figure)


def test_several_scorers_and_the_scorer_that_decides():
    scoring = ["r2", "neg_mean_absolute_error"]
    search = halving(scoring=scoring, refit="neg_mean_absolute_error").fit(X, Y)
    means = search.cv_results_["mean_test_neg_mean_absolute_error"]
    last = rows_of(search, search.n_iterations_ - 1)
    assert search.best_index_ == last[np.argmax(means[last])]
    with pytest.raises(ValueError, match="must name the scorer that"):
        halving(scoring=scoring, refit=False).fit(X, Y)


@pytest.mark.parametrize(
    ("candidates", "factor", "first", "last", "expected"),
    [
        (27, 3, None, 30, [1, 3, 9, 30]),
        (27, 3, None, 81, [3, 9, 27, 81]),
        (27, 3, 2, 30, [2, 6, 30]),
        (27, 3, 20, 30, [20, 30]),
        (243, 3, None, 243, [1, 3, 9, 27, 81, 243]),
        (3, 3, None, 2, [1, 2]),
        (9, 1.5, None, 4, [1, 2, 4]),
    ],
)
def test_the_epochs_of_the_rounds(candidates, factor, first, last, expected):
    assert epochs_of_rounds(candidates, factor, first, last) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 1}, r"`factor` must be a number in \(1, inf\), received 1"),
        ({"min_epochs": 5, "max_epochs": 4}, "`min_epochs` is 5 where the last round ends after 4"),
        ({"min_epochs": 4}, "`min_epochs` is 4 where the last round ends after 4"),
        ({"epochs": 1}, "`min_epochs` is 1 where the last round ends after 1"),
        ({"min_epochs": 0}, "`min_epochs` must be an integer of at least 1, received 0"),
        ({"max_epochs": 2.5}, "`max_epochs` must be an integer of at least 1, received 2.5"),
        ({"factor": 5}, "the best 1/5 of 4 candidates is less than one candidate"),
        ({"grid": {"epochs": [1, 2]}}, "increases the `epochs` of its candidates"),
        ({"cv": [([0, 1], [60])]}, "fold 1 has the row 60, and the data has the rows 0 to 59"),
        ({"cv": [([0, 1], [])]}, "fold 1 has 2 rows to train on and 0 held out, of 60"),
        ({"cv": [([0.5, 1], [2])]}, "must hold row numbers, or a mask of 60 booleans"),
    ],
)
def test_mistakes_raise_before_training(arguments, message):
    with pytest.raises(ValueError, match=message):
        halving(**arguments).fit(X, Y)


def test_epochs_of_the_search_and_the_fit():
    with pytest.raises(ValueError, match="contradict each other"):
        halving(max_epochs=4).fit(X, Y, epochs=3)
    assert halving().fit(X, Y, epochs=3).n_resources_ == [1, 3]


def test_folds_can_be_masks():
    # A mask that is taken for row numbers would be the rows 0 and 1.
    splits = list(KFold(3).split(X))
    masks = [tuple(np.isin(np.arange(60), side) for side in pair) for pair in splits]
    by_number, by_mask = (halving(cv=cv).fit(X, Y) for cv in (splits, masks))
    np.testing.assert_array_equal(
        by_number.cv_results_["mean_test_score"], by_mask.cv_results_["mean_test_score"]
    )
