"""Passes that compute nothing: they find what `init` must make, and how weights are named."""

from typing import Any

import jax
import jax.numpy as jnp

from fjax.authoring.attributes import (
    BUILT_LAYERS,
    UNCALLED_INPUTS,
    author_attributes,
    items_of,
    name_at,
    paths_to,
)
from fjax.authoring.binding import Binding
from fjax.authoring.bound_layer import Sublayer
from fjax.authoring.phases import Phase
from fjax.authoring.plans import (
    Plan,
    SublayerPlan,
    init_extended,
    known_shapes,
    note_shapes,
)
from fjax.authoring.variable_weights import is_free_variable, variable_spec
from fjax.authoring.weights import InitWeight, WeightSpec, init_weights
from fjax.configuration import RECORDED
from fjax.core.array_calls import known_inputs
from fjax.core.calling import is_authored
from fjax.core.location import layer_context
from fjax.core.precision import apply_layer, init_layer
from fjax.core.specs import placeholder, spec_of
from fjax.typing import Array, Key, Params, PyTree, State
from fjax.variable import Variable


class Discovery(Binding):
    """An abstract pass that notes in a plan what `init` must make.

    Args:
        owner: The author's object.
        plan: The plan.
        key: The key of the pass, abstract.
        training: Whether this is a training step.
    """

    def __init__(self, owner: Any, plan: Plan, key: Key | None, training: bool | None) -> None:
        super().__init__(owner, {}, {}, key, training)
        self.plan = plan
        self._built: dict[str, tuple[Params, State]] = {}
        self._values: dict[str, Array] | None = None

    def weight_value(self, part: str, name: str, spec: WeightSpec) -> Array:
        """Note a weight in the plan, and return zeros."""
        of_init = self.phase is Phase.CONSTRUCT
        specs = self.plan.init_weights if of_init else self.plan.build_weights
        specs.setdefault(name, spec)
        return jnp.zeros(spec.shape, spec.dtype)

    def extended_weights(self, extended: Any, inputs: tuple[PyTree, ...]) -> tuple[Params, State]:
        """Note the inputs in the plan, and return first weights."""
        params, state = init_extended(extended, self.owner, jax.random.key(0), inputs)
        for name in (*params, *state):
            if name in self.weights:
                raise ValueError(
                    f"`{self.label}.add_weight`: the layer that the class extends has a weight "
                    f"{name!r} already. Give this one another name."
                )
        self.plan.extended_inputs = jax.tree.map(spec_of, inputs)
        return params, state

    def apply_sublayer(
        self, sublayer: Sublayer, values: tuple[PyTree, ...], key: Key | None, training: bool | None
    ) -> PyTree:
        """Note a sublayer in the plan, and return its outputs."""
        layer, known = sublayer.layer, self.plan.sublayers.get(sublayer.name)
        if is_authored(layer):
            plan = self._plan_of(sublayer)
            outputs = layer.discover(plan, values, key, training)
            self.plan.takes_training |= plan.takes_training
            return outputs
        if known is None:
            specs = jax.tree.map(spec_of, values)
            shapes = jax.eval_shape(lambda: init_layer(layer, jax.random.key(0), *values))
            known = SublayerPlan(sublayer.position, layer, specs, shapes)
            self.plan.sublayers[sublayer.name] = known
            note_shapes(layer, shapes)
        params, state = jax.tree.map(placeholder, known.shapes)
        return apply_layer(layer, params, state, *values, key=key, training=training)[0]

    def build_sublayer(self, sublayer: Sublayer, shapes: tuple[Any, ...]) -> None:
        """Note the weights for inputs of these shapes, which `build` may read before the call."""
        super().build_sublayer(sublayer, shapes)
        if shapes and not is_authored(sublayer.layer):
            specs = self.built_inputs[sublayer.name]
            self._built[sublayer.name] = jax.eval_shape(
                lambda: init_layer(sublayer.layer, jax.random.key(0), *specs)
            )

    def note_uncalled(self) -> None:
        """Note in the plan the sublayers that were not called, if their inputs are known."""
        if self.plan.keeps_built_layers:
            # Copies of the model's layers have no slots, which know the inputs.
            known = {
                each.name: known_inputs(each.layer)
                for each in self.sublayers.values()
                if not each.calls
            }
            vars(self.owner)[UNCALLED_INPUTS] = {k: v for k, v in known.items() if v is not None}
        for sublayer, values in self.uncalled_inputs():
            if sublayer.name not in self.plan.sublayers:
                with layer_context(sublayer.name, sublayer.layer, values):
                    self.apply_sublayer(sublayer, values, self.key, self.training)

    def _plan_of(self, sublayer: Sublayer) -> Plan:
        """Return the plan of a sublayer that an author wrote, which this pass continues."""
        known = self.plan.sublayers.get(sublayer.name)
        plan = known.needs if known is not None and isinstance(known.needs, Plan) else Plan()
        self.plan.sublayers[sublayer.name] = SublayerPlan(sublayer.position, sublayer.layer, plan)
        return plan

    def sublayer_weights(self, sublayer: Sublayer) -> tuple[Any, Any]:
        """Return zeros for the weights of a sublayer that was called."""
        known = self.plan.sublayers.get(sublayer.name)
        if known is None:
            elsewhere = known_shapes(sublayer.layer) or ({}, {})
            return jax.tree.map(placeholder, self._built.get(sublayer.name, elsewhere))
        if isinstance(known.needs, Plan):
            return known.needs.placeholders(), {}
        return jax.tree.map(placeholder, known.shapes)

    def sublayer_init_weight(self, sublayer: Sublayer, weight: InitWeight) -> Array:
        """Note the weights of a sublayer's `__init__`, which are there without a call."""
        plan = self._plan_of(sublayer)
        for name, each in init_weights(sublayer.layer).items():
            plan.init_weights.setdefault(name, each.weight_spec)
        return jnp.zeros(weight.shape, weight.dtype)

    def note_penalty(self) -> None:
        """Note in the plan that something is added to the loss."""
        self.plan.is_penalized = True

    @property
    def keeps_built_layers(self) -> bool:
        """Whether the object is to keep the layers that its `build` makes."""
        return self.plan.keeps_built_layers

    def keep_built_layers(self, layers: dict[str, Any]) -> None:
        """Keep the layers that `build` made on the object, if the plan says so."""
        if not self.keeps_built_layers:
            super().keep_built_layers(layers)
            return
        kept = vars(self.owner).get(BUILT_LAYERS, {})
        if layers or kept:
            vars(self.owner)[BUILT_LAYERS] = {
                name: kept[name] if _is_same_layer(kept.get(name), layer) else layer
                for name, layer in layers.items()
            }

    def variable_spec(self, attribute: str, variable: Variable) -> WeightSpec:
        """Return what the weight for a variable is made of, with its value.

        The pass is traced, so `build` runs once more, without tracing.
        """
        if self._values is None:
            with jax.ensure_compile_time_eval():
                self._values = variables_of_build(self.owner, self._build_shapes, self.training)
        return variable_spec(variable, self._values.get(attribute))

    def attribute_names(self, shapes: tuple[Any, ...]) -> list[str | None]:
        """Return the attributes to which `build` assigns its weights without a name, in order."""
        return attribute_names(self.owner, shapes, self.training)


class Naming(Discovery):
    """A pass through `build` alone, to see where weights without a name are assigned.

    A weight is made before it is assigned, so that a pass that names weights needs one before it.
    """

    def __init__(self, owner: Any, training: bool | None) -> None:
        super().__init__(owner, Plan(), None, training)
        self.unnamed: list[Array] = []

    def make_weight(self, spec: WeightSpec) -> Array:
        """Return a new array, which is found again by its identity."""
        weight = jnp.zeros(spec.shape, spec.dtype)
        if spec.name is None:
            self.unnamed.append(weight)
        return weight


def attribute_names(owner: Any, shapes: tuple[Any, ...], training: bool | None) -> list[str | None]:
    """Return the attributes to which `build` assigns its weights without a name, in order.

    Args:
        owner: The author's object.
        shapes: What `build` is given.
        training: Whether the pass is a training step.
    """
    naming = Naming(owner, training)
    twin = naming.bind()
    naming.phase = Phase.BUILD
    twin.build(*shapes)
    return [name_at(next(paths_to(twin, array), None)) for array in naming.unnamed]


def variables_of_build(
    owner: Any, shapes: tuple[Any, ...], training: bool | None
) -> dict[str, Array]:
    """Return the values of the variables that `build` sets as attributes, by attribute."""
    naming = Naming(owner, training)
    twin = naming.bind()
    naming.phase = Phase.BUILD
    twin.build(*shapes)
    values: dict[str, Array] = {}

    def collect(name: str, value: Any) -> None:
        if is_free_variable(value):
            values[name] = value.value
        for key, item in items_of(value):
            collect(f"{name}_{key}", item)

    for name, value in author_attributes(twin).items():
        collect(name, value)
    return values


def _is_same_layer(one: Any, other: Any) -> bool:
    """Tell whether `build` made the same layer again, frozen or not."""

    def fields(layer: Any) -> Any:
        if RECORDED in vars(layer):
            return vars(layer)[RECORDED]
        config = layer.get_config() if hasattr(layer, "get_config") else {}
        return {name: value for name, value in config.items() if name != "trainable"}

    return type(one) is type(other) and fields(one) == fields(other)
