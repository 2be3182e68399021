"""Binding: a shallow copy of an author's object that has its weights for one pass."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax import constraints
from fjax.core.calling import CallRecord, call_inputs, is_authored
from fjax.core.flow import mark
from fjax.core.location import layer_context
from fjax.core.penalties import join_penalties, regularization
from fjax.core.plans import Plan, SublayerPlan, WeightPlan
from fjax.core.precision import apply_layer, init_layer
from fjax.core.reserved import PENALTY
from fjax.core.specs import spec_of
from fjax.core.sublayers import Bound, as_sublayer, items_of, map_items, sublayer_name
from fjax.errors import is_number, suggestion
from fjax.typing import Array, Key, Params, PyTree, Shape, State

# How the attribute ends that holds the constraint of a weight.
CONSTRAINT = "_constraint"

# Which of an object's attributes are never an author's own.
NOT_COPIED = ("_sealed", "_home", "_made")


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
        trainable: Whether the weights are trained; else their regularizers are silent.
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
        trainable: bool = True,
    ) -> None:
        self.owner = owner
        self.params = params
        self.state = state
        self.key = key
        self.training = training
        self.plan = plan
        self.marking = marking
        self.trainable = trainable
        self.phase = "none"
        self.next_state: dict[str, Any] = dict(state)
        self.weights: dict[str, tuple[str, Array]] = {}
        self.weight_penalties: list[Array] = []
        self.call_penalties: list[Array] = []
        self.calls: list[CallRecord] = []
        self.sublayers: dict[int, BoundLayer] = {}
        self._shapes: tuple[Any, ...] = ()
        self._places: dict[str, list[Place]] = {}
        self._inheritances = 0
        self._unnamed = 0
        self._attributes: list[str | None] | None = None

    def copy(self) -> Any:
        """Return the bound copy of the owner."""
        own = vars(self.owner).get("_internal", ())
        twin = object.__new__(type(self.owner))
        for name, value in vars(self.owner).items():
            if name not in NOT_COPIED:
                twin.__dict__[name] = value if name in own else self._bound(name, value)
        twin.__dict__["_binding"] = self
        return twin

    def build(self, twin: Any, shapes: tuple[Any, ...]) -> None:
        """Run the author's `build`, bind the sublayers that it made, and remember its weights."""
        self.phase, self._shapes = "build", shapes
        before = len(self.sublayers)
        twin.build(*shapes)
        own = vars(self.owner).get("_internal", ())
        for name, value in list(vars(twin).items()):
            if name not in own and name != "_binding":
                twin.__dict__[name] = self._bound(name, value)
        self._remember(list(self.sublayers.values())[before:])
        self._places = {
            name: list(_places_of(twin, array)) for name, (_, array) in self.weights.items()
        }
        for name in self.weights:
            if any(name == bound.name for bound in self.sublayers.values()):
                raise ValueError(
                    f"`{self.label}`: a weight and a sublayer are both named {name!r}: give the "
                    "weight or the layer another `name`."
                )
        self.phase = "call"

    def collect(self, twin: Any) -> State:
        """Return the next state: what `call` left in the attributes of state weights."""
        for name, places in self._places.items():
            home, before = self.weights[name]
            found = {id(value): value for value in (_at(twin, place) for place in places)}
            found.pop(id(before), None)
            if not found:
                continue
            if len(found) > 1:
                raise ValueError(
                    f"`{self.label}`: the weight {name!r} stands in several attributes, and `call` "
                    "set them to different values: keep it in one."
                )
            (after,) = found.values()
            if home == "params":
                raise ValueError(
                    f"`{self.label}`: `call` set the trainable weight {name!r}. Only the optimizer "
                    "changes it; make it with `add_weight(trainable=False)` to keep it by hand."
                )
            self.next_state[name] = self._checked(name, before, after)
        self._check_all_made()
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

    def add_weight(
        self, name: str | None, planned: WeightPlan, regularizer: Any, constraint: Any
    ) -> Array:
        """Return the weight of this name: planned now, or as params and state have it."""
        name = self._next_attribute() if name is None else self._checked_name(name)
        if name in self.weights:
            raise ValueError(
                f"`{self.label}.add_weight`: two weights are named {name!r}: give each its own. A "
                "weight without a `name` has that of its attribute."
            )
        home = "params" if planned.trainable else "state"
        if self.plan is not None:
            self.plan.weights.setdefault(name, planned)
            weight = jnp.zeros(planned.shape, planned.dtype)
        else:
            weight = self._given(home, name, planned.shape)
        self.weights[name] = (home, weight)
        if constraint is not None:
            self._check_constraint(name, constraint)
        if regularizer is not None:
            self._penalize()
            if planned.trainable and self.trainable:
                self.weight_penalties.append(regularization(self.owner, name, regularizer, weight))
        return weight

    def add_loss(self, value: Any) -> None:
        """Add a scalar to the loss of this pass."""
        self._penalize()
        if not hasattr(value, "dtype") and not is_number(value):
            raise TypeError(f"`{self.label}`: `add_loss` takes one number, received {value!r}.")
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
        key = self.key
        if key is not None and self._inheritances:
            # A layer that is called again draws anew.
            key = jax.random.fold_in(key, self._inheritances)
        self._inheritances += 1
        params, state = self.params, self.next_state
        if self.plan is not None:
            params, state = base.init(self.owner, jax.random.key(0), *inputs)
            self._check_inherited((*params, *state))
            self.plan.inherited = jax.tree.map(spec_of, inputs)
        outputs, after = base.apply(self.owner, params, state, *inputs, key=key, training=mode)
        charges = after.get(PENALTY)
        if charges is not None:
            self._penalize()
            self.call_penalties.append(charges["calls"])
            if self._inheritances == 1:
                # A function of the params: counted once, however often the layer is called.
                self.weight_penalties.append(charges["weights"])
        if self.plan is None:
            self.next_state.update(after)
        return outputs

    def _check_all_made(self) -> None:
        """Raise ValueError where `build` made fewer weights than there are."""
        if self.plan is not None or self._inheritances:
            return
        for home, tree in (("params", self.params), ("state", self.state)):
            for name, value in tree.items():
                if name not in self.weights and not isinstance(value, Mapping):
                    raise ValueError(
                        f"`{self.label}`: the layer's {home} have the weight {name!r}, which "
                        "`build` did not make this time: it must make the same weights each time."
                    )

    def _check_constraint(self, name: str, constraint: Any) -> None:
        # It is applied after the update, where `build` has not run: the object itself must have it.
        attribute = f"{name}{CONSTRAINT}"
        if constraints.get(getattr(self.owner, attribute, None)) != constraint:
            raise ValueError(
                f"`{self.label}.add_weight`: the constraint of the weight {name!r} must be the "
                f"attribute `{attribute}`, from which it is applied after each update: write "
                f"`self.{attribute} = fjax.constraints.get(…)` in `__init__`, and give "
                f"`constraint=self.{attribute}`. Or override `constrain(self, params)`."
            )

    def _check_inherited(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self.weights:
                raise ValueError(
                    f"`{self.label}.add_weight`: the layer that the class extends has a weight "
                    f"{name!r} already: give this one another name."
                )

    def _remember(self, made: list["BoundLayer"]) -> None:
        """Keep the layers that `build` made, or tell that nothing knows what is asked of them."""
        layers = {bound.name: bound.layer for bound in made}
        known = vars(self.owner).get("_made", {})
        if self.plan is not None and self.plan.remembers:
            if layers or known:
                kept = {
                    name: known[name] if _same_kind(known.get(name), layer) else layer
                    for name, layer in layers.items()
                }
                object.__setattr__(self.owner, "_made", kept)
        elif "_made" not in vars(self.owner):
            for name, layer in layers.items():
                if not getattr(layer, "trainable", True):
                    raise ValueError(
                        f"`{self.label}`: the layer {name!r} is frozen and made in `build`, where "
                        "nothing outside of a model knows of it: make it in `__init__`."
                    )

    def weights_of(self, sublayer: str) -> tuple[Any, Any]:
        """Return the params and the state of a sublayer as they are now; zeros in a plan."""
        if self.plan is None:
            return self.params.get(sublayer, {}), self.next_state.get(sublayer, {})
        known = self.plan.sublayers.get(sublayer)
        if known is None:
            return {}, {}
        if not isinstance(known.needs, Plan):
            return jax.tree.map(_zeros, known.shapes)
        weights = known.needs.weights.items()
        return {name: jnp.zeros(weight.shape, weight.dtype) for name, weight in weights}, {}

    def _penalize(self) -> None:
        if self.plan is not None:
            self.plan.penalized = True

    def _next_attribute(self) -> str:
        """Return the name of a weight that was given none: that of its attribute."""
        if self._attributes is None:
            self._attributes = self._found_attributes()
        found = self._attributes[self._unnamed] if self._unnamed < len(self._attributes) else None
        self._unnamed += 1
        if found is not None:
            return found
        name, number = "variable", 0
        while name in self.weights:
            number += 1
            name = f"variable_{number}"
        return name

    def _found_attributes(self) -> list[str | None]:
        """Return the attributes of the weights without a name, by running `build` on a copy.

        A weight is made before it is assigned, so that one run cannot tell.
        """
        scout = _Scout(self.owner, {}, {}, None, self.training, Plan())
        twin = scout.copy()
        scout.phase = "build"
        twin.build(*self._shapes)
        found = (next(_places_of(twin, array), None) for array in scout.unnamed)
        return [None if place is None else "_".join(map(str, place)) for place in found]

    def _checked_name(self, name: str) -> str:
        if not isinstance(name, str) or not name or "/" in name:
            raise ValueError(
                f"`{self.label}.add_weight`: `name` must be a non-empty str without '/', received "
                f"{name!r}."
            )
        if name == PENALTY:
            raise ValueError(
                f"`{self.label}.add_weight`: the name {PENALTY!r} is kept for what is added to the "
                "loss: choose another."
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
        if not isinstance(after, jax.Array | np.ndarray) and not np.isscalar(after):
            raise TypeError(
                f"`{self.label}`: `call` set the weight {name!r} to {after!r} of type "
                f"`{type(after).__name__}`: it must stay an array."
            )
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
        if layer is not None:
            if id(layer) not in self.sublayers:
                taken = {bound.name for bound in self.sublayers.values()}
                own = sublayer_name(layer, name)
                if own in taken:
                    raise ValueError(
                        f"`{self.label}`: two sublayers are named {own!r}: give each its own name."
                    )
                anew = self.plan is not None and self.plan.remembers
                if self.phase == "build" and not anew:
                    made = vars(self.owner).get("_made", {}).get(own, layer)
                else:
                    made = layer
                self.sublayers[id(layer)] = BoundLayer(self, own, made, len(self.sublayers))
            return self.sublayers[id(layer)]
        return map_items(lambda key, item: self._bound(f"{name}_{key}", item), value)


class _Scout(Binding):
    """A binding that runs `build` alone, to see where weights without a name are assigned."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.unnamed: list[Array] = []

    def add_weight(
        self, name: str | None, planned: WeightPlan, regularizer: Any, constraint: Any
    ) -> Array:
        """Return an array that is no other."""
        weight = jnp.zeros(planned.shape, planned.dtype)
        if name is None:
            self.unnamed.append(weight)
        return weight


class BoundLayer(Bound):
    """A sublayer as an author's `call` sees it: its fields, its weights, and its call."""

    def __init__(self, binding: Binding, name: str, layer: Any, position: int) -> None:
        self.name = name
        self.layer = layer
        self._binding = binding
        self._position = position
        self._times = 0

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        for tree in self._binding.weights_of(self.name):
            if isinstance(tree, Mapping) and attribute in tree:
                return tree[attribute]
        return getattr(self.layer, attribute)

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the sublayer's outputs for arrays; what it leaves in its state is kept."""
        binding, layer = self._binding, self.layer
        mode = binding.training if training is None else bool(training)
        values = call_inputs(layer, inputs, options)
        key = binding.key
        if key is not None:
            key = jax.random.fold_in(key, self._position)
            # A layer that is called again draws anew.
            key = jax.random.fold_in(key, self._times) if self._times else key
        self._times += 1
        if binding.marking:
            values = mark(values, "in", self.name)
        with layer_context(self.name, layer, values):
            if binding.plan is None:
                outputs = self._apply(values, key, mode)
            else:
                outputs = self._plan(binding.plan, values, key, mode)
        if binding.marking:
            outputs = mark(outputs, "out", self.name)
        binding.calls.append(CallRecord(self.name, layer, values, outputs, key))
        return outputs

    def _apply(self, values: tuple[PyTree, ...], key: Key | None, training: bool) -> PyTree:
        binding = self._binding
        if self.name not in binding.params:
            raise ValueError(
                f"`{binding.label}`: the sublayer {self.name!r} has no weights in the params: it "
                "was not called when they were made. Call it in every pass."
            )
        before = binding.next_state[self.name]
        outputs, after = apply_layer(
            self.layer, binding.params[self.name], before, *values, key=key, training=training
        )
        binding.next_state[self.name] = join_penalties(before, after) if self._times > 1 else after
        return outputs

    def _plan(
        self, plan: Plan, values: tuple[PyTree, ...], key: Key | None, training: bool
    ) -> PyTree:
        known = plan.sublayers.get(self.name)
        if is_authored(self.layer):
            own = known.needs if known is not None and isinstance(known.needs, Plan) else Plan()
            plan.sublayers[self.name] = SublayerPlan(self._position, self.layer, own)
            outputs = self.layer.discover(own, values, key, training)
            plan.modal |= own.modal
            return outputs
        if known is None:
            specs = jax.tree.map(spec_of, values)
            shapes = jax.eval_shape(lambda: init_layer(self.layer, jax.random.key(0), *values))
            known = SublayerPlan(self._position, self.layer, specs, shapes)
            plan.sublayers[self.name] = known
        params, state = jax.tree.map(_zeros, known.shapes)
        return apply_layer(self.layer, params, state, *values, key=key, training=training)[0]


def extended(author: type) -> Any:
    """Return the class whose pure pair an author's class extends."""
    for base in author.__mro__:
        own = base.__dict__.get("apply")
        if own is not None and "discover" not in base.__dict__:
            return base
    raise TypeError(f"`{author.__name__}` extends no layer.")


# The way from a bound copy to a weight: the attribute, and the keys within its containers.
Place = tuple[Any, ...]


def _places_of(twin: Any, array: Array) -> Iterator[Place]:
    def search(value: Any, place: Place) -> Iterator[Place]:
        if value is array:
            yield place
        for key, item in items_of(value):
            yield from search(item, (*place, key))

    own = (*vars(twin).get("_internal", ()), "_binding")
    return search({name: value for name, value in vars(twin).items() if name not in own}, ())


def _at(twin: Any, place: Place) -> Any:
    value: Any = vars(twin)
    for key in place:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _same_kind(one: Any, other: Any) -> bool:
    """Tell whether `build` made the same layer again; whether it is frozen is no difference."""

    def fields(layer: Any) -> Any:
        config = layer.get_config() if hasattr(layer, "get_config") else {}
        return {name: value for name, value in config.items() if name != "trainable"}

    return type(one) is type(other) and fields(one) == fields(other)


def _zeros(spec: Any) -> Any:
    if jax.dtypes.issubdtype(spec.dtype, jax.dtypes.prng_key):
        return jnp.broadcast_to(jax.random.key(0), spec.shape)
    return jnp.zeros(spec.shape, spec.dtype)
