"""California housing: house values of 20,640 districts in the census of 1990, a regression.

From R. K. Pace and R. Barry, "Sparse Spatial Autoregressions", 1997 (StatLib). The columns, per
district: MedInc (median income), HouseAge (median), AveRooms and AveBedrms (per household),
Population, AveOccup (people per household), Latitude, Longitude.
"""

import os

import numpy as np

from fjax.datasets.files import find, read_arrays
from fjax.datasets.split import Samples, shuffled_split
from fjax.errors import one_of

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

_MAKE_IT = """It is made by scikit-learn so:
    x, y = sklearn.datasets.fetch_california_housing(return_X_y=True)
    numpy.savez("california_housing.npz", x=x.astype("float32"), y=y.astype("float32"))"""


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Samples, Samples]:
    """Load the districts, shuffled (see `keras.datasets.california_housing`).

    The file is an `.npz` archive of `x`, the columns as above, and `y`, the median house value in
    100,000 dollars, both float32: scikit-learn's table. It is not downloaded: Keras's own file
    has other columns than its page says (https://github.com/keras-team/keras/issues/21886).

    Where a file marks the unknown entries of AveBedrms by NaN they stay so, and a network would
    pass them on. To drop those districts:

        known = ~np.isnan(x_train).any(axis=1)
        x_train, y_train = x_train[known], y_train[known]

    Args:
        version: "large" for all, "small" for the first 600.
        path: The file's name in FJAX_DATA or the cache, or an absolute path.
        test_split: The share of districts to test with.
        seed: What the shuffling follows from.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: the columns in float32, of shape `(districts, 8)`,
        and the median house values in dollars, as in Keras, in float32, of shape `(districts,)`.

    Raises:
        FileNotFoundError: The file is nowhere; the message says how to make it.
        ValueError: The file holds something else, or an argument is out of range.

    >>> load_data(version="smal")
    Traceback (most recent call last):
        ...
    ValueError: `california_housing.load_data`: `version` must be one of 'small', 'large', received
    'smal'. Did you mean `small`?
    """
    owner = "california_housing.load_data"
    one_of(owner, "version", version, ["small", "large"])
    found = find(os.fspath(path), otherwise=_MAKE_IT)
    arrays = read_arrays(found, {"x": ((20_640, 8), "float32"), "y": ((20_640,), "float32")})
    x, y = arrays["x"], arrays["y"]
    for values, name, low, high in (
        (x[:, 6], "`x[:, 6]`, the latitudes,", 32.0, 42.0),
        (x[:, 7], "`x[:, 7]`, the longitudes,", -125.0, -114.0),
        (y, "`y`, the values in 100,000 dollars,", 0.0, 10.0),
    ):
        if not (low <= values.min() and values.max() <= high):
            raise ValueError(
                f"{found} is another table: {name} must lie from {low:g} to {high:g}, they lie "
                f"from {values.min():g} to {values.max():g}. {_MAKE_IT}"
            )
    # The values were whole dollars once; float32 alone would miss some of them.
    dollars = np.round(y.astype("float64") * 100_000).astype("float32")
    count = 600 if version == "small" else len(x)
    return shuffled_split(owner, x[:count], dollars[:count], test_split, seed)
