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

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax import initializers, regularizers
from fjax.core.binding import Binding, Plan, WeightPlan, extended
from fjax.core.calling import CallRecord, call_arguments
from fjax.core.flow import marked
from fjax.core.penalties import PENALTY
from fjax.errors import integer_at_least
from fjax.typing import Array, Key, Params, PyTree, Spec, State


class Author:
    """What an author's class inherits: Keras's words for making weights and losses."""

    def build(self, input_shape: Any) -> None:
        """Make the weights with `add_weight`; for authors to override.

        Args:
            input_shape: The input's shape with None for the batch axis; of several inputs a list.
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
        name: str | None = None,
    ) -> Array:
        """Return a weight of the layer; to be called in `build`.

        Args:
            shape: Its shape.
            initializer: Makes its first value; by default "glorot_uniform", "zeros" for integers.
            dtype: Its number type, by default float32.
            trainable: Whether it is one of the params. Otherwise it is state: `call` may assign it.
            regularizer: A function of the weight that is added to the loss.
            name: Its name in params or state; by default `variable`, numbered.

        Raises:
            RuntimeError: It was not called in `build`.
            ValueError: The name is taken, or the shape is none.
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
        return binding.add_weight(name, planned, regularizers.get(regularizer))

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass; to be called in `call`."""
        _binding_of(self, "add_loss").add_loss(loss)


def authored_init(self: Any, key: Key, *specs: Spec) -> tuple[Params, State]:
    """Return the first params and state: a plan is made in one abstract pass, then its weights."""
    plan = Plan()
    leaves, structure = jax.tree.flatten(specs)
    shaped = [position for position, leaf in enumerate(leaves) if hasattr(leaf, "shape")]

    def inputs_of(arrays: Sequence[Any]) -> tuple[PyTree, ...]:
        values = list(leaves)
        for position, array in zip(shaped, arrays, strict=True):
            values[position] = array
        return jax.tree.unflatten(structure, values)

    takes_training = "training" in inspect.signature(type(self).call).parameters
    for training in (False, True) if takes_training else (False,):
        jax.eval_shape(
            lambda key, arrays, mode=training: authored_discover(
                self, plan, inputs_of(arrays), key, mode
            ),
            jax.eval_shape(lambda: jax.random.key(0)),
            [leaves[position] for position in shaped],
        )
    return _made(plan, self, key)


def authored_discover(
    self: Any, plan: Plan, inputs: tuple[PyTree, ...], key: Key | None, training: bool
) -> PyTree:
    """Return the outputs of an abstract pass that notes in the plan what `init` must make."""
    return _run(Binding(self, {}, {}, key, training, plan), inputs)


def authored_apply(
    self: Any,
    params: Params,
    state: State,
    *inputs: PyTree,
    key: Key | None = None,
    training: bool = False,
) -> tuple[PyTree, State]:
    """Return what `call` returns on a bound copy, and the state that it leaves there."""
    binding = Binding(self, params, state, key, training)
    outputs = _run(binding, inputs)
    return outputs, binding.next_state


def authored_trace(self: Any, params: Params, state: State, *inputs: PyTree) -> list[CallRecord]:
    """Return the calls of the sublayers for these inputs, and last, without a name, of the whole.

    The trace tells what each is called on; see `fjax.core.flow`.
    """
    binding = Binding(self, params, state, None, training=False, marking=True)
    outputs = marked(_run(binding, inputs), "in", "")
    return [*binding.calls, CallRecord("", self, inputs, outputs)]


def _run(binding: Binding, inputs: tuple[PyTree, ...]) -> PyTree:
    twin = binding.copy()
    arguments, options = call_arguments(binding.owner, inputs, binding.training, binding.key)
    binding.build(twin, _shapes(arguments))
    outputs = twin.call(*arguments, **options)
    binding.collect(twin)
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
            params[name], state[name] = sublayer.layer.init(own_key, *sublayer.needs)
    if plan.penalised:
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


def _shapes(arguments: tuple[PyTree, ...]) -> Any:
    """Return the shapes that `build` is given: of one input a tuple, of several a list or dict."""

    def shape(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [shape(item) for item in value]
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        return (None, *value.shape[1:]) if getattr(value, "shape", ()) else None

    shapes = [shape(value) for value in arguments]
    return shapes[0] if len(shapes) == 1 else shapes
