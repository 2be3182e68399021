"""The arguments of a call of a recurrent layer: sequences, and initial states."""

from typing import Any

from fjax.core.calling import CallKwargs
from fjax.core.masking import strip_masks


def split_initial_states(owner: str, inputs: tuple[Any, ...]) -> tuple[Any, Any]:
    """Return the sequences and the initial states of a call; None if no states are given.

    The states are given as `initial_state=…` or as further inputs.

    Raises:
        TypeError: There are no sequences, or the states are given twice.
    """
    options: dict[str, Any] = {}
    if inputs and isinstance(inputs[-1], CallKwargs):
        *positional, last = inputs
        inputs, options = tuple(positional), dict(last)
    if not inputs:
        raise TypeError(f"`{owner}` takes sequences, received no input.")
    sequences, *states = inputs
    initial = strip_masks(options.get("initial_state"))
    if not states:
        return sequences, initial
    if initial is not None:
        raise TypeError(
            f"`{owner}` received initial states both as further inputs and as `initial_state`: "
            "pass them once."
        )
    initial = strip_masks(states)
    # `layer(x, [h, c])` is `layer(x, h, c)`.
    is_one_list = len(initial) == 1 and isinstance(initial[0], list | tuple)
    return sequences, initial[0] if is_one_list else initial
