"""The network of a model class that an author wrote with `call`."""

from collections.abc import Sequence
from typing import Any, Self

from fjax.core import Layer
from fjax.core.authoring import authored_apply, authored_discover, authored_init, authored_trace
from fjax.core.binding import Plan, find_sublayers, replace_sublayers
from fjax.core.calling import CallRecord
from fjax.typing import Key, Params, PyTree, Spec, State


class Subclassed(Layer):
    """A model's `build` and `call` as a pair; equal to itself alone.

    Args:
        author: The model.
    """

    def __init__(self, author: Any) -> None:
        super().__init__()
        self.author = author

    def __repr__(self) -> str:
        return f"<{type(self.author).__name__}>"

    @property
    def kind(self) -> str:
        """The name of the author's class."""
        return type(self.author).__name__

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the first weights of the author's layers."""
        return authored_init(self.author, key, *specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return what the author's `call` returns."""
        return authored_apply(self.author, params, state, *inputs, key=key, training=training)

    def discover(
        self, plan: Plan, inputs: tuple[PyTree, ...], key: Key | None, training: bool
    ) -> PyTree:
        """Note in the plan what `init` must make; see `fjax.core.authoring`."""
        return authored_discover(self.author, plan, inputs, key, training)

    def trace(self, params: Params, state: State, *inputs: PyTree) -> list[CallRecord]:
        """Return the calls of the author's layers for these inputs, and last of the whole."""
        return authored_trace(self.author, params, state, *inputs)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers in the author's attributes."""
        return find_sublayers(self.author)

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the network of a copy of the author's model with other layers."""
        return type(self)(replace_sublayers(self.author, layers))
