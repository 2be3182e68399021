"""Dropout of attention weights, by the fields `dropout` and `seed` of a layer."""

from typing import Any

from fjax.errors import number_between, seed_of
from fjax.layers.dropout import apply_dropout
from fjax.layers.random_layer import require_key
from fjax.typing import Array, Key


def check_dropout(layer: Any) -> None:
    """Check and normalize the fields `dropout` and `seed`."""
    layer.dropout = number_between(layer.kind, "dropout", layer.dropout, 0.0, 1.0)
    if layer.seed is not None:
        layer.seed = seed_of(layer.kind, layer.seed)


def drop_weights(layer: Any, weights: Array, key: Key | None, training: bool) -> Array:
    """Return the attention weights, in training with a share of them dropped.

    Raises:
        ValueError: A training step with dropout has no key.
    """
    if not training or layer.dropout == 0.0:
        return weights
    dropout_key = require_key(layer.kind, key, layer.seed)
    return apply_dropout(weights, layer.dropout, dropout_key, weights.shape)
