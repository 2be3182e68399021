"""The network of an authored model (a subclass with `call`), and checks of its attributes."""

from collections.abc import Callable, Sequence
from typing import Any, Self

from fjax.authoring import (
    Plan,
    authored_apply,
    authored_constraints,
    authored_discover,
    authored_init,
    authored_trace,
    find_sublayers,
    holds_init_weights,
    holds_layers,
    is_bound,
    plan_for,
    replace_sublayers,
)
from fjax.core import Layer
from fjax.core.author import Author, ReplaceableAttribute, facade_attributes
from fjax.core.calling import CallRecord
from fjax.core.shapes import LayerShapes, eval_shapes_by_tracing
from fjax.models.sublayer_network import SublayerNetwork
from fjax.typing import Array, Key, Params, PyTree, Spec, State


class Subclassed(Layer):
    """The `build` and `call` of an authored model as a pair; equal only to itself.

    Args:
        author: The model.
        name: The name of the model.
        dtype: The dtype policy of the model.
    """

    # Its inputs are those of a first batch, and later ones may have other sizes.
    observed = True

    def __init__(self, author: Any, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.author = author

    def __repr__(self) -> str:
        return f"<{type(self.author).__name__}>"

    @property
    def described_by(self) -> Any:
        """The object that a model file describes: the model, which has the configuration."""
        return self.author

    @property
    def kind(self) -> str:
        """The name of the author's class."""
        return type(self.author).__name__

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the initial weights of the author's model."""
        return authored_init(self.author, key, *specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs of the author's `call`, and the next state."""
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
        """Return the shapes of weights and outputs; the model keeps the layers of its `build`."""
        plan_for(self.author, specs, keeps_built_layers=True)
        return eval_shapes_by_tracing(self, *specs)

    def discover(
        self, plan: Plan, inputs: tuple[PyTree, ...], key: Key | None, training: bool
    ) -> PyTree:
        """Record in the plan what `init` must create; see `fjax.authoring`."""
        return authored_discover(self.author, plan, inputs, key, training)

    def trace(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> list[CallRecord]:
        """Return the calls of the author's layers for these inputs, and last the model's call."""
        return authored_trace(self.author, params, state, *inputs, key=key, training=training)

    def weight_constraints(self) -> dict[str, Callable[[Array], Array]]:
        """Return the constraints of the model's own weights, by weight."""
        return authored_constraints(self.author)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers in the author's attributes."""
        return find_sublayers(self.author)

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the network of a copy of the author's model with these layers."""
        twin = replace_sublayers(self.author, layers)
        return type(self)(twin, self.given_name, self.dtype_policy)


def is_authored_model(model: Any) -> bool:
    """Return whether the layers of a model, or of a class of models, are an author's attributes."""
    cls: Any = model if isinstance(model, type) else type(model)
    return cls.call is not Author.call or has_only_steps(model)


def has_only_steps(model: Any) -> bool:
    """Return whether a model has a `train_step` and neither a `call` nor a network."""
    parts = getattr(model, "__dict__", {}).get("model_parts")
    return parts is not None and isinstance(parts.architecture.layer_tree, SublayerNetwork)


def require_outputs(model: Any) -> None:
    """Raise NotImplementedError if a model has only steps, and so no outputs."""
    if has_only_steps(model):
        raise NotImplementedError(
            f"`{type(model).__name__}` has a `train_step` and no `call`, so it has no outputs: "
            "write a `call`, or call one of its models."
        )


def check_attribute(model: Any, name: str, value: Any) -> None:
    """Raise ValueError if an author's attribute would replace an attribute of the facade.

    Args:
        model: The author's model.
        name: The attribute.
        value: The value that it is set to.
    """
    if name.startswith("_"):
        return
    library_classes = (cls for cls in type(model).__mro__ if cls.__module__.startswith("fjax."))
    inherited = next((vars(cls)[name] for cls in library_classes if name in vars(cls)), None)
    if isinstance(inherited, ReplaceableAttribute):
        return
    is_fixed = isinstance(inherited, property) and inherited.fset is None
    is_taken = inherited is not None or name in facade_attributes(model)
    if is_fixed or (is_taken and (holds_layers(value) or holds_init_weights(value))):
        raise ValueError(
            f"`{type(model).__name__}`: `{name}` is an attribute of `Model`. Choose another "
            f"name for this attribute, such as `my_{name}`."
        )


def changes_layers(model: Any, name: str, value: Any) -> bool:
    """Return whether setting an attribute changes the layers of a constructed model."""
    is_constructed = "model_parts" in vars(model)
    if not is_constructed or name in facade_attributes(model) or is_bound(model):
        return False
    before = vars(model).get(name)
    return before is not value and (holds_layers(before) or holds_layers(value))
