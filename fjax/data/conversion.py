"""Convert a user's data to numpy arrays for training, or raise a clear error."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from fjax.core.text_inputs import is_text
from fjax.data.rows_on_disk import Rows, RowsOnDisk, mapped_rows
from fjax.training.batch import Batch
from fjax.typing import PyTree

# Converts an array, given its name, to one of numbers; the flag allows text.
Convert = Callable[[str, Any, bool], Any]


def to_batch(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    text: bool = False,
    on_disk: bool = False,
) -> Batch:
    """Return the data as checked numpy arrays of one common length.

    Args:
        x: One input (array, DataFrame, nested list of numbers, or a dict of arrays), or a tuple or
            list of several inputs.
        y: The targets, in the same forms; None for an output without targets.
        sample_weight: One number per sample, or per time step of the targets; for several outputs
            one array for all, or a dict or list of arrays and None.
        text: Whether inputs may be text, which a layer of the model then encodes.
        on_disk: Whether arrays in files stay there, as `RowsOnDisk`, whose rows are converted when
            they are read.

    64-bit floats become float32 and 64-bit integers int32; smaller types, such as bfloat16, are
    kept.

    Raises:
        ValueError: An array is empty, not numeric, not finite, or of another length.

    >>> batch = to_batch([[1.0, 2.0], [3.0, 4.0]], [0, 1])
    >>> batch.inputs[0].shape, batch.targets.dtype.name
    ((2, 2), 'int32')
    >>> to_batch([[1.0], [2.0]], [0, 1, 2])
    Traceback (most recent call last):
        ...
    ValueError: `x` has 2 samples and `y` has 3: give one target for each sample.
    """
    if x is None:
        raise ValueError("There is no data: `x` is None.")
    convert = _array_on_disk if on_disk else _array
    inputs = tuple(_tree("x", value, convert, text=text) for value in several(x))
    targets = None if y is None else _tree("y", y, convert, optional=True)
    weight = None if sample_weight is None else _weights("sample_weight", sample_weight, convert)
    count = _length("x", inputs)
    if jax.tree.leaves(targets) and _length("y", targets) != count:
        raise ValueError(
            f"`x` has {count} samples and `y` has {_length('y', targets)}: "
            "give one target for each sample."
        )
    if jax.tree.leaves(weight) and _length("sample_weight", weight) != count:
        raise ValueError(
            f"`x` has {count} samples and `sample_weight` has {_length('sample_weight', weight)}: "
            "give one weight for each sample."
        )
    if isinstance(weight, np.ndarray | RowsOnDisk):
        check_weight("sample_weight", weight, targets, "y")
    return Batch(inputs, targets, weight)


def check_weight(name: str, weight: Any, targets: PyTree, targets_name: str) -> None:
    """Raise ValueError unless there is one weight per sample, or per time step."""
    steps = weight.shape[1:]
    if steps and (not hasattr(targets, "shape") or targets.shape[1 : weight.ndim] != steps):
        raise ValueError(
            f"`{name}` must hold one number for each sample, or for each time step of "
            f"`{targets_name}`, received shape {weight.shape}."
        )


def several(x: Any) -> tuple[Any, ...]:
    """Return the inputs as a tuple; a tuple or list of arrays is several inputs, others are one."""
    if isinstance(x, tuple) and not (x and all(np.isscalar(value) for value in x)):
        return x
    if isinstance(x, list):
        arrays = [value for value in x if value is not None]
        if arrays and all(_is_array(value) or _holds_arrays(value) for value in arrays):
            return tuple(x)
    return (x,)


def is_batches(x: Any) -> bool:
    """Return whether `x` is an iterable of batches, rather than the data itself."""
    if isinstance(x, str | bytes | list | tuple | Mapping) or _is_array(x):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def _is_array(value: Any) -> bool:
    """Return whether a value is an array of at least one axis."""
    is_convertible = hasattr(value, "__array__") or hasattr(value, "__array_interface__")
    return is_convertible and np.ndim(value) > 0


def _holds_arrays(value: Any) -> bool:
    """Return whether a value is a dict, list or tuple of arrays, or of such structures."""
    items = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(items, list | tuple) or not items:
        return False
    return all(_is_array(item) or _holds_arrays(item) for item in items)


def _tree(
    name: str, value: Any, convert: Convert, optional: bool = False, text: bool = False
) -> PyTree:
    """Return a structure of arrays, each converted by a function of its name, itself and `text`."""
    if isinstance(value, Mapping):
        if not value:
            raise ValueError(f"`{name}` is an empty dict: it must have one array for each name.")
        return {
            key: _tree(f"{name}[{key!r}]", item, convert, optional, text)
            for key, item in value.items()
        }
    parts = several(value)
    if len(parts) > 1 or parts[0] is not value:
        return tuple(
            _tree(f"{name}[{i}]", item, convert, optional, text) for i, item in enumerate(parts)
        )
    return None if optional and value is None else convert(name, value, text)


def _array_on_disk(name: str, value: Any, text: bool) -> "np.ndarray | RowsOnDisk":
    """Return an array in files as it is, with the conversion of its rows; others in memory."""
    rows_on_disk = mapped_rows(name, value)
    if rows_on_disk is None:
        return _array(name, value, text)
    return rows_on_disk.then(lambda array, rows: _array(name, array, text, rows))


def _array(name: str, value: Any, text: bool = False, rows: Rows = None) -> np.ndarray:
    """Return an array of numbers, or of text.

    Args:
        name: Its name, for errors.
        value: Anything that numpy converts to an array.
        text: Whether it may be text.
        rows: The numbers of its rows in the user's data, for errors; None if it is the data itself.
    """
    columns = list(value.columns) if hasattr(value, "columns") else None
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"`{name}` is not a rectangular array ({error}): all samples must have the same shape."
        ) from None
    if array.ndim == 0:
        raise ValueError(
            f"`{name}` must be an array with one row for each sample, received {value!r}."
        )
    if array.size == 0:
        raise ValueError(f"`{name}` is empty: its shape is {array.shape}.")
    if text and columns is None and is_text(array):
        return array
    # numpy has no kind for JAX's small floats, such as bfloat16.
    is_float = jax.dtypes.issubdtype(array.dtype, np.floating)
    if array.dtype.kind not in "fiub" and not is_float:
        array = _to_numbers(name, array, columns, rows)
        is_float = True
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        return _narrow_integers(name, array)
    if is_float:
        _check_finite(name, array, columns, rows)
        if array.dtype.itemsize == 8:
            with np.errstate(over="ignore"):
                narrow = array.astype(np.float32)
            _check_finite(name, narrow, columns, rows)
            return narrow
    return array


def require_numbers(batch: Batch) -> Batch:
    """Return the batch, or raise if it contains text."""
    for array in jax.tree.leaves(batch.inputs):
        if is_text(array):
            _to_numbers("x", array, None, None)
    return batch


def _to_numbers(name: str, array: np.ndarray, columns: list[Any] | None, rows: Rows) -> np.ndarray:
    """Convert an array of objects to numbers, or raise with the first value that is invalid."""
    if array.dtype.kind == "O":
        for index, item in np.ndenumerate(array):
            if not isinstance(item, int | float | np.number | np.bool_):
                raise ValueError(
                    f"`{name}` must hold numbers, found {item!r} of type "
                    f"`{type(item).__name__}` at {_position(index, columns, rows)}. Encode or drop "
                    "it."
                )
        return array.astype(np.float64)
    kinds = {"U": "text", "S": "bytes", "M": "dates", "m": "durations", "c": "complex numbers"}
    raise ValueError(
        f"`{name}` must hold numbers, received {kinds.get(array.dtype.kind, array.dtype.name)} "
        f"such as {array.ravel()[0]!r}. Encode it as numbers first."
    )


def _narrow_integers(name: str, array: np.ndarray) -> np.ndarray:
    limits = np.iinfo(np.int32)
    if array.min() < limits.min or array.max() > limits.max:
        raise ValueError(
            f"`{name}` holds integers beyond 32 bits, from {array.min()} to {array.max()}. "
            "Convert them to float32, or renumber them."
        )
    return array.astype(np.int32)


def _check_finite(name: str, array: np.ndarray, columns: list[Any] | None, rows: Rows) -> None:
    # A sum is one pass without a copy; the faulty entry is searched for only if necessary.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise ValueError(
            f"`{name}` has {len(bad)} entries that are NaN or infinite, the first is "
            f"{array[index]} at {_position(index, columns, rows)}. Drop or fill them before "
            "training."
        )


def _position(index: tuple[int, ...], columns: list[Any] | None, rows: Rows) -> str:
    if isinstance(rows, slice):
        index = (rows.start + index[0], *index[1:])
    elif rows is not None:
        index = (int(rows[index[0]]), *index[1:])
    if columns is not None and len(index) == 2:
        return f"row {index[0]}, column {columns[index[1]]!r}"
    if len(index) > 2:
        return f"row {index[0]}, position {index[1:]}"
    return ", ".join([f"row {index[0]}", *(f"column {i}" for i in index[1:])])


def _weights(name: str, sample_weight: Any, convert: Convert) -> PyTree:
    def flatten(weight: np.ndarray) -> np.ndarray:
        is_column = weight.ndim == 2 and weight.shape[1] == 1
        return (weight[:, 0] if is_column else weight).astype(np.float32)

    def flattened(weight: Any) -> Any:
        if isinstance(weight, RowsOnDisk):
            return weight.then(lambda array, _: flatten(array))
        return flatten(weight)

    return jax.tree.map(flattened, _tree(name, sample_weight, convert, optional=True))


def _length(name: str, tree: PyTree) -> int:
    counts = {leaf.shape[0] for leaf in jax.tree.leaves(tree)}
    if len(counts) > 1:
        leaves = jax.tree_util.tree_leaves_with_path(tree)
        listed = ", ".join(
            f"{name}{jax.tree_util.keystr(path)}: {leaf.shape[0]}" for path, leaf in leaves
        )
        raise ValueError(f"The arrays of `{name}` have different numbers of samples ({listed}).")
    return int(counts.pop())
