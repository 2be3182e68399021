"""plot_search."""

import numpy as np
import pytest

from fjax.visualization import plot_search

pyplot = pytest.importorskip("matplotlib.pyplot")

# Results of scikit-learn for two grids: hyperparameters that a candidate lacks are masked.
RESULTS = {
    "mean_fit_time": np.ones(4),
    "param_rate": np.ma.array([1e-3, 1e-1, 1e-2, 1e-1], object),
    "param_units": np.ma.array([16, 64, 16, 0], object, mask=[0, 0, 0, 1]),
    "param_activation": np.ma.array(["relu", "tanh", None, "relu"], object),
    "params": [{}, {}, {}, {}],
    "split0_test_score": np.ones(4),
    "mean_test_score": np.array([0.5, 0.75, 0.625, 0.25]),
    "std_test_score": np.array([0.125, 0.0625, 0.0, 0.125]),
    "rank_test_score": np.array([3, 1, 2, 4], np.int32),
}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def read_panel(axes):
    """Return the points, the ends of the error bars, and the marks of the best candidate."""
    (bars,) = axes.containers
    points, _, (ends,) = bars.lines
    stars = [line for line in axes.lines if line.get_marker() == "*" and len(line.get_xdata())]
    return points.get_xydata(), np.array(ends.get_segments()), [s.get_xydata()[0] for s in stars]


def test_panel_per_hyperparameter(tmp_path):
    figure = plot_search(RESULTS, to_file=tmp_path / "search.png")
    rate, units, activation = figure.axes
    assert [a.get_title() for a in figure.axes] == ["rate", "units", "activation"]
    assert [a.get_xscale() for a in figure.axes] == ["log", "linear", "linear"]

    points, bars, (star,) = read_panel(rate)
    np.testing.assert_allclose(points, [[1e-3, 0.5], [1e-1, 0.75], [1e-2, 0.625], [1e-1, 0.25]])
    np.testing.assert_allclose(bars[0], [[1e-3, 0.375], [1e-3, 0.625]])
    np.testing.assert_allclose(star, [1e-1, 0.75])

    points, _, (star,) = read_panel(units)
    np.testing.assert_array_equal(points, [[16, 0.5], [64, 0.75], [16, 0.625]])
    np.testing.assert_array_equal(star, [64, 0.75])

    points, _, (star,) = read_panel(activation)
    np.testing.assert_array_equal(points[:, 0], [0, 1, 2, 0])
    assert [t.get_text() for t in activation.get_xticklabels()] == ["relu", "tanh", "None"]
    np.testing.assert_array_equal(star, [1, 0.75])

    assert rate.get_ylabel() == "score"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["best: 0.75"]
    assert (tmp_path / "search.png").read_bytes().startswith(b"\x89PNG")


def test_parameters():
    assert [axes.get_title() for axes in plot_search(RESULTS, "units").axes] == ["units"]
    figure = plot_search(RESULTS, ["units", "rate"])
    assert [axes.get_title() for axes in figure.axes] == ["units", "rate"]


@pytest.mark.parametrize(
    ("values", "scale", "ticks"),
    [
        ([1, 99, 2, 3], "linear", None),
        ([1, 100, 2, 3], "log", None),
        ([0.0, 1e-3, 1e-1, 1.0], "linear", None),
        ([True, False, True, False], "linear", ["True", "False"]),
        ([(8,), (8, 8), (8,), (4,)], "linear", ["(8,)", "(8, 8)", "(4,)"]),
        ([np.tanh, np.sinh, np.tanh, 3], "linear", ["tanh", "sinh", "3"]),
    ],
)
def test_scales_and_categories(values, scale, ticks):
    array = np.empty(4, object)
    array[:] = values
    (axes,) = plot_search({**RESULTS, "param_rate": np.ma.array(array)}, "rate").axes
    assert axes.get_xscale() == scale
    if ticks is None:
        np.testing.assert_array_equal(read_panel(axes)[0][:, 0], values)
    else:
        assert [text.get_text() for text in axes.get_xticklabels()] == ticks


def test_best_candidate_without_the_hyperparameter():
    results = {**RESULTS, "rank_test_score": np.array([2, 3, 4, 1])}
    rate, units, _ = plot_search(results).axes
    assert len(read_panel(rate)[2]) == 1 and not read_panel(units)[2]


def test_failed_candidates_are_counted():
    results = {**RESULTS, "mean_test_score": np.array([0.5, np.nan, 0.625, 0.25])}
    rate, units, _ = plot_search(results).axes
    assert rate.get_ylabel() == "score (1 without)"
    assert len(read_panel(rate)[0]) == 3 and len(read_panel(units)[0]) == 2
    assert [t.get_text() for t in rate.figure.legends[0].get_texts()] == ["best: 0.625"]


def test_scikit_learn_results():
    linear_model = pytest.importorskip("sklearn.linear_model")
    from sklearn.model_selection import GridSearchCV

    x = np.random.default_rng(0).normal(size=(30, 3))
    scorers = ["r2", "neg_mean_absolute_error"]
    search = GridSearchCV(
        linear_model.Ridge(),
        [{"alpha": [1e-2, 1.0, 100.0]}, {"alpha": [1.0], "solver": ["svd", "lsqr"]}],
        scoring=scorers, refit=False, cv=3,
    ).fit(x, x.sum(axis=1))  # fmt: skip
    alpha, solver = plot_search(search.cv_results_, metric="r2").axes
    points, _, (star,) = read_panel(alpha)
    np.testing.assert_array_equal(points[:, 0], [1e-2, 1, 100, 1, 1])
    np.testing.assert_array_equal(points[:, 1], search.cv_results_["mean_test_r2"])
    assert star[1] == points[:, 1].max()
    assert len(read_panel(solver)[0]) == 2
    with pytest.raises(ValueError, match="Unknown metric 'score'"):
        plot_search(search.cv_results_)
    with pytest.raises(TypeError, match="received GridSearchCV"):
        plot_search(search)


def without(*names):
    return {name: values for name, values in RESULTS.items() if name not in names}


@pytest.mark.parametrize(
    ("results", "arguments", "error", "message"),
    [
        ([1, 2], {}, TypeError, "a dict of arrays, received list"),
        ({**RESULTS, "param_rate": [1, 2]}, {}, ValueError, "'param_rate' has 2 values, .* 4"),
        ({**RESULTS, "std_test_score": [1]}, {}, ValueError, "'std_test_score' has 1 values, .* 4"),
        (RESULTS, {"parameters": ["rat"]}, ValueError, "Did you mean `rate`"),
        (
            RESULTS,
            {"parameters": []},
            ValueError,
            "`parameters` is empty. Searched: rate, units, activation",
        ),
        (RESULTS, {"metric": "scor"}, ValueError, "Did you mean `score`"),
        (without("std_test_score"), {}, ValueError, "has no array 'std_test_score'"),
        (without("rank_test_score"), {}, ValueError, "has no array 'rank_test_score'"),
        (without("mean_test_score"), {}, ValueError, "has no array 'mean_test_score'"),
        ({"mean_test_score": [1]}, {}, ValueError, r"no array `param_\*`: nothing was searched"),
        (
            {**RESULTS, "mean_test_score": np.full(4, np.nan)},
            {},
            ValueError,
            "no candidate has a score in 'mean_test_score'",
        ),
        (RESULTS, {"to_file": "search.gif"}, ValueError, "must end in one of .png, .svg, .pdf"),
        (RESULTS, {"score": "r2"}, TypeError, "takes no argument `score`"),
    ],
)
def test_invalid_arguments(results, arguments, error, message):
    with pytest.raises(error, match=message):
        plot_search(results, **arguments)
