"""A model as a pure function of lists of arrays, and its variables."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax.core import Graph
from fjax.core.key_use import draws_random_numbers
from fjax.core.masking import strip_masks
from fjax.core.penalties import penalty_terms
from fjax.core.placeholders import at_placeholder_sizes, merge_shapes, placeholder_spec
from fjax.core.precision import apply_layer
from fjax.core.scoped_calls import call_in_scope as call_layer_in_scope
from fjax.core.shapes import eval_shapes
from fjax.core.slot_variables import slot_variables, variables_at
from fjax.data.conversion import to_batch
from fjax.models.model_parts import ModelParts
from fjax.models.step_methods.variable_layout import SEED, VariableLayout, variable_layout
from fjax.models.subclassed import require_outputs
from fjax.training import Batch
from fjax.typing import Array, PyTree
from fjax.variable import Variable, current_scope


def layout_of(parts: ModelParts) -> VariableLayout:
    """Return the order of the arrays of a model in its lists of variables."""
    architecture = parts.architecture
    return variable_layout(
        architecture.name,
        architecture.layer_tree,
        architecture.built.layer_shapes,
        architecture.draws_random_numbers(),
    )


def weights(parts: ModelParts) -> list[Variable]:
    """Return the weights of a model as variables, in Keras's order."""
    tree, architecture = _filled_tree(parts), parts.architecture
    return slot_variables(architecture.layer_tree, tree, _prefix(parts))


def non_trainable_variables(parts: ModelParts) -> list[Variable]:
    """Return the variables that training does not update: weights, carries, the seed."""
    tree, layout = _filled_tree(parts), layout_of(parts)
    paths = [path for path in layout.non_trainable if path != SEED]
    variables = variables_at(tree, paths, _prefix(parts))
    for variable in variables:
        variable.trainable = False
    seed = [parts.weights.seed_variable] if SEED in layout.non_trainable else []
    return [*variables, *seed]


def optimized_variables(parts: ModelParts) -> tuple[list[tuple[str, ...]], list[Variable]]:
    """Return the paths in the params, and the variables, that the compiled optimizer updates."""
    architecture = parts.architecture
    shapes, network = architecture.built.layer_shapes, architecture.network
    layout = variable_layout(architecture.name, network, shapes, draws=False)
    weights(parts)
    variables = variables_at(_filled_tree(parts), layout.trainable, _prefix(parts))
    return [path[1:] for path in layout.trainable], variables


def stateless_call(
    model: Any,
    parts: ModelParts,
    trainable_variables: Sequence[Any],
    non_trainable_variables: Sequence[Any],
    inputs: tuple[Any, ...],
    training: bool,
) -> tuple[PyTree, list[Array], list[Array]]:
    """Return the outputs, the next non-trainable variables and the losses; see `Model`.

    Args:
        model: The model.
        parts: Its parts.
        trainable_variables: The values of the trainable variables.
        non_trainable_variables: The values of the other ones.
        inputs: The inputs.
        training: Whether the call is in training mode.
    """
    require_outputs(model)
    layout = layout_of(parts)
    arrays = layout.trees(trainable_variables, non_trainable_variables)
    values = _arranged(model, inputs)
    outputs, state = apply_layer(
        parts.architecture.layer_tree, arrays.params, arrays.state, *values,
        key=arrays.key, training=training,
    )  # fmt: skip
    _, others = layout.lists(arrays.params, state, arrays.next_seed)
    return strip_masks(outputs), others, penalty_terms(state)


def call_in_scope(model: Any, parts: ModelParts, inputs: tuple[Any, ...], training: bool) -> PyTree:
    """Return the outputs of a model within a `StatelessScope`, which has its variables' values."""
    scope = current_scope()
    assert scope is not None
    values = _arranged(model, inputs)
    outputs = call_layer_in_scope(
        scope, parts.architecture.name, parts.architecture.layer_tree, _filled_tree(parts), values,
        training, lambda: parts.weights.for_call()[2].call_key(),
    )  # fmt: skip
    return strip_masks(outputs)


def call_without_weights(
    model: Any, parts: ModelParts, inputs: tuple[Any, ...], training: bool | None
) -> PyTree:
    """Return the outputs of a model without weights in a function that JAX traces.

    Raises:
        TypeError: The model has weights, which would be constants of the compiled program, or draws
            random numbers, which would be the same ones in each call.
    """
    values = _arranged(model, inputs) if parts.architecture.is_built else inputs
    network = parts.architecture.layer_tree
    specs = jax.tree.map(lambda value: jax.ShapeDtypeStruct(value.shape, value.dtype), values)
    shapes = eval_shapes(network, *specs)
    arrays = shapes.params, shapes.state
    if jax.tree.leaves(arrays) or draws_random_numbers(network, shapes, *specs):
        raise traced_call_error(model.name)
    return strip_masks(apply_layer(network, *arrays, *values, training=training)[0])


def traced_call_error(name: str) -> TypeError:
    """Return the error for a model that is called in a traced function."""
    return TypeError(
        f"The model {name!r} was called inside a traced function (`jax.jit`, `jax.grad`, …). "
        "There, give it its arrays: `outputs, non_trainable_variables = model.stateless_call("
        "trainable_variables, non_trainable_variables, x)`, or use the pure "
        "`model.network.apply(params, state, x)`. A loss that calls a model, as a perceptual loss "
        "does, belongs in `compute_loss` of a subclass of `Model` that has this model as an "
        "attribute: there its weights are inputs of the program."
    )


def _arranged(model: Any, inputs: tuple[Any, ...]) -> tuple[PyTree, ...]:
    """Return the inputs in the structure of the network; they may be traced."""
    x = inputs[0] if len(inputs) == 1 else inputs
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(x)):
        several = tuple(x) if isinstance(x, list | tuple) else (x,)
        batch = Batch(jax.tree.map(jnp.asarray, several))
    else:
        batch = to_batch(x, text=True)
        model.build_for(batch)
    return model.input_expectation()(batch).inputs


def _filled_tree(parts: ModelParts) -> Any:
    parts.weights.make()
    return parts.architecture.slot


def _prefix(parts: ModelParts) -> tuple[str, ...]:
    # As in Keras, the layers of a graph exist before the model, and do not have its name.
    architecture = parts.architecture
    return () if isinstance(architecture.layer_tree, Graph) else (architecture.name,)


def output_shape_for(layer: Any, input_shape: Any) -> Any:
    """Return the shape of a layer's outputs for inputs of this shape, batch axis included.

    Args:
        layer: The layer.
        input_shape: A shape, None for an axis of any size; for several inputs, a list or dict.

    >>> from fjax.layers import Dense
    >>> output_shape_for(Dense(3), (None, 8))
    (None, 3)
    """

    def is_shape(value: Any) -> bool:
        return isinstance(value, list | tuple) and all(
            size is None or isinstance(size, int) for size in value
        )

    several = isinstance(input_shape, list | tuple) and not is_shape(input_shape)
    inputs = tuple(input_shape) if several else (input_shape,)

    def outputs_at(which: int) -> PyTree:
        specs = jax.tree.map(
            lambda shape: placeholder_spec(shape[1:], "float32", which, shape[0]),
            inputs, is_leaf=is_shape,
        )  # fmt: skip
        return strip_masks(eval_shapes(layer, *specs).outputs)

    small, large = (at_placeholder_sizes(outputs_at, which) for which in range(2))
    return jax.tree.map(lambda a, b: merge_shapes(a.shape, b.shape), small, large)
