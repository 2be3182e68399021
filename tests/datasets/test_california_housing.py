import numpy as np
import pytest

from fjax.datasets.california_housing import COLUMN_NAMES, load_data


@pytest.fixture
def table(folders):
    """Save a table in the format of the real one, in which the value of a row is its number."""
    generator = np.random.default_rng(0)
    x = generator.uniform(1, 9, size=(20_640, 8)).astype("float32")
    x[:, 6] = 35
    x[:, 7] = -120
    x[::100, 3] = np.nan
    y = (np.arange(20_640) / 100_000 + 1).astype("float32")

    def save(**changed):
        np.savez(folders[0] / "california_housing.npz", **{"x": x, "y": y} | changed)
        return x, y

    save()
    return save


def test_split(table):
    x, _ = table()
    (x_train, y_train), (x_test, y_test) = load_data()
    assert x_train.shape == (16_512, 8) and y_train.shape == (16_512,)
    assert x_test.shape == (4_128, 8) and y_test.shape == (4_128,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("float32")}
    # The values are whole dollars, every row occurs once, and values stay with their rows.
    rows = np.concatenate([y_train, y_test]).astype(int) - 100_000
    assert sorted(rows) == list(range(20_640))
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), x[rows])


def test_unknown_entries_are_nan(table):
    (x_train, _), (x_test, _) = load_data()
    assert np.isnan(x_train[:, 3]).sum() + np.isnan(x_test[:, 3]).sum() == 207


def test_split_equals_that_of_keras(table):
    x, _ = table()
    order = np.arange(20_640)
    np.random.RandomState(7).shuffle(order)
    (x_train, _), _ = load_data(test_split=0.3, seed=7)
    np.testing.assert_array_equal(x_train, x[order[: int(20_640 * (1 - 0.3))]])


def test_small(table):
    (x_train, y_train), (x_test, _) = load_data("small")
    assert len(x_train) == 480 and len(x_test) == 120
    assert y_train.max() < 100_600


def test_empty_test_set(table):
    (x_train, _), (x_test, y_test) = load_data(test_split=0)
    assert len(x_train) == 20_640 and len(x_test) == len(y_test) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": "smal"}, "Did you mean `small`"),
        ({"test_split": 1.0}, r"`test_split` must be a number in \[0, 1\), received 1.0"),
        ({"test_split": -0.1}, "`test_split`"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"seed": None}, "`seed`"),
    ],
)
def test_invalid_arguments(table, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_data(**arguments)


def test_other_tables(table):
    x, y = table()
    table(x=x[:, ::-1].copy())
    with pytest.raises(ValueError, match=r"`x\[:, 6\]`, the latitudes, must be between 32 and 42"):
        load_data()
    table(y=y * 100_000)
    with pytest.raises(ValueError, match="values in 100,000 dollars, must be between 0 and 10"):
        load_data()
    table(y=y.astype("float64"))
    with pytest.raises(ValueError, match=r"'y' must have shape .* float32"):
        load_data()


def test_missing_file(folders):
    with pytest.raises(FileNotFoundError, match="fetch_california_housing"):
        load_data()


def test_real_file(shared):
    (x_train, y_train), (x_test, y_test) = load_data()
    values = np.concatenate([y_train, y_test])
    assert (values.min(), values.max()) == (14_999, 500_001)
    assert (values == values.round()).all()
    known = ~np.isnan(x_train).any(axis=1)
    assert 0 < (~known).sum() < 207
    # The first training values of Keras's file, as printed in books.
    assert y_train[:3].tolist() == [252_300, 146_900, 290_900]
    assert x_test[:, COLUMN_NAMES.index("Longitude")].max() < -114
