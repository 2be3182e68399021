"""Operations of `keras.ops.nn` for connectionist temporal classification."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import one_of
from fjax.losses.temporal import alignment_loss
from fjax.ops.definition import OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

# The value after the last label of a decoded sequence.
_PADDING = -1


@op.define
def ctc_loss(
    target: Array, output: Array, target_length: Array, output_length: Array, mask_index: int = 0
) -> Array:
    """Return the negative log-likelihood of label sequences, summed over all alignments.

    Args:
        target: Labels, `(batch, labels)`.
        output: Logits, `(batch, steps, classes)`.
        target_length: The number of labels of each sequence, `(batch,)`.
        output_length: The number of steps of each sequence, `(batch,)`.
        mask_index: The class of the blank.
    """
    return alignment_loss(
        target.astype("int32"), output.astype(jnp.promote_types(output.dtype, "float32")),
        target_length.astype("int32"), output_length.astype("int32"), mask_index,
    )  # fmt: skip


@op.define
def ctc_decode(
    inputs: Array,
    sequence_lengths: Array,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Array, Array]:
    """Return the most likely label sequences of logits, and their scores.

    Args:
        inputs: Logits, `(batch, steps, classes)`.
        sequence_lengths: The number of steps of each sequence, `(batch,)`.
        strategy: "greedy" takes the best class of each step, "beam_search" sums over alignments.
        beam_width: How many sequences the beam search follows.
        top_paths: How many sequences the beam search returns.
        merge_repeated: Whether the greedy strategy joins repeated labels.
        mask_index: The class of the blank.

    Returns:
        The labels, `(paths, batch, steps)`, with -1 after the last one; and the scores,
        `(batch, paths)`: negative sums of logits for "greedy", log-probabilities for
        "beam_search".
    """
    one_of("ctc_decode", "strategy", strategy, ["greedy", "beam_search"])
    inputs = inputs.astype(jnp.promote_types(inputs.dtype, "float32"))
    if strategy == "greedy":
        return _decode_greedily(inputs, sequence_lengths, merge_repeated, mask_index)

    def decode(logits: Array, length: Array) -> tuple[Array, Array]:
        return _search(jax.nn.log_softmax(logits), length, beam_width, mask_index)

    labels, scores = jax.vmap(decode)(inputs, sequence_lengths)
    return jnp.swapaxes(labels, 0, 1)[:top_paths], scores[:, :top_paths]


def _decode_greedily(
    inputs: Array, lengths: Array, merge_repeated: bool, blank: int
) -> tuple[Array, Array]:
    steps = inputs.shape[1]
    is_step = jnp.arange(steps) < lengths[:, None]
    labels = jnp.where(is_step, jnp.argmax(inputs, axis=-1), blank)
    scores = -jnp.sum(jnp.where(is_step, jnp.max(inputs, axis=-1), 0.0), axis=1, keepdims=True)
    is_label = labels != blank
    if merge_repeated:
        is_label &= jnp.pad(labels[:, 1:] != labels[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    # Labels first, in their order.
    order = jnp.argsort(~is_label, axis=1, stable=True)
    labels = jnp.take_along_axis(jnp.where(is_label, labels, _PADDING), order, axis=1)
    return labels[None], scores


def _search(log_probabilities: Array, length: Array, width: int, blank: int) -> tuple[Array, Array]:
    """Return the best prefixes of one sequence, and the logarithms of their probabilities.

    A prefix has two probabilities: that of the alignments that end with a blank, and of those that
    end with its last label. Each step keeps a prefix, or extends it by a label.
    """
    steps, classes = log_probabilities.shape
    never = -jnp.inf
    prefixes = jnp.full((width, steps), _PADDING)
    sizes = jnp.zeros(width, "int32")
    with_blank = jnp.full(width, never).at[0].set(0.0)
    with_label = jnp.full(width, never)
    slots = jnp.arange(width)

    def step(beam: Any, number: Array) -> tuple[Any, None]:
        prefixes, sizes, with_blank, with_label = beam
        now = log_probabilities[number]
        is_valid = jnp.logaddexp(with_blank, with_label) > never
        last = jnp.where(sizes > 0, prefixes[slots, jnp.maximum(sizes - 1, 0)], _PADDING)
        total = jnp.logaddexp(with_blank, with_label)
        kept_with_blank = total + now[blank]
        kept_with_label = jnp.where(last == _PADDING, never, with_label + now[last])
        # A repeated label needs a blank in between.
        is_repeated = jnp.arange(classes) == last[:, None]
        extended = jnp.where(is_repeated, with_blank[:, None], total[:, None]) + now
        extended = extended.at[:, blank].set(never)
        # An extension that is a prefix of the beam already is added to it.
        without_last = jnp.where(jnp.arange(steps) == sizes[:, None] - 1, _PADDING, prefixes)
        is_parent = (prefixes[:, None] == without_last[None]).all(-1)
        is_parent &= (sizes[:, None] + 1 == sizes[None]) & is_valid[:, None] & is_valid[None]
        from_parent = jnp.where(is_parent, extended[:, last], never)
        kept_with_label = jnp.logaddexp(kept_with_label, jax.nn.logsumexp(from_parent, axis=0))
        in_beam = (is_parent[:, :, None] & (jnp.arange(classes) == last[None, :, None])).any(1)
        extended = jnp.where(in_beam, never, extended)
        scores = jnp.concatenate(
            [jnp.logaddexp(kept_with_blank, kept_with_label), extended.ravel()]
        )
        _, best = jax.lax.top_k(scores, width)
        is_kept = best < width
        parent = jnp.where(is_kept, best, (best - width) // classes)
        label = (best - width) % classes
        chosen = prefixes[parent]
        longer = chosen.at[slots, sizes[parent]].set(label, mode="drop")
        found = (
            jnp.where(is_kept[:, None], chosen, longer),
            sizes[parent] + ~is_kept,
            jnp.where(is_kept, kept_with_blank[parent], never),
            jnp.where(is_kept, kept_with_label[parent], scores[best]),
        )
        is_step = number < length
        return tuple(jnp.where(is_step, a, b) for a, b in zip(found, beam, strict=True)), None

    beam = (prefixes, sizes, with_blank, with_label)
    (prefixes, _, with_blank, with_label), _ = jax.lax.scan(step, beam, jnp.arange(steps))
    scores, order = jax.lax.top_k(jnp.logaddexp(with_blank, with_label), width)
    return prefixes[order], scores


__all__ = op.names
