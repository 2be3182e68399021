"""What `init` makes for an author's object."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fjax import initializers
from fjax.authoring.sublayers import find_sublayers
from fjax.authoring.weights import WeightSpec
from fjax.core.layer import Layer
from fjax.core.policies import author_policy, cast_weights
from fjax.core.precision import init_layer
from fjax.core.reserved import PENALTY
from fjax.core.specs import spec_of
from fjax.core.ties import find_ties, without_ties
from fjax.typing import Key, Params, PyTree, State


class Plan:
    """What `init` makes for an author's object; an abstract pass through the object finds it.

    Args:
        keeps_built_layers: Whether the object keeps the layers that its `build` makes.

    Attributes:
        init_weights: The weights that `__init__` made, by name, in order.
        build_weights: The weights that `build` makes, likewise.
        extended_inputs: The inputs of the layer that the class extends, if `call` runs it.
        sublayers: What the sublayers need, by name.
        is_penalized: Whether anything is added to the loss.
        takes_training: Whether the object's `call`, or that of a sublayer, takes `training`.
    """

    def __init__(self, keeps_built_layers: bool = False) -> None:
        self.keeps_built_layers = keeps_built_layers
        self.init_weights: dict[str, WeightSpec] = {}
        self.build_weights: dict[str, WeightSpec] = {}
        self.extended_inputs: tuple[PyTree, ...] | None = None
        self.sublayers: dict[str, SublayerPlan] = {}
        self.is_penalized = False
        self.takes_training = False

    @property
    def weights(self) -> dict[str, WeightSpec]:
        """All weights of the object itself."""
        return {**self.init_weights, **self.build_weights}

    def placeholders(self) -> dict[str, Any]:
        """Return zeros for all weights of the object itself."""
        return {name: jnp.zeros(spec.shape, spec.dtype) for name, spec in self.weights.items()}


class SublayerPlan(NamedTuple):
    """What `init` makes for a sublayer.

    Attributes:
        position: The sublayer's number among those of the object.
        layer: The sublayer.
        needs: Its inputs; for one that an author wrote, its own plan.
        shapes: The shapes of the params and state that it makes of the inputs.
    """

    position: int
    layer: Any
    needs: tuple[PyTree, ...] | Plan
    shapes: tuple[Params, State] | None = None


# The shapes of the weights of the layers that were found so far, by the identity of the layer, so
# that an object that is given a layer of another one can read its weights.
_KNOWN: ContextVar[dict[int, tuple[Any, Any]] | None] = ContextVar("known", default=None)


@contextmanager
def known_sublayers() -> Iterator[None]:
    """Keep the shapes of the weights that are found, for the rest of the outermost context."""
    token = _KNOWN.set({} if _KNOWN.get() is None else _KNOWN.get())
    try:
        yield
    finally:
        _KNOWN.reset(token)


def note_shapes(layer: Any, shapes: tuple[Params, State]) -> None:
    """Note the shapes of the weights of a layer."""
    known = _KNOWN.get()
    if known is not None:
        # The layer is kept, so that no other one gets its identity.
        known[id(layer)] = (layer, shapes)


def known_shapes(layer: Any) -> tuple[Params, State] | None:
    """Return the shapes of the weights of a layer, if another object has called it."""
    return (_KNOWN.get() or {}).get(id(layer), (None, None))[1]


def make_weights(plan: Plan, author: Any, key: Key) -> tuple[Params, State]:
    """Return the first params and state of an author's object, in Keras's order."""
    with known_sublayers():
        params, state = _make_weights(plan, author, key)
    ties = find_ties(find_sublayers(author))
    return without_ties(params, ties), without_ties(state, ties)


def _make_weights(plan: Plan, author: Any, key: Key) -> tuple[Params, State]:
    weight_key, layer_key = jax.random.split(key)
    params: dict[str, Any] = {}
    state: dict[str, Any] = {}
    drawn = {
        name: initializers.draw(
            spec.initializer, jax.random.fold_in(weight_key, position), spec.shape, spec.dtype
        )
        for position, (name, spec) in enumerate(plan.weights.items())
    }

    def put(specs: dict[str, WeightSpec]) -> None:
        for name, spec in specs.items():
            (params if spec.trainable else state)[name] = drawn[name]

    put(plan.init_weights)
    if plan.extended_inputs is not None:
        extended = extended_class(type(author))
        extended_params, extended_state = init_extended(
            extended, author, weight_key, plan.extended_inputs
        )
        params.update(extended_params)
        state.update(extended_state)
    put(plan.build_weights)
    for name, sublayer in sorted(plan.sublayers.items(), key=lambda item: item[1].position):
        sublayer_key = jax.random.fold_in(layer_key, sublayer.position)
        params[name], state[name] = _make_sublayer_weights(sublayer, sublayer_key)
        note_shapes(sublayer.layer, jax.tree.map(spec_of, (params[name], state[name])))
    if plan.is_penalized:
        state[PENALTY] = {"weights": jnp.zeros(()), "calls": jnp.zeros(())}
    return params, state


def _make_sublayer_weights(sublayer: SublayerPlan, key: Key) -> tuple[Params, State]:
    if isinstance(sublayer.needs, Plan):
        return make_weights(sublayer.needs, sublayer.layer, key)
    return init_layer(sublayer.layer, key, *sublayer.needs)


def init_extended(
    extended: Any, author: Any, key: Key, inputs: tuple[PyTree, ...]
) -> tuple[Params, State]:
    """Return the weights of the class that an author's class extends, in the author's dtype."""
    dtype = author_policy(author).variable_dtype
    params, state = extended.init(author, key, *inputs)
    return cast_weights(params, dtype), cast_weights(state, dtype)


def extends_layer(cls: type) -> bool:
    """Tell whether an author's class extends a layer with a pair, such as `Dense`."""
    return any(
        "apply" in base.__dict__ and "discover" not in base.__dict__ and base is not Layer
        for base in cls.__mro__
    )


def extended_class(cls: type) -> Any:
    """Return the class whose pure pair an author's class extends.

    Raises:
        TypeError: There is none.
    """
    for base in cls.__mro__:
        if "apply" in base.__dict__ and "discover" not in base.__dict__:
            return base
    raise TypeError(f"`{cls.__name__}` extends no layer.")
