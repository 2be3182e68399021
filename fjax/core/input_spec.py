"""What a layer expects of its first input: number of axes, sizes and dtype."""

from collections.abc import Mapping
from typing import Any

import jax

from fjax.configuration import Configured
from fjax.core.masking import strip_masks
from fjax.core.placeholders import known_sizes
from fjax.errors import integer_at_least, is_integer
from fjax.typing import PyTree

Shape = tuple[int | None, ...]


class InputSpec(Configured):
    """What a layer expects of an input.

    A layer of your own that sets `self.input_spec` to one of these, or for several inputs to a list
    or dict of them, raises an error for inputs that differ. The axes of a symbolic input whose size
    is None fit any size.

    Args:
        dtype: The name of the dtype.
        shape: The shape with the batch axis; None for an axis of any size.
        ndim: The number of axes; with `shape` it is the length of that.
        max_ndim: The largest number of axes.
        min_ndim: The smallest number of axes.
        axes: A dict of axes and their sizes.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or added.
        name: The key of this input in a dict of inputs.
        optional: Whether None is accepted.

    Raises:
        TypeError: `axes` is not a dict of integers.
        ValueError: A number is not positive, or an axis is beyond `ndim` or `max_ndim`.

    Source: Keras, `InputSpec`.

    >>> InputSpec(ndim=3, axes={-1: 8})
    InputSpec(ndim=3, axes={-1: 8})
    """

    dtype: str | None = None
    shape: Any = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Any = None
    allow_last_axis_squeeze: bool = False
    name: str | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        if self.dtype is not None:
            self.dtype = jax.numpy.dtype(self.dtype).name
        if self.shape is not None:
            self.shape = tuple(self.shape)
            self.ndim = len(self.shape)
        for argument in ("ndim", "max_ndim", "min_ndim"):
            if getattr(self, argument) is not None:
                integer_at_least("InputSpec", argument, getattr(self, argument), 0)
        axes = self.axes or {}
        if not isinstance(axes, Mapping) or not all(map(is_integer, axes)):
            raise TypeError(
                f"`InputSpec`: `axes` must be a dict of axes and their sizes, such as {{-1: 8}}, "
                f"received {self.axes!r}."
            )
        self.axes = dict(axes)
        limit = self.max_ndim if self.ndim is None else self.ndim
        if limit is not None and self.axes and max(self.axes) >= limit:
            raise ValueError(
                f"`InputSpec`: `axes` has the axis {max(self.axes)}, but there are at most {limit} "
                "axes."
            )

    def __repr__(self) -> str:
        shown = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        given = [f"{name}={getattr(self, name)}" for name in shown if getattr(self, name)]
        return f"InputSpec({', '.join(given)})"

    def mismatch(self, shape: Shape, dtype: Any) -> str | None:
        """Return what is wrong with an input, or None.

        >>> InputSpec(ndim=3, axes={-1: 8}).mismatch((None, 8), "float32")
        '3 axes'
        """
        count, dtype = len(shape), getattr(dtype, "name", dtype)
        if self.ndim not in (None, count) and not self.allow_last_axis_squeeze:
            return f"{self.ndim} axes"
        if self.max_ndim is not None and count > self.max_ndim:
            return f"at most {self.max_ndim} axes"
        if self.min_ndim is not None and count < self.min_ndim:
            return f"at least {self.min_ndim} axes"
        if self.dtype not in (None, dtype):
            return f"the dtype {self.dtype}"
        for axis, size in self.axes.items():
            is_axis = -count <= axis < count
            if size is not None and (not is_axis or shape[axis] not in (size, None)):
                return f"the size {size} of axis {axis}"
        return self._shape_mismatch(shape)

    def _shape_mismatch(self, shape: Shape) -> str | None:
        if self.shape is None:
            return None
        expected: Shape = self.shape
        if self.allow_last_axis_squeeze:
            expected, shape = _without_last_one(expected), _without_last_one(shape)
        pairs = zip(expected, shape, strict=False)
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            return f"the shape {self.shape}"
        return None


def check_input_spec(owner: str, spec: Any, inputs: PyTree) -> None:
    """Raise ValueError if inputs are not what a layer's `input_spec` says.

    Args:
        owner: The layer that the error names.
        spec: An `InputSpec`, or a list or dict of them; None accepts anything.
        inputs: The first argument of the call: one array, or a list or dict.

    Raises:
        TypeError: `spec` contains something else.
        ValueError: The number of inputs, a number of axes, a size or a dtype is another one.

    >>> check_input_spec("Mixer", InputSpec(ndim=3), jax.numpy.ones((2, 7)))
    Traceback (most recent call last):
        ...
    ValueError: `Mixer`: the input must have 3 axes, received float32 of shape (2, 7).
    """
    specs = _leaves(spec)
    for each in specs:
        if not isinstance(each, InputSpec | None):
            raise TypeError(
                f"`{owner}`: `input_spec` must be an `InputSpec`, or a list of them, has {each!r}."
            )
    values = _named_values(owner, specs, strip_masks(inputs))
    if not specs or specs == [None]:
        return
    if len(values) != len(specs):
        raise ValueError(
            f"`{owner}` takes {len(specs)} inputs by its `input_spec`, received {len(values)}."
        )
    for index, (each, value) in enumerate(zip(specs, values, strict=True)):
        if each is None or (value is None and each.optional):
            continue
        label = "the input" if len(specs) == 1 else f"input {each.name or index}"
        if not hasattr(value, "shape"):
            raise ValueError(f"`{owner}`: {label} must be an array, received {value!r}.")
        shape = known_sizes(value.shape)
        wrong = each.mismatch(shape, value.dtype)
        if wrong is not None:
            raise ValueError(
                f"`{owner}`: {label} must have {wrong}, received {value.dtype} of shape {shape}."
            )


def _named_values(owner: str, specs: list[Any], inputs: PyTree) -> list[Any]:
    """Return the inputs in the order of the specs, if all of these have names, or of the leaves."""
    names = [getattr(each, "name", None) for each in specs]
    if not isinstance(inputs, dict) or not all(names):
        return _leaves(inputs)
    missing = [name for name in names if name not in inputs]
    if missing:
        raise ValueError(
            f"`{owner}`: the input {missing[0]!r} is missing; received {', '.join(inputs)}."
        )
    return [inputs[name] for name in names]


def _leaves(tree: PyTree) -> list[Any]:
    return jax.tree.leaves(tree, is_leaf=lambda leaf: leaf is None or isinstance(leaf, InputSpec))


def _without_last_one(shape: Shape) -> Shape:
    return shape[:-1] if shape and shape[-1] == 1 else shape
