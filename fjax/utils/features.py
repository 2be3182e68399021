"""What a `FeatureSpace` is told of each feature, and of each cross of features."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fjax import layers
from fjax.core import Layer
from fjax.errors import integer_at_least, one_of


@dataclass(frozen=True)
class Feature:
    """How one feature is encoded.

    Attributes:
        dtype: The dtype of its values: "float32", "int32" or "string".
        preprocessor: The layer that encodes them.
        output_mode: "float" for numbers as they are, "int" for indices, "one_hot" for indices as
            one-hot rows.
    """

    dtype: str
    preprocessor: Layer
    output_mode: str

    def __post_init__(self) -> None:
        one_of("Feature", "output_mode", self.output_mode, ["int", "one_hot", "float"])


@dataclass(frozen=True)
class Cross:
    """Several features that are encoded together, by the hash of their combination.

    Attributes:
        feature_names: The names of the features.
        crossing_dim: The number of bins.
        output_mode: "int" or "one_hot".
    """

    feature_names: Sequence[str]
    crossing_dim: int
    output_mode: str = "one_hot"

    def __post_init__(self) -> None:
        one_of("Cross", "output_mode", self.output_mode, ["int", "one_hot"])
        integer_at_least("Cross", "crossing_dim", self.crossing_dim, 1)
        object.__setattr__(self, "feature_names", tuple(self.feature_names))

    @property
    def name(self) -> str:
        """The name of the cross, such as "city_X_age"."""
        return "_X_".join(self.feature_names)


def float_feature(name: str | None = None) -> Feature:
    """Return the feature of numbers that are used as they are."""
    return Feature("float32", layers.Identity(name=_layer_name(name)), "float")


def float_rescaled(scale: float = 1.0, offset: float = 0.0, name: str | None = None) -> Feature:
    """Return the feature of numbers that are multiplied by `scale` and raised by `offset`."""
    return Feature("float32", layers.Rescaling(scale, offset, name=_layer_name(name)), "float")


def float_normalized(name: str | None = None) -> Feature:
    """Return the feature of numbers that are shifted and scaled to mean 0 and variance 1."""
    return Feature("float32", layers.Normalization(axis=-1, name=_layer_name(name)), "float")


def float_discretized(
    num_bins: int | None = None,
    bin_boundaries: Sequence[float] | None = None,
    output_mode: str = "one_hot",
    name: str | None = None,
) -> Feature:
    """Return the feature of numbers that become the index of their bin.

    Args:
        num_bins: The number of bins, whose boundaries `adapt` computes.
        bin_boundaries: The boundaries, instead of `num_bins`.
        output_mode: "one_hot" or "int".
        name: The name of the feature.
    """
    boundaries = None if bin_boundaries is None else tuple(bin_boundaries)
    layer = layers.Discretization(boundaries, num_bins, name=_layer_name(name))
    return Feature("float32", layer, output_mode)


def integer_categorical(
    max_tokens: int | None = None,
    num_oov_indices: int = 1,
    output_mode: str = "one_hot",
    name: str | None = None,
) -> Feature:
    """Return the feature of integers that become their index in a vocabulary.

    Args:
        max_tokens: The largest size of the vocabulary; None is unlimited.
        num_oov_indices: The number of indices for unknown values.
        output_mode: "one_hot" or "int".
        name: The name of the feature.
    """
    layer = layers.IntegerLookup(max_tokens, num_oov_indices, name=_layer_name(name))
    return Feature("int32", layer, output_mode)


def string_categorical(
    max_tokens: int | None = None,
    num_oov_indices: int = 1,
    output_mode: str = "one_hot",
    name: str | None = None,
) -> Feature:
    """Return the feature of texts that become their index in a vocabulary.

    Args:
        max_tokens: The largest size of the vocabulary; None is unlimited.
        num_oov_indices: The number of indices for unknown texts.
        output_mode: "one_hot" or "int".
        name: The name of the feature.
    """
    layer = layers.StringLookup(max_tokens, num_oov_indices, name=_layer_name(name))
    return Feature("string", layer, output_mode)


def integer_hashed(num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
    """Return the feature of integers that become the bin of their hash."""
    return Feature("int32", layers.Hashing(num_bins, name=_layer_name(name)), output_mode)


def string_hashed(num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
    """Return the feature of texts that become the bin of their hash."""
    return Feature("string", layers.Hashing(num_bins, name=_layer_name(name)), output_mode)


def width_of(name: str, layer: Any) -> int:
    """Return the number of indices that a layer returns, for one-hot rows.

    Raises:
        ValueError: The number is unknown.
    """
    if hasattr(layer, "vocabulary_size"):
        return layer.vocabulary_size()
    boundaries = getattr(layer, "bin_boundaries", None)
    if boundaries is not None:
        return len(boundaries) + 1
    for attribute in ("num_bins", "num_tokens"):
        if hasattr(layer, attribute):
            return getattr(layer, attribute)
    raise ValueError(
        f'`FeatureSpace`: the feature {name!r} has `output_mode="one_hot"`, and `{layer!r}` does '
        'not tell how many indices it returns: give `output_mode="int"` or "float".'
    )


def _layer_name(name: str | None) -> str | None:
    return None if name is None else f"{name}_preprocessor"
