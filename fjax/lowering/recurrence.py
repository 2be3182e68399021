"""A step that is taken along a sequence, state after state."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from fjax.typing import Array, PyTree

# `step(inputs, states, kept) -> (output, states, kept)`.
Step = Callable[[Any, list[Any], PyTree], tuple[Array, list[Any], PyTree]]


class Recurrence(NamedTuple):
    """What a recurrence makes.

    Attributes:
        outputs: The outputs of all steps, `(batch, time, …)`, in the order in which they were
            taken; or of the last step alone, `(batch, …)`.
        states: The states after the last step.
        kept: What the last step kept.
    """

    outputs: Array
    states: list[Any]
    kept: PyTree


def recurrence(
    step: Step,
    inputs: Array,
    states: list[Any],
    kept: PyTree = (),
    mask: Array | None = None,
    *,
    sequences: bool = True,
    backwards: bool = False,
    unroll: bool = False,
    zero_output_for_mask: bool = False,
) -> Recurrence:
    """Take a step for each entry of a sequence, by `lax.scan`.

    Where the mask is False the states stay, and the output is the one before, or zero.

    Args:
        step: `step(inputs, states, kept) -> (output, states, kept)`, for one entry `(batch, …)`.
        inputs: The sequences, `(batch, time, …)`.
        states: A list of first states, `(batch, …)` each, or lists of these. Before the first step
            the output counts as the first state (of the last list), if it is of the same shape.
        kept: What else goes from step to step, masked or not.
        mask: Booleans `(batch, time)`; True counts.
        sequences: Whether to return the outputs of all steps.
        backwards: Whether to begin at the end.
        unroll: Whether to write out all steps in the program.
        zero_output_for_mask: Whether masked outputs are zero.

    >>> def add_up(entry, states, kept):
    ...     total = states[0] + entry
    ...     return total, [total], kept
    >>> inputs, mask = jnp.array([[1.0, 2.0, 3.0]]), jnp.array([[True, False, True]])
    >>> recurrence(add_up, inputs, [jnp.zeros(1)], mask=mask).outputs.tolist()
    [[1.0, 1.0, 4.0]]
    """
    batch = inputs.shape[0]
    spec = jax.eval_shape(step, inputs[:, 0], states, kept)[0]
    before = states[-1][0] if isinstance(states[-1], list | tuple) else states[0]
    if before.shape != spec.shape or zero_output_for_mask:
        before = jnp.zeros(spec.shape, spec.dtype)
    # What came before is carried where something asks for it alone.
    carries = mask is not None or not sequences
    first = before.astype(spec.dtype) if carries else None

    def take(carry: Any, entry: Any) -> Any:
        states, kept, before = carry
        values, counts = entry
        output, after, kept = step(values, states, kept)
        after = jax.tree.map(lambda new, old: new.astype(old.dtype), list(after), states)
        if counts is not None:
            instead = jnp.zeros_like(output) if zero_output_for_mask else before
            output = _choose(batch, counts, output, instead)
            after = jax.tree.map(lambda new, old: _choose(batch, counts, new, old), after, states)
        return (after, kept, output if carries else None), output if sequences else None

    entries = jnp.swapaxes(inputs, 0, 1), None if mask is None else jnp.swapaxes(mask, 0, 1)
    carry: Any
    outputs: Any
    carry, outputs = lax.scan(
        take, (list(states), kept, first), entries, reverse=backwards, unroll=unroll
    )
    states, kept, last = carry
    if not sequences:
        return Recurrence(last, states, kept)
    outputs = jnp.flip(outputs, 0) if backwards else outputs
    return Recurrence(jnp.swapaxes(outputs, 0, 1), states, kept)


def _choose(batch: int, counts: Array, new: Array, old: Array) -> Array:
    return jnp.where(counts.reshape(batch, *[1] * (new.ndim - 1)), new, old)
