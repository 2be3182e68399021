"""Authored classes: `build`, `add_weight` and `call` become a pair of functions by binding.

An author writes a class as in Keras. For each pass, `init` and `apply` make a shallow copy of the
object: its weights are the arrays of `params` and `state`, its sublayers are bound in turn, `build`
and `call` run on it, and what they leave on it is collected. The object itself is never changed, so
the pair is pure and safe in threads.

`call` may take `training`, and `key` if it draws. It gets several inputs as several arguments if it
has as many parameters, else as one tuple. A state weight changes by assignment in `call`:

>>> from fjax import Layer
>>> from fjax.layers import Dense
>>> class Counted(Layer):
...     def __init__(self, units):
...         super().__init__()
...         self.dense = Dense(units)
...
...     def build(self, input_shape):
...         self.passes = self.add_weight((), "zeros", trainable=False, name="passes")
...
...     def call(self, inputs):
...         self.passes = self.passes + 1
...         return self.dense(inputs)
>>> layer = Counted(3)
>>> params, state = layer.init(jax.random.key(0), jnp.ones((2, 4)))
>>> outputs, state = layer.apply(params, state, jnp.ones((2, 4)))
>>> params["dense"]["kernel"].shape, float(state["passes"])
((4, 3), 1.0)
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax import constraints, initializers, regularizers
from fjax.core.binding import CONSTRAINT, Binding, extended
from fjax.core.calling import (
    CallRecord,
    build_arguments,
    call_arguments,
    masks_of,
    takes_mask,
    takes_training,
)
from fjax.core.flow import mark
from fjax.core.masking import is_masked, strip_masks, warn_mask_dropped, with_mask
from fjax.core.plans import Plan, WeightPlan
from fjax.core.precision import init_layer
from fjax.core.reserved import PENALTY
from fjax.core.shapes import eval_shape
from fjax.core.sublayers import find_sublayers
from fjax.errors import integer_at_least
from fjax.typing import Array, Key, Params, PyTree, Spec, State


class Author:
    """What an author's class inherits: Keras's words for making weights and losses."""

    def build(self, input_shape: Any) -> None:
        """Make the weights with `add_weight`; for authors to override.

        Args:
            input_shape: The first input's shape with None for the batch axis; a list or dict of
                shapes where that input is one of arrays. For a `call` of several arguments write
                `build(self, a_shape, b_shape)`, with the names of these arguments.
        """

    def call(self, *inputs: Any, training: bool | None = None) -> Any:
        """Return the outputs; for authors to override. `super().call` is the extended layer."""
        return _binding_of(self, "call").inherited(inputs, training)

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Array:
        """Return a weight of the layer; to be called in `build`.

        Args:
            shape: Its shape.
            initializer: Makes its first value; by default "glorot_uniform", "zeros" for integers.
            dtype: Its number type, by default float32.
            trainable: Whether it is one of the params. Otherwise it is state: `call` may assign it.
            regularizer: A function of the weight that is added to the loss.
            constraint: A function of the weight that is applied after each update: the object's
                attribute `<name>_constraint`, which `constrain` reads. It is set in `__init__`.
            name: Its name in params or state; by default that of the attribute that it is assigned
                to in `build`, or `variable`, numbered, if it is assigned to none.

        Raises:
            RuntimeError: It was not called in `build`.
            ValueError: The name is taken, the shape is none, or the constraint is not that
                attribute.
        """
        owner = type(self).__name__
        binding = _binding_of(self, "add_weight")
        if binding.phase != "build":
            raise RuntimeError(
                f"`{owner}`: a weight was made outside of `build` (in `{binding.phase}`): every "
                "weight is made in `build`, so that `init` and `apply` find the same ones."
            )
        sizes = shape if isinstance(shape, list | tuple) else (shape,)
        sizes = tuple(
            integer_at_least(f"{owner}.add_weight", f"shape[{axis}]", size, 0)
            for axis, size in enumerate(sizes)
        )
        number_type = jnp.dtype(dtype or "float32")
        if initializer is None:
            floating = jnp.issubdtype(number_type, jnp.floating)
            initializer = "glorot_uniform" if floating else "zeros"
        planned = WeightPlan(sizes, number_type, initializers.get(initializer), bool(trainable))
        return binding.add_weight(
            name, planned, regularizers.get(regularizer), constraints.get(constraint)
        )

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass; to be called in `call`."""
        _binding_of(self, "add_loss").add_loss(loss)


def authored_init(self: Any, key: Key, *specs: Spec) -> tuple[Params, State]:
    """Return the first params and state: a plan is made in an abstract pass, then its weights."""
    return _made(planned(self, specs), self, key)


def planned(self: Any, specs: tuple[PyTree, ...], remembers: bool = False) -> Plan:
    """Return the plan of an author's object for these inputs.

    Args:
        self: The object.
        specs: Its inputs.
        remembers: Whether the object is to keep the layers that its `build` makes. So for a model,
            which shows them and may freeze them; `init` and `apply` change nothing.
    """
    _check_fields(self)
    # Tells a layer that contains itself, before anything runs.
    find_sublayers(self)
    plan = Plan(remembers)
    key = jax.eval_shape(lambda: jax.random.key(0))
    for training in (False, True):
        if training and not plan.modal:
            break
        eval_shape(
            lambda key, *inputs, mode=training: authored_discover(self, plan, inputs, key, mode),
            key,
            *specs,
        )
    return plan


def authored_discover(
    self: Any, plan: Plan, inputs: tuple[PyTree, ...], key: Key | None, training: bool
) -> PyTree:
    """Return the outputs of an abstract pass that notes in the plan what `init` must make."""
    plan.modal |= takes_training(self)
    return _run(Binding(self, {}, {}, key, training, plan), inputs)


def authored_apply(
    self: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool = False,
    trainable: bool | None = None,
) -> tuple[PyTree, State]:
    """Return what `call` returns on a bound copy, and the state that it leaves there.

    A frozen object charges nothing for its own weights; `trainable` says so in its stead.
    """
    trained = self.trainable if trainable is None else trainable
    binding = Binding(self, params, state, key, training, trainable=trained)
    outputs = _run(binding, inputs)
    return outputs, binding.next_state


def authored_trace(
    self: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool = False,
) -> list[CallRecord]:
    """Return the calls of the sublayers for these inputs, and last, without a name, of the whole.

    The trace tells what each is called on; see `fjax.core.flow`.
    """
    key = jax.random.key(0) if key is None else key
    binding = Binding(self, params, state, key, training=training, marking=True)
    outputs = mark(_run(binding, inputs), "in", "")
    return [*binding.calls, CallRecord("", self, inputs, outputs)]


def authored_constraints(owner: Any) -> dict[str, Callable[[Array], Array]]:
    """Return the attributes `<weight>_constraint` of an author's object, by weight."""
    found = {
        name.removesuffix(CONSTRAINT): constraints.get(value)
        for name, value in vars(owner).items()
        if name.endswith(CONSTRAINT)
    }
    return {weight: constraint for weight, constraint in found.items() if constraint is not None}


def _check_fields(self: Any) -> None:
    """Raise TypeError where a description has a field that cannot be compared and hashed."""
    if getattr(type(self), "_authored", True):
        return
    for item in dataclasses.fields(self):
        value = getattr(self, item.name)
        if any(isinstance(leaf, jax.Array | np.ndarray | set) for leaf in jax.tree.leaves(value)):
            raise TypeError(
                f"`{type(self).__name__}`: the field `{item.name}` holds a "
                f"`{type(value).__name__}`, and a description holds plain values: make it a weight "
                "by `add_weight`, with `trainable=False` if it is not trained, or a tuple."
            )


def _run(binding: Binding, inputs: tuple[PyTree, ...]) -> PyTree:
    twin = binding.copy()
    arguments, options = call_arguments(binding.owner, inputs, binding.training, binding.key)
    binding.build(twin, build_arguments(binding.owner, arguments, options))
    if not binding.sublayers:
        # Nothing within could make use of a mask.
        arguments = strip_masks(arguments)
    try:
        outputs = twin.call(*arguments, **options)
    except AttributeError as error:
        if re.search(r"no attribute '?assign", str(error)):
            error.add_note(
                "A weight is a JAX array here, and state changes by assignment: "
                "`self.total = self.total + x` in the place of `self.total.assign_add(x)`."
            )
        raise
    leaves = jax.tree.leaves(outputs)
    if not leaves or not all(hasattr(leaf, "shape") for leaf in leaves):
        raise TypeError(
            f"`{type(binding.owner).__name__}.call` must return an array, or a list, tuple or dict "
            f"of arrays, it returned {outputs!r}."
            + (" Does it end with `return`?" if outputs is None else "")
        )
    binding.collect(twin)
    return _masked(binding, inputs, options, outputs)


def _masked(
    binding: Binding, inputs: tuple[PyTree, ...], options: dict[str, Any], outputs: PyTree
) -> PyTree:
    """Return the outputs with the mask that an author's object gives them, as Keras has it.

    That is what `compute_mask(inputs, mask)` returns, or the mask of the inputs where the attribute
    `supports_masking` is True, unless the outputs have one already.
    """
    owner, mask = binding.owner, masks_of(inputs, options)
    if not hasattr(outputs, "shape") or is_masked(outputs):
        return outputs
    if hasattr(owner, "compute_mask"):
        return with_mask(outputs, owner.compute_mask(strip_masks(inputs[0]), mask))
    if mask is None or isinstance(mask, list):
        return outputs
    if getattr(owner, "supports_masking", False):
        return with_mask(outputs, mask)
    if not takes_mask(owner) and not binding.sublayers:
        warn_mask_dropped(owner)
    return outputs


def _made(plan: Plan, owner: Any, key: Key) -> tuple[Params, State]:
    weight_key, layer_key = jax.random.split(key)
    params: dict[str, Any] = {}
    state: dict[str, Any] = {}
    if plan.inherited is not None:
        first, kept = extended(type(owner)).init(owner, weight_key, *plan.inherited)
        params.update(first)
        state.update(kept)
    for position, (name, weight) in enumerate(plan.weights.items()):
        own_key = jax.random.fold_in(weight_key, position)
        home = params if weight.trainable else state
        home[name] = initializers.draw(weight.initializer, own_key, weight.shape, weight.dtype)
    for name, sublayer in sorted(plan.sublayers.items(), key=lambda item: item[1].position):
        own_key = jax.random.fold_in(layer_key, sublayer.position)
        if isinstance(sublayer.needs, Plan):
            params[name], state[name] = _made(sublayer.needs, sublayer.layer, own_key)
        else:
            params[name], state[name] = init_layer(sublayer.layer, own_key, *sublayer.needs)
    if plan.penalized:
        state[PENALTY] = {"weights": jnp.zeros(()), "calls": jnp.zeros(())}
    return params, state


def _binding_of(author: Any, method: str) -> Binding:
    binding = vars(author).get("_binding")
    if binding is None:
        owner = type(author).__name__
        raise RuntimeError(
            f"`{owner}.{method}` works within a pass alone: `add_weight` in `build`, `add_loss` "
            "and `super().call` in `call`. A weight made in `__init__` belongs into "
            f"`build(self, input_shape)`; to use the layer, call `init` and `apply` or a model."
        )
    return binding
