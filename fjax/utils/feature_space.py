"""`FeatureSpace`: encode the columns of a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from fjax import layers
from fjax.errors import integer_at_least, one_of, suggestion, unknown_name
from fjax.preprocessing.dataset import Dataset
from fjax.typing import Adapts
from fjax.utils import features as kinds
from fjax.utils.feature_file import read_features, write_features
from fjax.utils.features import Cross, Feature


class FeatureSpace:
    """Encode the columns of a table, each by its own layer, as one array or a dict of arrays.

    Call `adapt` with the training data, then the object itself with any data; or build a model on
    `get_inputs()` and `get_encoded_features()`, so that it takes the raw columns. `save` writes the
    features and what was learned to a file, and `FeatureSpace.load` reads it.

    Args:
        features: The kind of each column: "float", "float_normalized", "float_rescaled",
            "float_discretized", "integer_categorical", "string_categorical", "integer_hashed",
            "string_hashed"; or what the methods of these names return; or `FeatureSpace.feature`
            for a layer of your own.
        output_mode: "concat" for one array, its columns sorted by the names of the features; "dict"
            for one array for each feature.
        crosses: Tuples of names of features to encode together, or what `FeatureSpace.cross`
            returns.
        crossing_dim: The number of bins of crosses.
        hashing_dim: The number of bins of hashed features.
        num_discretization_bins: The number of bins of discretized features.
        name: The name.

    Attributes:
        features: The `Feature` of each column.
        crosses: The list of `Cross` objects.
        preprocessors: The layer of each column.
        crossers: The layer of each cross, by its name, such as "city_X_age".

    Raises:
        ValueError: A kind is unknown, a cross names a feature that does not exist, the data lacks a
            column, or `adapt` was not called.

    Source: Keras's page "Structured data preprocessing utilities".

    >>> data = {"city": ["Rome", "Oslo", "Rome"], "age": [20.0, 40.0, 30.0]}
    >>> space = FeatureSpace({"city": "string_categorical", "age": "float"})
    >>> space.adapt(data)
    >>> np.asarray(space(data)).tolist()
    [[20.0, 0.0, 1.0, 0.0], [40.0, 0.0, 0.0, 1.0], [30.0, 0.0, 1.0, 0.0]]
    """

    cross = Cross
    feature = Feature
    float = staticmethod(kinds.float_feature)
    float_rescaled = staticmethod(kinds.float_rescaled)
    float_normalized = staticmethod(kinds.float_normalized)
    float_discretized = staticmethod(kinds.float_discretized)
    integer_categorical = staticmethod(kinds.integer_categorical)
    string_categorical = staticmethod(kinds.string_categorical)
    integer_hashed = staticmethod(kinds.integer_hashed)
    string_hashed = staticmethod(kinds.string_hashed)

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Iterable[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        if not features:
            raise ValueError("`FeatureSpace`: `features` needs at least one feature.")
        self.output_mode = one_of("FeatureSpace", "output_mode", output_mode, ["concat", "dict"])
        for argument, value in (
            ("crossing_dim", crossing_dim),
            ("hashing_dim", hashing_dim),
            ("num_discretization_bins", num_discretization_bins),
        ):
            integer_at_least("FeatureSpace", argument, value, 1)
        self.name = name
        arguments = {
            "float_discretized": {"num_bins": num_discretization_bins},
            "integer_hashed": {"num_bins": hashing_dim},
            "string_hashed": {"num_bins": hashing_dim},
        }
        self.features = {key: _feature(key, value, arguments) for key, value in features.items()}
        self.crosses = [self._cross(cross, crossing_dim) for cross in crosses or ()]
        self.preprocessors = {key: value.preprocessor for key, value in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name)
            for cross in self.crosses
        }
        self._inputs = {
            key: layers.Input((1,), dtype=value.dtype, name=key)
            for key, value in self.features.items()
        }
        self._unknown = [key for key, layer in self.preprocessors.items() if _must_learn(layer)]
        self._is_adapted = not self._unknown
        self._encoded: Any = None

    def _cross(self, cross: Any, crossing_dim: int) -> Cross:
        made = cross if isinstance(cross, Cross) else Cross(tuple(cross), crossing_dim)
        for key in made.feature_names:
            if key not in self.features:
                raise ValueError(
                    f"`FeatureSpace`: the cross {made.feature_names} names {key!r}, which is not "
                    f"in `features`.{suggestion(key, self.features)}"
                )
        return made

    def adapt(self, dataset: Any) -> None:
        """Learn the vocabularies, bins, means and variances from data.

        Args:
            dataset: A dict of columns, or a data set of dicts: of rows or of batches.

        Raises:
            ValueError: The data is of another form, or lacks a column.
        """
        if isinstance(dataset, Mapping):
            dataset = Dataset.from_tensor_slices(dict(dataset))
        if isinstance(dataset, str | bytes | np.ndarray) or not hasattr(dataset, "__iter__"):
            raise ValueError(
                "`FeatureSpace.adapt` takes a dict of columns or a data set of dicts, received "
                f"{type(dataset).__name__}."
            )
        columns: dict[str, list[np.ndarray]] = {key: [] for key in self._unknown}
        for batch in dataset:
            self._check(batch, self._unknown)
            for key, column in columns.items():
                column.append(np.asarray(batch[key]))
        for key, column in columns.items():
            if not column:
                raise ValueError("`FeatureSpace.adapt`: the data set is empty.")
            self.preprocessors[key].adapt(_batches(column))
        self._is_adapted = True
        self._encoded = None

    def save(self, filepath: Any) -> None:
        """Write the features and what was learned to a file, which cannot contain code.

        Args:
            filepath: The file, with any extension. It is replaced as a whole, or not at all.

        Raises:
            ValueError: `adapt` was not called.
            TypeError: A layer of your own cannot be described; see `Model.save`.
        """
        self._require_adapted()
        write_features(filepath, self.name, self.output_mode, self.features, self.crosses)

    @classmethod
    def load(cls, filepath: Any, custom_objects: Mapping[str, Any] | None = None) -> "FeatureSpace":
        """Return the `FeatureSpace` that `save` wrote. Nothing in the file is run.

        Args:
            filepath: The file.
            custom_objects: Your own classes and functions by name, as for `load_model`.

        Raises:
            ModelFileError: The file is of another kind, is damaged, or contains something unknown.
        """
        return cls(**read_features(filepath, custom_objects or {}))

    def get_inputs(self) -> dict[str, Any]:
        """Return the inputs of a model that takes the raw columns, by name."""
        self._require_adapted()
        return self._inputs

    def get_encoded_features(self) -> Any:
        """Return the encoded features of these inputs, as symbolic tensors."""
        self._require_adapted()
        if self._encoded is None:
            self._encoded = self._encode(self._inputs)
        return self._encoded

    def __call__(self, data: Mapping[str, Any]) -> Any:
        """Return the encoded features of a dict of columns, or of one row.

        Args:
            data: Columns of shape `(batch,)` or `(batch, 1)`, or single values, by name.
        """
        self._require_adapted()
        self._check(data, self.features)
        columns = {key: np.asarray(data[key]) for key in self.features}
        is_row = all(column.ndim == 0 for column in columns.values())
        encoded = self._encode({key: _column(column) for key, column in columns.items()})
        if not is_row:
            return encoded
        if isinstance(encoded, dict):
            return {key: value[0] for key, value in encoded.items()}
        return encoded[0]

    def _encode(self, columns: Mapping[str, Any]) -> Any:
        found = {key: self.preprocessors[key](columns[key]) for key in sorted(self.features)}
        crosses = {cross.name: cross for cross in self.crosses}
        crossed = {
            key: self.crossers[key]([found[name] for name in crosses[key].feature_names])
            for key in sorted(crosses)
        }
        kinds_by_name: dict[str, Any] = {**self.features, **crosses}
        layer_of = {**self.preprocessors, **self.crossers}
        encoded = {
            key: _one_hot(key, layer_of[key], value)
            if kinds_by_name[key].output_mode == "one_hot"
            else value
            for key, value in {**found, **crossed}.items()
        }
        return encoded if self.output_mode == "dict" else _concatenate(encoded)

    def _check(self, data: Any, names: Iterable[str]) -> None:
        if not isinstance(data, Mapping):
            raise ValueError(
                f"`FeatureSpace` takes a dict of columns, received {type(data).__name__}."
            )
        for key in names:
            if key not in data:
                raise ValueError(
                    f"`FeatureSpace`: the data lacks the feature {key!r}, and has "
                    f"{sorted(data)}.{suggestion(key, data)}"
                )

    def _require_adapted(self) -> None:
        if not self._is_adapted:
            raise ValueError(
                f"`FeatureSpace`: call `adapt` with the training data first: {self._unknown} must "
                "be learned from it."
            )


def _feature(key: str, value: Any, arguments: Mapping[str, Mapping[str, Any]]) -> Feature:
    if isinstance(value, Feature):
        return value
    makers = {
        "float": kinds.float_feature,
        **{name: getattr(kinds, name) for name in _KINDS},
    }
    if value not in makers:
        raise unknown_name(f"kind of the feature {key!r}", str(value), makers)
    return makers[value](name=key, **arguments.get(value, {}))


_KINDS = (
    "float_normalized",
    "float_rescaled",
    "float_discretized",
    "integer_categorical",
    "string_categorical",
    "integer_hashed",
    "string_hashed",
)


def _must_learn(layer: Any) -> bool:
    return isinstance(layer, Adapts) and not jax.tree.leaves(layer.learned())


def _one_hot(key: str, layer: Any, value: Any) -> Any:
    encoder = layers.CategoryEncoding(kinds.width_of(key, layer), output_mode="multi_hot")
    return encoder(value)


def _concatenate(encoded: Mapping[str, Any]) -> Any:
    for key, value in encoded.items():
        if not np.issubdtype(value.dtype, np.floating):
            raise ValueError(
                f"`FeatureSpace`: the feature {key!r} is encoded as {value.dtype}, which cannot "
                'be joined with others: give it `output_mode="one_hot"`, or give `FeatureSpace` '
                '`output_mode="dict"`.'
            )
    arrays = list(encoded.values())
    return arrays[0] if len(arrays) == 1 else layers.Concatenate(axis=-1)(arrays)


def _column(values: np.ndarray) -> np.ndarray:
    if values.ndim == 0:
        return values.reshape(1, 1)
    return values[:, None] if values.ndim == 1 else values


def _batches(parts: Sequence[np.ndarray]) -> Dataset:
    """Return the batches of a column; single values are batched as in Keras."""
    if parts[0].ndim == 0:
        parts = [np.array(parts[start : start + 32]) for start in range(0, len(parts), 32)]
    return Dataset.from_items([_column(part) for part in parts])
