"""Sample configurations of layers on categories and numbers."""

from fjax import layers
from tests.layers.catalogue import Entry, entry

FEATURES = [
    entry("CategoryEncoding", (4, 3), whole=4, num_tokens=9),
    Entry(layers.CategoryEncoding(9, output_mode="count"), (4, 3), whole=4),
    entry("Discretization", (4, 3), bin_boundaries=[-1.0, 0.0, 0.5], output_mode="one_hot"),
    Entry(layers.Hashing(5, mask_value=1, output_mode="count"), (4, 3), whole=9),
    Entry(layers.IntegerLookup(num_oov_indices=3, vocabulary=(3, 1), idf_weights=(0.5, 2.0),
                               output_mode="tf_idf"), (4, 3), whole=9),
]  # fmt: skip
