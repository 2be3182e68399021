"""Stack elements to batches, and split batches into elements."""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np


class BatchArray(np.ndarray):
    """A numpy array with the method `numpy` of TensorFlow's tensors.

    >>> to_array([1, 2]).numpy()
    array([1, 2])
    """

    def numpy(self) -> np.ndarray:
        """Return the same values as a plain numpy array."""
        return self.view(np.ndarray)


def to_array(value: Any) -> BatchArray:
    """Return a value as an array; texts become Python strings in an array of objects.

    >>> to_array(["a", "bc"])
    BatchArray(['a', 'bc'], dtype=object)
    """
    array = np.asarray(value)
    if array.dtype.kind == "U":
        array = array.astype(object)
    return array.view(BatchArray)


def stack(owner: str, elements: Sequence[Any], pad: bool = False) -> Any:
    """Return elements as one batch, with the structure of an element.

    Args:
        owner: The method that was called, for errors.
        elements: Arrays, numbers or texts; or tuples or dicts of them, all with one structure.
        pad: Whether to pad arrays with zeros at their ends to one shape.

    Raises:
        ValueError: The elements have several structures or shapes.

    >>> stack("batch", [(1, "a"), (2, "b")])[0].tolist()
    [1, 2]
    """
    structures = {str(jax.tree.structure(element)) for element in elements}
    if len(structures) > 1:
        raise ValueError(
            f"`{owner}` takes elements of one structure, received {' and '.join(structures)}."
        )
    return jax.tree.map(lambda *leaves: _stack_leaves(owner, leaves, pad), *elements)


def _stack_leaves(owner: str, leaves: Sequence[Any], pad: bool) -> BatchArray:
    if isinstance(leaves[0], str | bytes):
        return np.array(leaves, object).view(BatchArray)
    arrays = [np.asarray(leaf) for leaf in leaves]
    shapes = {array.shape for array in arrays}
    if pad and len(shapes) > 1 and len({len(shape) for shape in shapes}) == 1:
        largest = np.max(list(shapes), axis=0)
        arrays = [
            np.pad(array, [(0, length - n) for length, n in zip(largest, array.shape, strict=True)])
            for array in arrays
        ]
    elif len(shapes) > 1:
        raise ValueError(
            f"`{owner}` takes elements of one shape, received {sorted(shapes)}: resize or pad them "
            "first, or use batches of one element."
        )
    return to_array(np.stack(arrays))


def unstack(batch: Any) -> Iterator[Any]:
    """Return the elements of a batch.

    >>> [(int(x), y) for x, y in unstack((np.array([1, 2]), np.array(["a", "b"], object)))]
    [(1, 'a'), (2, 'b')]
    """
    leaves, structure = jax.tree.flatten(batch)
    for rows in zip(*leaves, strict=True):
        yield jax.tree.unflatten(structure, rows)
