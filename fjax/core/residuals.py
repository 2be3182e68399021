"""A layer, and a way around it."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from fjax.configuration import field
from fjax.core.adapters import as_layer
from fjax.core.checks import single_input
from fjax.core.combinators import Branch
from fjax.core.layer import Layer
from fjax.core.masking import merge_masks, split_mask, strip_masks, with_mask
from fjax.core.shapes import output_specs
from fjax.typing import Key, Params, PyTree, Spec, State


class Residual(Layer):
    """A layer's outputs plus its inputs, or plus those of a shortcut; see `residual`."""

    rows_independent = True

    layer: Any
    shortcut: Any = None
    given_names: tuple[str, ...] | None = field(default=None, kw_only=True)

    masking = "takes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer = as_layer(self.layer)
        self.shortcut = None if self.shortcut is None else as_layer(self.shortcut)
        self.given_names = self.ways.given_names

    @property
    def ways(self) -> Branch:
        """The layer, and the shortcut if there is one, side by side."""
        layers = (self.layer,) if self.shortcut is None else (self.layer, self.shortcut)
        return Branch(layers, given_names=self.given_names)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layer, and the shortcut if there is one, by name."""
        return self.ways.children()

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same with another layer and shortcut, under the names that these have now."""
        ways = self.ways
        if len(layers) != len(ways.layers):
            raise ValueError(
                f"`Residual` has {len(ways.layers)} layers, received {len(layers)} to put in "
                "their places."
            )
        layer, shortcut = (*layers, None)[:2]
        return dataclasses.replace(
            self, layer=layer, shortcut=shortcut, given_names=tuple(ways.names)
        )

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of the layer and the shortcut, by name."""
        params, state = self.ways.init(key, *specs)
        # Tells shapes that do not fit before anything is computed.
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
        """Return the sum, and the next state of the layer and the shortcut by name."""
        around = single_input("Residual", inputs) if self.shortcut is None else None
        outputs, state = self.ways.apply(params, state, *inputs, key=key, training=training)
        through, around = (*outputs, around)[:2]
        masks = [split_mask(value)[1] for value in (through, around)]
        through, around = strip_masks(through), strip_masks(around)
        if _shapes(through) != _shapes(around):
            raise ValueError(self._misfit(_shapes(through), _shapes(around)))
        return with_mask(jax.tree.map(jnp.add, through, around), merge_masks(masks)), state

    def _misfit(self, through: PyTree, around: PyTree) -> str:
        if self.shortcut is not None:
            return (
                f"`Residual` adds what its layer and its shortcut return, and the shapes differ: "
                f"{through} and {around}. Give both the same shape."
            )
        shapes = isinstance(through, tuple) and isinstance(around, tuple)
        width_alone = shapes and len(through) == len(around) and through[:-1] == around[:-1]
        proposal = f"`Dense({through[-1]})`" if width_alone else f"one that returns {through}"
        return (
            f"`Residual` adds its inputs to what its layer returns, and the shapes differ: "
            f"{around} and {through}. Give it a shortcut layer, `residual(layer, shortcut=…)`, "
            f"such as {proposal}."
        )


def _shapes(tree: PyTree) -> PyTree:
    return jax.tree.map(jnp.shape, tree)


def residual(layer: Any, shortcut: Any = None, name: str | None = None) -> Residual:
    """Add to a layer's outputs its inputs: `layer(x) + x`, or `layer(x) + shortcut(x)`.

    The shapes of both must be equal; nothing is broadcast.

    Args:
        layer: A layer, as in `serial`. Without a shortcut it takes one input.
        shortcut: A layer that gives the inputs the shape of the outputs; None adds them as they
            are.
        name: The name of the whole inside a larger container.

    Raises:
        ValueError: The shapes differ.
        TypeError: An argument is no layer.

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
