"""The shapes of a layer: known before any weight is drawn."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.caching import Cache
from fjax.configuration import cache_key
from fjax.core.precision import apply_layer, init_layer
from fjax.core.specs import spec_of
from fjax.core.text import is_text, takes_numbers
from fjax.typing import Params, PyTree, Spec, State


class LayerShapes(NamedTuple):
    """Shapes and dtypes of a layer's weights and outputs.

    Attributes:
        params: As `init` returns them, in the order in which layers make them (a compiled program
            returns dicts sorted by key).
        state: Likewise.
        outputs: What `apply` returns.
    """

    params: Any
    state: Any
    outputs: PyTree


def eval_shapes(layer: Any, *specs: Spec) -> LayerShapes:
    """Return the shapes of a layer for these inputs, without computing anything.

    A layer that is made of others may derive its shapes from theirs, in a method of this name.

    >>> from fjax.layers import Dense
    >>> shapes = eval_shapes(Dense(3), jax.ShapeDtypeStruct((1, 8), "float32"))
    >>> list(shapes.params), shapes.outputs.shape
    (['kernel', 'bias'], (1, 3))
    """
    if hasattr(layer, "eval_shapes"):
        return layer.eval_shapes(*specs)
    _check_text(layer, specs)
    key = shapes_key(layer, specs)
    if key is None:
        return eval_shapes_by_tracing(layer, *specs)
    return _SHAPES.get(key, lambda: eval_shapes_by_tracing(layer, *specs))


def _check_text(layer: Any, specs: tuple[Spec, ...]) -> None:
    """Raise TypeError where text meets a layer on numbers; a layer made of others asks them."""
    if getattr(layer, "takes_text", False) or (hasattr(layer, "inside") and layer.inside()):
        return
    for spec in jax.tree.leaves(specs):
        if is_text(spec):
            raise takes_numbers(getattr(layer, "kind", type(layer).__name__), spec)


def eval_shapes_by_tracing(layer: Any, *specs: Spec) -> LayerShapes:
    """Return the shapes of a layer by one abstract pass through `init` and `apply`."""
    return _eval_shapes(layer, jax.tree.map(spec_of, specs))


def output_specs(layer: Any, params: Params, state: State, *specs: Spec) -> PyTree:
    """Return the shapes and dtypes of a layer's outputs, without computing them.

    >>> from fjax.core import as_layer
    >>> spec = jax.ShapeDtypeStruct((32, 8), "float32")
    >>> output_specs(as_layer(jax.nn.relu), {}, {}, spec).shape
    (32, 8)
    """
    given = jax.tree.map(spec_of, (params, state, specs))
    key = shapes_key(layer, given)
    if key is None:
        return _output_specs(layer, *given)
    return _OUTPUT_SPECS.get(key, lambda: _output_specs(layer, *given))


def eval_shape(function: Callable[..., PyTree], *arguments: PyTree) -> PyTree:
    """Return the shapes of what a function returns; what has no shape is given to it as it is.

    >>> eval_shape(lambda x, times: x * times, jax.ShapeDtypeStruct((3,), "float32"), 2).shape
    (3,)
    """
    leaves, structure = jax.tree.flatten(arguments)
    shaped = [leaf for leaf in leaves if hasattr(leaf, "shape")]

    def on_shaped(*arrays: Any) -> PyTree:
        given = iter(arrays)
        filled = [next(given) if hasattr(leaf, "shape") else leaf for leaf in leaves]
        return function(*jax.tree.unflatten(structure, filled))

    return jax.eval_shape(on_shaped, *shaped)


def shapes_key(description: Any, specs: PyTree) -> Any:
    """Return the key of what follows from a description and from shapes, or None if it has none.

    Args:
        description: Configured objects, as of `fjax.configuration.cache_key`.
        specs: A tree of arrays or their shapes, and of plain values.
    """
    leaves, structure = jax.tree.flatten(jax.tree.map(spec_of, specs))
    shaped = tuple(leaf for leaf in leaves if hasattr(leaf, "shape"))
    # 2, 2.0 and True make results of different types.
    key = cache_key((description, [leaf for leaf in leaves if not hasattr(leaf, "shape")]))
    if key is None:
        return None
    # Under these settings the same layer has other types, or other draws.
    config: Any = jax.config
    return (
        key, structure, shaped,
        config.jax_enable_x64, config.jax_default_prng_impl, config.jax_threefry_partitionable,
    )  # fmt: skip


def _eval_shapes(layer: Any, specs: tuple[Spec, ...]) -> LayerShapes:
    ordered: list[Any] = []

    def whole(key: Any, *inputs: PyTree) -> PyTree:
        params, state = init_layer(layer, key, *inputs)
        ordered.extend([params, state])
        # The key is for layers that draw in use, too.
        return apply_layer(layer, params, state, *inputs, key=key)[0]

    key = jax.eval_shape(lambda: jax.random.key(0))
    outputs = eval_shape(whole, key, *specs)
    params, state = (_specs(tree) for tree in ordered)
    return LayerShapes(params, state, outputs)


def _output_specs(layer: Any, params: Params, state: State, specs: tuple[Spec, ...]) -> PyTree:
    key = jax.eval_shape(lambda: jax.random.key(0))
    return eval_shape(
        lambda k, p, s, *x: apply_layer(layer, p, s, *x, key=k)[0], key, params, state, *specs
    )


# Equal layers have equal shapes, and a deep network has many equal ones.
_SHAPES: Cache[LayerShapes] = Cache(1024)
_OUTPUT_SPECS: Cache[PyTree] = Cache(1024)


def _specs(tree: PyTree) -> PyTree:
    # A map over the pytree would sort the keys.
    if isinstance(tree, Mapping):
        return {name: _specs(value) for name, value in tree.items()}
    return jax.ShapeDtypeStruct(np.shape(tree), tree.dtype)
