"""Curves that grow in a notebook, and the values of cells."""

import re
import sys
import types
import xml.etree.ElementTree

import numpy as np
import pytest

import fjax
from fjax.callbacks import History, LivePlot, live_plot
from fjax.callbacks.history_curves import history_panels
from fjax.callbacks.live_plot import DRAWING_SHARE, sparkline
from fjax.markup import Curve, Panel, draw_panels

X, Y = np.linspace(-1, 1, 64)[:, None], np.linspace(-1, 1, 64) ** 2


def make_model(**options):
    model = fjax.Sequential([fjax.Input((1,)), fjax.layers.Dense(1)], seed=0)
    model.compile("sgd", "mse", **options)
    return model


class Handle:
    """What IPython's `display` returns: it counts what is shown in one place."""

    def __init__(self, data):
        self.shown = [data]

    def update(self, data, raw):
        assert raw
        self.shown.append(data)


@pytest.fixture
def notebook(monkeypatch):
    """A stand-in for a notebook's kernel: the figures that it shows."""
    figures = []

    def display(data, raw, display_id):
        assert raw and display_id is True
        figures.append(Handle(data))
        return figures[-1]

    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    module = types.ModuleType("IPython.display")
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return figures


class Clock:
    """A clock that moves by a fixed time whenever it is read."""

    def __init__(self, step):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def parse(markup):
    """Return the elements of HTML that is also well-formed XML."""
    return xml.etree.ElementTree.fromstring(f"<r>{markup.replace('&nbsp;', ' ')}</r>")


def test_one_figure_is_replaced_in_place_and_ends_with_the_whole_run(notebook):
    plot = LivePlot()
    history = make_model().fit(X, Y, validation_split=0.25, epochs=4, verbose=0, callbacks=plot)
    (figure,) = notebook
    last = figure.shown[-1]
    best = int(np.argmin(history.history["val_loss"]))
    value = f"{history.history['val_loss'][best]:.4g}"
    assert last["text/plain"].startswith("4 epochs in ")
    assert last["text/plain"].endswith(f"best val_loss {value} in epoch {best + 1}")
    pictures = parse(last["text/html"]).findall(".//svg")
    assert [each.get("aria-label") for each in pictures] == ["loss by epoch"]
    assert len(pictures[0].findall("path")) == 2


@pytest.fixture
def instant(monkeypatch):
    """Drawings that take no time, where each reading of the clock moves it."""
    monkeypatch.setattr(live_plot, "DRAWING_SHARE", 1.0)


@pytest.mark.usefixtures("instant")
def test_it_is_drawn_at_most_twice_a_second(notebook):
    plot = LivePlot()
    plot._clock = Clock(0.01)  # Each epoch reads the clock three times: it takes 0.03 s.
    make_model().fit(X, Y, epochs=200, verbose=0, callbacks=plot)
    # One at the beginning and one at the end.
    assert 5 <= len(notebook[0].shown) - 2 <= 200 * 0.03 / 0.5 + 1


def test_drawing_takes_a_small_part_of_the_time(notebook):
    plot = LivePlot()
    plot._clock = clock = Clock(0.0)
    plot._cell = None

    def show(markup, text):
        clock.now += 1.0  # A browser so slow that a drawing takes a second.

    plot.set_params({"epochs": 1000, "steps": 1})
    plot.prepare({"loss": "down"})
    plot.on_train_begin()
    plot._cell.show = show
    drawings = 0
    for epoch in range(1000):
        before = clock.now
        plot.on_epoch_begin(epoch)
        plot.on_epoch_end(epoch, {"loss": 1.0})
        drawings += clock.now > before
        clock.now += 1.0
    assert 1 <= drawings <= 1000 * DRAWING_SHARE + 1


def test_the_line_tells_rate_time_left_and_best_epoch():
    plot = LivePlot(mode="max", monitor="accuracy")
    plot._clock = clock = Clock(0.0)
    plot.set_params({"epochs": 10, "steps": 100})
    plot.prepare({"accuracy": "up"})
    plot.on_train_begin()
    assert plot._status(False) == ["the first epoch is running, which includes compilation"]
    for epoch, (value, seconds) in enumerate([(0.5, 30.0), (0.75, 4.0), (0.7, 2.0)]):
        plot.on_epoch_begin(epoch)
        clock.now += seconds
        plot.on_epoch_end(epoch, {"accuracy": value})
    # The first epoch, with its compilation, does not count: 3 s, and 7 epochs are left.
    assert plot._status(False) == [
        "epoch 3 of 10", "3.0s/epoch", "30ms/step", "at most 21s left",
        "best accuracy 0.75 in epoch 2",
    ]  # fmt: skip


def test_whole_epochs_still_run_as_one_program():
    from fjax.callbacks.callback_list import CallbackList

    assert not CallbackList([LivePlot()], None).steps("train").needs_each_step
    assert CallbackList([LivePlot(update_freq=5)], None).steps("train").needs_each_step


@pytest.mark.usefixtures("instant")
def test_batches_are_drawn_if_asked(notebook):
    plot = LivePlot(update_freq=2)
    plot._clock = Clock(0.3)
    make_model().fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=plot)
    labels = [
        picture.get("aria-label")
        for data in notebook[0].shown
        for picture in parse(data["text/html"]).findall(".//svg")
    ]
    assert "loss within epoch 1 by batch" in labels


def test_a_terminal_gets_one_line(capsys):
    make_model().fit(X, Y, epochs=3, verbose=0, callbacks=LivePlot())
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"3 epochs in \S+ - loss █.▁ \S+ - best loss \S+ in epoch 3", line)


def test_a_resumed_run_continues_its_curves(tmp_path):
    first, second = LivePlot(), LivePlot()
    make_model().fit(X, Y, epochs=2, verbose=0, resume=tmp_path / "run", callbacks=first)
    make_model().fit(X, Y, epochs=4, verbose=0, resume=tmp_path / "run", callbacks=second)
    assert second.epoch == [0, 1, 2, 3] and second.history["loss"][:2] == first.history["loss"]


def test_the_weights_are_those_without_it():
    plain, watched = make_model(), make_model()
    plain.fit(X, Y, epochs=3, verbose=0)
    watched.fit(X, Y, epochs=3, verbose=0, callbacks=LivePlot(update_freq="batch"))
    for one, other in zip(plain.get_weights(), watched.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_replicas_are_drawn_by_their_means():
    plot = LivePlot()
    history = make_model().fit(X, Y, epochs=2, verbose=0, replicas=3, callbacks=plot)
    np.testing.assert_allclose(plot.history["loss"], history.history["loss"])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"metrics": "loss"}, "`metrics` must be names of logs"),
        ({"metrics": [1]}, "`metrics` must be names of logs"),
        ({"update_freq": 0}, "`update_freq` must be"),
        ({"monitor": 3}, "`monitor` must be the name of a log"),
        ({"mode": "best"}, "`mode`"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        LivePlot(**options)


def test_a_log_that_the_run_lacks_is_an_error_before_training():
    with pytest.raises(ValueError, match="monitors 'val_loss', which this run does not log"):
        make_model().fit(X, Y, verbose=0, callbacks=LivePlot(monitor="val_loss"))
    with pytest.raises(ValueError, match=r"`metrics` names 'acuracy'.* Did you mean `accuracy`"):
        make_model(metrics=["accuracy"]).fit(X, Y, verbose=0, callbacks=LivePlot(["acuracy"]))


# ---------------------------------------------------------------- curves


def test_a_validation_of_some_epochs_is_drawn_where_it_was():
    history = {"loss": [4.0, 3.0, 2.0, 1.0], "val_loss": [None, 3.5, None, 1.5]}
    (panel,) = history_panels(history, [0, 1, 2, 3])
    np.testing.assert_array_equal(panel.curves[1].x, [2, 4])
    (panel,) = history_panels({**history, "val_loss": [3.5, 1.5]}, [0, 1, 2, 3])
    np.testing.assert_array_equal(panel.curves[1].x, [2, 4])


def test_a_history_shows_its_curves_and_an_empty_one_nothing():
    assert History()._repr_html_() is None
    history = make_model().fit(X, Y, epochs=2, verbose=0, replicas=2)
    picture = parse(history._repr_html_()).find(".//svg")
    assert picture.find("polygon") is not None  # The spread over the replicas.


def test_classes_have_a_curve_each():
    values = [np.array([0.1, 0.2, 0.3]), np.array([0.2, 0.3, 0.4])]
    (panel,) = history_panels({"f1": values, "val_f1": values}, [0, 1])
    assert [curve.label for curve in panel.curves] == [
        "class 0", "class 1", "class 2",
        "class 0, validation", "class 1, validation", "class 2, validation",
    ]  # fmt: skip


def test_long_curves_are_thinned_and_keep_their_spikes():
    y = np.zeros(100_000)
    y[54_321] = 1.0
    markup = draw_panels([Panel("loss", [Curve("training", "#000", np.arange(100_000), y)])])
    assert len(markup) < 20_000
    path = parse(markup).find(".//path").get("d")
    heights = [float(part.split()[1]) for part in re.split("[ML]", path)[1:]]
    assert max(heights) - min(heights) > 100


@pytest.mark.parametrize("values", [[np.nan, np.nan], [np.inf, 1.0], [0.0, 0.0], [1e-30, 1e30], []])
@pytest.mark.parametrize("log_scale", [False, True])
def test_any_numbers_can_be_drawn(values, log_scale):
    y = np.array(values, np.float64)
    curve = Curve("a", "#000", np.arange(len(y)), y)
    markup = draw_panels([Panel("<b>", [curve], log_scale=log_scale)])
    assert parse(markup).find(".//svg") is not None
    assert "nan" not in re.sub("(training|a) ", "", markup.split("<svg")[1])


def test_a_gap_interrupts_a_curve():
    y = np.array([1.0, np.nan, 2.0, 3.0])
    markup = draw_panels([Panel("loss", [Curve("a", "#000", np.arange(4), y)])])
    assert parse(markup).find(".//path").get("d").count("M") == 2


def test_sparklines_are_short():
    assert len(sparkline(list(range(1000)))) == 24
    assert sparkline([np.nan]) == " "
