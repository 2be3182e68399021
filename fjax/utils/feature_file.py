"""Files of a `FeatureSpace`: its features, its crosses, and what it has learned."""

from collections.abc import Mapping
from typing import Any

from fjax.storage import (
    config_values,
    decode,
    encode,
    file_error_context,
    open_tensors,
    write_tensors,
)
from fjax.storage.strict_json import dump_json
from fjax.storage.versions import format_metadata
from fjax.utils.features import Cross, Feature

# The kind of the file, beside "model" and "weights".
KIND = "features"
FIELDS = ("name", "output_mode", "features", "crosses")
FEATURE_FIELDS = ("dtype", "preprocessor", "output_mode")
CROSS_FIELDS = ("feature_names", "crossing_dim", "output_mode")


def write_features(
    path: Any,
    name: str | None,
    output_mode: str,
    features: Mapping[str, Feature],
    crosses: list[Cross],
) -> None:
    """Write the file, atomically. The layers are plain data in it, with what they have learned."""
    document = {
        "name": name,
        "output_mode": output_mode,
        # A list, because the order of a JSON object is not that of the features.
        "features": [[key, _described(value, FEATURE_FIELDS)] for key, value in features.items()],
        "crosses": [_described(cross, CROSS_FIELDS) for cross in crosses],
    }
    write_tensors(path, {}, {**format_metadata(KIND), "document": dump_json(document)})


def read_features(path: Any, custom_objects: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the `FeatureSpace` of a file, by name.

    Raises:
        ModelFileError: The file is of another kind, is damaged, or contains something unknown.
    """
    with open_tensors(path, KIND) as file:
        document = file.read_document()
        with file_error_context(path, "its features cannot be created"):
            name, output_mode, features, crosses = config_values("FeatureSpace", document, FIELDS)
            return {
                "name": name,
                "output_mode": output_mode,
                "features": {
                    key: Feature(**_values("Feature", value, FEATURE_FIELDS, custom_objects))
                    for key, value in features
                },
                "crosses": [
                    Cross(**_values("Cross", value, CROSS_FIELDS, custom_objects))
                    for value in crosses
                ],
            }


def _described(value: Feature | Cross, fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: encode(getattr(value, field), f"`{field}`") for field in fields}


def _values(
    owner: str, data: Any, fields: tuple[str, ...], custom_objects: Mapping[str, Any]
) -> dict[str, Any]:
    values = config_values(owner, data, fields)
    return {
        field: decode(value, custom_objects) for field, value in zip(fields, values, strict=True)
    }
