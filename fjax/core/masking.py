"""Masks: which entries of an array count, as an explicit value beside the array.

`Embedding(mask_zero=True)` and `Masking` return a `Masked`; what happens to it at the next layer
is that layer's own affair, told by its attribute `masking`:

- "takes": its `init` and `apply` are given the `Masked` itself, as recurrent layers are;
- "keeps": it is given the plain values, and its outputs are masked as its inputs were, as with
  `Dense` or `Dropout`;
- "ends", or no such attribute: it is given the plain values, and its outputs have no mask; a
  warning tells so, for the layers behind it count what was masked.
"""

import dataclasses
import operator
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.typing import Array, PyTree


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True, eq=False)
class Masked:
    """An array and its mask: a pytree of two leaves, which goes through every transformation.

    Where an array is expected it stands for its values: its attributes, indexing, Python's
    operators and the functions of `jax.numpy` give plain arrays, where the mask has ended.

    Args:
        values: The array, `(batch, time, …)`.
        mask: Booleans of leading axes of the values, mostly `(batch, time)`; True counts.

    >>> masked = Masked(jnp.array([[1.0, 2.0, 0.0]]), jnp.array([[True, True, False]]))
    >>> masked.shape, (masked * 2).tolist(), jnp.sum(masked).item()
    ((1, 3), [[2.0, 4.0, 0.0]], 3.0)
    """

    values: Any
    mask: Any

    # numpy's operators step back for these.
    __array_ufunc__ = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("values", "mask"):
            raise AttributeError(name)
        return getattr(self.values, name)

    def __jax_array__(self) -> Array:
        return jnp.asarray(self.values)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype) if copy else np.asarray(self.values, dtype)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __contains__(self, value: Any) -> bool:
        return value in self.values

    # Comparing gives an array, as with any array: two of them are the same object or not.
    __hash__ = object.__hash__


def _operator(function: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    def apply(self: Masked, *others: Any) -> Any:
        plain = [unmasked(other) for other in others]
        return function(*plain, self.values) if swapped else function(self.values, *plain)

    return apply


_BINARY = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul",
    "and", "or", "xor", "lshift", "rshift",
)  # fmt: skip
_OTHERS = ("eq", "ne", "gt", "ge", "lt", "le", "neg", "pos", "abs", "invert", "index")

for _name in _BINARY:
    _function = getattr(operator, f"__{_name}__")
    setattr(Masked, f"__{_name}__", _operator(_function))
    setattr(Masked, f"__r{_name}__", _operator(_function, swapped=True))
for _name in _OTHERS:
    setattr(Masked, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))
_BUILTINS: tuple[Callable[..., Any], ...] = (bool, int, float, complex, round, divmod)
for _builtin in _BUILTINS:
    setattr(Masked, f"__{_builtin.__name__}__", _operator(_builtin))
Masked.__rdivmod__ = _operator(divmod, swapped=True)  # type: ignore[attr-defined]


def is_masked(value: Any) -> bool:
    """Tell whether a value is a `Masked`."""
    return isinstance(value, Masked)


def unmasked(tree: PyTree) -> PyTree:
    """Return a tree with every `Masked` in it replaced by its plain values.

    >>> unmasked({"x": Masked(1.0, True), "y": 2.0})
    {'x': 1.0, 'y': 2.0}
    """
    return jax.tree.map(
        lambda leaf: leaf.values if is_masked(leaf) else leaf, tree, is_leaf=is_masked
    )


def split(value: Any) -> tuple[Any, Any]:
    """Return the plain values and the mask, which is None where there is none.

    >>> split(Masked(1.0, True)), split(2.0)
    ((1.0, True), (2.0, None))
    """
    return (value.values, value.mask) if is_masked(value) else (value, None)


def with_mask(values: Any, mask: Any) -> Any:
    """Return the values with a mask; None leaves them plain.

    >>> with_mask(1.0, None), with_mask(1.0, True)
    (1.0, Masked(values=1.0, mask=True))
    """
    return values if mask is None else Masked(values, mask)


def checked_mask(owner: str, values: Any, mask: Any, axes: int = 2) -> Any:
    """Return a mask as booleans, or raise where it is not of the values' leading axes.

    Args:
        owner: The layer that an error names.
        values: The array.
        mask: What came as its mask; None is none, and stays so.
        axes: How many leading axes the mask has.

    Raises:
        ValueError: The mask is of another shape.

    >>> checked_mask("LSTM", jnp.ones((2, 3, 4)), jnp.ones((2, 4)))
    Traceback (most recent call last):
        ...
    ValueError: `LSTM`: the mask must have shape (2, 3), the leading axes of inputs of shape \
(2, 3, 4), received (2, 4).
    """
    if mask is None:
        return None
    wanted = tuple(values.shape[:axes])
    if tuple(jnp.shape(mask)) != wanted:
        raise ValueError(
            f"`{owner}`: the mask must have shape {wanted}, the leading axes of inputs of shape "
            f"{tuple(values.shape)}, received {tuple(jnp.shape(mask))}."
        )
    return mask.astype(bool) if hasattr(mask, "astype") else jnp.asarray(mask, bool)


def either_mask(masks: Sequence[Any]) -> Any:
    """Return the mask of values that were added up entry by entry, as Keras's merge layers have it.

    An entry counts where it counts in any input; where an input has no mask the sum has none.

    >>> either_mask([jnp.array([True, False]), jnp.array([False, False])]).tolist()
    [True, False]
    >>> either_mask([jnp.array([True, False]), None]) is None
    True
    """
    first, *others = masks
    for mask in others:
        first = None if first is None or mask is None else jnp.logical_or(first, mask)
    return first


def masking_of(layer: Any) -> str:
    """Return what a layer does with a mask: "takes", "keeps" or "ends"."""
    return getattr(layer, "masking", "ends")


def warn_of_end(layer: Any) -> None:
    """Warn that a layer makes no use of the mask of its inputs."""
    kind = getattr(layer, "kind", type(layer).__name__)
    name = getattr(layer, "name", None) or kind
    warnings.warn(
        f"The layer `{name}` was given inputs with a mask and makes no use of masks: the mask ends "
        "here, and the layers behind it count what was masked.",
        # Always from this line, so that one text is shown once however often the layer is traced.
        stacklevel=1,
    )


def first_mask(inputs: tuple[PyTree, ...]) -> Any:
    """Return the mask of the first input that has one, or None."""
    for leaf in jax.tree.leaves(inputs, is_leaf=is_masked):
        if is_masked(leaf):
            return leaf.mask
    return None
