"""The drawing of a placement; `tests/distribution` draws one on eight devices."""

import pytest

import fjax
from fjax.distribution import data_parallel
from fjax.layers import Dense, Input
from fjax.visualization import plot_placement

pyplot = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    pyplot.close("all")


def model(placement=None):
    built = fjax.Sequential([Input((8,)), Dense(32), Dense(3)], seed=0)
    built.compile("adam", "mse", placement=placement)
    return built


def names(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_the_placement_of_the_model_is_drawn(tmp_path):
    file = tmp_path / "placement.png"
    figure = plot_placement(model(data_parallel()), to_file=file)
    assert file.read_bytes().startswith(b"\x89PNG")
    assert names(figure) == [
        "dense/bias  (32,)", "dense/kernel  (8, 32)", "dense_1/bias  (3,)",
        "dense_1/kernel  (32, 3)",
    ]  # fmt: skip
    assert "1 along 'data'" in figure.get_suptitle()


def test_the_largest_weights_are_drawn():
    figure = plot_placement(model(), data_parallel(), max_weights=2)
    assert names(figure) == ["dense/kernel  (8, 32)", "dense_1/kernel  (32, 3)"]
    assert "2 smaller weights are not drawn" in figure.get_suptitle()


def test_mistakes(tmp_path):
    with pytest.raises(ValueError, match="this placement is one device"):
        plot_placement(model())
    with pytest.raises(ValueError, match=r"must end in one of \.png"):
        plot_placement(model(data_parallel()), to_file=tmp_path / "placement.txt")
    with pytest.raises(ValueError, match="`max_weights` must be"):
        plot_placement(model(data_parallel()), max_weights=0)
