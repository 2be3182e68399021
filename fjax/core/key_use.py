"""Whether a network draws random numbers."""

from typing import Any

import jax

from fjax.core.precision import apply_layer
from fjax.core.shapes import LayerShapes
from fjax.typing import Spec


def draws_random_numbers(
    layer: Any, shapes: LayerShapes, *specs: Spec, training: bool = True
) -> bool:
    """Return whether the outputs of a layer, or its state, depend on its key.

    Args:
        layer: The layer.
        shapes: The shapes of its weights.
        specs: Its inputs.
        training: Whether the layer is in training mode.

    >>> from fjax.core.shapes import eval_shapes
    >>> from fjax.layers import Dense, Dropout
    >>> spec = jax.ShapeDtypeStruct((1, 2), "float32")
    >>> [draws_random_numbers(layer, eval_shapes(layer, spec), spec)
    ...  for layer in (Dense(1), Dropout(0.5), Dropout(0.0))]
    [False, True, False]
    """

    def run(key: Any, params: Any, state: Any, *inputs: Any) -> Any:
        return apply_layer(layer, params, state, *inputs, key=key, training=training)

    key = jax.eval_shape(lambda: jax.random.key(0))
    traced = jax.make_jaxpr(run)(key, shapes.params, shapes.state, *specs).jaxpr
    used = {id(variable) for variable in traced.outvars}
    # Backwards: an equation counts only if something uses its results.
    for equation in reversed(traced.eqns):
        if any(id(variable) in used for variable in equation.outvars):
            used |= set(map(id, equation.invars))
    return id(traced.invars[0]) in used
