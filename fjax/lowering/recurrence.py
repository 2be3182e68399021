"""The recurrence of an RNN: a step function scanned over the time axis."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from fjax.typing import Array, PyTree

# `step(inputs, states, kept) -> (output, states, kept)`.
Step = Callable[[Any, list[Any], PyTree], tuple[Array, list[Any], PyTree]]


class Recurrence(NamedTuple):
    """The results of a recurrence.

    Attributes:
        outputs: The outputs of all steps, `(batch, time, …)`, in the order of computation; or of
            the last step only, `(batch, …)`.
        states: The states after the last step.
        kept: The other values that the last step returned.
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
    """Apply a step function to each entry of a sequence in turn, by `lax.scan`.

    A masked step leaves the states unchanged; its output is that of the previous step, or 0.

    Args:
        step: `step(inputs, states, kept) -> (output, states, kept)`, for one entry `(batch, …)`.
        inputs: The sequences, `(batch, time, …)`.
        states: The initial states, a list of arrays `(batch, …)` or of lists of them. If the
            first step is masked, its output is the first state (of the last list) if the shapes
            agree, else 0.
        kept: Other values that are passed from step to step, masked or not.
        mask: Booleans `(batch, time)`; False masks a step.
        sequences: Whether to return the outputs of all steps.
        backwards: Whether to start at the last entry.
        unroll: Whether to unroll the loop in the compiled program.
        zero_output_for_mask: Whether masked outputs are 0.

    >>> def add_up(entry, states, kept):
    ...     total = states[0] + entry
    ...     return total, [total], kept
    >>> inputs, mask = jnp.array([[1.0, 2.0, 3.0]]), jnp.array([[True, False, True]])
    >>> recurrence(add_up, inputs, [jnp.zeros(1)], mask=mask).outputs.tolist()
    [[1.0, 1.0, 4.0]]
    """
    # The previous output is carried only where it is needed.
    carries_output = mask is not None or not sequences
    previous = None
    if carries_output:
        spec = jax.eval_shape(step, inputs[:, 0], states, kept)[0]
        previous = _initial_output(states, spec, zero_output_for_mask)

    def scan_step(carry: Any, entry: Any) -> Any:
        states, kept, previous = carry
        values, is_valid = entry
        output, new_states, kept = step(values, states, kept)
        new_states = jax.tree.map(lambda new, old: new.astype(old.dtype), list(new_states), states)
        if is_valid is not None:
            default = jnp.zeros_like(output) if zero_output_for_mask else previous
            output = _where_valid(is_valid, output, default)
            new_states = jax.tree.map(
                lambda new, old: _where_valid(is_valid, new, old), new_states, states
            )
        carried = output if carries_output else None
        return (new_states, kept, carried), output if sequences else None

    entries = jnp.swapaxes(inputs, 0, 1), None if mask is None else jnp.swapaxes(mask, 0, 1)
    carry: Any
    outputs: Any
    carry, outputs = lax.scan(
        scan_step, (list(states), kept, previous), entries, reverse=backwards, unroll=unroll
    )
    states, kept, last = carry
    if not sequences:
        return Recurrence(last, states, kept)
    outputs = jnp.flip(outputs, 0) if backwards else outputs
    return Recurrence(jnp.swapaxes(outputs, 0, 1), states, kept)


def _initial_output(states: list[Any], spec: Any, zero: bool) -> Array:
    """Return what counts as the output before the first step: the first state, or 0."""
    state = states[-1][0] if isinstance(states[-1], list | tuple) else states[0]
    if state.shape != spec.shape or zero:
        return jnp.zeros(spec.shape, spec.dtype)
    return state.astype(spec.dtype)


def _where_valid(is_valid: Array, new: Array, old: Array) -> Array:
    return jnp.where(is_valid.reshape(is_valid.shape[0], *[1] * (new.ndim - 1)), new, old)
