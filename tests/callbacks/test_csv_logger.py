"""CSVLogger: new files, appended files, and errors for files of other runs."""

import csv

import pytest

from fjax.callbacks import CSVLogger


def test_rows_of_a_run(data, make_model, tmp_path):
    file = tmp_path / "run.csv"
    history = make_model().fit(*data, epochs=3, verbose=0, callbacks=[CSVLogger(file)])
    with open(file, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for name, values in history.history.items():
        assert [float(row[name]) for row in rows] == values
        assert [row[f"val_{name}"] for row in rows] == ["NA"] * 3


def test_append(data, make_model, tmp_path):
    model, logger = make_model(), CSVLogger(str(tmp_path / "run.csv"), ";", append=True)
    for epoch in (0, 1):
        model.fit(*data, initial_epoch=epoch, epochs=epoch + 1, verbose=0, callbacks=[logger])
    lines = (tmp_path / "run.csv").read_text().splitlines()
    assert [line.partition(";")[0] for line in lines] == ["epoch", "0", "1"]
    # Without `append`, the file is overwritten.
    model.fit(*data, verbose=0, callbacks=[CSVLogger(tmp_path / "run.csv")])
    assert len((tmp_path / "run.csv").read_text().splitlines()) == 2


def test_rows_are_written_immediately(tmp_path):
    logger = CSVLogger(tmp_path / "run.csv")
    logger.on_train_begin()
    assert (tmp_path / "run.csv").read_bytes() == b""
    logger.on_epoch_end(0, {"loss": 0.5})
    assert (tmp_path / "run.csv").read_bytes() == b"epoch,loss,val_loss\r\n0,0.5,NA\r\n"


def test_log_without_column(tmp_path):
    logger = CSVLogger(tmp_path / "run.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.5})
    with pytest.raises(ValueError, match="no column for extra, rate: its columns are epoch, loss"):
        logger.on_epoch_end(1, {"loss": 0.5, "rate": 1.0, "extra": 2.0})


def test_file_of_another_run(tmp_path):
    (tmp_path / "run.csv").write_text("epoch;loss\n")
    with pytest.raises(ValueError, match=r"first column is 'epoch;loss', .* separator is ','"):
        CSVLogger(tmp_path / "run.csv", append=True).on_train_begin()
    (tmp_path / "run.csv").write_text("")
    logger = CSVLogger(tmp_path / "run.csv", append=True)
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.5})
    state = logger.get_state()
    for text in ("epoch\n", "epoch,loss\n0,0.12345678901234567890\n1,0.5\n"):
        (tmp_path / "run.csv").write_text(text)
        other = CSVLogger(tmp_path / "run.csv")
        other.set_state(state)
        with pytest.raises(ValueError, match="is not the file of the resumed run, which had 32"):
            other.on_train_begin()
        assert (tmp_path / "run.csv").read_text() == text


def test_state_before_first_row_keeps_existing_rows(tmp_path):
    (tmp_path / "run.csv").write_text("epoch,loss\n0,0.5\n")
    logger = CSVLogger(tmp_path / "run.csv", append=True)
    logger.on_train_begin()
    other = CSVLogger(tmp_path / "run.csv", append=True)
    other.set_state(logger.get_state())
    other.on_train_begin()
    assert (tmp_path / "run.csv").read_text() == "epoch,loss\n0,0.5\n"


def test_missing_file_is_created_when_resumed(tmp_path):
    logger = CSVLogger(tmp_path / "run.csv")
    logger.set_state({"columns": ["epoch", "loss"], "size": 20})
    logger.on_train_begin()
    logger.on_epoch_end(3, {"loss": 0.5, "val_loss": 0.25})
    assert (tmp_path / "run.csv").read_text().splitlines() == ["epoch,loss,val_loss", "3,0.5,0.25"]
