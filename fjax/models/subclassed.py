"""The network of a model class that an author wrote with `call`."""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

from fjax.core import Layer
from fjax.core.authoring import (
    Author,
    authored_apply,
    authored_constraints,
    authored_discover,
    authored_init,
    authored_trace,
    planned,
)
from fjax.core.calling import CallRecord
from fjax.core.plans import Plan
from fjax.core.shapes import LayerShapes, eval_shapes_by_tracing
from fjax.core.sublayers import find_sublayers, holds_layers, replace_sublayers
from fjax.typing import Array, Key, Params, PyTree, Spec, State


class Subclassed(Layer):
    """A model's `build` and `call` as a pair; equal to itself alone.

    Args:
        author: The model.
        name: The name that the model was given.
    """

    def __init__(self, author: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self.author = author

    def __repr__(self) -> str:
        return f"<{type(self.author).__name__}>"

    @property
    def described_by(self) -> Any:
        """What a model file tells of: the model, which has the configuration."""
        return self.author

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
        return authored_apply(
            self.author,
            params,
            state,
            *inputs,
            key=key,
            training=training,
            trainable=self.trainable,
        )

    def eval_shapes(self, *specs: Spec) -> LayerShapes:
        """Return the shapes of weights and outputs; the layers that `build` makes become known."""
        planned(self.author, specs, remembers=True)
        return eval_shapes_by_tracing(self, *specs)

    def discover(
        self, plan: Plan, inputs: tuple[PyTree, ...], key: Key | None, training: bool
    ) -> PyTree:
        """Note in the plan what `init` must make; see `fjax.core.authoring`."""
        return authored_discover(self.author, plan, inputs, key, training)

    def trace(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> list[CallRecord]:
        """Return the calls of the author's layers for these inputs, and last of the whole."""
        return authored_trace(self.author, params, state, *inputs, key=key, training=training)

    def _constraints(self) -> dict[str, Callable[[Array], Array]]:
        return authored_constraints(self.author)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers in the author's attributes."""
        return find_sublayers(self.author)

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the network of a copy of the author's model with other layers."""
        return type(self)(replace_sublayers(self.author, layers), self.name)


def is_authored_model(model: Any) -> bool:
    """Tell whether a model, or each of a class, is made by a `call` that its class defines."""
    cls: Any = model if isinstance(model, type) else type(model)
    return cls.call is not Author.call


def build_within_a_pass(own: Callable[..., None], facade: type) -> Callable[..., None]:
    """Return an author's `build` of a model; called from outside it is the facade's."""

    @functools.wraps(own)
    def build(self: Any, *shapes: Any, **named: Any) -> None:
        within = "_binding" in vars(self)
        (own if within else facade.build)(self, *shapes, **named)  # type: ignore[attr-defined]

    return build


def facade_attributes(model: Any) -> frozenset[str]:
    """Return the names of the attributes that fjax's own classes declare for themselves."""
    return frozenset(name for cls in _own_classes(model) for name in inspect.get_annotations(cls))


def _own_classes(model: Any) -> list[type]:
    return [cls for cls in type(model).__mro__ if cls.__module__.startswith("fjax.")]


def check_attribute(model: Any, name: str, value: Any) -> None:
    """Raise ValueError where an author's attribute would take the place of one of the facade's.

    Args:
        model: The author's model.
        name: The attribute.
        value: What it is set to.
    """
    if name.startswith("_"):
        return
    own = next((vars(cls)[name] for cls in _own_classes(model) if name in vars(cls)), None)
    fixed = isinstance(own, property) and own.fset is None
    taken = own is not None or name in facade_attributes(model)
    if fixed or (taken and holds_layers(value)):
        raise ValueError(
            f"`{type(model).__name__}`: `{name}` is the model's own: choose another name for this "
            f"attribute, such as `own_{name}`."
        )


def changes_layers(model: Any, name: str, value: Any) -> bool:
    """Tell whether an author's attribute brings other layers to a model that is made."""
    is_made = "model_parts" in vars(model)
    if not is_made or name in facade_attributes(model) or "_binding" in vars(model):
        return False
    before = vars(model).get(name)
    return before is not value and (holds_layers(before) or holds_layers(value))
