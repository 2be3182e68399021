"""The pair of an author's object: `init` and `apply`, made of its `build` and `call`."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from fjax.authoring.application import Application, Trace
from fjax.authoring.arguments import (
    build_arguments,
    call_arguments,
    default_mode,
    mask_of,
    takes_mask,
    takes_training,
)
from fjax.authoring.binding import Binding
from fjax.authoring.build_calls import build_calls, given_arguments
from fjax.authoring.discovery import Discovery
from fjax.authoring.pass_variables import note_use
from fjax.authoring.plans import Plan, known_sublayers, make_weights
from fjax.authoring.sublayers import find_sublayers
from fjax.authoring.weights import IN_PASS, init_weights
from fjax.configuration import stored
from fjax.core.author import constraint_attributes
from fjax.core.calling import CallRecord
from fjax.core.flow import mark
from fjax.core.input_spec import check_input_spec
from fjax.core.masking import is_masked, strip_masks, warn_mask_dropped, with_mask
from fjax.core.policies import author_policy, cast_floats
from fjax.core.shapes import eval_shape
from fjax.core.ties import find_ties, join_ties, with_ties
from fjax.typing import Array, Key, Params, PyTree, Spec, State
from fjax.variable import Variable


def authored_init(self: Any, key: Key, *specs: Spec) -> tuple[Params, State]:
    """Return the first params and state of an author's object for inputs of these shapes."""
    return make_weights(plan_for(self, specs), self, key)


def authored_apply(
    self: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool | None = False,
    trainable: bool | None = None,
) -> tuple[PyTree, State]:
    """Return what `call` returns on a bound copy, and the next state.

    Args:
        self: The author's object.
        params: Its params.
        state: Its state.
        inputs: The inputs.
        key: The key of the pass.
        training: Whether this is a training step; None for a call that does not say it.
        trainable: Whether the object's own weights are regularized; by default its `trainable`.
    """
    trainable = self.trainable if trainable is None else trainable
    training = default_mode(self) if training is None else training
    ties = find_ties(find_sublayers(self))
    state = with_ties(state, ties)
    binding = Application(self, with_ties(params, ties), state, key, training, trainable)
    outputs = _run(binding, inputs)
    return outputs, join_ties(type(self).__name__, state, binding.next_state, ties)


def authored_discover(
    self: Any, plan: Plan, inputs: tuple[PyTree, ...], key: Key | None, training: bool
) -> PyTree:
    """Return the outputs of an abstract pass that notes in the plan what `init` must make."""
    plan.takes_training |= takes_training(self)
    return _run(Discovery(self, plan, key, training), inputs)


def authored_trace(
    self: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool = False,
) -> list[CallRecord]:
    """Return the calls of the sublayers for these inputs, and last, without a name, of the whole.

    Inputs and outputs are marked in the jaxpr; see `fjax.core.flow`.
    """
    key = jax.random.key(0) if key is None else key
    ties = find_ties(find_sublayers(self))
    binding = Trace(self, with_ties(params, ties), with_ties(state, ties), key, training)
    outputs = mark(_run(binding, inputs), "in", "")
    return [*binding.calls, CallRecord("", self, inputs, outputs)]


def authored_constraints(self: Any) -> dict[str, Callable[[Array], Array]]:
    """Return the constraints of an author's object, by weight.

    They are its attributes `<weight>_constraint`, and those of the weights that `__init__` made.
    """
    of_weights = {
        name: weight.weight_spec.constraint for name, weight in init_weights(self).items()
    }
    known = {name: constraint for name, constraint in of_weights.items() if constraint is not None}
    return {**known, **constraint_attributes(self)}


def plan_for(author: Any, specs: tuple[PyTree, ...], keeps_built_layers: bool = False) -> Plan:
    """Return what `init` must make for an author's object and these inputs.

    Args:
        author: The object.
        specs: The inputs.
        keeps_built_layers: Whether the object keeps the layers that its `build` makes. A model
            does, because it shows them and may freeze them; `init` and `apply` change nothing.
    """
    _check_fields(author)
    # Raises for a layer that contains itself, before anything runs.
    find_sublayers(author)
    plan = Plan(keeps_built_layers)
    key = jax.eval_shape(lambda: jax.random.key(0))
    with known_sublayers():
        for training in (False, True):
            if training and not plan.takes_training:
                break
            eval_shape(
                lambda key, *inputs, mode=training: authored_discover(
                    author, plan, inputs, key, mode
                ),
                key,
                *specs,
            )
    return plan


def _check_fields(author: Any) -> None:
    """Raise TypeError if a field of a description cannot be compared and hashed."""
    if getattr(type(author), "has_own_init", True):
        return
    for item in dataclasses.fields(author):
        value = stored(author, item.name)
        if any(isinstance(leaf, jax.Array | np.ndarray | set) for leaf in jax.tree.leaves(value)):
            raise TypeError(
                f"`{type(author).__name__}`: the field `{item.name}` holds a "
                f"`{type(value).__name__}`, and fields hold plain values. Make it a weight by "
                "`add_weight`, with `trainable=False` if it is not trained, or a tuple."
            )


def _run(binding: Binding, inputs: tuple[PyTree, ...]) -> PyTree:
    """Return the outputs of one pass."""
    token = IN_PASS.set(True)
    given = given_arguments(binding.owner)
    if getattr(binding.owner, "autocast", True):
        inputs = cast_floats(inputs, author_policy(binding.owner).compute_dtype)
    try:
        with build_calls():
            return _run_pass(binding, inputs, given)
    except AttributeError as error:
        if not note_use(type(binding.owner), error):
            raise
        binding.begin()
        with build_calls():
            return _run_pass(binding, inputs, given)
    finally:
        IN_PASS.reset(token)


def _run_pass(
    binding: Binding, inputs: tuple[PyTree, ...], given: tuple[Any, ...] | None
) -> PyTree:
    author = binding.owner
    twin = binding.bind()
    arguments, options = call_arguments(author, inputs, binding.training, binding.key)
    shapes = build_arguments(author, arguments, options) if given is None else given
    _check_input_spec(author, author, arguments)
    binding.build(twin, shapes)
    # `build` may know more of the inputs.
    _check_input_spec(author, twin, arguments)
    if not binding.sublayers:
        # Only a sublayer could use the mask of an array.
        arguments = strip_masks(arguments)
    binding.inputs = strip_masks(arguments)
    outputs = binding.call(twin, arguments, options)
    outputs = jax.tree.map(lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, outputs)
    _check_outputs(author, outputs)
    binding.finish(twin)
    return _with_mask(binding, inputs, options, outputs)


def _check_input_spec(author: Any, twin: Any, arguments: tuple[Any, ...]) -> None:
    spec = vars(twin).get("input_spec")
    if spec is not None and arguments:
        check_input_spec(type(author).__name__, spec, arguments[0])


def _check_outputs(author: Any, outputs: Any) -> None:
    leaves = jax.tree.leaves(outputs)
    if not leaves or not all(hasattr(leaf, "shape") for leaf in leaves):
        raise TypeError(
            f"`{type(author).__name__}.call` must return an array, or a list, tuple or dict of "
            f"arrays, it returned {outputs!r}."
            + (" Does it end with `return`?" if outputs is None else "")
        )


def _with_mask(
    binding: Binding, inputs: tuple[PyTree, ...], options: dict[str, Any], outputs: PyTree
) -> PyTree:
    """Return the outputs with the mask that Keras gives them, unless they have one.

    It is what `compute_mask(inputs, mask)` returns, or the mask of the inputs if the attribute
    `supports_masking` is True: of a list of inputs, that of the first one.
    """
    author, mask = binding.owner, mask_of(inputs, options)
    if isinstance(outputs, list | tuple) and hasattr(author, "compute_mask"):
        masks = author.compute_mask(strip_masks(inputs[0]), mask)
        if not isinstance(masks, list | tuple):
            return outputs
        pairs = zip(outputs, masks, strict=True)
        return type(outputs)([with_mask(strip_masks(value), each) for value, each in pairs])
    if not hasattr(outputs, "shape") or is_masked(outputs):
        return outputs
    if hasattr(author, "compute_mask"):
        return with_mask(outputs, author.compute_mask(strip_masks(inputs[0]), mask))
    keeps_mask = getattr(author, "supports_masking", False)
    if keeps_mask and isinstance(mask, list) and mask:
        mask = mask[0]
    if mask is None or isinstance(mask, list):
        return outputs
    if keeps_mask:
        return with_mask(outputs, mask)
    if not takes_mask(author) and not binding.sublayers:
        warn_mask_dropped(author)
    return outputs
