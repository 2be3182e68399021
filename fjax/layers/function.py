"""`Lambda`, a layer made of a function, and `Identity`."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax import activations
from fjax.core.checks import normalize_shape
from fjax.core.layer import Layer
from fjax.core.masking import split_mask, with_mask
from fjax.typing import Key, Params, PyTree, State


class Identity(Layer):
    """Return the inputs unchanged.

    Shapes: any, unchanged; several inputs give several outputs.

    Source: Keras's page "Identity layer".

    >>> import jax.numpy as jnp
    >>> Identity().apply({}, {}, jnp.array([1.0, 2.0]))[0].tolist()
    [1.0, 2.0]
    """

    rows_independent = True
    masking = "takes"

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the inputs."""
        return inputs[0] if len(inputs) == 1 else inputs, state


class Lambda(Layer):
    """A function of arrays as a layer without weights, as in Keras.

    A model file contains no code, only the name of the function, which must be a function of
    `fjax.activations`. A layer with any other function works, but cannot be saved. For a layer that
    can be saved, write a subclass of `Layer` with `call`.

    Args:
        function: Called with the inputs (a list if there are several), with `arguments`, and with
            `training` and `mask` if it has parameters of these names. It must be pure: arrays that
            it closes over are constants, which are not trained.
        output_shape: The expected shape of the outputs without the batch axis, or a function that
            maps the shape of the inputs to the whole shape of the outputs. None accepts any shape.
        mask: A function of the inputs and their mask that returns the mask of the outputs; None
            for outputs without a mask.
        arguments: Further keyword arguments of the function, as a dict of plain data.

    Shapes: those of the function.

    Raises:
        TypeError: `function` or `mask` is not callable, or `arguments` is not a dict.
        ValueError: The outputs do not have the shape `output_shape`.

    Source: Keras's page "Lambda layer".

    >>> import jax.numpy as jnp
    >>> double = Lambda(lambda x, factor: x * factor, arguments={"factor": 2.0})
    >>> double.apply({}, {}, jnp.array([[1.0, 3.0]]))[0].tolist()
    [[2.0, 6.0]]
    """

    function: Any
    output_shape: Any = None
    mask: Any = None
    arguments: Mapping[str, Any] | None = None

    # As in Keras, the outputs are those of the function.
    casting = "inputs"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.function is None:
            raise TypeError("`Lambda` needs a function of arrays, received None.")
        self.function = activations.get(self.function)
        if self.mask is not None and not callable(self.mask):
            raise TypeError(
                "`Lambda`: `mask` must be a function of the inputs and their mask, received "
                f"{self.mask!r}. Return the mask from a function; fields must not be arrays."
            )
        if self.output_shape is not None and not callable(self.output_shape):
            self.output_shape = normalize_shape("Lambda", "output_shape", self.output_shape)
        if self.arguments is not None and not isinstance(self.arguments, Mapping):
            raise TypeError(
                "`Lambda`: `arguments` must be a dict of keyword arguments, received "
                f"{self.arguments!r}."
            )
        self.arguments = None if self.arguments is None else dict(self.arguments)

    @property
    def masking(self) -> str:
        """How the layer treats a mask: "ends", unless the function or `mask` uses it."""
        uses_mask = self.mask is not None or "mask" in _parameter_names(self.function)
        return "takes" if uses_mask else "ends"

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the results of the function."""
        pairs = [split_mask(value) for value in inputs]
        values, masks = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        argument, mask = (values[0], masks[0]) if len(inputs) == 1 else (values, masks)
        keywords = dict(self.arguments or {})
        parameters = _parameter_names(self.function)
        if "mask" in parameters:
            keywords["mask"] = mask
        if "training" in parameters:
            keywords["training"] = training
        outputs = self.function(argument, **keywords)
        self._check_output_shape(argument, outputs)
        if self.mask is None:
            return outputs, state
        return with_mask(outputs, self.mask(argument, mask)), state

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data; a function that no name finds is returned itself."""
        functions = {
            field: getattr(self, field)
            for field in ("function", "output_shape", "mask")
            if callable(getattr(self, field))
        }
        if "function" in functions and _is_activation(self.function):
            del functions["function"]
        return super().get_config() | functions

    def _check_output_shape(self, inputs: PyTree, outputs: PyTree) -> None:
        if self.output_shape is None:
            return
        shape = tuple(jnp.shape(outputs))
        if callable(self.output_shape):
            shapes = jax.tree.map(lambda value: tuple(jnp.shape(value)), inputs)
            expected = tuple(self.output_shape(shapes))
        else:
            expected = (None, *self.output_shape)
        pairs = zip(shape, expected, strict=False)
        if len(shape) != len(expected) or any(known not in (None, size) for size, known in pairs):
            raise ValueError(
                f"`Lambda`: the function {_name(self.function)!r} returned shape {shape}, but "
                f"`output_shape` requires {expected}."
            )


def _parameter_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's parameters; empty for C functions without a signature."""
    try:
        return tuple(inspect.signature(function).parameters)
    except ValueError:
        return ()


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or repr(function)


def _is_activation(function: Any) -> bool:
    """Return whether a function is the activation of the same name."""
    try:
        return activations.get(_name(function)) is function
    except ValueError:
        return False
