"""The job of pictures: everybody reads the same files, and trains on them."""

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.images import epochs, report
from benchmarks.images.job import trainers
from benchmarks.images.pictures import Sizes, read_pictures, sizes, write_pictures
from benchmarks.orders import Answers


def test_the_pictures_are_balanced_and_tell_their_class(tmp_path):
    size = sizes(quick=True)
    write_pictures(tmp_path, size)
    pixels, labels = read_pictures(tmp_path)
    assert pixels.shape == (size.pictures, size.side, size.side, 3)
    assert np.bincount(labels).tolist() == [size.pictures // size.classes] * size.classes
    half = size.side // 2
    quarters = pixels.reshape(-1, 2, half, 2, half, 3).mean(axis=(2, 4, 5)).reshape(-1, 4)
    np.testing.assert_array_equal(quarters.argmax(axis=1), labels)
    assert Sizes().steps * Sizes().batch_size == Sizes().pictures == 2_000


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_pictures(tmp_path, sizes(quick=True))
    monkeypatch.setenv(epochs.FOLDER, str(tmp_path))


def test_fjax_trains_from_memory_and_from_the_folder(folder):
    answers = epochs.of_fjax(quick=True)
    assert list(answers) == ["memory", "disk"]
    assert all(answer()["seconds"] > 0 for answer in answers.values())


def test_the_loop_of_pytorch_trains_on_both(folder):
    pytest.importorskip("torch")
    answers = epochs.of_torch(quick=True)
    assert list(answers) == ["memory", "disk"]
    assert all(answer()["seconds"] > 0 for answer in answers.values())


def test_the_table_and_the_targets():
    def answered(memory, disk):
        reports = {"memory": memory, "disk": disk}
        return Answers("1", {k: [{"seconds": v}] if v else [] for k, v in reports.items()})

    answers = {"fjax": answered(0.5, 1.0), "keras_jax": answered(1.0, None),
               "torch_loader": answered(0.4, 3.0)}  # fmt: skip
    text = " ".join(report.job_table(trainers("pictures"), answers, Sizes()).split())
    assert "| pictures in memory, Keras on JAX | 1,000.0 | 2,000 | 2.00 |" in text
    assert "| pictures in a folder, Keras on JAX | | | not installed |" in text
    reached = [is_reached for _, is_reached in report.targets(answers)]
    assert reached == [True, False, True]


@pytest.mark.slow
def test_the_command_line(capsys):
    main(["--jobs", "images", "--quick"])
    assert "pictures in a folder, fjax" in capsys.readouterr().out
