"""Connectionist temporal classification: a sequence of labels without their times."""

from dataclasses import field

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from fjax.losses import targets
from fjax.losses.loss import Loss
from fjax.losses.preparation import floating
from fjax.typing import Array, ArrayLike, Shape

# The logarithm that stands for no probability; an infinite one would make gradients NaN.
IMPOSSIBLE = -1e5


def ctc(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Negative log likelihood of label sequences, over all the ways to spread them over the steps.

    At each step a model says a class or the blank, class 0. Said classes that repeat without a
    blank between them are one label.

    Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
    Recurrent Neural Networks", 2006.

    Args:
        y_true: Labels from 1 to `classes - 1`, filled up with 0, `(batch, labels)`.
        y_pred: Logits, `(batch, steps, classes)`.

    Returns:
        One value per sample, `(batch,)`; about 1e5 where the steps are too few for the labels.

    Raises:
        ValueError: The shapes are not these.

    >>> print(ctc([[1, 0]], [[[0.0, 0.0], [0.0, 0.0]]]))
    [0.28768...]
    """
    y_true, y_pred = floating(y_true, y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3 or y_true.shape[0] != y_pred.shape[0]:
        raise _misfit("ctc", "y_true", y_true.shape, y_pred.shape)
    labels = y_true.astype(jnp.int32)
    batch, most = labels.shape
    # The labels with a blank before, between and after them: what is said is a way through these.
    said = jnp.zeros((batch, 2 * most + 1), jnp.int32).at[:, 1::2].set(labels)
    log_probabilities = jax.nn.log_softmax(y_pred)
    emitted = jnp.take_along_axis(log_probabilities, said[:, None, :], axis=2)
    # A blank may be left out between two labels that differ.
    before = jnp.pad(said[:, :-2], ((0, 0), (2, 0)))
    skipped = jnp.where((said != 0) & (said != before), 0.0, IMPOSSIBLE).at[:, :2].set(IMPOSSIBLE)

    def step(ways: Array, emitted: Array) -> tuple[Array, None]:
        one = jnp.pad(ways[:, :-1], ((0, 0), (1, 0)), constant_values=IMPOSSIBLE)
        two = jnp.pad(ways[:, :-2], ((0, 0), (2, 0)), constant_values=IMPOSSIBLE) + skipped
        return jnp.logaddexp(jnp.logaddexp(ways, one), two) + emitted, None

    # Before the first step only the place before the first blank is taken.
    first = jnp.where(jnp.arange(2 * most + 1) < 2, emitted[:, 0], IMPOSSIBLE)
    ways, _ = lax.scan(step, first, jnp.swapaxes(emitted[:, 1:], 0, 1))
    # A way ends at the last label or at the blank behind it.
    end = 2 * jnp.sum(labels != 0, axis=1, keepdims=True)
    at_blank = jnp.take_along_axis(ways, end, axis=1)
    at_label = jnp.take_along_axis(ways, jnp.maximum(end - 1, 0), axis=1)
    at_label = jnp.where(end > 0, at_label, IMPOSSIBLE)
    return -jnp.logaddexp(at_blank, at_label)[:, 0]


class CTC(Loss):
    """The loss of `ctc`.

    >>> print(CTC()([[1, 0]], [[[0.0, 0.0], [0.0, 0.0]]]))
    0.28768...
    """

    rows_independent = True

    name: str | None = field(default="ctc", kw_only=True)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Return `ctc`."""
        return ctc(y_true, y_pred)

    def check_targets(self, y_true: np.ndarray, y_pred_shape: Shape, name: str = "y") -> None:
        """Check that every row holds labels, then zeros, and has steps enough to be said."""
        owner = type(self).__name__
        targets.numeric(owner, name, y_true)
        if y_true.ndim != 2 or len(y_pred_shape) != 3:
            raise _misfit(owner, name, y_true.shape, tuple(y_pred_shape))
        steps: int | None = y_pred_shape[1]
        classes = y_pred_shape[2]
        targets.whole(owner, name, y_true)
        rule = (
            f"labels from 1 to {classes - 1} (0 is the blank), as the model has {classes} outputs."
        )
        targets.within(owner, name, y_true, 0, classes - 1, rule)
        filled = y_true == 0
        ends = ~(filled[:, :-1] & ~filled[:, 1:])
        targets.every(
            owner, name, y_true[:, :-1], ends, "labels first and zeros behind them: 0 is no class."
        )
        if steps is None:
            return
        repeated = (y_true[:, 1:] == y_true[:, :-1]) & ~filled[:, 1:]
        needed = np.sum(~filled, axis=1) + np.sum(repeated, axis=1)
        if needed.size and needed.max() > steps:
            row = int(np.argmax(needed > steps))
            raise ValueError(
                f"`{owner}`: row {row} of {name} needs {needed[row]} steps (one for each label, "
                f"and a blank between equal ones), and the model makes {steps}. Let it make more, "
                "or shorten the labels."
            )


def _misfit(owner: str, name: str, true_shape: Shape, pred_shape: Shape) -> ValueError:
    return ValueError(
        f"`{owner}` needs {name} of shape (batch, labels) and logits of shape (batch, steps, "
        f"classes), received {true_shape} and {pred_shape}."
    )
