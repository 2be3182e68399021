"""Boston housing: the house values of 506 districts in the census of 1970, for regression.

From D. Harrison and D. Rubinfeld, "Hedonic prices and the demand for clean air", 1978 (StatLib).
One column was derived from the share of Black residents, on the assumption that segregation raises
prices: use the data only to study that problem, and `california_housing` for all else. The archive
is Keras's.
"""

import os

from fjax.datasets.files import Download, fetcher, find, read_arrays
from fjax.datasets.split import Samples, shuffled_split

_SOURCE = Download(
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/boston_housing.npz",
    "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    57_026,
)


def load_data(
    path: str | os.PathLike[str] = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Samples, Samples]:
    """Load the districts, shuffled (see `keras.datasets.boston_housing`).

    Args:
        path: The name of the file in FJAX_DATA or the cache, or an absolute path.
        test_split: The fraction of the districts in the test set.
        seed: The seed of the shuffling.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: the columns, float64, of shape `(districts, 13)`,
        and the median house values in 1,000 dollars, float64, of shape `(districts,)`.

    Raises:
        FileNotFoundError: The file was not found, and the download failed.
        ValueError: The file holds other data, or an argument is invalid.

    >>> load_data("/nowhere/boston_housing.npz")
    Traceback (most recent call last):
        ...
    FileNotFoundError: There is no file /nowhere/boston_housing.npz.
    """
    file = find(os.fspath(path), fetcher(_SOURCE))
    arrays = read_arrays(file, {"x": ((506, 13), "float64"), "y": ((506,), "float64")})
    return shuffled_split("boston_housing.load_data", arrays["x"], arrays["y"], test_split, seed)
