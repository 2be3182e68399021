"""What identifies a run: a checkpoint is only resumed with the same model and the same data."""

from collections.abc import Mapping
from typing import Any

from fjax.configuration import arguments, is_implied, is_required, stored
from fjax.storage.classes import CLASSES
from fjax.storage.decoding import decode
from fjax.storage.encoding import encode

# The words for the model in a `ChangedRunError`.
MODEL = "another model"


class ChangedRunError(ValueError):
    """The checkpoints in a folder are those of another model or of other data."""

    def __init__(self, folder: Any, part: str, difference: str) -> None:
        super().__init__(
            f"{str(folder)!r} has checkpoints of {part}: {difference}. Undo the change to resume "
            "that run, or give another folder to start a new one."
        )


def run_identity(
    model: Any, training_data: Mapping[str, Any], validation_data: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what must not change between a run and its continuation.

    Args:
        model: The architecture and the compile arguments, as plain data.
        training_data: What identifies the training data, as plain data.
        validation_data: Likewise; None without validation.

    Returns:
        The parts, each by the words that name it in a `ChangedRunError`.
    """
    return {
        MODEL: model,
        "other training data": training_data,
        "other validation data": validation_data,
    }


def check_identity(
    folder: Any,
    saved: Mapping[str, Any],
    current: Mapping[str, Any],
    hint: str = "",
    weights: str = "",
) -> None:
    """Compare the identity in a checkpoint with that of the current run.

    Args:
        folder: The folder of the checkpoint.
        saved: The identity in the checkpoint.
        current: The identity of the current run.
        hint: A text to append to the message.
        weights: Which weights differ, for the message if the models differ.

    Raises:
        ChangedRunError: The two differ.
    """
    for part, value in current.items():
        difference = describe_difference(saved[part], value)
        if difference and part == MODEL and weights:
            difference += f". Its weights are {weights}"
        if difference:
            raise ChangedRunError(folder, part, difference + hint)


def describe_difference(before: Any, now: Any) -> str:
    """Return where two pieces of plain data differ first; an empty string if they are equal.

    A missing field counts as its default, because a later release may have added it.

    >>> describe_difference({"layers": [{"units": 3}]}, {"layers": [{"units": 4}]})
    '`layers.0.units` was 3, is 4'
    """
    return _describe_difference(with_defaults(before), with_defaults(now), "")


def _describe_difference(before: Any, now: Any, path: str) -> str:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        return _describe_key_difference(before, now, path)
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            difference = _describe_difference(old, new, f"{path}.{index}")
            if difference:
                return difference
        return ""
    if type(before) is type(now) and before == now:
        return ""
    return f"`{path}` was {str(before)[:120]}, is {str(now)[:120]}"


def _describe_key_difference(before: Mapping[str, Any], now: Mapping[str, Any], path: str) -> str:
    for key in [*before, *(key for key in now if key not in before)]:
        key_path = f"{path}.{key}".lstrip(".")
        if key not in now:
            return f"`{key_path}` is no longer there"
        if key not in before:
            return f"`{key_path}` is new"
        difference = _describe_difference(before[key], now[key], key_path)
        if difference:
            return difference
    return ""


def with_defaults(data: Any) -> Any:
    """Return plain data in which every object of a fjax class has all its fields.

    >>> from fjax.layers import Flatten
    >>> with_defaults({"class": "layers.Flatten", "config": {}}) == encode(Flatten())
    True
    """
    if isinstance(data, list):
        return [with_defaults(item) for item in data]
    if not isinstance(data, dict):
        return data
    data = {key: with_defaults(item) for key, item in data.items()}
    if data.keys() == {"class", "config"} and data["class"] in CLASSES:
        fields = arguments(CLASSES[data["class"]])
        missing = [item for item in fields if item.name not in data["config"]]
        if missing:
            data["config"] |= _default_fields(data, missing)
    return data


def _default_fields(data: dict[str, Any], missing: list[Any]) -> dict[str, Any]:
    """Return the missing fields that a configuration has, with the values of the class."""
    try:
        configured = decode(data)
    except ValueError:
        # It contains an object of a user's class, which cannot be created here.
        values = [(item, item.default) for item in missing if not is_required(item)]
    else:
        values = [(item, stored(configured, item.name)) for item in missing]
    return {item.name: encode(value) for item, value in values if not is_implied(item, value)}
