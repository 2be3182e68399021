"""The catalogue: every layer with sample configurations, for tests of properties of all layers."""

from typing import Any, NamedTuple

import numpy as np

from fjax import layers

Shape = tuple[int, ...]


class Entry(NamedTuple):
    """A layer, the shape of its input (batch first) or a list of shapes, and Keras's layer.

    If `whole` is set, the inputs are whole numbers below it.
    """

    layer: Any
    shape: Shape | list[Shape]
    keras: tuple[str, dict[str, Any]] | None = None
    whole: int | None = None

    @property
    def label(self) -> str:
        return f"{self.layer!r}-{self.shape}"

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of all inputs."""
        return self.shape if isinstance(self.shape, list) else [self.shape]


def entry(name: str, shape: Shape | list[Shape], whole: int | None = None, **config: Any) -> Entry:
    """Return the entry of a layer with the same name and arguments in fjax and Keras."""
    return Entry(getattr(layers, name)(**config), shape, (name, config), whole)


MEAN, VARIANCE = (0.5, -1.0, 2.0), (1.0, 4.0, 0.25)
L1L2 = {"class_name": "L1L2", "config": {"l1": 0.2, "l2": 0.3}}

CATALOGUE = [
    entry("Activation", (4, 3), activation="relu"),
    entry("Activation", (4, 5, 3), activation="softmax"),
    entry("Add", [(4, 3), (4, 3)]),
    entry("Add", [(4, 5, 3), (4, 3), (4, 1, 1)]),
    entry("Average", [(4, 3), (4, 3), (4, 3)]),
    entry("Average", [(4, 3), (4, 2, 3)]),
    entry("ActivityRegularization", (4, 3), l1=0.1, l2=0.02),
    entry("ActivityRegularization", (4, 5, 3), l1=0.3),
    entry("BatchNormalization", (6, 3)),
    entry("BatchNormalization", (6, 3, 4), axis=1, momentum=0.9, epsilon=1e-2),
    entry("BatchNormalization", (6, 5, 3), center=False),
    entry("BatchNormalization", (6, 3), scale=False, moving_mean_initializer="ones"),
    entry("BatchNormalization", (6, 3), beta_regularizer="l1", gamma_regularizer="l2",
          beta_constraint="unit_norm", gamma_constraint="non_neg"),
    Entry(layers.BatchNormalization(gamma_regularizer="l2", trainable=False), (6, 3)),
    entry("Concatenate", [(4, 3), (4, 2)]),
    entry("Concatenate", [(4, 2, 3), (4, 1, 3), (4, 5, 3)], axis=1),
    entry("Dense", (4, 3), units=5),
    entry("Dense", (4, 3), units=5, activation="tanh", use_bias=False),
    entry("Dense", (2, 4, 3), units=2, bias_initializer="ones", kernel_initializer="he_normal"),
    entry("Dense", (4, 3), units=5, activation="tanh", kernel_regularizer="orthogonal_regularizer",
          bias_regularizer=L1L2, activity_regularizer="l1", kernel_constraint="max_norm",
          bias_constraint="non_neg"),
    entry("Dense", (2, 4, 3), units=2, use_bias=False, bias_regularizer="l2",
          activity_regularizer=L1L2, kernel_constraint="min_max_norm"),
    Entry(layers.Dense(2, kernel_regularizer="l2", kernel_constraint="unit_norm", trainable=False),
          (4, 3)),
    entry("Dot", [(4, 3), (4, 3)], axes=1),
    entry("Dot", [(4, 3, 5), (4, 2, 3)], axes=(1, 2)),
    entry("Dot", [(4, 5, 3), (4, 3)], axes=-1, normalize=True),
    entry("Dropout", (4, 3), rate=0.5),
    entry("Dropout", (4, 3), rate=0.0),
    entry("Dropout", (4, 5, 3), rate=0.3, noise_shape=(None, 1, 3), seed=7),
    entry("Flatten", (4, 2, 3)),
    entry("Flatten", (4, 2, 3, 5), data_format="channels_first"),
    entry("Flatten", (4,)),
    Entry(layers.InputLayer((2, 3)), (4, 2, 3)),
    entry("Maximum", [(4, 3), (4, 3), (4, 1)]),
    entry("Maximum", [(4, 2, 3), (4, 3)]),
    entry("Minimum", [(4, 3), (4, 3)]),
    entry("Minimum", [(4, 3), (4, 2, 3), (4, 1, 3)]),
    entry("Multiply", [(4, 3), (4, 3), (4, 3)]),
    entry("Multiply", [(4, 2, 3), (4, 3)]),
    entry("Normalization", (4, 3), mean=MEAN, variance=VARIANCE),
    entry("Normalization", (4, 3), mean=0.5, variance=2.0, axis=None, invert=True),
    entry("Normalization", (4, 3, 2), mean=MEAN, variance=VARIANCE, axis=1),
    Entry(layers.Pipeline([layers.Dense(2), layers.Dropout(0.5)]), (4, 3)),
    entry("Rescaling", (4, 3), scale=0.5, offset=-1.0),
    entry("Reshape", (4, 6), target_shape=(2, 3)),
    entry("Reshape", (4, 6, 2), target_shape=(3, -1)),
    entry("Subtract", [(4, 3), (4, 3)]),
    entry("Subtract", [(4, 3), (4, 2, 3)]),
]  # fmt: skip

# The lists of the families use `entry`.
from tests.layers.catalogue_activations import ACTIVATIONS  # noqa: E402
from tests.layers.catalogue_attention import ATTENTION  # noqa: E402
from tests.layers.catalogue_augmentation import ONE_OF_EACH as AUGMENTATION  # noqa: E402
from tests.layers.catalogue_convolution import CONVOLUTION  # noqa: E402
from tests.layers.catalogue_features import FEATURES  # noqa: E402
from tests.layers.catalogue_normalization import NORMALIZATION  # noqa: E402
from tests.layers.catalogue_recurrent import RECURRENT  # noqa: E402
from tests.layers.catalogue_reshaping import RESHAPING  # noqa: E402
from tests.layers.catalogue_text import ON_TEXT  # noqa: E402

CATALOGUE += [
    *ACTIVATIONS, *ATTENTION, *AUGMENTATION, *CONVOLUTION, *FEATURES, *NORMALIZATION, *RECURRENT,
    *RESHAPING,
]  # fmt: skip

# Public names that are not layers, and text layers, which `test_text.py` tests.
NOT_LAYERS = {"Input", "InputSpec", "Layer", "Wrapper"} | {
    type(entry.layer).__name__ for entry in ON_TEXT
}

# Cells are called on one step and states; the layers that run them are in the catalogue.
NOT_LAYERS |= {"GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}


def samples(entry: Entry, dtype: str = "float32", seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return random inputs of an entry."""
    random = np.random.default_rng(seed)
    if entry.whole is not None:
        return tuple(random.integers(entry.whole, size=s).astype(dtype) for s in entry.shapes)
    return tuple(random.normal(size=shape).astype(dtype) for shape in entry.shapes)
