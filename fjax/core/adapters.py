"""Everything that can be used as a layer: layers, pairs of functions, functions and models."""

from collections.abc import Callable
from typing import Any

from fjax.configuration import Configured
from fjax.core.function_traits import function_has_trait
from fjax.core.layer import Layer, Pair
from fjax.typing import Key, Params, PyTree, State


class Function(Layer):
    """A function of arrays as a layer without weights.

    >>> import jax
    >>> as_layer(jax.numpy.tanh)
    Function(function=tanh)
    """

    function: Callable[..., Any]

    casting = "none"

    @property
    def rows_independent(self) -> bool:
        """Whether the function is known to process each row independently."""
        return function_has_trait(self.function, "rows_independent")

    @property
    def kind(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", "Function")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Call the function on the inputs."""
        return self.function(*inputs), state


def as_layer(candidate: Any) -> Any:
    """Return a layer for a layer, a tuple `(init, apply)`, a function of arrays, or a model.

    A model is converted to its network.

    Raises:
        TypeError: The candidate is none of these.
    """
    if isinstance(candidate, type):
        raise TypeError(
            f"Expected a layer, received the class `{candidate.__name__}`. "
            f"Call it: `{candidate.__name__}(…)`."
        )
    if hasattr(candidate, "layer_tree"):
        return candidate.layer_tree
    if isinstance(candidate, Layer):
        return candidate
    # An optimizer has `init` and `apply`, too; like it, all configured objects but layers are none.
    methods = (getattr(candidate, name, None) for name in ("init", "apply"))
    if not isinstance(candidate, Configured) and all(map(callable, methods)):
        return candidate
    if isinstance(candidate, tuple) and len(candidate) == 2 and all(map(callable, candidate)):
        return Pair(*candidate)
    if callable(candidate):
        return Function(candidate)
    raise TypeError(
        "Expected a layer, a pair of functions `(init, apply)` or a function of arrays, "
        f"received {candidate!r} of type `{type(candidate).__name__}`."
    )
