"""Sample configurations of normalization layers."""

from fjax import layers
from tests.layers.catalogue import Entry, entry

NORMALIZATION = [
    entry("GroupNormalization", (3, 2, 6), groups=3, gamma_regularizer="l2",
          beta_constraint="non_neg"),
    entry("LayerNormalization", (3, 4, 2), axis=[1, 2], gamma_regularizer="l1"),
    Entry(layers.RMSNormalization(axis=(1, 2)), (3, 4, 5)),
    Entry(layers.SpectralNormalization(layers.Dense(3, kernel_regularizer="l2"), 2), (4, 5)),
    entry("UnitNormalization", (3, 4, 5), axis=(1, 2)),
]  # fmt: skip
