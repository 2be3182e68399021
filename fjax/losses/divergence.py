"""The Kullback-Leibler divergence and the Poisson likelihood."""

from dataclasses import field

import jax.numpy as jnp

from fjax.losses.loss import PairedLoss
from fjax.losses.preparation import EPSILON, prepare_pair
from fjax.typing import Array, ArrayLike


def kl_divergence(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Kullback-Leibler divergence, `sum(y_true * log(y_true / y_pred))` over the last axis.

    As in Keras, both arguments are clipped to [1e-7, 1].

    Args:
        y_true: Distributions, `(batch, …, classes)`.
        y_pred: Predicted distributions of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(kl_divergence([[1.0, 0.0]], [[0.5, 0.5]]))
    [0.69314...]
    """
    y_true, y_pred = prepare_pair("kl_divergence", y_true, y_pred)
    y_true, y_pred = jnp.clip(y_true, EPSILON, 1.0), jnp.clip(y_pred, EPSILON, 1.0)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


def poisson(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Negative log-likelihood of counts under a Poisson distribution, mean over the last axis.

    `y_pred - y_true * log(y_pred + 1e-7)`, without the term that does not depend on `y_pred`.

    Args:
        y_true: Counts, `(batch, …, outputs)`.
        y_pred: Predicted rates, more than 0, of the same shape.

    Returns:
        One value per sample, `(batch, …)`.

    Raises:
        ValueError: The shapes differ.

    >>> print(poisson([[2.0]], [[1.0]]))
    [0.99999...]
    """
    y_true, y_pred = prepare_pair("poisson", y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + EPSILON), axis=-1)


class KLDivergence(PairedLoss):
    """The loss of `kl_divergence`.

    >>> print(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    function = staticmethod(kl_divergence)
    rows_independent = True

    name: str | None = field(default="kl_divergence", kw_only=True)


class Poisson(PairedLoss):
    """The loss of `poisson`.

    >>> print(Poisson()([[0.0]], [[1.0]]))
    1.0
    """

    function = staticmethod(poisson)
    rows_independent = True

    name: str | None = field(default="poisson", kw_only=True)
