"""Whether a kept run is that of this model and this data, and what differs if not."""

from collections.abc import Mapping
from typing import Any

from fjax.models import model_file
from fjax.storage.encoding import completed
from fjax.storage.strict_json import dumped, parsed


class ChangedRunError(ValueError):
    """The run that a folder keeps is that of another model, or of other data; it says which."""

    def __init__(self, folder: Any, whose: str, difference: str) -> None:
        super().__init__(
            f"{str(folder)!r} keeps the run of {whose}: {difference}. Undo the change to go on "
            "with that run, or give another folder to begin a new one."
        )


def identity_of(model: Any) -> dict[str, Any]:
    """Return what must not change between a run and its continuation, as plain data.

    It is the model in words and the compile arguments; where something in these has no name, the
    shapes of the weights stand for it.
    """
    try:
        told = model_file.described(model) | {"compile": model_file.compilation_of(model)}
    except TypeError:
        weights = model_file.named_weights(model.layer_shapes.params, model.layer_shapes.state)
        told = {name: f"{spec.dtype} {tuple(spec.shape)}" for name, spec in weights.items()}
    return parsed(dumped(told))


def difference(before: Any, now: Any) -> str:
    """Return where two pieces of plain data differ first; nothing if they are equal.

    A field that one of them lacks counts as it is by default.

    >>> difference({"layers": [{"units": 3}]}, {"layers": [{"units": 4}]})
    '`layers.0.units` was 3, is 4'
    """
    return _difference(completed(before), completed(now), "")


def _difference(before: Any, now: Any, where: str) -> str:
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in [*before, *(key for key in now if key not in before)]:
            place = f"{where}.{key}".lstrip(".")
            if key not in now:
                return f"`{place}` is no longer there"
            if key not in before:
                return f"`{place}` is new"
            found = _difference(before[key], now[key], place)
            if found:
                return found
        return ""
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return next(
            (found for place, (a, b) in pairs if (found := _difference(a, b, f"{where}.{place}"))),
            "",
        )
    if type(before) is type(now) and before == now:
        return ""
    return f"`{where}` was {str(before)[:120]}, is {str(now)[:120]}"
