"""Masks: an array of booleans passed along with an array, which marks the entries that count.

`Embedding(mask_zero=True)` and `Masking` return a `Masked`. How the next layer treats it depends on
the attribute `masking` of that layer:

- "takes": `init` and `apply` receive the `Masked` itself, as recurrent layers do;
- "keeps": the layer receives the plain values, and its outputs get the mask of its inputs, as with
  `Dense` or `Dropout`;
- "drops": the layer receives the plain values, and its outputs have no mask, as with Keras's
  operations on tensors;
- "ends", or no such attribute: likewise, and a warning says so, because later layers then treat
  masked entries like any others.
"""

import dataclasses
import functools
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
    """An array with its mask: a pytree of two leaves, which works under all JAX transformations.

    It can be used as an array: attributes, indexing, Python's operators and the functions of
    `jax.numpy` act on the values and return plain arrays without a mask.

    Args:
        values: The array, `(batch, time, …)`.
        mask: Booleans with the leading axes of the values, usually `(batch, time)`; True marks
            entries that count.

    >>> masked = Masked(jnp.array([[1.0, 2.0, 0.0]]), jnp.array([[True, True, False]]))
    >>> masked.shape, (masked * 2).tolist(), jnp.sum(masked).item()
    ((1, 3), [[2.0, 4.0, 0.0]], 3.0)
    """

    values: Any
    mask: Any

    # Makes numpy's operators defer to those defined here.
    __array_ufunc__ = None

    @property
    def _keras_mask(self) -> Any:
        # Keras's guides read the mask of an array here.
        return self.mask

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

    # `==` compares entry by entry, so that hashing must be by identity.
    __hash__ = object.__hash__


def _operator(function: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    def apply(self: Masked, *others: Any) -> Any:
        plain = [strip_masks(other) for other in others]
        return function(*plain, self.values) if swapped else function(self.values, *plain)

    return apply


_BINARY_OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul",
    "and", "or", "xor", "lshift", "rshift",
)  # fmt: skip
_OTHER_OPERATORS = ("eq", "ne", "gt", "ge", "lt", "le", "neg", "pos", "abs", "invert", "index")

for _name in _BINARY_OPERATORS:
    _function = getattr(operator, f"__{_name}__")
    setattr(Masked, f"__{_name}__", _operator(_function))
    setattr(Masked, f"__r{_name}__", _operator(_function, swapped=True))
for _name in _OTHER_OPERATORS:
    setattr(Masked, f"__{_name}__", _operator(getattr(operator, f"__{_name}__")))
_BUILTINS: tuple[Callable[..., Any], ...] = (bool, int, float, complex, round, divmod)
for _builtin in _BUILTINS:
    setattr(Masked, f"__{_builtin.__name__}__", _operator(_builtin))
Masked.__rdivmod__ = _operator(divmod, swapped=True)  # type: ignore[attr-defined]


def is_masked(value: Any) -> bool:
    """Return whether a value is a `Masked`."""
    return isinstance(value, Masked)


def strip_masks(tree: PyTree) -> PyTree:
    """Return a pytree with each `Masked` replaced by its plain values.

    >>> strip_masks({"x": Masked(1.0, True), "y": 2.0})
    {'x': 1.0, 'y': 2.0}
    """
    return jax.tree.map(
        lambda leaf: leaf.values if is_masked(leaf) else leaf, tree, is_leaf=is_masked
    )


def split_mask(value: Any) -> tuple[Any, Any]:
    """Return the plain values and the mask; the mask of a plain array is None.

    >>> split_mask(Masked(1.0, True)), split_mask(2.0)
    ((1.0, True), (2.0, None))
    """
    return (value.values, value.mask) if is_masked(value) else (value, None)


def with_mask(values: Any, mask: Any) -> Any:
    """Return a `Masked`, or the plain values if the mask is None.

    >>> with_mask(1.0, None), with_mask(1.0, True)
    (1.0, Masked(values=1.0, mask=True))
    """
    return values if mask is None else Masked(values, mask)


def check_mask(owner: str, values: Any, mask: Any, axes: int = 2) -> Any:
    """Return a mask as booleans after checking that its shape is that of the leading axes.

    Args:
        owner: The layer that an error names.
        values: The array.
        mask: Its mask, or None, which is returned unchanged.
        axes: The number of axes of the mask.

    Raises:
        ValueError: The mask has a different shape.

    >>> check_mask("LSTM", jnp.ones((2, 3, 4)), jnp.ones((2, 4)))
    Traceback (most recent call last):
        ...
    ValueError: `LSTM`: the mask must have shape (2, 3), the leading axes of inputs of shape \
(2, 3, 4), received (2, 4).
    """
    if mask is None:
        return None
    expected = tuple(values.shape[:axes])
    if tuple(jnp.shape(mask)) != expected:
        raise ValueError(
            f"`{owner}`: the mask must have shape {expected}, the leading axes of inputs of shape "
            f"{tuple(values.shape)}, received {tuple(jnp.shape(mask))}."
        )
    return mask.astype(bool) if hasattr(mask, "astype") else jnp.asarray(mask, bool)


def merge_masks(masks: Sequence[Any]) -> Any:
    """Return the mask of an entrywise merge, as Keras computes it: the logical OR of all masks.

    If any input has no mask, neither has the result.

    >>> merge_masks([jnp.array([True, False]), jnp.array([False, False])]).tolist()
    [True, False]
    >>> merge_masks([jnp.array([True, False]), None]) is None
    True
    """
    if any(mask is None for mask in masks):
        return None
    return functools.reduce(jnp.logical_or, masks)


def masking_of(layer: Any) -> str:
    """Return how a layer treats a mask: "takes", "keeps", "drops" or "ends"."""
    return getattr(layer, "masking", "ends")


def warn_mask_dropped(layer: Any) -> None:
    """Warn that a layer ignores the mask of its inputs."""
    kind = getattr(layer, "kind", type(layer).__name__)
    name = getattr(layer, "name", None) or kind
    warnings.warn(
        f"The layer `{name}` received inputs with a mask and does not support masks: the mask ends "
        "here, and later layers treat masked entries like any others.",
        # Always reported from this line: Python then shows a repeated warning only once.
        stacklevel=1,
    )


def first_mask(inputs: tuple[PyTree, ...]) -> Any:
    """Return the mask of the first input that has one, or None."""
    for leaf in jax.tree.leaves(inputs, is_leaf=is_masked):
        if is_masked(leaf):
            return leaf.mask
    return None
