"""The base class of layers: a pair of pure functions plus configuration.

    params, state = layer.init(key, *specs)
    outputs, state = layer.apply(params, state, *inputs, key=None, training=False)

`init` and `apply` use no arrays but their arguments, and change nothing. `params` receives
gradients, `state` is updated
without them; both are nested dicts of arrays, `{}` if a layer has none. `specs` and `inputs`
include the batch axis. Layers that draw random numbers in training need `key`; others ignore it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import jax

from fjax import constraints, regularizers
from fjax.configuration import Configured, field, fields_ending
from fjax.core.array_calls import call_on_arrays
from fjax.core.author import CONSTRAINT, UNCOPIED, constraint_attributes
from fjax.core.calling import is_authored
from fjax.core.checks import normalize_shape
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer_facade import (
    FieldWithFacade,
    LayerFacade,
    derived_attribute,
    shown_name,
    variable_dtype,
)
from fjax.core.reserved import RESERVED
from fjax.dtype_policies import DEFAULT, describe_policy, policy_name, policy_scope
from fjax.typing import Array, Key, Params, PyTree, Spec, State

_FLAGS = frozenset({"trainable", "autocast", "remat"})


class Layer(LayerFacade, Configured):
    """Base class of layers: a pair of pure functions configured by plain fields.

    Args:
        name: The key of this layer's weights in the container's `params` and `state`. Defaults to
            the class name in snake case, numbered within the container (`dense`, `dense_1`).
        input_shape: The shape of one sample, without the batch axis; only for a model's first
            layer.
        trainable: False freezes the layer: training does not update its params, its weights are
            neither regularized nor constrained, and `BatchNormalization` uses its moving averages
            in training too. This is the only field that can be set after construction; a model
            reads it at the next `compile`.
        dtype: The dtypes of weights, computations and outputs: a name such as "mixed_bfloat16", a
            policy or a dtype; see `fjax.dtype_policies.DTypePolicy`. None is the global policy.
        autocast: Whether inputs, and the weights that an author's `call` reads, are cast to the
            dtype of the computation.
        remat: Whether to compute what is inside the layer again for the gradients, which takes
            time, and saves the memory for it. See `fjax.remat`.

    A subclass declares its fields and defines `apply`, and `init` if it has weights:

    >>> import jax, jax.numpy as jnp
    >>> class Scale(Layer):
    ...     start: float = 1.0
    ...
    ...     def init(self, key, spec):
    ...         return {"factor": jnp.full(spec.shape[-1], self.start)}, {}
    ...
    ...     def apply(self, params, state, inputs, *, key=None, training=False):
    ...         return inputs * params["factor"], state
    >>> init, apply = Scale(2.0)
    >>> inputs = jnp.ones((3, 2))
    >>> params, state = init(jax.random.key(0), inputs)
    >>> outputs, state = apply(params, state, inputs)
    >>> outputs.sum().item()
    12.0

    Or it defines `call` as in Keras, with `build` and `add_weight` if it has weights; see
    `fjax.authoring`:

    >>> class Shift(Layer):
    ...     def build(self, input_shape):
    ...         self.bias = self.add_weight((input_shape[-1],), "ones", name="bias")
    ...
    ...     def call(self, inputs):
    ...         return inputs + self.bias
    >>> params, state = Shift().init(jax.random.key(0), inputs)
    >>> Shift().apply(params, state, inputs)[0].sum().item()
    12.0

    Fields named `<weight>_regularizer` and `<weight>_constraint` may be names or functions; they
    are resolved here. `constrain` applies the constraints; `apply` adds the penalties of the
    regularizers by `fjax.core.with_penalty`.
    """

    name: str | None = field(default=None, kw_only=True)
    input_shape: tuple[int | None, ...] | int | None = field(default=None, kw_only=True)
    trainable: bool = field(default=True, kw_only=True)
    dtype: Any = field(
        default=None, kw_only=True, metadata={"implied": DEFAULT, "describe": describe_policy}
    )
    autocast: bool = field(default=True, kw_only=True, metadata={"implied": True})
    remat: bool = field(default=False, kw_only=True, metadata={"implied": False})

    # How `apply_layer` casts, and what it leaves to the layer; see `fjax.core.precision`.
    casting: ClassVar[str] = "compute"
    # Whether `remat` is for each of the sublayers, instead of the layer as a whole.
    remat_inside: ClassVar[bool] = False
    # Whether the field `dtype` is the name of a policy.
    has_policy: ClassVar[bool] = True
    # The names of the inputs of a call; a "mask" after the first may be given by position.
    call_parameters: ClassVar[tuple[str, ...]] = ("inputs",)
    # Keyword arguments of a call, besides `training` and `mask`.
    call_options: ClassVar[tuple[str, ...]] = ()

    _renamed: ClassVar[Mapping[str, str]] = {"input_dim": "input_shape"}
    settable_fields: ClassVar[frozenset[str]] = frozenset({"trainable"})
    inherited_arguments: ClassVar[tuple[str, ...]] = (
        "name", "trainable", "dtype", "autocast", "remat",
    )  # fmt: skip
    _weights_of_fields: ClassVar[Mapping[str, str]] = {}
    fields_beyond_keras: ClassVar[frozenset[str]] = frozenset({"input_shape", "remat"})
    # How the weights are arranged in a file of Keras.
    keras_layout: ClassVar[KerasLayout] = KerasLayout()

    def __post_init__(self) -> None:
        owner = type(self).__name__
        if self.name is not None and (not isinstance(self.name, str) or not self.name):
            raise ValueError(f"`{owner}`: `name` must be a non-empty str, received {self.name!r}.")
        if self.name is not None and "/" in self.name:
            raise ValueError(f"`{owner}`: `name` must not contain '/', received {self.name!r}.")
        if self.name in RESERVED:
            raise ValueError(
                f"`{owner}`: `name` {self.name!r} is a reserved key of a layer's state. Give the "
                "layer another name."
            )
        if self.input_shape is not None:
            self.input_shape = normalize_shape(owner, "input_shape", self.input_shape)
        for family, resolve in (("regularizer", regularizers.get), ("constraint", constraints.get)):
            for weight, identifier in fields_ending(self, f"_{family}").items():
                setattr(self, f"{weight}_{family}", resolve(identifier))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FLAGS and not isinstance(value, bool):
            raise TypeError(
                f"`{type(self).__name__}`: `{name}` must be True or False, received {value!r}."
            )
        if name == "dtype":
            value = self.resolve_dtype(value)
        # `__init__` sets it first, when the sublayers may have flags of their own.
        is_changed = name == "trainable" and name in vars(self)
        super().__setattr__(name, value)
        if is_changed:
            for sublayer in self.inside():
                if isinstance(sublayer, Layer):
                    sublayer.trainable = value

    def change_advice(self, name: str) -> str:
        """Return what an error says of setting an attribute: a weight can be assigned."""
        if name in fields_ending(self, "_initializer"):
            return f"Assign the weight: `layer.{name}.assign(value)`, or `layer.set_weights(…)`."
        return super().change_advice(name)

    def resolve_dtype(self, dtype: Any) -> Any:
        """Return the name of the policy that the argument `dtype` means.

        Raises:
            ValueError: There is no such policy.
        """
        return policy_name(type(self).__name__, "dtype", dtype)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the layer with this configuration, as `get_config` returns it."""
        if cls.has_own_init:
            return super().from_config(config)
        # Without a `dtype` it means the default, whatever the global policy is now.
        with policy_scope(DEFAULT):
            return super().from_config(config)

    @property
    def kind(self) -> str:
        """The class name that a summary shows; in snake case it is the default layer name."""
        return type(self).__name__

    @property
    def masking(self) -> str:
        """How the layer treats the mask of its inputs; see `fjax.core.masking`."""
        return "takes" if is_authored(self) else "ends"

    @property
    def rows_independent(self) -> bool:
        """Whether each row of the outputs depends only on its input row; see `fjax.traits`."""
        return False

    @property
    def entrywise(self) -> bool:
        """Whether each output entry along the last axis depends only on its input entry."""
        return False

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the initial params and state for inputs of these shapes and dtypes.

        Args:
            key: A PRNG key; equal keys give equal weights.
            specs: One per input, batch axis included: an array or a `jax.ShapeDtypeStruct`.
        """
        return {}, {}

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs and the next state.

        Args:
            params: The params from `init`, or trained ones of the same structure.
            state: The state from `init` or from the previous call.
            inputs: The inputs, batch axis first.
            key: A PRNG key, for layers that draw random numbers in training.
            training: Whether the call is part of a training step.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` defines neither `call(self, inputs)` nor `apply(self, "
            "params, state, *inputs, key=None, training=False)`: a layer needs one of them."
        )

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Call the layer on symbolic tensors, which adds a node to a graph, or on arrays.

        A layer that is called on arrays uses the weights that it has in its models. If it has none
        yet, they are drawn, from a seed of Python's `random`, and its later models use them.

        Args:
            inputs: Symbolic tensors, as separate arguments or in a list; see `fjax.Input`.
            training: The mode of this call, whatever the mode of the model; None follows the model.
                On arrays, None is the layer's default: training mode for the layers that augment
                images, and for no others.
            options: Further keyword arguments of a Keras-style `call`.

        >>> from fjax.layers import Dense, Flatten, Input
        >>> outputs = Dense(10)(Flatten()(Input((28, 28))))
        >>> outputs.shape
        (None, 10)
        """
        for leaf in jax.tree.leaves((inputs, options)):
            if hasattr(leaf, "__call_layer__"):
                return leaf.__call_layer__(self, inputs, training, options)
        return call_on_arrays(self, inputs, training, options)

    def children(self) -> list[tuple[str, Any]]:
        """Return the sublayers with the names of their weights in `params` and `state`."""
        return []

    def inside(self) -> list[Any]:
        """Return all sublayers, including those whose weights have no key of their own."""
        return [child for _, child in self.children()]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return a copy of the layer with its sublayers replaced; their names are kept.

        Args:
            layers: One replacement for each layer that `inside` returns, in that order.

        Raises:
            ValueError: The number of layers differs from that of `inside`.
        """
        if len(layers) != 0:
            raise ValueError(
                f"`{type(self).__name__}` has no sublayers, received {len(layers)} to replace them "
                "by."
            )
        return self

    def constrain(self, params: Params) -> Params:
        """Return the params after applying each `<weight>_constraint`, sublayers included.

        Frozen layers and layers without constraints return their params unchanged.

        Raises:
            ValueError: A constraint returned a different shape.

        >>> import jax.numpy as jnp
        >>> from fjax.layers import Dense
        >>> layer = Dense(2, kernel_constraint="non_neg")
        >>> print(layer.constrain({"kernel": jnp.array([[1.0, -1.0]])})["kernel"])
        [[1. 0.]]
        """
        if not self.trainable:
            return params
        constrained = {
            weight: _apply_constraint(self, field_name, constraint, params[weight])
            for field_name, constraint in self.weight_constraints().items()
            if (weight := self.weight_of(field_name)) in params
        }
        for name, child in self.children():
            if name in params and hasattr(child, "constrain"):
                constrained[name] = child.constrain(params[name])
        return {**params, **constrained} if constrained else params

    def weight_constraints(self) -> dict[str, Callable[[Array], Array]]:
        """Return the constraints by name; `weight_of` gives the weight of each name."""
        # Attributes that a Keras-style `__init__` sets are not fields.
        attributes = constraint_attributes(self) if self.has_own_init else {}
        return {**fields_ending(self, CONSTRAINT), **attributes}

    def check_inputs(self, *inputs: Any) -> None:
        """Raise if the values of a model's data are not valid inputs; for layers to override.

        Called on the host before training or prediction, for the layers that receive a model's
        inputs directly.

        Args:
            inputs: The numpy arrays that `apply` will receive.
        """

    @classmethod
    def weight_of(cls, field_name: str) -> str:
        """Return the key in `params` that `<field_name>_regularizer` and `…_constraint` apply to.

        It equals the field name unless Keras uses two names: `depthwise_regularizer` applies to
        `kernel`.
        """
        return cls._weights_of_fields.get(field_name, field_name)

    def require_ready(self) -> None:
        """Raise if a layer still needs `adapt`, as `Normalization` does without statistics."""
        for layer in self.inside():
            if isinstance(layer, Layer):
                layer.require_ready()

    def __getattr__(self, name: str) -> Any:
        return derived_attribute(self, name)

    def __getstate__(self) -> dict[str, Any]:
        # A copy does not belong to the model that holds the weights.
        values = {name: value for name, value in vars(self).items() if name not in UNCOPIED}
        return self._authoring.with_own_weights(values)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._authoring.own_weights(self)

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        yield self.init
        yield self.apply

    @staticmethod
    def from_functions(
        init: Callable[..., tuple[Params, State]],
        apply: Callable[..., tuple[PyTree, State]],
        name: str | None = None,
    ) -> "Layer":
        """Return a layer made of two functions that follow the `init`/`apply` protocol.

        >>> import jax, jax.numpy as jnp
        >>> def init(key, spec):
        ...     return {"bias": jnp.zeros(spec.shape[-1])}, {}
        >>> def apply(params, state, inputs, *, key=None, training=False):
        ...     return inputs + params["bias"], state
        >>> Layer.from_functions(init, apply, name="shift")
        Pair(init_function=init, apply_function=apply, name='shift')
        """
        return Pair(init, apply, name=name)


# `layer.dtype` is that of the weights.
Layer.dtype = FieldWithFacade("dtype", variable_dtype)
# In a model a layer has a name, also if it was given none.
Layer.name = FieldWithFacade("name", shown_name)  # type: ignore[assignment]


class Pair(Layer):
    """A layer made of two functions; see `Layer.from_functions`."""

    init_function: Callable[..., Any]
    apply_function: Callable[..., Any]

    @property
    def kind(self) -> str:
        """The name of the apply function."""
        return getattr(self.apply_function, "__name__", "Pair")

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Call the init function."""
        return self.init_function(key, *specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Call the apply function."""
        return self.apply_function(params, state, *inputs, key=key, training=training)


def _apply_constraint(
    layer: Layer, weight: str, constraint: Callable[[Array], Array], value: Array
) -> Array:
    owner = f"`{type(layer).__name__}`: `{weight}_constraint`"
    try:
        constrained = constraint(value)
    except Exception as error:
        error.add_note(f"In {owner}, {layer!r}.")
        raise
    if constrained.shape != value.shape:
        raise ValueError(
            f"{owner} must return the shape of its input, {value.shape}, it returned "
            f"{constrained.shape}."
        )
    return constrained.astype(value.dtype)
