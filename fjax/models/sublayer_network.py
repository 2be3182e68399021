"""The network of a model with a `train_step` and no `call`: its sublayers, each with its inputs."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax

from fjax.authoring import find_sublayers
from fjax.core import Layer
from fjax.core.precision import init_layer
from fjax.core.shapes import LayerShapes, eval_shapes
from fjax.dtype_policies import policy_scope
from fjax.models.declarations import declared_inputs
from fjax.typing import Key, Params, PyTree, Spec, State


class SublayerNetwork(Layer):
    """The layers in an author's attributes, as a pair that has their weights and no outputs.

    Such a model is a GAN or a VAE whose step calls its parts; it is equal only to itself.

    Args:
        author: The model.
        name: The name of the model.
        layers: Replacements for the layers, in their order.
    """

    casting = "none"

    def __init__(
        self, author: Any, name: str | None = None, layers: Sequence[Any] | None = None
    ) -> None:
        super().__init__(name=name)
        self.author = author
        self.replacements = layers

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
        """Return the initial weights of the sublayers; their inputs are those that they declare.

        Raises:
            ValueError: A sublayer does not declare its inputs.
        """
        weights = {
            name: init_layer(layer, jax.random.fold_in(key, position), *self._inputs(name, layer))
            for position, (name, layer) in enumerate(self.children())
        }
        return _by_part(weights)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return no outputs, and the same state: only the author's step calls the sublayers."""
        return {}, state

    def eval_shapes(self, *specs: Spec) -> LayerShapes:
        """Return the shapes of the sublayers' weights."""
        shapes = {
            name: eval_shapes(layer, *self._inputs(name, layer))[:2]
            for name, layer in self.children()
        }
        return LayerShapes(*_by_part(shapes), {})

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers in the author's attributes."""
        found = find_sublayers(self.author)
        if self.replacements is None:
            return found
        return [(name, new) for (name, _), new in zip(found, self.replacements, strict=True)]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the network with these layers."""
        with policy_scope(self.dtype_policy.name):
            return type(self)(self.author, self.name, layers)

    def _inputs(self, name: str, layer: Any) -> list[Any]:
        declared = declared_inputs(layer)
        if declared is None:
            raise ValueError(
                f"`{self.kind}` has no `call`, so the inputs of its layer {name!r} are unknown: "
                "make it a model that declares its inputs, as in `Sequential([Input(shape=…), …])` "
                "or `Model(inputs, outputs)`, or write a `call`."
            )
        return jax.tree.map(lambda declaration: declaration.spec(0), list(declared))


def _by_part(weights: Mapping[str, tuple[Any, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the params and the state of layers with weights, by name."""
    params, state = (
        {name: parts[which] for name, parts in weights.items() if parts[which]} for which in (0, 1)
    )
    return params, state
