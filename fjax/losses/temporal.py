"""Connectionist temporal classification (CTC): label sequences without alignment."""

from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.losses import targets
from fjax.losses.loss import NamedLoss
from fjax.losses.preparation import as_floats
from fjax.typing import Array, ArrayLike, Shape

# The log-probability of impossible events; with -infinity gradients would be NaN.
IMPOSSIBLE = -1e5


def ctc(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Negative log-likelihood of label sequences, summed over all alignments with the time steps.

    At each step the model emits a class or the blank, which is class 0. A class that is emitted
    repeatedly without a blank in between counts as one label.

    Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
    Recurrent Neural Networks", 2006.

    Args:
        y_true: Labels from 1 to `classes - 1`, padded with 0 at the end, `(batch, labels)`.
        y_pred: Logits, `(batch, steps, classes)`.

    Returns:
        One value per sample, `(batch,)`; about 1e5 if there are too few steps for the labels.

    Raises:
        ValueError: An array does not have this shape.

    >>> print(ctc([[1, 0]], [[[0.0, 0.0], [0.0, 0.0]]]))
    [0.28768...]
    """
    y_true, y_pred = as_floats(y_true, y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3 or y_true.shape[0] != y_pred.shape[0]:
        raise _shape_error("ctc", "y_true", y_true.shape, y_pred.shape)
    lengths = jnp.sum(y_true != 0, axis=1).astype(jnp.int32)
    steps = jnp.full(lengths.shape, y_pred.shape[1])
    return alignment_loss(y_true.astype(jnp.int32), y_pred, lengths, steps)


def alignment_loss(
    labels: Array, logits: Array, label_lengths: Array, steps: Array, blank: int = 0
) -> Array:
    """Return the negative log-likelihood of label sequences, summed over all alignments.

    Args:
        labels: Integers, `(batch, labels)`.
        logits: `(batch, steps, classes)`.
        label_lengths: The number of labels of each sequence, `(batch,)`.
        steps: The number of steps of each sequence, `(batch,)`.
        blank: The class of the blank.

    Returns:
        One value per sample, `(batch,)`.
    """
    batch, max_labels = labels.shape
    # Each sequence becomes one of symbols: its labels with blanks before, between and after them.
    # An alignment passes through the symbols in order, one at each step.
    symbols = jnp.full((batch, 2 * max_labels + 1), blank, jnp.int32).at[:, 1::2].set(labels)
    log_probabilities = jax.nn.log_softmax(logits)
    emitted = jnp.take_along_axis(log_probabilities, symbols[:, None, :], axis=2)
    # The blank between two different labels may be skipped.
    second_last = jnp.pad(symbols[:, :-2], ((0, 0), (2, 0)), constant_values=blank)
    can_skip = (symbols != blank) & (symbols != second_last)
    skip_cost = jnp.where(can_skip, 0.0, IMPOSSIBLE).at[:, :2].set(IMPOSSIBLE)

    def step(forward: Array, now: tuple[Array, Array]) -> tuple[Array, None]:
        """Advance the log-probabilities of all partial alignments that end at each symbol."""
        emitted, number = now
        from_last = jnp.pad(forward[:, :-1], ((0, 0), (1, 0)), constant_values=IMPOSSIBLE)
        from_second_last = jnp.pad(forward[:, :-2], ((0, 0), (2, 0)), constant_values=IMPOSSIBLE)
        from_second_last = from_second_last + skip_cost
        total = jnp.logaddexp(jnp.logaddexp(forward, from_last), from_second_last) + emitted
        return jnp.where(number < steps[:, None], total, forward), None

    # An alignment starts at the first blank or at the first label.
    start = jnp.where(jnp.arange(2 * max_labels + 1) < 2, emitted[:, 0], IMPOSSIBLE)
    later = jnp.swapaxes(emitted[:, 1:], 0, 1)
    forward, _ = lax.scan(step, start, (later, jnp.arange(1, emitted.shape[1])))
    # It ends at the last label or at the blank after it.
    last_blank = 2 * label_lengths[:, None]
    at_blank = jnp.take_along_axis(forward, last_blank, axis=1)
    at_label = jnp.take_along_axis(forward, jnp.maximum(last_blank - 1, 0), axis=1)
    at_label = jnp.where(last_blank > 0, at_label, IMPOSSIBLE)
    return -jnp.logaddexp(at_blank, at_label)[:, 0]


class CTC(NamedLoss):
    """The loss of `ctc`.

    >>> print(CTC()([[1, 0]], [[[0.0, 0.0], [0.0, 0.0]]]))
    0.28768...
    """

    function = staticmethod(ctc)
    rows_independent = True

    name: str | None = field(default="ctc", kw_only=True)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that every row holds labels, then zeros, and that the model makes enough steps."""
        owner = type(self).__name__
        targets.check_numeric(owner, name, y_true)
        if y_true.ndim != 2 or len(y_pred_shape) != 3:
            raise _shape_error(owner, name, y_true.shape, tuple(y_pred_shape))
        steps: int | None = y_pred_shape[1]
        classes = y_pred_shape[2]
        targets.check_integers(owner, name, y_true)
        rule = (
            f"labels from 1 to {classes - 1} (0 is the blank), as the model has {classes} outputs."
        )
        targets.check_range(owner, name, y_true, 0, classes - 1, rule)
        is_padding = y_true == 0
        valid = ~(is_padding[:, :-1] & ~is_padding[:, 1:])
        rule = "zeros only after all labels: they are padding."
        targets.check_each(owner, name, y_true[:, :-1], valid, rule)
        if steps is None:
            return
        is_repeated = (y_true[:, 1:] == y_true[:, :-1]) & ~is_padding[:, 1:]
        needed = np.sum(~is_padding, axis=1) + np.sum(is_repeated, axis=1)
        if needed.size and needed.max() > steps:
            row = int(np.argmax(needed > steps))
            raise ValueError(
                f"`{owner}`: row {row} of {name} needs {needed[row]} steps (one for each label, "
                f"and a blank between equal ones), and the model makes {steps}. Increase the steps "
                "of the model, or shorten the labels."
            )


def _shape_error(owner: str, name: str, true_shape: Shape, pred_shape: Shape) -> ValueError:
    return ValueError(
        f"`{owner}` needs {name} of shape (batch, labels) and logits of shape (batch, steps, "
        f"classes), received {true_shape} and {pred_shape}."
    )
