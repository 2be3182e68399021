"""Figures of histories, labels, decision boundaries and predictions."""

import sys

import numpy as np
import pytest

import fjax
from fjax.callbacks import History
from fjax.layers import Dense, Input
from fjax.visualization import (
    plot_confusion_matrix,
    plot_decision_boundary,
    plot_history,
    plot_predictions,
    plot_search,
)
from fjax.visualization.labels import read_classes

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG")


# plot_history.

LOGS = {
    "accuracy": [0.5, 0.7],
    "loss": [0.9, 0.5],
    "val_accuracy": [0.4, 0.6],
    "val_loss": [1, 0.8],
}


def test_history_has_a_panel_per_log(tmp_path):
    figure = plot_history(LOGS, to_file=tmp_path / "history.png")
    assert [axes.get_title() for axes in figure.axes] == ["loss", "accuracy"]
    for axes in figure.axes:
        name = axes.get_title()
        assert legend(axes) == ["training", "validation"]
        for line, log in zip(axes.lines, (name, f"val_{name}"), strict=True):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2])
            np.testing.assert_array_equal(line.get_ydata(), LOGS[log])
    assert is_png(tmp_path / "history.png")


def test_history_of_fit():
    model = fjax.Sequential([Input((1,)), Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 1)), np.ones(4), initial_epoch=3, epochs=5, verbose=0)
    (axes,) = plot_history(history).axes
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [4, 5])
    assert axes.get_legend() is None


def test_history_with_validation_freq():
    logs = {"loss": list(range(7, 0, -1)), "val_loss": [5.0, 2.0]}
    (axes,) = plot_history(logs).axes
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), [3, 6])
    assert legend(axes) == ["training", "validation, every 3 epochs"]


def test_history_with_values_per_class():
    logs = {"f1": [[0.1, 0.2, 0.3]] * 2, "val_f1": [[0.2, 0.3, 0.4]] * 2}
    (axes,) = plot_history(logs).axes
    assert len(axes.lines) == 6
    assert legend(axes) == ["class 0", "class 1", "class 2", "validation"]
    assert axes.lines[4].get_linestyle() == "--"
    assert axes.lines[4].get_color() == axes.lines[1].get_color()


def test_history_metrics_and_log_scale():
    logs = {**LOGS, "learning_rate": [0.1, 0.01], "main_loss": [1, 2], "main_mae": [1, 2]}
    figure = plot_history(logs, log_scale=True)
    scales = {axes.get_title(): axes.get_yscale() for axes in figure.axes}
    assert scales == {
        "loss": "log", "accuracy": "linear", "learning_rate": "log", "main_loss": "log",
        "main_mae": "linear",
    }  # fmt: skip
    assert [a.get_title() for a in plot_history(logs, metrics="accuracy").axes] == ["accuracy"]
    assert len(plot_history(logs, metrics=["accuracy", "loss"]).axes) == 2


def history_of(logs, spread):
    """Return the history of several replicas: means and standard deviations."""
    history = History()
    history.epoch, history.history, history.spread = [0, 1], logs, spread
    return history


def corners(band):
    """Return the distinct points of a band, sorted."""
    (path,) = band.get_paths()
    return np.unique(path.vertices, axis=0)


def test_history_draws_spread_as_band():
    figure = plot_history(history_of(LOGS, {"val_loss": [0.5, 0.25], "loss": [0.125, 0]}))
    loss, accuracy = figure.axes
    training, validation = loss.collections
    np.testing.assert_allclose(corners(training), [[1, 0.775], [1, 1.025], [2, 0.5]])
    np.testing.assert_allclose(corners(validation), [[1, 0.5], [1, 1.5], [2, 0.55], [2, 1.05]])
    assert not accuracy.collections
    assert legend(loss) == ["training", "validation"]


def test_history_draws_spread_per_class():
    logs = {"f1": [[0.5, 0.25], [0.75, 0.5]]}
    (axes,) = plot_history(history_of(logs, {"f1": [[0.125, 0], [0, 0.125]]})).axes
    first, second = axes.collections
    np.testing.assert_array_equal(corners(first), [[1, 0.375], [1, 0.625], [2, 0.75]])
    np.testing.assert_array_equal(corners(second), [[1, 0.25], [2, 0.375], [2, 0.625]])


@pytest.mark.parametrize(
    ("spread", "message"),
    [
        ({"lss": [0.1, 0.1]}, "the spread of 'lss' has shape .* its log is missing"),
        ({"loss": [0.1]}, r"the spread of 'loss' has shape \(1,\), and its log has shape \(2,\)"),
    ],
)
def test_invalid_spread(spread, message):
    with pytest.raises(ValueError, match=message):
        plot_history(history_of(LOGS, spread))


@pytest.mark.parametrize(
    ("history", "arguments", "error", "message"),
    [
        (None, {}, TypeError, "takes the result of `fit`, or a dict .* received NoneType"),
        ({}, {}, ValueError, "the history is empty"),
        (History(), {}, ValueError, "the history is empty"),
        ({"loss": 0.5}, {}, TypeError, "'loss' must be a list with one number per epoch"),
        ({"loss": ["low"]}, {}, TypeError, "'loss' must be a list with one number per epoch"),
        (LOGS, {"metrics": ["acuracy"]}, ValueError, "Did you mean `accuracy`"),
        (LOGS, {"metrics": []}, ValueError, "`metrics` is empty. Logged: loss, accuracy"),
        (
            {"loss": [1, 2, 3], "val_loss": [1, 2]},
            {},
            ValueError,
            "2 values of 'val_loss' do not fit 3 epochs",
        ),
        (LOGS, {"to_file": "history.gif"}, ValueError, "must end in one of .png, .svg, .pdf"),
        (LOGS, {"to_file": "no/where.png"}, FileNotFoundError, "the folder 'no' of `to_file`"),
        (LOGS, {"file": "a.png"}, TypeError, "Did you mean `to_file`"),
    ],
)
def test_invalid_history(history, arguments, error, message):
    with pytest.raises(error, match=message):
        plot_history(history, **arguments)


# plot_confusion_matrix.

TRUE = [0, 0, 0, 1, 1, 2]
PREDICTED = [0, 0, 1, 1, 2, 2]


def cells(figure):
    texts = [text.get_text() for text in figure.axes[0].texts]
    return np.array(texts, float).reshape(3, 3)


def test_confusion_matrix_counts(tmp_path):
    figure = plot_confusion_matrix(TRUE, PREDICTED, ["a", "b", "c"], to_file=tmp_path / "m.png")
    np.testing.assert_array_equal(cells(figure), [[2, 1, 0], [0, 1, 1], [0, 0, 1]])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b", "c"]
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("true", "predicted")
    assert is_png(tmp_path / "m.png")


@pytest.mark.parametrize("normalize", ["true", "pred", "all"])
def test_normalized_confusion_matrix_equals_scikit_learn(normalize):
    metrics = pytest.importorskip("sklearn.metrics")
    figure = plot_confusion_matrix(TRUE, PREDICTED, normalize=normalize)
    expected = metrics.confusion_matrix(TRUE, PREDICTED, normalize=normalize)
    np.testing.assert_allclose(cells(figure), expected, atol=0.005)


def test_confusion_matrix_with_unused_class():
    figure = plot_confusion_matrix([0, 1], [0, 0], ["a", "b", "c"], normalize="true")
    np.testing.assert_array_equal(cells(figure), [[1, 0, 0], [1, 0, 0], [0, 0, 0]])


def test_confusion_matrix_of_many_classes_has_no_numbers():
    labels = np.arange(70)
    figure = plot_confusion_matrix(labels, labels)
    assert not figure.axes[0].texts


def test_read_classes():
    def read(labels):
        return read_classes("f", "y", labels).tolist()

    assert read([0, 2, 1]) == read([[0], [2], [1]]) == read([0.0, 2.0, 1.0]) == [0, 2, 1]
    assert read([[0, 1], [1, 0]]) == read([[0.2, 0.8], [0.6, 0.4]]) == [1, 0]
    assert read([True, False]) == read([[0.7], [0.3]]) == read([0.51, 0.49]) == [1, 0]


@pytest.mark.parametrize(
    ("true", "predicted", "arguments", "message"),
    [
        ([0, 1], [0], {}, "`y_true` has 2 samples and `y_pred` 1"),
        ([0, 1], [0.5, 3.2], {}, "row 0 holds 0.5. Apply `jax.nn.sigmoid`"),
        ([0, -1], [0, 1], {}, "`y_true` must hold class numbers from 0, .* row 1 holds -1"),
        ([0, 1], [0, np.nan], {}, "`y_pred` is not finite in row 1"),
        (["a", "b"], [0, 1], {}, "`y_true` must hold class numbers of shape"),
        ([], [], {}, "received shape \\(0,\\)"),
        (TRUE, PREDICTED, {"class_names": ["a", "b"]}, "has 2 names, and the labels go up to 2"),
        (TRUE, PREDICTED, {"normalize": "rows"}, "`normalize` must be one of None, 'true'"),
    ],
)
def test_invalid_labels(true, predicted, arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_confusion_matrix(true, predicted, **arguments)


def test_class_names_must_be_a_list():
    with pytest.raises(TypeError, match="`class_names` must be a list of names, received 'abc'"):
        plot_confusion_matrix(TRUE, PREDICTED, "abc")


# plot_decision_boundary.

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")


class FormulaModel:
    """A model whose predictions are a formula of its inputs."""

    def __init__(self, formula):
        self.formula = formula

    def predict(self, x, batch_size, verbose):
        return self.formula(x)


def boundary_points(figure):
    """Return the points of the drawn boundary."""
    (contour,) = (c for c in figure.axes[0].collections if hasattr(c, "levels"))
    return np.concatenate([path.vertices for path in contour.get_paths()])


def test_boundary_of_probabilities(tmp_path):
    sigmoid = FormulaModel(lambda x: 1 / (1 + np.exp(-9 * (x[:, :1] - 0.4))))
    figure = plot_decision_boundary(
        sigmoid, CORNERS, [0, 0, 1, 1], ["left", "right"], ["width", "height"],
        to_file=tmp_path / "boundary.png",
    )  # fmt: skip
    np.testing.assert_allclose(boundary_points(figure)[:, 0], 0.4, atol=1e-3)
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width", "height")
    assert legend(axes) == ["left", "right"]
    assert is_png(tmp_path / "boundary.png")


def test_boundary_of_logits():
    logits = FormulaModel(lambda x: 9 * (x[:, :1] - 0.3))
    with pytest.raises(ValueError, match=r"range from -3.42 to 7.02 and are not .* `threshold=0`"):
        plot_decision_boundary(logits, CORNERS, [0, 0, 1, 1])
    figure = plot_decision_boundary(logits, CORNERS, [0, 0, 1, 1], threshold=0)
    np.testing.assert_allclose(boundary_points(figure)[:, 0], 0.3, atol=1e-3)


def test_boundary_of_several_outputs():
    nearest = FormulaModel(lambda x: -np.abs(x[:, :1] - np.array([0.0, 0.5, 1.0])))
    figure = plot_decision_boundary(nearest, CORNERS, np.eye(3)[[0, 0, 2, 2]], resolution=300)
    lines = [c for c in figure.axes[0].collections if hasattr(c, "levels")]
    points = np.concatenate([p.vertices[:, 0] for c in lines for p in c.get_paths()])
    assert np.all((np.abs(points - 0.25) < 0.01) | (np.abs(points - 0.75) < 0.01))
    # The class without samples has a region, but no marker in the legend.
    assert legend(figure.axes[0]) == ["0", "2"]


def test_boundary_of_constant_outputs():
    model = fjax.Sequential([Input((2,)), Dense(1, "sigmoid", kernel_initializer="zeros")])
    figure = plot_decision_boundary(model, CORNERS[:1], [0], resolution=5)
    assert not [c for c in figure.axes[0].collections if hasattr(c, "levels")]


@pytest.mark.parametrize(
    ("x", "y", "arguments", "message"),
    [
        (np.ones((4, 3)), TRUE[:4], {}, r"`x` must have shape \(n, 2\), received \(4, 3\)"),
        (np.full((4, 2), np.nan), TRUE[:4], {}, "`x` must hold finite numbers"),
        (CORNERS, [0, 1], {}, "`x` has 4 samples and `y` 2"),
        (CORNERS, [0, 1, 1, 2], {"class_names": ["a", "b"]}, "has 2 names"),
        (CORNERS, [0, 0, 1, 1], {"feature_names": ["a"]}, "`feature_names` must be two names"),
        (CORNERS, [0, 0, 1, 1], {"resolution": 1}, "`resolution` must be an integer of at least"),
        (CORNERS, [0, 0, 1, 1], {"threshold": None}, "`threshold` must be a number"),
    ],
)
def test_invalid_boundary_arguments(x, y, arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(FormulaModel(lambda x: x[:, :1] * 0), x, y, **arguments)


def test_outputs_of_other_shape_are_refused():
    with pytest.raises(ValueError, match=r"returned shape \(40000, 2, 2\) for 40000 samples"):
        plot_decision_boundary(
            FormulaModel(lambda x: np.ones((len(x), 2, 2))), CORNERS, [0, 0, 1, 1]
        )


# plot_predictions.


def test_predictions_have_two_bands(tmp_path):
    figure = plot_predictions(
        [[2], [0]], [[5], [1]], [4, 0], [1, 0.5], to_file=tmp_path / "predictions.png"
    )
    (axes,) = figure.axes
    samples, one, two = axes.collections
    np.testing.assert_array_equal(samples.get_offsets(), [[2, 5], [0, 1]])
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 0], [2, 4]])
    np.testing.assert_array_equal(corners(one), [[0, -0.5], [0, 0.5], [2, 3], [2, 5]])
    np.testing.assert_array_equal(corners(two), [[0, -1], [0, 1], [2, 2], [2, 6]])
    assert is_png(tmp_path / "predictions.png")


def test_predictions_on_a_grid():
    figure = plot_predictions([1], [5], [3, 1, 2], [0, 0, 0], grid=[30, 10, 20])
    (line,) = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_xydata(), [[10, 1], [20, 2], [30, 3]])


@pytest.mark.parametrize(
    ("x", "y", "mean", "std", "arguments", "message"),
    [
        ([1, 2], [1], [1, 2], [1, 1], {}, "`y` has 1 values, and `x` 2"),
        ([1, 2], [1, 2], [1], [1, 1], {}, "`mean` has 1 values, and `x` 2"),
        ([1], [1], [1], [1, 1], {"grid": [3]}, "`std` has 2 values, and `grid` 1"),
        ([1, 2], [1, 2], [1, 2], [1, -1], {}, "`std` must not be negative, row 1 holds -1"),
        ([1, np.nan], [1, 2], [1, 2], [1, 1], {}, "`x` is not finite in row 1"),
        (np.ones((2, 2)), [1, 2], [1, 2], [1, 1], {}, r"`x` must hold numbers .* \(2, 2\)"),
        ([], [], [], [], {}, r"`x` must hold numbers .* \(0,\)"),
        (["a"], [1], [1], [1], {}, "`x` must hold numbers"),
    ],
)
def test_invalid_predictions(x, y, mean, std, arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_predictions(x, y, mean, std, **arguments)


SEARCH = {
    "param_a": [1, 2], "mean_test_score": [1, 2], "std_test_score": [0, 0],
    "rank_test_score": [2, 1],
}  # fmt: skip


def test_matplotlib_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (
        lambda: plot_history(LOGS),
        lambda: plot_confusion_matrix(TRUE, PREDICTED),
        lambda: plot_decision_boundary(FormulaModel(lambda x: x[:, :1] * 0), CORNERS, [0, 0, 1, 1]),
        lambda: plot_predictions([1], [1], [1], [1]),
        lambda: plot_search(SEARCH),
    ):
        with pytest.raises(ImportError, match=r"needs matplotlib: `pip install fjax\[viz\]`"):
            draw()
