"""The fully connected layer over any axes."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fjax import activations, initializers
from fjax.configuration import field
from fjax.core.checks import only
from fjax.core.layer import Layer
from fjax.core.penalties import empty_penalty, with_penalty
from fjax.errors import is_integer
from fjax.initializers import VarianceScaling
from fjax.typing import Array, Identifier, Key, Params, Shape, Spec, State

OWNER = "EinsumDense"


class EinsumDense(Layer):
    """A fully connected layer whose sums an equation describes: `einsum(equation, inputs, kernel)`.

    Args:
        equation: As of `jnp.einsum`, of inputs and kernel: "ab,bc->ac" is `Dense` for matrices,
            "...x,xy->...y" for inputs of any rank. An ellipsis stands for axes that stay, at the
            front or at the end of inputs and outputs.
        output_shape: The outputs' shape without the batch axis and without what the ellipsis stands
            for; None for an axis that is the inputs' own.
        activation: Applied to the result; None means "linear".
        bias_axes: The letters of the outputs that the bias has an axis for, such as "c"; None is no
            bias.
        kernel_initializer: Draws the kernel; its fans are those of the equation.
        bias_initializer: Draws the bias.
        kernel_regularizer: Adds a penalty of the kernel to the loss; None adds none.
        bias_regularizer: Adds a penalty of the bias.
        kernel_constraint: Applied to the kernel after each training step; None for no constraint.
        bias_constraint: Applied to the bias after each training step.
        activity_regularizer: Adds a penalty of the outputs, divided by the batch size.

    Shapes: as the equation says. The kernel has an axis for each of its letters; the bias one for
    each axis of the outputs from the first of `bias_axes` on, of size 1 where it is none of them.

    Raises:
        ValueError: The equation is not of these forms, a size is not known or not the inputs', or a
            bias axis is none of the outputs.

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
        terms = _terms(self.equation)
        shape = self.output_shape
        shape = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
        if not all(size is None or (is_integer(size) and size > 0) for size in shape):
            raise ValueError(
                f"`{OWNER}`: `output_shape` must be positive integers, or None for an axis of the "
                f"inputs, received {self.output_shape!r}."
            )
        self.output_shape = shape
        if self.bias_axes is not None:
            strangers = [axis for axis in self.bias_axes if axis not in terms.outputs]
            if strangers or not self.bias_axes:
                raise ValueError(
                    f"`{OWNER}`: `bias_axes` {self.bias_axes!r} must be letters of the outputs "
                    f"{terms.outputs!r}."
                )
        self.activation = activations.get(self.activation)
        self.kernel_initializer = initializers.get(self.kernel_initializer)
        self.bias_initializer = initializers.get(self.bias_initializer)

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Draw the kernel and the bias."""
        terms = _terms(self.equation)
        shape = only(OWNER, specs).shape
        sizes = self._sizes(terms, shape)
        kernel_key, bias_key = jax.random.split(key)
        kernel_shape = tuple(sizes[letter] for letter in terms.kernel)
        places = list(enumerate(terms.kernel))
        ends = [place for place, letter in places if letter in terms.outputs]
        starts = [place for place, letter in places if letter not in terms.outputs]
        initializer = with_fans(self.kernel_initializer, starts, ends)
        params = {"kernel": initializers.draw(initializer, kernel_key, kernel_shape)}
        if self.bias_axes is not None:
            first = min(terms.outputs.index(letter) for letter in self.bias_axes)
            own = [sizes[x] if x in self.bias_axes else 1 for x in terms.outputs[first:]]
            elided = len(shape) - len(terms.inputs) if terms.ellipsis == "end" else 0
            bias_shape = (*own, *[1] * elided)
            params["bias"] = initializers.draw(self.bias_initializer, bias_key, bias_shape)
        return params, empty_penalty(self)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: Any,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[Array, State]:
        """Return the sums of products, with bias and activation."""
        values = only(OWNER, inputs)
        terms = _terms(self.equation)
        sizes = self._sizes(terms, values.shape)
        wanted = tuple(sizes[letter] for letter in terms.kernel)
        if params["kernel"].shape != wanted:
            raise ValueError(
                f"`{OWNER}` was built with a kernel of shape {params['kernel'].shape}, received "
                f"inputs of shape {tuple(values.shape)}, for which {self.equation!r} has a kernel "
                f"of shape {wanted}."
            )
        outputs = jnp.einsum(self.equation, values, params["kernel"])
        if self.bias_axes is not None:
            outputs = outputs + params["bias"]
        outputs = self.activation(outputs)
        return outputs, with_penalty(self, params, state, outputs)

    def _sizes(self, terms: "_Terms", shape: Shape) -> dict[str, int]:
        """Return the size of each letter, for inputs of a shape."""
        elided = len(shape) - len(terms.inputs)
        if elided < 0 or (elided > 0 and terms.ellipsis is None):
            raise ValueError(
                f"`{OWNER}`: {self.equation!r} takes inputs of {len(terms.inputs)} axes"
                f"{' or more' if terms.ellipsis else ''}, received {tuple(shape)}."
            )
        own = shape[elided:] if terms.ellipsis == "front" else shape[: len(terms.inputs)]
        sizes = dict(zip(terms.inputs, own, strict=True))
        # The batch axis is the first of the outputs, or one of those elided.
        batch = terms.ellipsis == "front" and elided > 0
        named = terms.outputs if batch else terms.outputs[1:]
        if len(named) != len(self.output_shape):
            raise ValueError(
                f"`{OWNER}`: `output_shape` {self.output_shape} must have {len(named)} sizes, one "
                f"for each of {named!r} in {self.equation!r}."
            )
        for letter, size in zip(named, self.output_shape, strict=True):
            if size is not None and sizes.setdefault(letter, size) != size:
                raise ValueError(
                    f"`{OWNER}`: `output_shape` {self.output_shape} gives {letter!r} in "
                    f"{self.equation!r} size {size}, and inputs of shape {tuple(shape)} size "
                    f"{sizes[letter]}."
                )
        for letter in terms.kernel:
            if letter not in sizes:
                raise ValueError(
                    f"`{OWNER}`: the size of {letter!r} in {self.equation!r} is not known: "
                    f"`output_shape` {self.output_shape} must give it."
                )
        return sizes


def with_fans(initializer: Any, starts: Sequence[int], ends: Sequence[int]) -> Any:
    """Return an initializer that counts these axes of a kernel as inputs and outputs.

    One that draws by no fans, or has axes of its own, comes back as it is.
    """
    if not isinstance(initializer, VarianceScaling) or initializer.input_axes is not None:
        return initializer
    config = {**initializer.get_config(), "input_axes": [*starts], "output_axes": [*ends]}
    return type(initializer).from_config(config)


class _Terms(NamedTuple):
    """The letters of inputs, kernel and outputs, and where an ellipsis stands: "front" or "end"."""

    inputs: str
    kernel: str
    outputs: str
    ellipsis: str | None


FORMS = {
    None: re.compile(r"([a-zA-Z]+),([a-zA-Z]+)->([a-zA-Z]+)"),
    "front": re.compile(r"\.{3}([a-zA-Z]+),([a-zA-Z]+)->\.{3}([a-zA-Z]+)"),
    "end": re.compile(r"([a-zA-Z]{2,})\.{3},([a-zA-Z]+)->([a-zA-Z]+)\.{3}"),
}


def _terms(equation: Any) -> _Terms:
    """Return the parts of an equation, or raise."""
    if isinstance(equation, str):
        for ellipsis, form in FORMS.items():
            found = form.fullmatch(equation.replace(" ", ""))
            if found is not None:
                terms = _Terms(found[1], found[2], found[3], ellipsis)
                _check(equation, terms)
                return terms
    raise ValueError(
        f"`{OWNER}`: `equation` must be of the form 'ab,bc->ac', '...b,bc->...c' or "
        f"'ab...,bc->ac...', received {equation!r}."
    )


def _check(equation: str, terms: _Terms) -> None:
    for name, letters in (("inputs", terms.inputs), ("outputs", terms.outputs)):
        if len(set(letters)) < len(letters):
            raise ValueError(
                f"`{OWNER}`: a letter stands twice in the {name} {letters!r} of {equation!r}."
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
            "must begin with the same letter, that of the batch axis."
        )
