"""Sample configurations of attention layers."""

from fjax import layers
from tests.layers.catalogue import Entry, entry

ATTENTION = [
    entry("AdditiveAttention", [(2, 3, 4), (2, 5, 4)]),
    entry("Attention", [(2, 3, 4), (2, 5, 4)], use_scale=True, score_mode="concat"),
    Entry(layers.GroupQueryAttention(2, 4, 2, kernel_regularizer="l2"), [(2, 3, 4), (2, 5, 3)]),
    Entry(layers.MultiHeadAttention(2, 3, 2, activity_regularizer="l2", bias_constraint="non_neg"),
          [(2, 3, 4), (2, 5, 3)]),
]  # fmt: skip
