"""The sweep of learning rates: each rate equals a separate fit; the figure."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import fjax
from fjax.layers import Dense, Dropout, Input
from fjax.search import TrainedRates, sweep_learning_rates
from fjax.visualization import plot_sweep

pytestmark = pytest.mark.sampled(3, whole=True)

random = np.random.default_rng(0)
X = random.normal(size=(60, 3)).astype("float32")
Y = (X[:, 0] - X[:, 1] ** 2).astype("float32")
RATES = [0.001, 0.05, 0.2, 1e6]
ARGUMENTS = {"epochs": 3, "batch_size": 15, "validation_split": 0.25}


def make_model(optimizer=None, **arguments):
    model = fjax.Sequential([Input((3,)), Dense(4, "relu"), Dropout(0.1), Dense(1)], seed=0)
    optimizer = optimizer or fjax.optimizers.SGD(0.01, momentum=0.5)
    model.compile(optimizer, "mse", metrics=["mae"], **arguments)
    return model


@pytest.fixture(scope="module")
def sweep():
    return sweep_learning_rates(make_model(), X, Y, RATES, **ARGUMENTS)


@pytest.fixture(autouse=True)
def no_figures():
    yield
    plt.close("all")


def check_rate(sweep, index, model, *data, **arguments):
    """Compare the training at one rate with `Model.fit`."""
    model.optimizer.learning_rate = sweep.learning_rates[index]
    logs = model.fit(*data, verbose=0, **ARGUMENTS | arguments).history
    assert sweep.histories[index].keys() == logs.keys()
    for name, values in logs.items():
        np.testing.assert_allclose(sweep.histories[index][name], values, rtol=1e-4, atol=1e-6)
    losses = logs["val_loss" if "val_loss" in logs else "loss"]
    np.testing.assert_allclose(sweep.losses[index], losses[-1], rtol=1e-4)


@pytest.mark.parametrize("index", [0, 2])
def test_each_rate_equals_a_separate_fit(sweep, index):
    check_rate(sweep, index, make_model(), X, Y)


def test_a_training_that_diverged_has_loss_nan(sweep):
    assert np.isnan(sweep.losses).tolist() == [False, False, False, True]
    assert sweep.best == RATES[np.nanargmin(sweep.losses)]
    diverged = TrainedRates(np.array([1.0, 2.0]), [], np.array([np.nan, np.nan]))
    with pytest.raises(
        ValueError, match="diverged at all 2 learning rates, the smallest of which is 1"
    ):
        _ = diverged.best


def test_it_begins_with_the_weights_of_the_model_which_do_not_change():
    model = make_model()
    before = [weight + 0.1 for weight in model.get_weights()]
    model.set_weights(before)
    sweep = sweep_learning_rates(model, X, Y, [0.05, 0.1], **ARGUMENTS)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert model.optimizer.learning_rate == pytest.approx(0.01)
    check_rate(sweep, 1, model, X, Y)


def test_validation_data_and_weights():
    weight = random.uniform(0.5, 2, size=45).astype("float32")
    data = {"sample_weight": weight, "validation_data": (X[45:], Y[45:])}
    sweep = sweep_learning_rates(make_model(), X[:45], Y[:45], [0.1], **ARGUMENTS | data)
    check_rate(sweep, 0, make_model(), X[:45], Y[:45], **data)


def test_default_rates_rise_by_equal_factors():
    # Without validation the loss of the training is the score.
    sweep = sweep_learning_rates(make_model(), X, Y, shuffle=False, batch_size=60)
    assert sweep.learning_rates.shape == sweep.losses.shape == (30,)
    assert sweep.learning_rates[[0, -1]].tolist() == [1e-5, 1.0]
    # One batch: the loss is that of the same first weights.
    np.testing.assert_allclose(sweep.losses, sweep.losses[0], rtol=1e-5)


def test_other_rates_share_the_program(compilations):
    model, names = make_model(fjax.optimizers.Nadam(0.01)), []
    for rates in ([0.1, 0.2, 0.3], [0.01, 0.02, 0.03]):
        compilations.clear()
        sweep_learning_rates(model, X, Y, rates, batch_size=60)
        names.append(sum("advance" in name for name in compilations))
    assert names == [1, 0]


def test_the_figure(sweep, tmp_path):
    figure = plot_sweep(sweep, tmp_path / "sweep.svg")
    assert (tmp_path / "sweep.svg").stat().st_size
    axes = figure.axes[0]
    curve, best, crosses = axes.lines
    assert axes.get_xscale() == "log" and axes.get_ylabel() == "val_loss after the last epoch"
    np.testing.assert_array_equal(curve.get_xdata(), RATES[:3])
    np.testing.assert_array_equal(curve.get_ydata(), sweep.losses[:3])
    assert (best.get_xdata()[0], best.get_ydata()[0]) == (sweep.best, np.nanmin(sweep.losses))
    assert crosses.get_xdata().tolist() == [1e6] and 0.9 < crosses.get_ydata()[0] < 1


def test_the_figure_of_a_sweep_that_diverged():
    diverged = TrainedRates(np.array([1.0, 2.0]), [], np.array([np.nan, np.nan]))
    assert [text.get_text() for text in plot_sweep(diverged).axes[0].get_legend().get_texts()] == [
        "diverged"
    ]


def test_the_figure_of_rates_in_any_order():
    mixed = TrainedRates(np.array([1.0, 0.1, 10.0]), [], np.array([2.0, 1.0, 500.0]))
    axes = plot_sweep(mixed).axes[0]
    assert axes.lines[0].get_xdata().tolist() == [0.1, 1.0, 10.0]
    assert axes.get_yscale() == "log" and axes.get_ylabel() == "loss after the last epoch"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"learning_rates": [0.1, -1]}, ValueError, "must be a list of positive numbers"),
        ({"learning_rates": []}, ValueError, "must be a list of positive numbers"),
        ({"learning_rates": 0.1}, ValueError, "must be a list of positive numbers"),
        ({"learning_rates": ["low"]}, ValueError, "must be a list of positive numbers"),
        ({"epochs": 0}, ValueError, "`epochs` must be an integer of at least 1"),
        ({"at_once": 0}, ValueError, "`at_once` must be an integer of at least 1"),
        ({"shuffle": 1.5}, ValueError, "`shuffle`"),
        ({"validation_split": 1.0}, ValueError, "`validation_split`"),
        ({"validation_data": X}, ValueError, "`validation_data` must be"),
        ({"x": iter([(X, Y)]), "y": None}, ValueError, "needs arrays"),
        ({"model": Dense(1)}, TypeError, "takes a compiled model"),
        ({"model": fjax.Sequential([Dense(1)])}, RuntimeError, "must be compiled"),
        ({"learning_rate": [0.1]}, TypeError, "Did you mean `learning_rates`"),
    ],
)
def test_mistakes_raise_before_training(arguments, error, message):
    given = {"model": make_model(), "x": X, "y": Y} | arguments
    with pytest.raises(error, match=message):
        sweep_learning_rates(given.pop("model"), given.pop("x"), given.pop("y"), **given)


def test_a_schedule_raises():
    schedule = fjax.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(TypeError, match="follows the schedule"):
        sweep_learning_rates(make_model(fjax.optimizers.SGD(schedule)), X, Y)


def test_a_figure_of_another_object_raises():
    with pytest.raises(TypeError, match="received list"):
        plot_sweep([0.1])
