"""What the dashboard finds in a folder, judged by what the callbacks recorded themselves."""

import json
import os
import struct

import numpy as np
import pytest

import fjax
from fjax.callbacks import CSVLogger, TensorBoard
from fjax.dashboard import Dashboard
from fjax.dashboard.events import join_parts
from fjax.dashboard.folder import find_runs


def train(epochs=3, **options):
    rng = np.random.default_rng(0)
    model = fjax.Sequential([fjax.Input((4,)), fjax.layers.Dense(1)], seed=0)
    model.compile(fjax.optimizers.Adam(0.02), "mse", metrics=["mae"])
    x, y = rng.normal(size=(64, 4)), rng.normal(size=64)
    return model.fit(x, y, epochs=epochs, validation_split=0.25, verbose=0, **options)


def runs_of(folder):
    listing = find_runs(folder, {})
    return {(run.kind, run.name): run for run in join_parts(listing.runs)}, listing.notes


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with one training in all forms, and its history."""
    folder = tmp_path_factory.mktemp("runs")
    callbacks = [CSVLogger(folder / "log.csv"), TensorBoard(folder / "board")]
    history = train(resume=folder / "run", callbacks=callbacks)
    (folder / "result.json").write_text(json.dumps({"val_loss": 0.5, "parts": [1]}))
    return folder, history.history


@pytest.mark.short
@pytest.mark.parametrize(
    "kind, name", [("CSV", "log.csv"), ("checkpoints", "run"), ("TensorBoard", "board")]
)
def test_curves_are_those_of_the_history(written, kind, name):
    folder, history = written
    runs, notes = runs_of(folder)
    run = runs[kind, name]
    assert not run.problem and not notes
    for log, values in history.items():
        series = run.series[log]
        assert (series.x, series.axis) == ([1, 2, 3], "epoch")
        np.testing.assert_allclose(series.y, values, rtol=1e-6)


def test_a_checkpoint_tells_its_settings_and_that_nobody_writes(written):
    run = runs_of(written[0])[0]["checkpoints", "run"]
    assert run.settings["optimizer"] == "Adam" and run.settings["batch_size"] == 32
    assert run.settings["learning_rate"] == pytest.approx(0.02)
    assert run.is_written is False


def test_a_result_is_a_row_with_its_numbers(written):
    assert runs_of(written[0])[0]["result", "."].settings == {"val_loss": 0.5}


def test_a_training_is_seen_while_it_runs(tmp_path):
    seen = []

    class Look(fjax.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                seen.append(runs_of(tmp_path)[0]["checkpoints", "run"])

    train(resume=tmp_path / "run", callbacks=Look())
    assert seen[0].is_written is True and len(seen[0].series["loss"].y) >= 1


def test_metrics_of_several_values_have_a_curve_for_each_class(tmp_path):
    model = fjax.Sequential([fjax.Input((4,)), fjax.layers.Dense(3, "softmax")], seed=0)
    model.compile("sgd", "categorical_crossentropy", metrics=[fjax.metrics.F1Score()])
    y = np.eye(3)[np.arange(30) % 3]
    history = model.fit(np.ones((30, 4)), y, epochs=2, verbose=0, resume=tmp_path / "run")
    run = runs_of(tmp_path)[0]["checkpoints", "run"]
    values = np.stack([run.series[f"f1_score/{n}"].y for n in range(3)], 1)
    np.testing.assert_allclose(values, np.stack(history.history["f1_score"]))


@pytest.mark.parametrize(
    "text, problem, epochs",
    [
        ("", "empty", 0),
        ("epoch,loss\r\n0,0.5\r\n1,0.", "half-written", 1),
        ("epoch,loss\r\n0,0.5\r\n1\r\n2,0.25\r\n", "Line 3 has 1 values for 2 columns", 2),
        ("name,age\r\nAda,36\r\n", "first column is not `epoch`", 0),
        ("epoch;loss\r\n0;0.5\r\n", "", 1),
        ("epoch,loss,val_loss\r\n0,0.5,NA\r\n", "", 1),
    ],
)
def test_csv_files_that_are_no_whole_table(tmp_path, text, problem, epochs):
    (tmp_path / "a.csv").write_bytes(text.encode())
    run = runs_of(tmp_path)[0]["CSV", "a.csv"]
    assert (problem in run.problem) if problem else not run.problem
    assert len(run.series["loss"].y if epochs else []) == epochs
    assert "val_loss" not in run.series


def test_values_that_are_not_finite_are_missing_on_the_page(tmp_path):
    (tmp_path / "a.csv").write_text("epoch,loss\n0,nan\n1,inf\n2,1.0\n")
    with Dashboard(tmp_path) as dashboard:
        document = ask(dashboard, "runs")
    assert document["runs"][0]["series"]["loss"]["y"] == [None, None, 1.0]


def ask(dashboard, path):
    from urllib.request import urlopen

    with urlopen(dashboard.url + path) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("size", [0, 5, 40, -40, -1])
def test_a_checkpoint_that_is_cut_off_is_said_in_one_sentence(written, tmp_path, size):
    source = max((written[0] / "run").glob("run-*.fjax"))
    data = source.read_bytes()
    (tmp_path / "run-000000001.fjax").write_bytes(data[:size])
    run = runs_of(tmp_path)[0]["checkpoints", "."]
    assert "run-000000001.fjax" in run.problem and not run.series


def test_of_a_damaged_checkpoint_the_one_before_is_shown(written, tmp_path):
    source = max((written[0] / "run").glob("run-*.fjax"))
    (tmp_path / "run-000000001.fjax").write_bytes(source.read_bytes())
    (tmp_path / "run-000000002.fjax").write_bytes(b"nothing")
    run = runs_of(tmp_path)[0]["checkpoints", "."]
    assert not run.problem and len(run.series["loss"].y) == 3


def test_every_cut_of_an_event_file_is_read_or_reported(written, tmp_path):
    source = next((written[0] / "board" / "train").iterdir())
    data = source.read_bytes()
    whole = len(runs_of(written[0])[0]["TensorBoard", "board"].series["loss"].y)
    for size in range(len(data) - 1, 0, -7):
        (tmp_path / source.name).write_bytes(data[:size])
        run = runs_of(tmp_path)[0]["TensorBoard", "."]
        values = run.series["loss"].y if "loss" in run.series else []
        assert len(values) <= whole
        assert not run.problem or "half-written" in run.problem


@pytest.mark.parametrize("data", [b"x" * 100, struct.pack("<QI", 2**60, 0) + b"x" * 50])
def test_a_file_that_is_no_event_file_is_said(tmp_path, data):
    (tmp_path / "events.out.tfevents.1").write_bytes(data)
    assert "no event file" in runs_of(tmp_path)[0]["TensorBoard", "."].problem


def test_damaged_records_are_one_sentence(written, tmp_path):
    source = next((written[0] / "board" / "train").iterdir())
    rng = np.random.default_rng(0)
    for _ in range(100):
        data = bytearray(source.read_bytes())
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        (tmp_path / source.name).write_bytes(data)
        runs_of(tmp_path)  # Raises nothing; `fjax` reports it in `problem`, or reads on.


def test_links_are_not_followed(written, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "b.csv").write_text("epoch,loss\n0,0.5\n")
    (inside / "a.csv").symlink_to(written[0] / "log.csv")
    (inside / "folder").symlink_to(written[0])
    runs, notes = runs_of(inside)
    assert set(runs) == {("CSV", "b.csv")}
    assert notes == ["2 links were not followed: the page shows only what is in the folder."]


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(written, tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("epoch,loss\n0,0.5\n")
    from fjax.dashboard import folder

    listed = folder._regular_files

    def swap(names, descriptor):
        files = listed(names, descriptor)
        (tmp_path / "a.csv").unlink()
        (tmp_path / "a.csv").symlink_to(written[0] / "log.csv")
        return files

    monkeypatch.setattr(folder, "_regular_files", swap)
    run = runs_of(tmp_path)[0]["CSV", "a.csv"]
    assert run.problem.startswith("It cannot be read") and not run.series


def test_the_folder_itself_may_be_named_by_a_link(written, tmp_path):
    (tmp_path / "link").symlink_to(written[0])
    with Dashboard(tmp_path / "link") as dashboard:
        assert {run["name"] for run in ask(dashboard, "runs")["runs"]} >= {"log.csv", "run"}


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    assert runs_of(tmp_path)[0] == {}


def test_files_that_have_not_changed_are_not_read_again(written):
    first = {(run.kind, run.name): run for run in find_runs(written[0], {}).runs}
    again = {(run.kind, run.name): run for run in find_runs(written[0], first).runs}
    assert all(again[key] is first[key] for key in first)


def test_a_folder_that_is_none_is_said(tmp_path):
    with pytest.raises(NotADirectoryError, match="give the folder in which the runs are"):
        Dashboard(tmp_path / "missing")


def test_the_folder_may_vanish_while_the_page_is_open(tmp_path):
    (tmp_path / "runs").mkdir()
    with Dashboard(tmp_path / "runs") as dashboard:
        (tmp_path / "runs").rmdir()
        assert "cannot be read" in ask(dashboard, "runs")["notes"][0]


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    from fjax.dashboard.__main__ import main

    with Dashboard(tmp_path) as dashboard:
        port = dashboard.url.split(":")[2].split("/")[0]
        assert main([str(tmp_path), "--port", port]) == 1
    assert capsys.readouterr().err == (
        f"fjax.dashboard: Port {port} is in use: give another port, or none to take a free one.\n"
    )
    assert main([str(tmp_path / "missing")]) == 1
    assert "is not a folder" in capsys.readouterr().err
