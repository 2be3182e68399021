"""California housing: the house values of 20,640 districts in the census of 1990, for regression.

From R. K. Pace and R. Barry, "Sparse Spatial Autoregressions", 1997 (StatLib). The columns of a
district: MedInc (median income), HouseAge (median age of houses), AveRooms and AveBedrms (rooms and
bedrooms per household), Population, AveOccup (people per household), Latitude, Longitude.
"""

import os

import numpy as np

from fjax.datasets.files import find, read_arrays
from fjax.datasets.split import Samples, shuffled_split
from fjax.errors import one_of

# The names of the columns of `x`.
COLUMN_NAMES = (
    "MedInc",
    "HouseAge",
    "AveRooms",
    "AveBedrms",
    "Population",
    "AveOccup",
    "Latitude",
    "Longitude",
)

_INSTRUCTIONS = """Make it with scikit-learn:
    x, y = sklearn.datasets.fetch_california_housing(return_X_y=True)
    numpy.savez("california_housing.npz", x=x.astype("float32"), y=y.astype("float32"))"""


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Samples, Samples]:
    """Load the districts, shuffled (see `keras.datasets.california_housing`).

    The file is an `.npz` archive of scikit-learn's table: `x` has the columns above, `y` is the
    median house value in units of 100,000 dollars, both float32. It is not downloaded: the columns
    of Keras's file differ from its documentation
    (https://github.com/keras-team/keras/issues/21886).

    If the file has NaN for unknown values of AveBedrms, so have the returned arrays, and the loss
    of a network would be NaN. To drop those districts:

        known = ~np.isnan(x_train).any(axis=1)
        x_train, y_train = x_train[known], y_train[known]

    Args:
        version: "large" for all districts, "small" for the first 600.
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.
        test_split: The fraction of the districts in the test set.
        seed: The seed of the shuffling.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: the columns, float32, of shape `(districts, 8)`,
        and the median house values in dollars, as in Keras, float32, of shape `(districts,)`.

    Raises:
        FileNotFoundError: The file was not found; the message says how to make it.
        ValueError: The file holds other data, or an argument is invalid.

    >>> load_data(version="smal")
    Traceback (most recent call last):
        ...
    ValueError: `california_housing.load_data`: `version` must be one of 'small', 'large', received
    'smal'. Did you mean `small`?
    """
    owner = "california_housing.load_data"
    one_of(owner, "version", version, ["small", "large"])
    file = find(os.fspath(path), advice=_INSTRUCTIONS)
    arrays = read_arrays(file, {"x": ((20_640, 8), "float32"), "y": ((20_640,), "float32")})
    x, y = arrays["x"], arrays["y"]
    for values, name, low, high in (
        (x[:, 6], "`x[:, 6]`, the latitudes,", 32.0, 42.0),
        (x[:, 7], "`x[:, 7]`, the longitudes,", -125.0, -114.0),
        (y, "`y`, the values in 100,000 dollars,", 0.0, 10.0),
    ):
        if not (low <= values.min() and values.max() <= high):
            raise ValueError(
                f"{file} is another table: {name} must be between {low:g} and {high:g}, and are "
                f"between {values.min():g} and {values.max():g}. {_INSTRUCTIONS}"
            )
    # The values are whole dollars, some of which a float32 multiplication would miss.
    dollars = np.round(y.astype("float64") * 100_000).astype("float32")
    count = 600 if version == "small" else len(x)
    return shuffled_split(owner, x[:count], dollars[:count], test_split, seed)
