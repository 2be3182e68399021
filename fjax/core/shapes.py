"""Shapes of a layer's weights and outputs, evaluated without computing them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from fjax.caching import Cache
from fjax.configuration import cache_key
from fjax.core.placeholders import abstract_evaluation
from fjax.core.precision import apply_layer, init_layer
from fjax.core.specs import spec_of, specs_of
from fjax.core.text_inputs import is_text, text_input_error
from fjax.initializers.shapes_only import shapes_only
from fjax.typing import Params, PyTree, Spec, State


class LayerShapes(NamedTuple):
    """Shapes and dtypes of a layer's weights and outputs.

    Attributes:
        params: Those that `init` returns, in the order in which layers create them (a compiled
            program returns dicts sorted by key).
        state: The state that `init` returns, likewise.
        outputs: The outputs that `apply` returns.
    """

    params: Any
    state: Any
    outputs: PyTree


def eval_shapes(layer: Any, *specs: Spec) -> LayerShapes:
    """Return the shapes of a layer's weights and outputs for these inputs, by abstract evaluation.

    A layer with sublayers may define a method of this name that combines their shapes.

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
    """Raise TypeError for text inputs of a layer on numbers; sublayers are checked on their own."""
    if getattr(layer, "takes_text", False) or (hasattr(layer, "inside") and layer.inside()):
        return
    for spec in jax.tree.leaves(specs):
        if is_text(spec):
            raise text_input_error(getattr(layer, "kind", type(layer).__name__), spec)


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
    all_specs = jax.tree.map(spec_of, (params, state, specs))
    key = shapes_key(layer, all_specs)
    if key is None:
        return _output_specs(layer, *all_specs)
    return _OUTPUT_SPECS.get(key, lambda: _output_specs(layer, *all_specs))


def eval_shape(function: Callable[..., PyTree], *arguments: PyTree) -> PyTree:
    """Return the shapes of a function's results, as `jax.eval_shape` does.

    Arguments without a shape, such as Python numbers, are passed to the function unchanged.

    >>> eval_shape(lambda x, times: x * times, jax.ShapeDtypeStruct((3,), "float32"), 2).shape
    (3,)
    """
    leaves, structure = jax.tree.flatten(arguments)
    shaped = [leaf for leaf in leaves if hasattr(leaf, "shape")]

    def function_of_arrays(*arrays: Any) -> PyTree:
        remaining = iter(arrays)
        filled = [next(remaining) if hasattr(leaf, "shape") else leaf for leaf in leaves]
        with shapes_only():
            return function(*jax.tree.unflatten(structure, filled))

    with abstract_evaluation():
        return jax.eval_shape(function_of_arrays, *shaped)


def shapes_key(description: Any, specs: PyTree) -> Any:
    """Return a cache key for a result that depends on a description and on shapes, or None.

    Args:
        description: Configured objects, as for `fjax.configuration.cache_key`, which returns None
            for some of them.
        specs: A pytree of arrays or their specs, and of plain values.
    """
    leaves, structure = jax.tree.flatten(jax.tree.map(spec_of, specs))
    shaped = tuple(leaf for leaf in leaves if hasattr(leaf, "shape"))
    # Plain values need `cache_key`: 2, 2.0 and True are equal, but give results of other dtypes.
    key = cache_key((description, [leaf for leaf in leaves if not hasattr(leaf, "shape")]))
    if key is None:
        return None
    # These settings of JAX change dtypes or random numbers.
    config: Any = jax.config
    return (
        key, structure, shaped,
        config.jax_enable_x64, config.jax_default_prng_impl, config.jax_threefry_partitionable,
    )  # fmt: skip


def _eval_shapes(layer: Any, specs: tuple[Spec, ...]) -> LayerShapes:
    weights: list[Any] = []

    def init_and_apply(key: Any, *inputs: PyTree) -> PyTree:
        params, state = init_layer(layer, key, *inputs)
        weights.extend([params, state])
        # Some layers draw random numbers in inference too.
        return apply_layer(layer, params, state, *inputs, key=key)[0]

    key = jax.eval_shape(lambda: jax.random.key(0))
    outputs = eval_shape(init_and_apply, key, *specs)
    params, state = map(specs_of, weights)
    return LayerShapes(params, state, outputs)


def _output_specs(layer: Any, params: Params, state: State, specs: tuple[Spec, ...]) -> PyTree:
    key = jax.eval_shape(lambda: jax.random.key(0))
    return eval_shape(
        lambda k, p, s, *x: apply_layer(layer, p, s, *x, key=k)[0], key, params, state, *specs
    )


# Equal layers have equal shapes, and deep networks have many equal layers.
_SHAPES: Cache[LayerShapes] = Cache(1024)
_OUTPUT_SPECS: Cache[PyTree] = Cache(1024)
