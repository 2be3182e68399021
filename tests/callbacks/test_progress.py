"""Progress in a terminal, in a file, and in a notebook."""

import io
import os
import re
import sys
import time
from contextlib import redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest

import fjax
from fjax.callbacks import Callback, CallbackList, ProgbarLogger
from fjax.callbacks.bar import Bar, format_duration, format_logs
from fjax.layers import Dense, Input


@pytest.fixture(scope="module")
def model():
    model = fjax.Sequential([Input((2,)), Dense(1)], seed=0)
    model.compile("sgd", "mse", metrics=["mae"])
    return model


X, Y = np.ones((50, 2), "float32"), np.ones(50, "float32")

NUMBERS = r"loss: \d+\.\d{4} - mae: \d+\.\d{4}"
TIMES = r"[\d.]+(ns|us|ms|s), [\d.]+(ns|us|ms|s)/step"


class Slow(Callback):
    """Makes each step longer than the interval between two drawings."""

    def on_train_batch_begin(self, batch, logs=None):
        time.sleep(0.11)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def on_screen(written):
    """Return the lines that a terminal shows after everything was overwritten."""
    lines = []
    for line in written.split("\n"):
        cells = []
        for part in re.split("(?=\r)", line.replace("\x1b[A", "")):
            letters = part.removeprefix("\r")
            cells[: len(letters)] = letters
        lines.append("".join(cells).rstrip())
    return lines


def test_file_has_a_line_per_epoch_without_control_characters(model, capsys):
    model.fit(X, Y, epochs=2, verbose=1, validation_data=(X, Y), callbacks=[Slow()])
    out = capsys.readouterr().out
    first, second, rest = out.split("\n")
    assert rest == ""
    validated = NUMBERS + " - val_" + NUMBERS.replace(" - ", " - val_")
    for epoch, line in ((1, first), (2, second)):
        assert re.fullmatch(rf"Epoch {epoch}/2: 100%\|█{{10}}\| 2/2 \[{TIMES}, {validated}\]", line)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out)


def test_terminal_shows_moving_bar_and_keeps_lines(model):
    with redirect_stdout(Terminal()) as terminal:
        model.fit(X, Y, epochs=2, verbose=1, validation_data=(X, Y), callbacks=[Slow()])
        written = terminal.getvalue()
        assert "compiling" in written
        assert "validating" in written
        assert re.search(
            r"Epoch 2/2:  50%\|█████     \| 1/2 \[\d\d:\d\d<\d\d:\d\d, [\d.]+m?s/step, loss: ",
            written,
        )
        first, second, rest = on_screen(written)
        assert first.startswith("Epoch 1/2: 100%|██████████| 2/2 [")
        assert re.search(rf"{TIMES}, {NUMBERS} - val_loss: .* - val_mae: \d\.\d{{4}}]$", second)
        assert rest == ""


def test_pseudo_terminal(model):
    ours, theirs = os.openpty()
    with open(theirs, "w") as stream:
        with redirect_stdout(stream):
            model.fit(X, Y, epochs=3, verbose="auto")
        written = b""
        while written.count(b"\n") < 3:
            written += os.read(ours, 4096)
    os.close(ours)
    lines = on_screen(written.decode().replace("\r\n", "\n"))
    assert [line[:16] for line in lines] == [*(f"Epoch {n}/3: 100%|" for n in (1, 2, 3)), ""]


def test_time_of_predict_ends_with_the_outputs(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("fjax.callbacks.bar.time.perf_counter", lambda: clock.now)
    stream = Terminal()
    bar = Bar(stream)
    bar.begin("Predict", 11, compiles=True)
    bar.set_status("compiling")
    bar.update(1)
    bar.update(11)
    clock.now += 3.0
    bar.end({})
    assert on_screen(stream.getvalue())[0].endswith("11/11 [3.0s, 300ms/step]")


def test_short_epochs_draw_no_bar_except_the_first(model, monkeypatch):
    drawn = []
    # On a busy machine an epoch may take longer than a tenth of a second.
    monkeypatch.setattr("fjax.callbacks.bar.REDRAW_SECONDS", 60.0)
    monkeypatch.setattr(Bar, "_draw", lambda bar, *texts: drawn.append(texts))
    with redirect_stdout(Terminal()) as terminal:
        model.fit(X, Y, epochs=5, verbose=1)
        assert drawn == [("compiling",)]
        assert terminal.getvalue().count("\n") == 5


def test_prints_of_other_callbacks_have_their_own_lines(model):
    with redirect_stdout(Terminal()) as terminal:

        class Prints(Slow):
            def on_epoch_begin(self, epoch, logs=None):
                print(f"before {epoch + 1}")

            def on_epoch_end(self, epoch, logs=None):
                print(f"after {epoch + 1}")

        model.fit(X, Y, epochs=2, verbose=1, callbacks=[Prints()])
        lines = on_screen(terminal.getvalue())
        assert [line[:10] for line in lines] == [
            "before 1", "after 1", "Epoch 1/2:", "before 2", "after 2", "Epoch 2/2:", "",
        ]  # fmt: skip


def test_line_is_written_during_the_next_epoch_if_nothing_else_prints(model, capsys):
    class Recorder(ProgbarLogger):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            seen.append(capsys.readouterr().out.count("\n"))

    seen = []
    model.fit(X, Y, epochs=3, verbose=1, callbacks=[Recorder()])
    assert seen == [0, 0, 1]
    assert capsys.readouterr().out.count("\n") == 2
    seen.clear()
    model.fit(X, Y, epochs=3, verbose=1, callbacks=[Recorder(), Callback()])
    assert seen == [0, 1, 1]


def test_step_time_excludes_compilation_and_validation(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("fjax.callbacks.bar.time.perf_counter", lambda: clock.now)
    stream = io.StringIO()
    bar = Bar(stream)
    bar.begin("Epoch 1/1", 11, compiles=True)
    for step, seconds in ((1, 5.0), (6, 0.1), (11, 0.1)):
        clock.now += seconds
        bar.update(step)
    bar.stop_clock()
    clock.now += 3.0
    bar.end({"loss": 0.5})
    assert (
        stream.getvalue() == "Epoch 1/1: 100%|██████████| 11/11 [8.2s, 20ms/step, loss: 0.5000]\n"
    )


def test_file_has_a_line_per_minute_of_slow_steps(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("fjax.callbacks.bar.time.perf_counter", lambda: clock.now)
    stream = io.StringIO()
    bar = Bar(stream)
    bar.begin("Epoch 1/1", 10)
    for step in range(1, 5):
        clock.now += 25
        bar.update(step, {"loss": 1 / step})
    assert stream.getvalue() == ("Epoch 1/1:  30%|███       | 3/10 [75s, 25s/step, loss: 0.3333]\n")


def test_loss_comes_first_in_the_bar(monkeypatch):
    bar = Bar(Terminal())
    drawn = []
    monkeypatch.setattr(bar, "_draw", lambda *texts: drawn.append(texts[-1]))
    monkeypatch.setattr("fjax.callbacks.bar.REDRAW_SECONDS", 0.0)
    bar.begin("Epoch 1/1", 3)
    bar.update(1, {"accuracy": 0.5, "loss": 1.0})
    assert drawn == ["loss: 1.0000 - accuracy: 0.5000"]


def test_logs_are_only_read_if_drawn():
    class Never(dict):
        def items(self):
            raise AssertionError

    bar = Bar(Terminal())
    bar.begin("Epoch 1/1", 3)
    bar.update(1, Never(loss=1.0))
    bar.update(3, Never(loss=1.0))


def test_generator_of_unknown_length(model):
    with redirect_stdout(Terminal()) as terminal:
        model.fit(((X[:10], Y[:10]) for _ in range(3)), verbose=1)
        line, _ = on_screen(terminal.getvalue())
        assert re.fullmatch(rf"Epoch 1/1: 3 \[{TIMES}, {NUMBERS}\]", line)


def test_stopped_epoch_shows_its_steps(model, capsys):
    class Stops(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model.fit(X, Y, batch_size=10, verbose=1, callbacks=[Stops()])
    assert capsys.readouterr().out.startswith("Epoch 1/1:  40%|████      | 2/5 [")


def test_evaluate_and_predict_show_progress(model, capsys):
    model.evaluate(X, Y, verbose=1)
    model.predict(X, batch_size=10, verbose=1)
    evaluated, predicted, _ = capsys.readouterr().out.split("\n")
    assert re.fullmatch(rf"Evaluate: 100%\|█{{10}}\| 2/2 \[{TIMES}, {NUMBERS}\]", evaluated)
    assert re.fullmatch(rf"Predict: 100%\|█{{10}}\| 5/5 \[{TIMES}\]", predicted)
    model.evaluate(X, Y, verbose=2)
    assert re.match(
        r"2/2 - [\d.]+(us|ms|s) - [\d.]+(us|ms|s)/step - loss: ", capsys.readouterr().out
    )


def test_bar_does_not_change_results(model):
    with redirect_stdout(Terminal()) as terminal:
        assert model.evaluate(X, Y, 7, verbose=1) == model.evaluate(X, Y, 7, verbose=0)
        outputs = model.predict(X, batch_size=7, verbose=1)
        np.testing.assert_array_equal(outputs, model.predict(X, batch_size=7, verbose=0))
        assert re.search("Evaluate: +0%.*compiling", terminal.getvalue())


def test_stream_that_cannot_encode_the_bar(model):
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii")
    with redirect_stdout(stream):
        model.fit(X, Y, verbose=1)
    stream.flush()
    assert raw.getvalue().startswith(b"Epoch 1/1: 100%|##########| 2/2 [")


def test_notebook_uses_tqdm_auto(monkeypatch):
    """Without ipywidgets, `tqdm.auto` draws text, which a notebook can overwrite."""
    shell = SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    stream = io.StringIO()
    bar = Bar(stream)
    bar.begin("Epoch 1/1", 2)
    bar.set_status("compiling")
    from tqdm.auto import tqdm

    assert type(bar._tqdm) is tqdm
    bar.end({})
    assert "compiling" in stream.getvalue()
    assert on_screen(stream.getvalue())[0].startswith("Epoch 1/1:   0%|")


def test_interrupted_bar_is_removed(model):
    with redirect_stdout(Terminal()):

        class Interrupts(Slow):
            def on_train_batch_end(self, batch, logs=None):
                raise KeyboardInterrupt

        bar = ProgbarLogger()
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, verbose=1, callbacks=[Interrupts(), bar])
        assert bar._bar._tqdm is not None
        assert bar.has_bar("train")
        CallbackList([bar], model, 1, epochs=1, steps=2)
        assert bar._bar._tqdm is None
        assert bar.has_bar("test")


def test_format_duration():
    assert [format_duration(s) for s in (4e-7, 2e-6, 0.02, 1.25, 59.6, 3725)] == [
        "400ns", "2us", "20ms", "1.2s", "60s", "1:02:05",
    ]  # fmt: skip


def test_format_logs_with_values_per_class():
    assert (
        format_logs({"f1": np.array([0.5, 1.0]), "loss": 2.0})
        == "f1: [0.5000, 1.0000] - loss: 2.0000"
    )
