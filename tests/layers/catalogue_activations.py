"""Activation layers, `Lambda` and `EinsumDense`; see `tests.layers.catalogue`."""

from fjax import layers
from tests.layers.catalogue import Entry, entry

ACTIVATIONS = [
    entry("EinsumDense", (3, 2, 4), equation="abc,cde->abde", output_shape=(None, 2, 3),
          bias_axes="e", kernel_regularizer="l2", bias_constraint="non_neg"),
    entry("EinsumDense", (3, 4, 2), equation="ab...,bc->ac...", output_shape=5, bias_axes="c",
          activation="tanh"),
    entry("ELU", (4, 3), alpha=0.5),
    entry("Identity", (4, 3)),
    Entry(layers.Lambda("softplus", output_shape=(3,)), (4, 3)),
    entry("LeakyReLU", (4, 3)),
    Entry(layers.Maxout(2), (4, 6)),
    entry("PReLU", (3, 4, 2), alpha_initializer="ones", alpha_regularizer="l1", shared_axes=[1]),
    entry("ReLU", (4, 3), max_value=1.0, negative_slope=0.2, threshold=0.1),
    entry("Softmax", (3, 4, 2), axis=[1, 2]),
]  # fmt: skip
