"""Binding: a shallow copy of an author's object that has its weights for one pass."""

import abc
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax import constraints
from fjax.authoring.assignments import assigned_value, note_attributes
from fjax.authoring.attributes import (
    BUILT_LAYERS,
    CONTEXT,
    UNCALLED_INPUTS,
    Path,
    author_attributes,
    free_name,
    map_items,
    paths_to,
    value_at,
)
from fjax.authoring.bound_layer import BoundLayer, Sublayer
from fjax.authoring.contexts import Context
from fjax.authoring.extended_layer import ExtendedLayer
from fjax.authoring.pass_variables import PassVariable, uses_variables
from fjax.authoring.phases import Phase
from fjax.authoring.sublayers import as_sublayer, sublayer_name
from fjax.authoring.variable_weights import is_free_variable, variable_spec
from fjax.authoring.weights import InitWeight, WeightSpec, check_new_name, init_weights
from fjax.core.assigned import note_assigned
from fjax.core.author import CONSTRAINT, facade_attributes
from fjax.core.calling import CallRecord
from fjax.core.layer_facade import input_specs, several_inputs
from fjax.core.location import layer_context
from fjax.core.penalties import regularization
from fjax.core.policies import call_dtype, cast_floats
from fjax.core.reserved import PENALTY
from fjax.core.specs import placeholder
from fjax.errors import is_number
from fjax.random.seeds import PassGenerator, SeedGenerator
from fjax.typing import Array, Key, Params, PyTree, State
from fjax.variable import Variable


class Binding(Context, abc.ABC):
    """One pass through an author's object: its bound copy, and what the code leaves.

    What depends on whether the weights are there is left to the subclasses: `Discovery` finds out
    what `init` must make, `Application` computes.

    Args:
        owner: The author's object, which is never changed.
        params: Its params.
        state: Its state.
        key: The key of the pass.
        training: Whether this is a training step.
        trainable: Whether the object's own weights are trained; frozen ones are not regularized.

    Attributes:
        phase: Which of the author's methods runs.
        next_state: The state after the pass.
        weights: The object's own weights, by name, with "params" or "state".
        sublayers: The object's sublayers, by the identity of the layer.
        calls: The calls of the sublayers.
        inputs: The inputs of the pass.
        extended: The layer that the object's class extends.
        weight_penalties: What regularizers of weights add to the loss.
        call_penalties: What `call` adds to the loss.
    """

    def __init__(
        self,
        owner: Any,
        params: Params,
        state: State,
        key: Key | None,
        training: bool | None,
        trainable: bool = True,
    ) -> None:
        super().__init__(owner)
        self.params = params
        self.state = state
        self.key = key
        self.training = training
        self.trainable = trainable
        self.inputs: tuple[PyTree, ...] = ()
        self.built_inputs: dict[str, tuple[PyTree, ...]] = {}
        self.begin()

    def begin(self) -> None:
        """Begin the pass, or begin it again."""
        self.next_state: dict[str, Any] = dict(self.state)
        self.weights: dict[str, tuple[str, Any]] = {}
        self.sublayers: dict[int, Sublayer] = {}
        self.calls: list[CallRecord] = []
        self._bound_layers: dict[int, BoundLayer] = {}
        self._init_weights: dict[int, Array] = {}
        self._generators: dict[int, PassGenerator] = {}
        self._variables: dict[int, tuple[Variable, Array]] = {}
        self._paths: dict[str, list[Path]] = {}
        self.weight_penalties: list[Array] = []
        self.call_penalties: list[Array] = []
        self.extended = ExtendedLayer(self)
        self._build_shapes: tuple[Any, ...] = ()
        self._unnamed: Iterator[str | None] | None = None

    # The pass, phase by phase.

    def bind(self) -> Any:
        """Return the bound copy: with arrays for the weights of `__init__`, and bound sublayers."""
        twin = object.__new__(type(self.owner))
        # The weights that `__init__` made come first, as in Keras.
        self.phase = Phase.CONSTRUCT
        for name, weight in init_weights(self.owner).items():
            self._init_weights[id(weight)] = self.bind_weight(name, weight.weight_spec)
        for name in facade_attributes(self.owner) & vars(self.owner).keys():
            twin.__dict__[name] = vars(self.owner)[name]
        for name, value in author_attributes(self.owner).items():
            twin.__dict__[name] = self._bound(name, value)
        twin.__dict__[CONTEXT] = self
        return twin

    def build(self, twin: Any, shapes: tuple[Any, ...]) -> None:
        """Run the author's `build`, and bind the sublayers that it made."""
        self.phase, self._build_shapes = Phase.BUILD, shapes
        known = set(self.sublayers)
        twin.build(*shapes)
        for name, value in author_attributes(twin).items():
            twin.__dict__[name] = self._bound(name, value)
        self.keep_built_layers(
            {new.name: new.layer for key, new in self.sublayers.items() if key not in known}
        )
        self._paths = {
            name: list(paths_to(twin, array)) for name, (_, array) in self.weights.items()
        }
        self._check_names()

    def call(self, twin: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> PyTree:
        """Return what the author's `call` returns."""
        self.phase = Phase.CALL
        return twin.call(*arguments, **options)

    def finish(self, twin: Any) -> None:
        """End the pass: what `call` left in the attributes of state weights is the next state."""
        self.phase = Phase.OUTSIDE
        note_attributes(self.owner, twin, self._paths)
        for name in self.weights:
            self._collect(twin, name)
        self.note_uncalled()
        self.check_complete()
        if PENALTY in self.state:
            self.next_state[PENALTY] = {
                "weights": jnp.float32(sum(self.weight_penalties)),
                "calls": jnp.float32(sum(self.call_penalties)),
            }

    # What the author's methods ask for.

    def add_weight(self, *request: Any) -> Array:
        """Return a new weight of the object."""
        return self.make_weight(super().add_weight(*request))

    def make_weight(self, spec: WeightSpec) -> Array:
        """Return a weight that `build` makes."""
        return self.bind_weight(self._next_name() if spec.name is None else spec.name, spec)

    def bind_weight(self, name: str, spec: WeightSpec) -> Array:
        """Return the weight of this name, and charge for it if it is regularized."""
        check_new_name(self.label, name, self.weights)
        part = "params" if spec.trainable else "state"
        value = self.weight_value(part, name, spec)
        weight: Any = self.as_read(value) if spec.autocast else value
        if uses_variables(type(self.owner)):
            owner = self.owner
            weight = PassVariable(
                name, weight, spec.trainable, lambda array: note_assigned(owner, name, array)
            )
        self.weights[name] = (part, weight)
        if spec.constraint is not None:
            self._check_constraint(name, spec.constraint)
        if spec.regularizer is not None:
            self.note_penalty()
            if spec.trainable and self.trainable:
                charge = regularization(self.owner, name, spec.regularizer, value)
                self.weight_penalties.append(charge)
        return weight

    def as_read(self, weight: Any) -> Any:
        """Return a weight, or a tree of them, in the dtype in which `call` reads it."""
        dtype = call_dtype(self.owner)
        return weight if dtype is None else cast_floats(weight, dtype)

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass."""
        super().add_loss(loss)
        self.note_penalty()
        if not hasattr(loss, "dtype") and not is_number(loss):
            raise TypeError(f"`{self.label}`: `add_loss` takes one number, received {loss!r}.")
        if np.shape(loss) != ():
            raise ValueError(
                f"`{self.label}`: `add_loss` takes one number, received the shape "
                f"{np.shape(loss)}. Take its mean or its sum."
            )
        self.call_penalties.append(jnp.asarray(loss, jnp.float32))

    def call_extended(self, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        """Return the outputs of the layer that the author's class extends."""
        super().call_extended(inputs, training)
        return self.extended.call(inputs, training)

    def extended_weight(self, name: str) -> Any:
        """Return a trainable weight of the layer that the object's class extends, or None."""
        is_wanted = self.phase is Phase.CALL and not name.startswith("_")
        return self.extended.weight(name, self.inputs) if is_wanted else None

    def call_sublayer(
        self, sublayer: Sublayer, values: tuple[PyTree, ...], key: Key | None, training: bool | None
    ) -> PyTree:
        """Return the outputs of a sublayer, and record the call."""
        values = self.mark(values, "in", sublayer.name)
        with layer_context(sublayer.name, sublayer.layer, values):
            outputs = self.apply_sublayer(sublayer, values, key, training)
        outputs = self.mark(outputs, "out", sublayer.name)
        self.calls.append(CallRecord(sublayer.name, sublayer.layer, values, outputs, key))
        return outputs

    # What the kinds of passes do differently.

    @abc.abstractmethod
    def weight_value(self, part: str, name: str, spec: WeightSpec) -> Array:
        """Return the array of one of the object's own weights."""

    @abc.abstractmethod
    def extended_weights(self, extended: Any, inputs: tuple[PyTree, ...]) -> tuple[Params, State]:
        """Return the params and state for the layer that the author's class extends."""

    def keep_extended_state(self, state: State) -> None:
        """Take over the next state of the layer that the author's class extends."""

    @abc.abstractmethod
    def apply_sublayer(
        self, sublayer: Sublayer, values: tuple[PyTree, ...], key: Key | None, training: bool | None
    ) -> PyTree:
        """Return the outputs of a sublayer."""

    @abc.abstractmethod
    def sublayer_weights(self, sublayer: Sublayer) -> tuple[Any, Any]:
        """Return the params and the state of a sublayer as they are now."""

    def sublayer_weight(self, sublayer: Sublayer, part: str, name: str, value: Any) -> Any:
        """Return a weight of a sublayer: its array, or a variable if the class uses variables."""
        value = self.as_read(value)
        if not hasattr(value, "shape") or not uses_variables(type(self.owner)):
            return value

        def note(array: Array) -> None:
            self.set_sublayer_weight(sublayer, part, name, array)
            note_assigned(sublayer.layer, name, array)

        return PassVariable(name, value, part == "params", note)

    def set_sublayer_weight(self, sublayer: Sublayer, part: str, name: str, value: Array) -> None:
        """Set a weight of a sublayer for the rest of the pass."""

    @abc.abstractmethod
    def sublayer_init_weight(self, sublayer: Sublayer, weight: InitWeight) -> Array:
        """Return the array of a weight that a sublayer's `__init__` made."""

    def build_sublayer(self, sublayer: Sublayer, shapes: tuple[Any, ...]) -> None:
        """Note the inputs that an author's `build` gives a sublayer; a call builds it."""
        if shapes:
            owner = type(sublayer.layer).__name__
            self.built_inputs[sublayer.name] = input_specs(owner, several_inputs(shapes), 0)

    def uncalled_inputs(self) -> Iterator[tuple[Sublayer, tuple[PyTree, ...]]]:
        """Yield each sublayer that the pass did not call and whose inputs are known, with zeros.

        As in Keras, a built layer has weights in whatever holds it: a teacher, or a head that only
        `compute_loss` calls.
        """
        known = {**vars(self.owner).get(UNCALLED_INPUTS, {}), **self.built_inputs}
        for sublayer in self.sublayers.values():
            if not sublayer.calls and sublayer.name in known:
                yield sublayer, jax.tree.map(placeholder, known[sublayer.name])

    def note_uncalled(self) -> None:
        """Note the sublayers that the pass did not call."""

    def note_penalty(self) -> None:
        """Note that something is added to the loss."""

    def mark(self, tree: PyTree, side: str, name: str) -> PyTree:
        """Return the inputs or outputs of a sublayer, marked for a trace."""
        return tree

    @property
    def keeps_built_layers(self) -> bool:
        """Whether the object is to keep the layers that its `build` makes."""
        return False

    def keep_built_layers(self, layers: dict[str, Any]) -> None:
        """Check the layers that `build` made: a frozen one must be known to the object."""
        if BUILT_LAYERS in vars(self.owner):
            return
        for name, layer in layers.items():
            if not getattr(layer, "trainable", True):
                raise ValueError(
                    f"`{self.label}`: the layer {name!r} is frozen and made in `build`, where "
                    "only a model knows of it. Make it in `__init__`."
                )

    def check_complete(self) -> None:
        """Raise ValueError if the pass did not use what the params and the state have."""

    # Names, attributes and sublayers.

    def _next_name(self) -> str:
        """Return the name of a weight of `build` that was given none: that of its attribute."""
        if self._unnamed is None:
            self._unnamed = iter(self.attribute_names(self._build_shapes))
        name = next(self._unnamed, None)
        return free_name(self.weights) if name is None else name

    @abc.abstractmethod
    def attribute_names(self, shapes: tuple[Any, ...]) -> list[str | None]:
        """Return the attributes to which `build` assigns its weights without a name, in order."""

    def _bound(self, name: str, value: Any) -> Any:
        """Return an attribute's value with its weights and layers bound, and containers copied."""
        if isinstance(value, InitWeight):
            return self._bound_weight(name, value)
        if isinstance(value, SeedGenerator):
            return self._bound_generator(value)
        if self.phase is Phase.BUILD and is_free_variable(value):
            return self._bound_variable(name, value)
        layer = as_sublayer(value)
        if layer is not None:
            return self._bound_layer(name, layer)
        return map_items(lambda key, item: self._bound(f"{name}_{key}", item), value)

    def _bound_weight(self, attribute: str, weight: InitWeight) -> Array:
        if id(weight) not in self._init_weights:
            raise ValueError(
                f"`{self.label}`: the attribute `{attribute}` is a weight of another object, "
                f"{weight!r}. Keep that layer as an attribute, and read its weight in `call`."
            )
        return self._init_weights[id(weight)]

    def _bound_variable(self, attribute: str, variable: Variable) -> Array:
        """Return the weight for a variable that `build` has set as an attribute."""
        if id(variable) not in self._variables:
            spec = self.variable_spec(attribute, variable)
            weight = self.bind_weight(spec.name or attribute, spec)
            self._variables[id(variable)] = (variable, weight)
        return self._variables[id(variable)][1]

    def variable_spec(self, attribute: str, variable: Variable) -> WeightSpec:
        """Return what the weight for a variable is made of, which `build` has set."""
        return variable_spec(variable)

    def _bound_generator(self, generator: SeedGenerator) -> PassGenerator:
        generators = self._generators
        if id(generator) not in generators:
            generators[id(generator)] = PassGenerator(generator, self.key, len(generators))
        return generators[id(generator)]

    def _bound_layer(self, attribute: str, layer: Any) -> BoundLayer:
        if id(layer) not in self._bound_layers:
            name = sublayer_name(layer, attribute)
            if any(name == other.name for other in self.sublayers.values()):
                raise ValueError(
                    f"`{self.label}`: two sublayers are named {name!r}. Give each its own name."
                )
            used = layer
            if self.phase is Phase.BUILD and not self.keeps_built_layers:
                used = vars(self.owner).get(BUILT_LAYERS, {}).get(name, layer)
            sublayer = Sublayer(name, used, len(self.sublayers))
            self.sublayers[id(layer)] = sublayer
            self._bound_layers[id(layer)] = BoundLayer(self, sublayer)
        return self._bound_layers[id(layer)]

    def _check_names(self) -> None:
        for name in self.weights:
            if any(name == sublayer.name for sublayer in self.sublayers.values()):
                raise ValueError(
                    f"`{self.label}`: a weight and a sublayer are both named {name!r}. Give the "
                    "weight or the layer another `name`."
                )

    def _check_constraint(self, name: str, constraint: Any) -> None:
        attribute = f"{name}{CONSTRAINT}"
        kept = constraints.get(getattr(self.owner, attribute, None))
        if kept == constraint or (kept is None and self.phase is Phase.CONSTRUCT):
            return
        raise ValueError(
            f"`{self.label}.add_weight`: the constraint of the weight {name!r} must be the "
            f"attribute `{attribute}`, which is applied after each update, without `build`. Write "
            f"`self.{attribute} = fjax.constraints.get(…)` in `__init__`, and give "
            f"`constraint=self.{attribute}`. Or override `constrain(self, params)`."
        )

    def _collect(self, twin: Any, name: str) -> None:
        """Take the value that `call` assigned to a weight, if it assigned one."""
        part, before = self.weights[name]
        if isinstance(before, PassVariable) and part == "state":
            self.next_state[name] = before.value
        values = [value_at(twin, path) for path in self._paths[name]]
        after = assigned_value(self.label, name, part, before, values)
        if after is not None:
            self.next_state[name] = after
        if part == "state" and name in self.state:
            self.next_state[name] = cast_floats(self.next_state[name], self.state[name].dtype)
