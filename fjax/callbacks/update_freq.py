"""The argument `update_freq` of the callbacks that record a run."""

from typing import Any

from fjax.errors import is_integer


def checked_update_freq(owner: str, update_freq: Any) -> Any:
    """Return "epoch", or the number of steps between two records; "batch" is 1.

    >>> checked_update_freq("TensorBoard", "batch"), checked_update_freq("TensorBoard", "epoch")
    (1, 'epoch')
    """
    if update_freq == "batch":
        return 1
    if update_freq == "epoch":
        return "epoch"
    if is_integer(update_freq) and update_freq >= 1:
        return int(update_freq)
    raise ValueError(
        f'`{owner}`: `update_freq` must be "epoch", "batch" or an integer of at least 1, received '
        f"{update_freq!r}."
    )
