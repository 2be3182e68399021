"""Binding: a shallow copy of an author's object that has its weights for one pass."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core.calling import CallRecord, call_inputs, is_authored
from fjax.core.flow import marked
from fjax.core.location import located
from fjax.core.penalties import PENALTY, joined
from fjax.errors import suggestion
from fjax.typing import Array, Key, Params, PyTree, Shape, State

# Which of an object's attributes are never an author's own.
NOT_COPIED = ("_sealed", "_home")


class WeightPlan(NamedTuple):
    """How a weight is made: which shape and type, by what, and whether gradients flow to it."""

    shape: Shape
    dtype: Any
    initializer: Any
    trainable: bool


class Plan:
    """What `init` must make for an author's object, found by one abstract pass through it.

    Attributes:
        weights: The object's own weights, by name, in the order of `add_weight`.
        inherited: The inputs of the layer that the class extends, if `call` runs that.
        sublayers: What the sublayers met, by name: their place, and their inputs or own plan.
        penalised: Whether anything is added to the loss.
    """

    def __init__(self) -> None:
        self.weights: dict[str, WeightPlan] = {}
        self.inherited: tuple[PyTree, ...] | None = None
        self.sublayers: dict[str, SublayerPlan] = {}
        self.penalised = False


class SublayerPlan(NamedTuple):
    """A sublayer: its place among its siblings, itself, and its inputs or its own plan."""

    position: int
    layer: Any
    needs: tuple[PyTree, ...] | Plan


class Binding:
    """What a bound object draws on during one pass.

    Args:
        owner: The object that is bound.
        params: Its params; of the weights alone that are known, while a plan is made.
        state: Its state, likewise.
        key: What its layers draw from.
        training: Whether this is a training step.
        plan: The plan to make, in the abstract pass before `init`; None in `apply`.
        marking: Whether the trace is to tell what the layers are called on; see `fjax.core.flow`.
    """

    def __init__(
        self,
        owner: Any,
        params: Params,
        state: State,
        key: Key | None,
        training: bool,
        plan: Plan | None = None,
        marking: bool = False,
    ) -> None:
        self.owner = owner
        self.params = params
        self.state = state
        self.key = key
        self.training = training
        self.plan = plan
        self.marking = marking
        self.phase = "none"
        self.next_state: dict[str, Any] = dict(state)
        self.weights: dict[str, tuple[str, Array]] = {}
        self.weight_penalties: list[Array] = []
        self.call_penalties: list[Array] = []
        self.calls: list[CallRecord] = []
        self.sublayers: dict[int, BoundLayer] = {}
        self._places: dict[str, Place] = {}

    def copy(self) -> Any:
        """Return the bound copy of the owner."""
        own = vars(self.owner).get("_internal", ())
        twin = object.__new__(type(self.owner))
        for name, value in vars(self.owner).items():
            if name not in NOT_COPIED:
                twin.__dict__[name] = value if name in own else self._bound(name, value)
        twin.__dict__["_binding"] = self
        return twin

    def build(self, twin: Any, shapes: Any) -> None:
        """Run the author's `build`, bind the sublayers that it made, and remember its weights."""
        self.phase = "build"
        twin.build(shapes)
        own = vars(self.owner).get("_internal", ())
        for name, value in list(vars(twin).items()):
            if name not in own and name != "_binding":
                twin.__dict__[name] = self._bound(name, value)
        self._places = {
            name: place
            for name, (_, array) in self.weights.items()
            for place in _places_of(twin, array)
        }
        self.phase = "call"

    def collect(self, twin: Any) -> State:
        """Return the next state: what `call` left in the attributes of state weights."""
        for name, place in self._places.items():
            home, before = self.weights[name]
            after = _at(twin, place)
            if after is before:
                continue
            if home == "params":
                raise ValueError(
                    f"`{self.label}`: `call` set the trainable weight {name!r}. Only the optimizer "
                    "changes it; make it with `add_weight(trainable=False)` to keep it by hand."
                )
            self.next_state[name] = self._checked(name, before, after)
        if PENALTY in self.state:
            self.next_state[PENALTY] = {
                "weights": jnp.float32(sum(self.weight_penalties)),
                "calls": jnp.float32(sum(self.call_penalties)),
            }
        elif self.plan is None and (self.weight_penalties or self.call_penalties):
            raise ValueError(
                f"`{self.label}`: `add_loss` was called in a branch that was not taken when the "
                "layer's state was made: call it in every pass, with 0.0 where there is nothing."
            )
        return self.next_state

    @property
    def label(self) -> str:
        """The class's name, for messages."""
        return type(self.owner).__name__

    def add_weight(self, name: str | None, planned: WeightPlan, regularizer: Any) -> Array:
        """Return the weight of this name: planned now, or as params and state have it."""
        name = self._weight_name(name)
        home = "params" if planned.trainable else "state"
        if self.plan is not None:
            self.plan.weights.setdefault(name, planned)
            weight = jnp.zeros(planned.shape, planned.dtype)
        else:
            weight = self._given(home, name, planned.shape)
        self.weights[name] = (home, weight)
        if regularizer is not None:
            self._penalise()
            if planned.trainable and getattr(self.owner, "trainable", True):
                self.weight_penalties.append(regularizer(weight))
        return weight

    def add_loss(self, value: Any) -> None:
        """Add a scalar to the loss of this pass."""
        self._penalise()
        if np.shape(value) != ():
            raise ValueError(
                f"`{self.label}`: `add_loss` takes one number, received the shape "
                f"{np.shape(value)}: take its mean or its sum."
            )
        self.call_penalties.append(jnp.asarray(value, jnp.float32))

    def inherited(self, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        """Return the outputs of the layer that the author's class extends: `super().call`."""
        base = extended(type(self.owner))
        mode = self.training if training is None else bool(training)
        if self.plan is None:
            outputs, after = base.apply(
                self.owner, self.params, self.state, *inputs, key=self.key, training=mode
            )
            self.next_state.update(after)
            return outputs
        params, state = base.init(self.owner, jax.random.key(0), *inputs)
        self.plan.inherited = jax.tree.map(_spec_of, inputs)
        return base.apply(self.owner, params, state, *inputs, key=self.key, training=mode)[0]

    def _penalise(self) -> None:
        if self.plan is not None:
            self.plan.penalised = True

    def _weight_name(self, name: str | None) -> str:
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise ValueError(
                f"`{self.label}.add_weight`: `name` must be a non-empty str without '/', received "
                f"{name!r}."
            )
        if name == PENALTY:
            raise ValueError(
                f"`{self.label}.add_weight`: the name {PENALTY!r} is kept for what is added to the "
                "loss: choose another."
            )
        if name is None:
            name, number = "variable", 0
            while name in self.weights:
                number += 1
                name = f"variable_{number}"
        elif name in self.weights:
            raise ValueError(
                f"`{self.label}.add_weight`: two weights are named {name!r}: give each its own."
            )
        return name

    def _given(self, home: str, name: str, shape: Shape) -> Array:
        tree = self.params if home == "params" else self.state
        if name not in tree:
            raise ValueError(
                f"`{self.label}`: the weight {name!r} is not in the layer's {home}, which have "
                f"{sorted(tree)}.{suggestion(name, tree)} `build` must make the same weights each "
                "time."
            )
        weight = tree[name]
        if tuple(weight.shape) != shape:
            raise ValueError(
                f"`{self.label}`: for these inputs the weight {name!r} has the shape {shape}, the "
                f"layer was made with {tuple(weight.shape)}."
            )
        return weight

    def _checked(self, name: str, before: Array, after: Any) -> Array:
        after = jnp.asarray(after, before.dtype) if np.isscalar(after) else jnp.asarray(after)
        if (after.shape, after.dtype) != (before.shape, before.dtype):
            raise ValueError(
                f"`{self.label}`: `call` set the weight {name!r} to {after.shape} {after.dtype}, "
                f"which must stay {before.shape} {before.dtype}."
            )
        return after

    def _bound(self, name: str, value: Any) -> Any:
        """Return an attribute's value with every layer in it bound, and containers copied."""
        layer = as_sublayer(value)
        if layer is self.owner:
            raise ValueError(
                f"`{self.label}`: the attribute `{name}` is the layer itself: a layer cannot "
                "contain itself."
            )
        if layer is not None:
            if id(layer) not in self.sublayers:
                taken = {bound.name for bound in self.sublayers.values()}
                own = sublayer_name(layer, name)
                if own in taken:
                    raise ValueError(
                        f"`{self.label}`: two sublayers are named {own!r}: give each its own name."
                    )
                self.sublayers[id(layer)] = BoundLayer(self, own, layer, len(self.sublayers))
            return self.sublayers[id(layer)]
        if isinstance(value, dict):
            return {key: self._bound(f"{name}_{key}", item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self._bound(f"{name}_{i}", item) for i, item in enumerate(value))
        return value


class BoundLayer:
    """A sublayer as an author's `call` sees it: its fields, its weights, and its call."""

    def __init__(self, binding: Binding, name: str, layer: Any, position: int) -> None:
        self.name = name
        self._binding = binding
        self._layer = layer
        self._position = position
        self._times = 0

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        own = self._binding.params.get(self.name, {})
        if isinstance(own, Mapping) and attribute in own:
            return own[attribute]
        return getattr(self._layer, attribute)

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the sublayer's outputs for arrays; what it leaves in its state is kept."""
        binding, layer = self._binding, self._layer
        mode = binding.training if training is None else bool(training)
        values = call_inputs(layer, inputs, options)
        key = binding.key
        if key is not None:
            key = jax.random.fold_in(key, self._position)
            # A layer that is called again draws anew.
            key = jax.random.fold_in(key, self._times) if self._times else key
        self._times += 1
        if binding.marking:
            values = marked(values, "in", self.name)
        with located(self.name, layer, values):
            if binding.plan is None:
                outputs = self._apply(values, key, mode)
            else:
                outputs = self._plan(binding.plan, values, key, mode)
        if binding.marking:
            outputs = marked(outputs, "out", self.name)
        binding.calls.append(CallRecord(self.name, layer, values, outputs))
        return outputs

    def _apply(self, values: tuple[PyTree, ...], key: Key | None, training: bool) -> PyTree:
        binding = self._binding
        if self.name not in binding.params:
            raise ValueError(
                f"`{binding.label}`: the sublayer {self.name!r} has no weights in the params: it "
                "was not called when they were made. Call it in every pass."
            )
        before = binding.next_state[self.name]
        outputs, after = self._layer.apply(
            binding.params[self.name], before, *values, key=key, training=training
        )
        binding.next_state[self.name] = joined(before, after) if self._times > 1 else after
        return outputs

    def _plan(
        self, plan: Plan, values: tuple[PyTree, ...], key: Key | None, training: bool
    ) -> PyTree:
        if is_authored(self._layer):
            known = plan.sublayers.get(self.name)
            own = known.needs if known is not None and isinstance(known.needs, Plan) else Plan()
            plan.sublayers[self.name] = SublayerPlan(self._position, self._layer, own)
            return self._layer.discover(own, values, key, training)
        params, state = self._layer.init(jax.random.key(0), *values)
        specs = jax.tree.map(_spec_of, values)
        plan.sublayers.setdefault(self.name, SublayerPlan(self._position, self._layer, specs))
        return self._layer.apply(params, state, *values, key=key, training=training)[0]


def as_sublayer(value: Any) -> Any:
    """Return the layer that an attribute's value stands for, or None.

    A model is its network, and a layer of a model that layer.
    """
    if isinstance(value, type | BoundLayer):
        return None
    if hasattr(value, "live_network"):
        return value.live_network
    pair = (getattr(value, "init", None), getattr(value, "apply", None))
    return value if all(map(callable, pair)) else None


def sublayer_name(layer: Any, attribute: str) -> str:
    """Return a sublayer's name: its own, or that of the attribute that holds it."""
    return getattr(layer, "name", None) or attribute


def find_sublayers(owner: Any) -> list[tuple[str, Any]]:
    """Return the layers in an object's attributes, lists and dicts, with their names, each once.

    >>> from fjax.layers import Dense
    >>> class Author:
    ...     def __init__(self):
    ...         self.hidden = [Dense(3), Dense(2)]
    ...         self.last = Dense(1)
    >>> [name for name, _ in find_sublayers(Author())]
    ['hidden_0', 'hidden_1', 'last']
    """
    own = vars(owner).get("_internal", ())
    found: dict[int, tuple[str, Any]] = {}
    for attribute, value in vars(owner).items():
        if attribute not in own:
            _find(attribute, value, found)
    return list(found.values())


def replace_sublayers(owner: Any, layers: Sequence[Any]) -> Any:
    """Return a copy of an object with other layers in the places of those that it holds."""
    known = find_sublayers(owner)
    new = {id(old): layer for (_, old), layer in zip(known, layers, strict=True)}

    def replaced(value: Any) -> Any:
        layer = as_sublayer(value)
        if layer is not None:
            return new[id(layer)]
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(replaced, value))
        return value

    own = vars(owner).get("_internal", ())
    twin = object.__new__(type(owner))
    for name, value in vars(owner).items():
        if name != "_home":
            twin.__dict__[name] = value if name in own else replaced(value)
    return twin


def extended(author: type) -> Any:
    """Return the class whose pure pair an author's class extends."""
    for base in author.__mro__:
        own = base.__dict__.get("apply")
        if own is not None and "discover" not in base.__dict__:
            return base
    raise TypeError(f"`{author.__name__}` extends no layer.")


def _find(name: str, value: Any, found: dict[int, tuple[str, Any]]) -> None:
    layer = as_sublayer(value)
    if layer is not None:
        found.setdefault(id(layer), (sublayer_name(layer, name), layer))
    elif isinstance(value, dict):
        for key, item in value.items():
            _find(f"{name}_{key}", item, found)
    elif type(value) in (list, tuple):
        for position, item in enumerate(value):
            _find(f"{name}_{position}", item, found)


def _spec_of(value: Any) -> Any:
    return jax.ShapeDtypeStruct(value.shape, value.dtype) if hasattr(value, "shape") else value


# The way from a bound copy to a weight: the attribute, and the keys within its containers.
Place = tuple[Any, ...]


def _places_of(twin: Any, array: Array) -> list[Place]:
    def search(value: Any, place: Place) -> Place | None:
        if value is array:
            return place
        items = enumerate(value) if isinstance(value, list | tuple) else ()
        if isinstance(value, dict):
            items = value.items()  # type: ignore[assignment]
        for key, item in items:
            found = search(item, (*place, key))
            if found is not None:
                return found
        return None

    attributes = {name: value for name, value in vars(twin).items() if name != "_binding"}
    place = search(attributes, ())
    return [] if place is None else [place]


def _at(twin: Any, place: Place) -> Any:
    value = vars(twin)
    for key in place:
        value = value[key]
    return value
