"""Layers made of a function, and the one that does nothing."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from fjax import activations
from fjax.core.checks import normalize_shape
from fjax.core.layer import Layer
from fjax.core.masking import split, with_mask
from fjax.typing import Key, Params, PyTree, State


class Identity(Layer):
    """Return the inputs as they are; a place for a layer that is not there.

    Shapes: any, unchanged; several inputs are several outputs.

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
    """A function of arrays as a layer without weights, by Keras's name.

    A model file carries no code: it holds the function by its name, which must be one of
    `fjax.activations`. A lambda has no name and a function of your own is not known there: such a
    layer works, and has no configuration to save. For what is to be saved, write a subclass of
    `Layer` with `call`.

    Args:
        function: Called with the inputs (several are a list), with `arguments`, and with `training`
            and `mask` where it has parameters of these names. It must be pure: arrays that it
            closes over are constants, and are not trained.
        output_shape: The shape of the outputs without the batch axis, or a function of the inputs'
            shape that returns the whole shape; what the function returns must have it. None takes
            any.
        mask: A function of the inputs and their mask that returns the mask of the outputs; None
            ends the mask.
        arguments: Further keywords for the function, plain data.

    Shapes: as the function has it.

    Raises:
        TypeError: `function` or `mask` cannot be called, or `arguments` is no dict.
        ValueError: The outputs have another shape than `output_shape`.

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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.function is None:
            raise TypeError("`Lambda` needs a function of arrays, received None.")
        self.function = activations.get(self.function)
        if self.mask is not None and not callable(self.mask):
            raise TypeError(
                "`Lambda`: `mask` must be a function of the inputs and their mask, received "
                f"{self.mask!r}. A configuration holds no arrays: return it from a function."
            )
        if self.output_shape is not None and not callable(self.output_shape):
            self.output_shape = normalize_shape("Lambda", "output_shape", self.output_shape)
        if self.arguments is not None and not isinstance(self.arguments, Mapping):
            raise TypeError(
                "`Lambda`: `arguments` must be a dict of keywords for the function, received "
                f"{self.arguments!r}."
            )
        self.arguments = None if self.arguments is None else dict(self.arguments)

    @property
    def masking(self) -> str:
        """What becomes of a mask: it ends, unless `mask` or the function ask for it."""
        return "takes" if self.mask is not None or "mask" in _names(self.function) else "ends"

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return what the function returns."""
        pairs = [split(value) for value in inputs]
        values, masks = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        given, mask = (values[0], masks[0]) if len(inputs) == 1 else (values, masks)
        options = dict(self.arguments or {})
        names = _names(self.function)
        options |= {"mask": mask} if "mask" in names else {}
        options |= {"training": training} if "training" in names else {}
        outputs = self.function(given, **options)
        self._check(given, outputs)
        if self.mask is None:
            return outputs, state
        return with_mask(outputs, self.mask(given, mask)), state

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data.

        Raises:
            ValueError: A function has no name by which it could be found again.
        """
        for field in ("function", "output_shape", "mask"):
            function = getattr(self, field)
            if not callable(function) or (field == "function" and _is_known(function)):
                continue
            raise ValueError(
                f"`Lambda`: `{field}` {_name(function)!r} cannot be written down: a configuration "
                "holds no code, and only the functions of `fjax.activations` are found by name. "
                "Write a subclass of `Layer` with `call` for what is to be saved."
            )
        return super().get_config()

    def _check(self, given: PyTree, outputs: PyTree) -> None:
        if self.output_shape is None:
            return
        shape = tuple(jnp.shape(outputs))
        if callable(self.output_shape):
            shapes = jax.tree.map(lambda value: tuple(jnp.shape(value)), given)
            wanted = tuple(self.output_shape(shapes))
        else:
            wanted = (None, *self.output_shape)
        pairs = zip(shape, wanted, strict=False)
        if len(shape) != len(wanted) or any(size not in (None, one) for one, size in pairs):
            raise ValueError(
                f"`Lambda`: the function {_name(self.function)!r} returned shape {shape}, and "
                f"`output_shape` asks for {wanted}."
            )


def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a function's parameters; some functions written in C tell none."""
    try:
        return tuple(inspect.signature(function).parameters)
    except ValueError:
        return ()


def _name(function: Any) -> str:
    return getattr(function, "__name__", None) or repr(function)


def _is_known(function: Any) -> bool:
    """Tell whether a function is one that its name leads back to."""
    try:
        return activations.get(_name(function)) is function
    except ValueError:
        return False
