"""A run of the playground: it is a run of `fit`, and the code that it shows is that run."""

import contextlib
import io
import math

import keras
import numpy as np
import pytest

import fjax
from fjax.playground import Session, Settings, make_features
from fjax.playground.requests import Requests
from fjax.playground.session import SIZE, grid, to_bytes

OWN = [[float(x), float(y), float((x + y) % 2)] for x in range(-3, 3) for y in range(-3, 3)]


def run_code(code):
    """Run a program of the page, and return its names."""
    names = {"__name__": "shown"}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "shown", "exec"), names)
    return names


def recorded(session, epochs):
    """The losses of the first epochs, by the name that `fit` has for them."""
    records = [session.advance(1)[-1] for _ in range(epochs)]
    assert [record.epoch for record in records] == list(range(1, epochs + 1))
    return {
        "loss": [record.loss for record in records],
        "val_loss": [record.test_loss for record in records],
        "accuracy": [record.accuracy for record in records],
        "val_accuracy": [record.test_accuracy for record in records],
    }


CASES = {
    "spiral": Settings(data="spiral", noise=0.05, hidden=(4, 3), features=("x1", "sin(x2)")),
    "l2": Settings(
        data="gauss", hidden=(3,), regularization="l2", regularization_rate=0.03,
        optimizer="momentum", batch_size=7, test_share=0.3, activation="gelu",
    ),
    "l1": Settings(
        data="moons", hidden=(), regularization="l1", regularization_rate=0.01, optimizer="rmsprop",
    ),
    "iris": Settings(data="iris", hidden=(3,), activation="relu", optimizer="sgd", seed=5),
    "hills": Settings(data="hills", task="regression", hidden=(4,), activation="sigmoid"),
    "own": Settings(data="own", points=OWN, hidden=(4,), batch_size=100),
}  # fmt: skip


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            settings, id=name, marks=() if name in ("spiral", "l2") else pytest.mark.thorough
        )
        for name, settings in CASES.items()
    ],
)
def test_the_shown_code_gives_the_curve_of_the_page(settings):
    session = Session(settings)
    session.prepare()
    curve = recorded(session, 4)
    history = run_code(session.show_code())["history"].history
    for name, values in history.items():
        assert values == curve[name], name
    assert len(history) == (2 if settings.task == "regression" else 4)


@pytest.mark.thorough
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
# Keras's own metrics hold numpy arrays by the older protocol.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_code_for_keras_is_the_same_network(settings):
    session = Session(settings)
    programs = {
        # Without its last line, which prints the losses of the epochs.
        name: session.show_code(name).replace("epochs=1", "epochs=0").rpartition("print(")[0]
        for name in ("fjax", "keras")
    }
    ours, theirs = (run_code(program) for program in programs.values())
    assert isinstance(theirs["model"], keras.Sequential)
    theirs["model"].set_weights(ours["model"].get_weights())
    histories = [
        names["model"].fit(
            names["x_train"], names["y_train"], batch_size=settings.batch_size, epochs=3,
            shuffle=False, validation_data=(names["x_test"], names["y_test"]), verbose=0,
        ).history
        for names in (ours, theirs)
    ]  # fmt: skip
    assert list(histories[0]) == list(histories[1])
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=2e-4, atol=1e-5, err_msg=name)


def test_rates_change_a_run_without_compiling(compilations):
    settings = Settings(data="xor", hidden=(3,), regularization="l2", regularization_rate=0.01)
    session, same = Session(settings), Session(settings)
    assert session.advance(1)[0] == same.advance(1)[0]
    compilations.clear()
    session.set_rates(0.01, 0.3)
    changed, unchanged = session.advance(1)[0], same.advance(1)[0]
    assert not compilations
    # A larger penalty is in the loss at once.
    assert changed.loss > unchanged.loss + 0.05
    # A rate of 0 changes no weight.
    before = session.weights()
    session.set_rates(0.0, 0.0)
    session.advance(40)
    np.testing.assert_array_equal(session.weights(), before)


def test_surfaces_are_the_outputs_of_the_layers():
    session = Session(Settings(hidden=(3, 2), features=("x1", "x2", "x1^2"), activation="relu"))
    session.advance(200)
    outputs, units = session.surfaces()
    assert outputs.shape == (1, SIZE, SIZE) and units.shape == (5, 32, 32)
    weights, start = session.weights(), 0
    values, planes = make_features(grid(), session.settings.features).astype(float), []
    for rows, columns in ((3, 3), (3, 2), (2, 1)):
        kernel = weights[start : start + rows * columns].reshape(rows, columns)
        bias = weights[start + rows * columns : start + (rows + 1) * columns]
        start += (rows + 1) * columns
        values = values @ kernel + bias
        values = 2 / (1 + np.exp(-values)) - 1 if columns == 1 else np.maximum(values, 0)
        planes.append(to_bytes(values.T.reshape(-1, SIZE, SIZE)).astype(int))
    assert np.abs(planes[-1] - outputs).max() <= 1
    assert np.abs(np.concatenate(planes[:-1])[:, ::3, ::3] - units).max() <= 1
    # The first row is the top of the square.
    assert grid()[0, 1] > 0 > grid()[-1, 1]


def test_advance_keeps_to_the_steps_and_to_the_time():
    session = Session(Settings(hidden=(), batch_size=50))
    assert session.steps_per_epoch == 4
    assert session.advance(40, seconds=1e9)[-1].epoch == 1
    assert session.advance(36, seconds=1e9)[-1].epoch == 10
    assert session.advance(80, seconds=0.0)[-1].epoch == 11
    # The first 20 epochs are all recorded, then the last one of each call.
    assert len(session.advance(4 * 15)) == 10
    assert [record.epoch for record in session.advance(4 * 15)] == [41]


def test_a_weight_is_set_by_its_number():
    session = Session(Settings(hidden=(2,)))
    before = session.weights()
    session.set_weight(7, 1.5)
    after = session.weights()
    assert after[7] == 1.5 and (np.delete(after, 7) == np.delete(before, 7)).all()
    for index, value in ((99, 0.0), (-1, 0.0), (1.5, 0.0), (0, math.nan), (0, "a"), (0, 1e9)):
        with pytest.raises(fjax.playground.PlaygroundError):
            session.set_weight(index, value)


def test_a_run_that_diverges_is_reported_and_drawn():
    requests = Requests()
    settings = {"data": "plane", "task": "regression", "hidden": [], "optimizer": "sgd",
                "features": ["x1", "x2", "x1^2"], "learning_rate": 10}  # fmt: skip
    requests.answer({"kind": "start", "settings": settings})
    header, body = requests.answer({"kind": "advance", "steps": 200})
    header, body = requests.answer({"kind": "advance", "steps": 200})
    assert header["finite"] is False and header["records"][-1][1] is None
    assert len(body) == 4 * header["weights"] + SIZE * SIZE


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (None, "request"),
        ({"kind": ["start"]}, "request"),
        ({"kind": "stop"}, "request"),
        ({"kind": "start"}, "settings"),
        ({"kind": "start", "settings": {"hidden": [64] * 10}}, "layers"),
        ({"kind": "advance"}, "no_session"),
        ({"kind": "advance", "steps": 10**9}, "range"),
        ({"kind": "advance", "steps": "many"}, "range"),
        ({"kind": "table"}, "empty_table"),
        ({"kind": "code"}, "no_session"),
    ],
)
def test_wrong_requests_are_answered(request_, code):
    assert Requests().answer(request_)[0]["error"]["code"] == code
