"""The fully connected layer over any axes, `EinsumDense`."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.configuration import field
from fjax.errors import is_integer
from fjax.initializers import VarianceScaling
from fjax.layers.array_layer import ArrayLayer
from fjax.typing import Array, Identifier, Key, Params, Shape

OWNER = "EinsumDense"


class EinsumDense(ArrayLayer):
    """A fully connected layer over any axes: `activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: The equation of `jnp.einsum` for inputs and kernel: "ab,bc->ac" is `Dense` for
            matrices, "...x,xy->...y" for inputs of any rank. An ellipsis, at the front or at the
            end of both inputs and outputs, stands for axes that do not change.
        output_shape: The shape of the outputs without the batch axis and without the axes of the
            ellipsis; None for an axis with the size of the inputs.
        activation: Applied to the result; None means "linear".
        bias_axes: The letters of the output axes along which the bias varies, such as "c"; None for
            no bias.
        kernel_initializer: Draws the kernel; its fans follow from the equation.
        bias_initializer: Draws the bias.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.

    Shapes: according to the equation. The kernel has one axis for each of its letters. The bias has
    one axis for each output axis from the first of `bias_axes` on, of size 1 if it is not listed.

    Raises:
        ValueError: The equation has another form, a size is unknown or contradicts the inputs, or a
            bias axis is not an axis of the outputs.

    Source: Keras's page "EinsumDense layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = EinsumDense("abc,cde->abde", output_shape=(None, 2, 4), bias_axes="de")
    >>> params, state = layer.init(jax.random.key(0), jnp.ones((32, 10, 8)))
    >>> params["kernel"].shape, params["bias"].shape
    ((8, 2, 4), (2, 4))
    >>> outputs, state = layer.apply(params, state, jnp.ones((32, 10, 8)))
    >>> outputs.shape
    (32, 10, 2, 4)
    """

    # Weights are not quantized.
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **ArrayLayer.neutral_arguments,
        "quantization_config": (None,),
    }
    rows_independent = True

    equation: str
    output_shape: tuple[int | None, ...]
    activation: Identifier = "linear"
    bias_axes: str | None = None
    kernel_initializer: Identifier = "glorot_uniform"
    bias_initializer: Identifier = "zeros"
    kernel_regularizer: Identifier = None
    bias_regularizer: Identifier = None
    kernel_constraint: Identifier = None
    bias_constraint: Identifier = None
    activity_regularizer: Identifier = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        terms = _parse_equation(self.equation)
        shape = self.output_shape
        shape = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        if not all(size is None or (is_integer(size) and size > 0) for size in shape):
            raise ValueError(
                f"`{OWNER}`: `output_shape` must be positive integers, or None for an axis with "
                f"the size of the inputs, received {self.output_shape!r}."
            )
        self.output_shape = shape
        if self.bias_axes is not None:
            unknown = [letter for letter in self.bias_axes if letter not in terms.outputs]
            if unknown or not self.bias_axes:
                raise ValueError(
                    f"`{OWNER}`: `bias_axes` {self.bias_axes!r} must be letters of the outputs "
                    f"{terms.outputs!r}."
                )

    def draw_params(self, key: Key, shape: Shape) -> Params:
        """Draw the kernel and the bias."""
        terms = _parse_equation(self.equation)
        sizes = self._sizes(terms, shape)
        kernel_key, bias_key = jax.random.split(key)
        kernel_shape = tuple(sizes[letter] for letter in terms.kernel)
        output_axes = [axis for axis, x in enumerate(terms.kernel) if x in terms.outputs]
        input_axes = [axis for axis, x in enumerate(terms.kernel) if x not in terms.outputs]
        initializer = with_fans(self.kernel_initializer, input_axes, output_axes)
        params = {
            "kernel": initializers.draw(initializer, kernel_key, kernel_shape, self.variable_dtype)
        }
        if self.bias_axes is not None:
            bias_shape = self._bias_shape(terms, sizes, len(shape))
            params["bias"] = initializers.draw(
                self.bias_initializer, bias_key, bias_shape, self.variable_dtype
            )
        return params

    def _bias_shape(self, terms: "_Terms", sizes: dict[str, int], input_rank: int) -> Shape:
        bias_axes = self.bias_axes or ""
        first = min(terms.outputs.index(letter) for letter in bias_axes)
        named = [sizes[letter] if letter in bias_axes else 1 for letter in terms.outputs[first:]]
        elided = input_rank - len(terms.inputs) if terms.ellipsis == "end" else 0
        return (*named, *[1] * elided)

    def compute_outputs(self, params: Params, values: Array) -> Array:
        """Return `activation(einsum(equation, inputs, kernel) + bias)`."""
        terms = _parse_equation(self.equation)
        sizes = self._sizes(terms, values.shape)
        expected = tuple(sizes[letter] for letter in terms.kernel)
        if params["kernel"].shape != expected:
            raise ValueError(
                f"`{OWNER}` was built with a kernel of shape {params['kernel'].shape}, received "
                f"inputs of shape {tuple(values.shape)}, for which {self.equation!r} needs a "
                f"kernel of shape {expected}."
            )
        outputs = jnp.einsum(self.equation, values, params["kernel"])
        if self.bias_axes is not None:
            outputs = outputs + params["bias"]
        return self.activation(outputs)

    def _sizes(self, terms: "_Terms", shape: Shape) -> dict[str, int]:
        """Return the size of each letter for inputs of a shape."""
        elided = len(shape) - len(terms.inputs)
        if elided < 0 or (elided > 0 and terms.ellipsis is None):
            raise ValueError(
                f"`{OWNER}`: {self.equation!r} takes inputs of {len(terms.inputs)} axes"
                f"{' or more' if terms.ellipsis else ''}, received {tuple(shape)}."
            )
        named_shape = shape[elided:] if terms.ellipsis == "front" else shape[: len(terms.inputs)]
        sizes = dict(zip(terms.inputs, named_shape, strict=True))
        # The batch axis is the first letter of the outputs, or an axis of the ellipsis.
        batch_is_elided = terms.ellipsis == "front" and elided > 0
        named = terms.outputs if batch_is_elided else terms.outputs[1:]
        if len(named) != len(self.output_shape):
            raise ValueError(
                f"`{OWNER}`: `output_shape` {self.output_shape} must have {len(named)} sizes, one "
                f"for each of {named!r} in {self.equation!r}."
            )
        for letter, size in zip(named, self.output_shape, strict=True):
            if size is not None and sizes.setdefault(letter, size) != size:
                raise ValueError(
                    f"`{OWNER}`: `output_shape` {self.output_shape} gives {letter!r} in "
                    f"{self.equation!r} the size {size}, but inputs of shape {tuple(shape)} give "
                    f"it the size {sizes[letter]}."
                )
        for letter in terms.kernel:
            if letter not in sizes:
                raise ValueError(
                    f"`{OWNER}`: the size of {letter!r} in {self.equation!r} is unknown: replace "
                    f"its None in `output_shape` {self.output_shape} by a size."
                )
        return sizes


def with_fans(initializer: Any, input_axes: Sequence[int], output_axes: Sequence[int]) -> Any:
    """Return an initializer whose fans are computed from these axes of the kernel.

    An initializer without fans, or with `input_axes` already set, is returned unchanged.
    """
    if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
        return initializer
    return dataclasses.replace(
        initializer, input_axes=tuple(input_axes), output_axes=tuple(output_axes)
    )


class _Terms(NamedTuple):
    """The letters of inputs, kernel and outputs, and the position of the ellipsis or None."""

    inputs: str
    kernel: str
    outputs: str
    ellipsis: str | None


FORMS = {
    None: re.compile(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)"),
    "front": re.compile(r"\.{3}([a-zA-Z]+),([a-zA-Z]+)->\.{3}([a-zA-Z]+)"),
    "end": re.compile(r"([a-zA-Z]{2,})\.{3},([a-zA-Z]+)->([a-zA-Z]+)\.{3}"),
}


def _parse_equation(equation: Any) -> _Terms:
    """Return the terms of an equation, or raise."""
    if isinstance(equation, str):
        for ellipsis, form in FORMS.items():
            match = form.fullmatch(equation.replace(" ", ""))
            if match is not None:
                terms = _Terms(match[1], match[2], match[3], ellipsis)
                _check_letters(equation, terms)
                return terms
    raise ValueError(
        f"`{OWNER}`: `equation` must be of the form 'ab,bc->ac', '...b,bc->...c' or "
        f"'ab...,bc->ac...', received {equation!r}."
    )


def _check_letters(equation: str, terms: _Terms) -> None:
    for name, letters in (("inputs", terms.inputs), ("outputs", terms.outputs)):
        if len(set(letters)) < len(letters):
            raise ValueError(
                f"`{OWNER}`: a letter occurs twice in the {name} {letters!r} of {equation!r}."
            )
    for letter in terms.outputs:
        if letter not in terms.inputs and letter not in terms.kernel:
            raise ValueError(
                f"`{OWNER}`: {letter!r} of the outputs of {equation!r} is neither in the inputs "
                f"{terms.inputs!r} nor in the kernel {terms.kernel!r}."
            )
    for letter in terms.kernel:
        if letter not in terms.inputs and letter not in terms.outputs:
            raise ValueError(
                f"`{OWNER}`: {letter!r} of the kernel of {equation!r} is neither in the inputs "
                f"{terms.inputs!r} nor in the outputs {terms.outputs!r}."
            )
    if terms.ellipsis is None and terms.outputs[0] != terms.inputs[0]:
        raise ValueError(
            f"`{OWNER}`: inputs {terms.inputs!r} and outputs {terms.outputs!r} of {equation!r} "
            "must begin with the same letter, which is the batch axis."
        )
