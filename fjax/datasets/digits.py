"""Handwritten digits of 8 x 8 pixels, which ship with the package.

The test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (UCI
Machine Learning Repository, https://doi.org/10.24432/C50P49), under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/); only the order and the file format differ here.
`digits.npz` was made by:

    digits = sklearn.datasets.load_digits()
    order = np.random.default_rng(0).permutation(1797)
    x, y = digits.images.astype("uint8")[order], digits.target.astype("uint8")[order]
    np.savez_compressed("digits.npz", x_train=x[:1437], y_train=y[:1437],
                        x_test=x[1437:], y_test=y[1437:])
"""

from pathlib import Path

from fjax.datasets.files import read_images
from fjax.datasets.split import Samples


def load_data() -> tuple[Samples, Samples]:
    """Load the 1,797 digits in a fixed random order, with a fixed test set.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 1,437 and 360 images of shape `(8, 8)` in uint8
        from 0 (background) to 16 (ink), and their digits in uint8.

    >>> (x_train, y_train), (x_test, y_test) = load_data()
    >>> x_train.shape, y_test.shape, int(x_train.max())
    ((1437, 8, 8), (360,), 16)
    """
    return read_images(Path(__file__).with_name("digits.npz"), 1437, 360, side=8)
