"""The argument `format` of the functions that return a data set."""

from typing import Any

from fjax.errors import one_of


def check_format(owner: str, value: Any) -> None:
    """Raise ValueError unless the format is "tf".

    >>> check_format("image_dataset_from_directory", "grain")
    Traceback (most recent call last):
        ...
    ValueError: `image_dataset_from_directory`: `format="grain"` is not supported. Leave it out: ...
    """
    if value == "grain":
        raise ValueError(
            f'`{owner}`: `format="grain"` is not supported. Leave it out: the `Dataset` that this '
            "function returns reads in threads, in a fixed order, and needs neither TensorFlow nor "
            "Grain. `fit`, `evaluate` and `predict` take a data set of Grain, too."
        )
    one_of(owner, "format", value, ["tf"])
