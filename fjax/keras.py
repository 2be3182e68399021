"""The names of fjax under the name of the API that they follow: `from fjax import keras`.

`__version__` is the version of Keras whose API and numbers these are, so that the version check of
a tutorial passes. The version of the package itself is `fjax.__version__`.

>>> from fjax import keras
>>> keras.__version__ >= "3", keras.layers.Dense(2)
(True, Dense(units=2))
"""

from typing import Any

import fjax

__version__ = "3.15.1"


def version() -> str:
    """Return the version of Keras whose API this is.

    >>> version()
    '3.15.1'
    """
    return __version__


def __getattr__(name: str) -> Any:
    return getattr(fjax, name)


def __dir__() -> list[str]:
    return sorted({*dir(fjax), "__version__", "version"})
