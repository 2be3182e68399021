"""The layer: a pair of pure functions, and configuration.

    params, state = layer.init(key, *specs)
    outputs, state = layer.apply(params, state, *inputs, key=None, training=False)

A layer owns no array and changes nothing. `params` is what gradients flow to, `state` what changes
without them; both are nested dicts of arrays, `{}` where there is nothing. `specs` and `inputs`
have their batch axis. A layer that draws in training needs `key`, every other leaves it alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import jax

from fjax import constraints, regularizers
from fjax.configuration import Configured, field, fields_ending, plain, snake_case
from fjax.core.author import CONSTRAINT, UNCOPIED, Author, constraint_attributes
from fjax.core.calling import call_without_weights, is_authored
from fjax.core.functions import function_has_trait
from fjax.core.reserved import RESERVED
from fjax.errors import integer_at_least
from fjax.typing import Array, Key, Params, PyTree, Spec, State

# What Keras's layers have, and here the layers of a model.
OF_A_MODEL = ("get_weights", "set_weights", "weights", "count_params", "input", "output")


class Layer(Author, Configured):
    """Base class of layers: a pair of pure functions described by plain fields.

    Args:
        name: The key of this layer's weights in the container's `params` and `state`. By default
            the class's name in snake case, numbered within the container (`dense`, `dense_1`).
        input_shape: The shape of one input, without the batch axis; for a model's first layer only.
        trainable: False freezes the layer: training leaves its params alone, its weights are not
            regularized and not constrained, and `BatchNormalization` uses its moving averages in
            training, too. The one field that may be set later: a model takes it over at its next
            `compile`.

    A subclass lists its fields and defines `apply`, and `init` if it has weights:

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

    Or it defines `call`, as an author of Keras classes does, with `build` and `add_weight` if it
    has weights; see `fjax.authoring`:

    >>> class Shift(Layer):
    ...     def build(self, input_shape):
    ...         self.bias = self.add_weight((input_shape[-1],), "ones", name="bias")
    ...
    ...     def call(self, inputs):
    ...         return inputs + self.bias
    >>> params, state = Shift().init(jax.random.key(0), inputs)
    >>> Shift().apply(params, state, inputs)[0].sum().item()
    12.0

    Fields named `<weight>_regularizer` and `<weight>_constraint` are resolved here; `constrain`
    applies the constraints, and `fjax.core.with_penalty` the regularizers, in `apply`.
    """

    name: str | None = field(default=None, kw_only=True)
    input_shape: tuple[int | None, ...] | int | None = field(default=None, kw_only=True)
    trainable: bool = field(default=True, kw_only=True)

    # What may be given by name when the layer is called, beside `training` and `mask`.
    call_options: ClassVar[tuple[str, ...]] = ()

    _renamed: ClassVar[Mapping[str, str]] = {"input_dim": "input_shape"}
    _settable: ClassVar[frozenset[str]] = frozenset({"trainable"})
    _weights_of_fields: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        owner = type(self).__name__
        if self.name is not None and (not isinstance(self.name, str) or not self.name):
            raise ValueError(f"`{owner}`: `name` must be a non-empty str, received {self.name!r}.")
        if self.name is not None and "/" in self.name:
            raise ValueError(f"`{owner}`: `name` must not contain '/', received {self.name!r}.")
        if self.name in RESERVED:
            raise ValueError(
                f"`{owner}`: `name` {self.name!r} is reserved for what is no weight in a layer's "
                "state. Give the layer another name."
            )
        if self.input_shape is not None:
            self.input_shape = normalize_shape(owner, "input_shape", self.input_shape)
        for family, resolve in (("regularizer", regularizers.get), ("constraint", constraints.get)):
            for weight, identifier in fields_ending(self, f"_{family}").items():
                setattr(self, f"{weight}_{family}", resolve(identifier))

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "trainable" and not isinstance(value, bool):
            raise TypeError(
                f"`{type(self).__name__}`: `trainable` must be True or False, received {value!r}."
            )
        super().__setattr__(name, value)

    @property
    def kind(self) -> str:
        """What a summary calls the layer: its class's name; in snake case it is its first name."""
        return type(self).__name__

    @property
    def masking(self) -> str:
        """What the layer does with the mask of its inputs; see `fjax.core.masking`."""
        return "takes" if is_authored(self) else "ends"

    @property
    def rows_independent(self) -> bool:
        """Whether what is made of a row does not depend on the others; see `fjax.traits`."""
        return False

    @property
    def entrywise(self) -> bool:
        """Whether what is made of an entry of the last axis does not depend on the others."""
        return False

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the layer's first params and state for inputs of these shapes and dtypes.

        Args:
            key: A PRNG key; the same key gives the same weights.
            specs: One per input, batch axis included: an array, or a `jax.ShapeDtypeStruct`.
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
            params: As `init` gave them, or trained since.
            state: As `init` or the last call gave it.
            inputs: The layer's inputs, batch axis first.
            key: A PRNG key for layers that draw in training.
            training: Whether this is a training step.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` defines neither `call(self, inputs)` nor `apply(self, "
            "params, state, *inputs, key=None, training=False)`: a layer needs one of them."
        )

    def __call__(self, *inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Call the layer on symbolic tensors, which records a node of a graph.

        A layer without weights may be called on arrays, too; any other has none that it could use.

        Args:
            inputs: Symbolic tensors, one by one or in a list; see `fjax.Input`.
            training: Fixes the mode of this call, whatever the model's is; None follows the model.
            options: Further arguments of an authored `call`.

        >>> from fjax.layers import Dense, Flatten, Input
        >>> outputs = Dense(10)(Flatten()(Input((28, 28))))
        >>> outputs.shape
        (None, 10)
        """
        for leaf in jax.tree.leaves((inputs, options)):
            if hasattr(leaf, "__call_layer__"):
                return leaf.__call_layer__(self, inputs, training, options)
        return call_without_weights(self, inputs, bool(training), options)

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers within, by the names of their weights in `params` and `state`."""
        return []

    def inside(self) -> list[Any]:
        """Return the layers within, also those whose weights have no name of their own."""
        return [child for _, child in self.children()]

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same layer with others in the places, and under the names, of those inside.

        Raises:
            ValueError: There are more or fewer than `inside` returns.
        """
        if len(layers) != 0:
            raise ValueError(
                f"`{type(self).__name__}` has no layers inside, received {len(layers)} to put in "
                "their places."
            )
        return self

    def constrain(self, params: Params) -> Params:
        """Return the params as they may be after a step: each `<weight>_constraint` is applied.

        The layers within are asked in turn. The params of a frozen layer, and of one without
        constraints, come back as they are.

        Raises:
            ValueError: A constraint returned another shape.

        >>> import jax.numpy as jnp
        >>> from fjax.layers import Dense
        >>> layer = Dense(2, kernel_constraint="non_neg")
        >>> print(layer.constrain({"kernel": jnp.array([[1.0, -1.0]])})["kernel"])
        [[1. 0.]]
        """
        if not self.trainable:
            return params
        constrained = {
            weight: _constrained(self, field_name, constraint, params[weight])
            for field_name, constraint in self.weight_constraints().items()
            if (weight := self.weight_of(field_name)) in params
        }
        for name, child in self.children():
            if name in params and hasattr(child, "constrain"):
                constrained[name] = child.constrain(params[name])
        return {**params, **constrained} if constrained else params

    def weight_constraints(self) -> dict[str, Callable[[Array], Array]]:
        """Return the constraints `<weight>_constraint`, by what comes before the end."""
        # An author's `__init__` sets attributes that are not fields.
        attributes = constraint_attributes(self) if self._authored else {}
        return {**fields_ending(self, CONSTRAINT), **attributes}

    def check_inputs(self, *inputs: Any) -> None:
        """Raise where the values of a model's data can be no inputs; for layers to override.

        It is called on the host, before anything runs, for the layers that data reaches first.

        Args:
            inputs: The numpy arrays that `apply` will be given.
        """

    @classmethod
    def weight_of(cls, field_name: str) -> str:
        """Return the name in `params` of what `<field_name>_regularizer` and `…_constraint` mean.

        It is the same name but where Keras has two, as for `depthwise_regularizer` and `kernel`.
        """
        return cls._weights_of_fields.get(field_name, field_name)

    def require_ready(self) -> None:
        """Raise if a layer still waits for data it must have seen, as `Normalization` may."""
        for layer in self.inside():
            if isinstance(layer, Layer):
                layer.require_ready()

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data; of an authored class what `super().__init__` takes."""
        if self._authored:
            return {name: plain(getattr(self, name)) for name in ("name", "trainable")}
        return super().get_config()

    def __getattr__(self, name: str) -> Any:
        hint = ""
        if name in OF_A_MODEL:
            hint = (
                f" A layer owns no weights: ask the model that it stands in, as in "
                f"`model.get_layer({self.__dict__.get('name') or base_name(self)!r}).{name}`."
            )
        raise AttributeError(f"`{type(self).__name__}` has no attribute `{name}`.{hint}")

    def __getstate__(self) -> dict[str, Any]:
        # Where a model keeps the weights is the model's affair, and no part of a copy.
        return {name: value for name, value in vars(self).items() if name not in UNCOPIED}

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        yield self.init
        yield self.apply

    @staticmethod
    def from_functions(
        init: Callable[..., tuple[Params, State]],
        apply: Callable[..., tuple[PyTree, State]],
        name: str | None = None,
    ) -> "Layer":
        """Make a layer of any two functions that keep the protocol.

        >>> import jax, jax.numpy as jnp
        >>> def init(key, spec):
        ...     return {"bias": jnp.zeros(spec.shape[-1])}, {}
        >>> def apply(params, state, inputs, *, key=None, training=False):
        ...     return inputs + params["bias"], state
        >>> Layer.from_functions(init, apply, name="shift")
        Pair(init_function=init, apply_function=apply, name='shift')
        """
        return Pair(init, apply, name=name)


class Pair(Layer):
    """Two functions as a layer; see `Layer.from_functions`."""

    init_function: Callable[..., Any]
    apply_function: Callable[..., Any]

    @property
    def kind(self) -> str:
        """The name of the second function."""
        return getattr(self.apply_function, "__name__", "Pair")

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Call the first function."""
        return self.init_function(key, *specs)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Call the second function."""
        return self.apply_function(params, state, *inputs, key=key, training=training)


class Function(Layer):
    """A bare function of arrays as a layer without weights.

    >>> import jax
    >>> as_layer(jax.numpy.tanh)
    Function(function=tanh)
    """

    function: Callable[..., Any]

    @property
    def rows_independent(self) -> bool:
        """Whether the function is known to treat each row alone."""
        return function_has_trait(self.function, "rows_independent")

    @property
    def kind(self) -> str:
        """The function's name."""
        return getattr(self.function, "__name__", "Function")

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Call the function on the inputs."""
        return self.function(*inputs), state


def as_layer(candidate: Any) -> Any:
    """Return a layer for a layer, for a tuple `(init, apply)`, or for a bare function of arrays.

    A model stands for its network, and a layer of a model for that layer.

    Raises:
        TypeError: The candidate is none of these.
    """
    if isinstance(candidate, type):
        raise TypeError(
            f"Expected a layer, received the class `{candidate.__name__}`. "
            f"Call it: `{candidate.__name__}(…)`."
        )
    if hasattr(candidate, "layer_tree"):
        return candidate.layer_tree
    if callable(getattr(candidate, "init", None)) and callable(getattr(candidate, "apply", None)):
        return candidate
    if isinstance(candidate, tuple) and len(candidate) == 2 and all(map(callable, candidate)):
        return Pair(*candidate)
    if callable(candidate):
        return Function(candidate)
    raise TypeError(
        "Expected a layer, a pair of functions `(init, apply)` or a function of arrays, "
        f"received {candidate!r} of type `{type(candidate).__name__}`."
    )


def _constrained(
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
            f"{owner} must keep the shape {value.shape}, it returned {constrained.shape}."
        )
    return constrained.astype(value.dtype)


def base_name(layer: Any) -> str:
    """Return the name that a layer has before its container numbers it.

    >>> base_name(as_layer(jax.nn.relu))
    'relu'
    """
    return snake_case(kind(layer)).strip("<>")


def kind(layer: Any) -> str:
    """Return what a summary calls a layer, also one that is no `Layer`."""
    return layer.kind if isinstance(layer, Layer) else type(layer).__name__


def unique_names(layers: list[Any]) -> list[str]:
    """Return one name per layer: its own, or its class's, numbered where it would stand twice.

    Raises:
        ValueError: Two layers were given the same name.
    """
    given = [getattr(layer, "name", None) for layer in layers]
    taken: set[str] = set()
    for position, name in enumerate(given):
        if name in taken:
            raise ValueError(
                f"Two layers are named {name!r}: {layers[given.index(name)]!r} and "
                f"{layers[position]!r}. Give each layer of a model its own name."
            )
        if name is not None:
            taken.add(name)
    # A function may be called `penalty`; its place in the state may not.
    taken.update(RESERVED)
    names = []
    numbers: dict[str, int] = {}
    for layer, name in zip(layers, given, strict=True):
        if name is None:
            base = base_name(layer)
            name = base
            while name in taken:
                numbers[base] = numbers.get(base, 0) + 1
                name = f"{base}_{numbers[base]}"
            taken.add(name)
        names.append(name)
    return names


def only(owner: str, values: tuple[Any, ...]) -> Any:
    """Return the one input of a layer that takes one, or raise with the count that came.

    >>> only("Dense", (1, 2))
    Traceback (most recent call last):
        ...
    TypeError: `Dense` takes one input, received 2. Merge them first, or call it on each.
    """
    if len(values) != 1:
        raise TypeError(
            f"`{owner}` takes one input, received {len(values)}. "
            "Merge them first, or call it on each."
        )
    return values[0]


def normalize_shape(owner: str, argument: str, shape: Any) -> tuple[int | None, ...]:
    """Return a shape without batch axis as a tuple; an int is one axis, None an axis of any size.

    >>> normalize_shape("Dense", "input_shape", [28, 28])
    (28, 28)
    """
    axes = [shape] if not isinstance(shape, list | tuple) else shape
    return tuple(
        None if size is None else integer_at_least(owner, f"{argument}[{axis}]", size, 1)
        for axis, size in enumerate(axes)
    )
