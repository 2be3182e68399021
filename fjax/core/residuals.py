"""Residual connections: a layer plus a shortcut around it."""

from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax.configuration import field, replace
from fjax.core.adapters import as_layer
from fjax.core.checks import single_input
from fjax.core.combinators import Branch
from fjax.core.layer import Layer
from fjax.core.masking import merge_masks, split_mask, strip_masks, with_mask
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import output_specs
from fjax.typing import Key, Params, PyTree, Spec, State


class Residual(Layer):
    """The outputs of a layer plus its inputs, or plus the outputs of a shortcut; see `residual`."""

    rows_independent = True

    layer: Any
    shortcut: Any = None
    given_names: tuple[str, ...] | None = field(default=None, kw_only=True)

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = as_layer(self.layer)
        self.shortcut = None if self.shortcut is None else as_layer(self.shortcut)
        self.given_names = self._branch.given_names

    @property
    def _branch(self) -> Branch:
        """The layer, and the shortcut if there is one, side by side."""
        layers = (self.layer,) if self.shortcut is None else (self.layer, self.shortcut)
        return Branch(layers, given_names=self.given_names)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layer, and the shortcut if there is one, by name."""
        return self._branch.children()

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same with another layer and shortcut, under the present names."""
        branch = self._branch
        if len(layers) != len(branch.layers):
            raise ValueError(
                f"`Residual` has {len(branch.layers)} layers, received {len(layers)} to replace "
                "them."
            )
        layer, shortcut = (*layers, None)[:2]
        return replace(self, layer=layer, shortcut=shortcut, given_names=tuple(branch.names))

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of the layer and the shortcut, by name."""
        params, state = init_layer(self._branch, key, *specs)
        # Raises if the shapes of layer and shortcut differ.
        output_specs(self, params, state, *specs)
        return params, state

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the sum, and the next state of the layer and the shortcut, by name."""
        added = single_input("Residual", inputs) if self.shortcut is None else None
        outputs, state = apply_layer(
            self._branch, params, state, *inputs, key=key, training=training
        )
        outputs, added = (*outputs, added)[:2]
        masks = [split_mask(value)[1] for value in (outputs, added)]
        outputs, added = strip_masks(outputs), strip_masks(added)
        if _shapes(outputs) != _shapes(added):
            raise ValueError(self._explain_mismatch(_shapes(outputs), _shapes(added)))
        return with_mask(jax.tree.map(jnp.add, outputs, added), merge_masks(masks)), state

    def _explain_mismatch(self, outputs: PyTree, added: PyTree) -> str:
        if self.shortcut is not None:
            return (
                f"`Residual` adds the outputs of its layer and its shortcut, and the shapes "
                f"differ: {outputs} and {added}. Give both the same shape."
            )
        shapes = isinstance(outputs, tuple) and isinstance(added, tuple)
        only_width = shapes and len(outputs) == len(added) and outputs[:-1] == added[:-1]
        proposal = f"`Dense({outputs[-1]})`" if only_width else f"one that returns {outputs}"
        return (
            f"`Residual` adds its inputs to the outputs of its layer, and the shapes differ: "
            f"{added} and {outputs}. Give it a shortcut layer, `residual(layer, shortcut=…)`, "
            f"such as {proposal}."
        )


def _shapes(tree: PyTree) -> PyTree:
    return jax.tree.map(jnp.shape, tree)


def residual(layer: Any, shortcut: Any = None, name: str | None = None) -> Residual:
    """Add the inputs of a layer to its outputs: `layer(x) + x`, or `layer(x) + shortcut(x)`.

    Both summands must have the same shape; nothing is broadcast.

    Args:
        layer: A layer, as in `serial`. Without a shortcut it takes one input.
        shortcut: A layer that gives the inputs the shape of the outputs; None adds the inputs
            unchanged.
        name: The name of the composed layer inside a larger container.

    Raises:
        ValueError: The shapes differ.
        TypeError: An argument is not a layer.

    Source: He et al., "Deep Residual Learning for Image Recognition" (2016),
    https://arxiv.org/abs/1512.03385.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> block = residual(Dense(8, kernel_initializer="zeros"))
    >>> inputs = jnp.ones((32, 8))
    >>> params, state = block.init(jax.random.key(0), inputs)
    >>> outputs, state = block.apply(params, state, inputs)
    >>> bool((outputs == inputs).all())
    True
    >>> narrower = residual(Dense(4), shortcut=Dense(4))
    >>> params, state = narrower.init(jax.random.key(0), inputs)
    >>> sorted(params)
    ['dense', 'dense_1']
    """
    return Residual(layer, shortcut, name=name)
