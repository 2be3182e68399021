"""Layers composed of layers: in sequence, side by side, or branching."""

from collections.abc import Sequence
from typing import Any, Self

import jax

from fjax.configuration import field, replace
from fjax.core.adapters import as_layer
from fjax.core.calling import as_arguments, is_authored
from fjax.core.inputs import InputLayer, check_inputs
from fjax.core.keras_layout import KerasLayout
from fjax.core.layer import Layer
from fjax.core.location import layer_context
from fjax.core.naming import unique_names
from fjax.core.penalties import join_penalties
from fjax.core.precision import apply_layer, init_layer
from fjax.core.shapes import LayerShapes, eval_shapes, output_specs
from fjax.typing import Key, Params, PyTree, Spec, State


class Combinator(Layer):
    """Base class of layers composed of several layers, whose weights are stored by layer name.

    Args:
        layers: The layers.
        given_names: The layers' names; by default their own, numbered where two would be equal.
    """

    rows_independent = True

    layers: tuple[Any, ...]
    given_names: tuple[str, ...] | None = field(default=None, kw_only=True)

    masking = "takes"
    casting = "none"
    remat_inside = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layers = tuple(as_layer(layer) for layer in self.layers)
        default = tuple(unique_names(list(self.layers)))
        names = default if self.given_names is None else tuple(self.given_names)
        if len(names) != len(default) or len(set(names)) != len(names):
            raise ValueError(
                f"`{type(self).__name__}`: `given_names` must be one name for each of "
                f"{len(default)} layers, all different, received {names}."
            )
        # Default names are not stored, so that equal combinators compare equal.
        self.given_names = None if names == default else names

    @property
    def names(self) -> list[str]:
        """The layers' names, which are the keys of `params` and `state`."""
        return list(self.given_names or unique_names(list(self.layers)))

    def children(self) -> list[tuple[str, Any]]:
        """Return the layers, by name."""
        return list(zip(self.names, self.layers, strict=True))

    def with_children(self, layers: Sequence[Any]) -> Self:
        """Return the same combinator with other layers, under the present names.

        >>> import jax
        >>> from fjax.layers import Activation, Dense
        >>> network = serial(Dense(4), Activation("relu"))
        >>> network.with_children([Dense(4), jax.nn.tanh]).names
        ['dense', 'activation']
        """
        if len(layers) != len(self.layers):
            raise ValueError(
                f"`{type(self).__name__}` has {len(self.layers)} layers, received {len(layers)} "
                "to replace them."
            )
        return replace(self, layers=tuple(layers), given_names=tuple(self.names))


class Serial(Combinator):
    """Layers in sequence, each on the outputs of the one before; see `serial`.

    Args:
        layers: The layers.
        order: The position in `layers` of each layer that is called, where one is called again with
            the same weights; by default each layer is called once.
    """

    keras_layout = KerasLayout(class_name="Sequential", container="layers")

    order: tuple[int, ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        each_once = tuple(range(len(self.layers)))
        order = each_once if self.order is None else tuple(self.order)
        if tuple(dict.fromkeys(order)) != each_once:
            raise ValueError(
                f"`Serial`: `order` must have the positions of its {len(each_once)} layers, in the "
                f"order of their first calls, received {order}."
            )
        # The default is not stored, so that equal combinators compare equal.
        self.order = None if order == each_once else order

    def calls(self) -> list[tuple[str, Any]]:
        """Return the layers as they are called, by name; one may be there several times."""
        children = self.children()
        return children if self.order is None else [children[each] for each in self.order]

    @property
    def kind(self) -> str:
        """Keras's word for layers in sequence."""
        return "Sequential"

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of each layer, by name."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}
        values: tuple[PyTree, ...] = specs
        calls = self.calls()
        for position, (name, layer) in enumerate(calls):
            with layer_context(name, layer, values):
                if name not in params:
                    # Its position is folded into the key: a layer added at the end changes no draw.
                    layer_key = jax.random.fold_in(key, len(params))
                    params[name], state[name] = init_layer(layer, layer_key, *values)
                # `init` of an authored layer has checked its `call` already.
                if position + 1 < len(calls) or not is_authored(layer):
                    specs_after = output_specs(layer, params[name], state[name], *values)
                    values = as_arguments(specs_after)
        return params, state

    def eval_shapes(self, *specs: Spec) -> LayerShapes:
        """Return the shapes of weights and outputs, composed of the shapes of the layers."""
        params: dict[str, Any] = {}
        state: dict[str, Any] = {}
        outputs: PyTree = specs[0] if len(specs) == 1 else specs
        values: tuple[PyTree, ...] = specs
        for name, layer in self.calls():
            with layer_context(name, layer, values):
                if name in params:
                    outputs = output_specs(layer, params[name], state[name], *values)
                else:
                    params[name], state[name], outputs = eval_shapes(layer, *values)
            values = as_arguments(outputs)
        return LayerShapes(params, state, outputs)

    def check_inputs(self, *inputs: PyTree) -> None:
        """Check the data against the first layer that receives it unchanged.

        A declared input is skipped, and so is a text layer, whose encoded text the data is.
        """
        for name, layer in self.children():
            if not isinstance(layer, InputLayer) and not getattr(layer, "on_host", False):
                check_inputs(name, layer, inputs)
                return

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs of the last layer, and the next state of each layer, by name."""
        next_state: dict[str, Any] = {}
        outputs: PyTree = inputs[0] if len(inputs) == 1 else inputs
        values = inputs
        for position, (name, layer) in enumerate(self.calls()):
            with layer_context(name, layer, values):
                before = next_state[name] if name in next_state else state[name]
                outputs, after = apply_layer(
                    layer, params[name], before, *values,
                    key=fold_key(key, position), training=training, remat=self.remat,
                )  # fmt: skip
                next_state[name] = join_penalties(before, after) if name in next_state else after
            values = as_arguments(outputs)
        return outputs, next_state


class SideBySide(Combinator):
    """Base class of combinators of independent layers, whose outputs form a tuple."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.layers:
            raise ValueError(f"`{type(self).__name__}` needs at least one layer, received none.")

    def split_inputs(self, inputs: tuple[PyTree, ...]) -> list[tuple[PyTree, ...]]:
        """Return the arguments of each layer."""
        raise NotImplementedError(f"`{type(self).__name__}` defines no `split_inputs`.")

    def init(self, key: Key, *specs: Spec) -> tuple[Params, State]:
        """Return the params and state of each layer, by name."""
        params, state = {}, {}
        pairs = zip(self.children(), self.split_inputs(specs), strict=True)
        for position, ((name, layer), values) in enumerate(pairs):
            with layer_context(name, layer, values):
                layer_key = jax.random.fold_in(key, position)
                params[name], state[name] = init_layer(layer, layer_key, *values)
        return params, state

    def check_inputs(self, *inputs: PyTree) -> None:
        """Check the data against each layer that receives it."""
        for (name, layer), values in zip(self.children(), self.split_inputs(inputs), strict=True):
            check_inputs(name, layer, values)

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[tuple[PyTree, ...], State]:
        """Return a tuple of the layers' outputs, and the next state of each layer, by name."""
        outputs, next_state = [], {}
        pairs = zip(self.children(), self.split_inputs(inputs), strict=True)
        for position, ((name, layer), values) in enumerate(pairs):
            with layer_context(name, layer, values):
                output, next_state[name] = apply_layer(
                    layer, params[name], state[name], *values,
                    key=fold_key(key, position), training=training, remat=self.remat,
                )  # fmt: skip
            outputs.append(output)
        return tuple(outputs), next_state


class Parallel(SideBySide):
    """Layers side by side, each on its own input; see `parallel`."""

    def split_inputs(self, inputs: tuple[PyTree, ...]) -> list[tuple[PyTree, ...]]:
        """Return the arguments of each layer: the input of the same position."""
        if len(inputs) != len(self.layers):
            raise TypeError(
                f"`Parallel` of {len(self.layers)} layers takes one input for each, received "
                f"{len(inputs)}. To call each layer on all inputs, use `branch(…)`."
            )
        return [as_arguments(value) for value in inputs]


class Branch(SideBySide):
    """Layers side by side, all on the same inputs; see `branch`."""

    def split_inputs(self, inputs: tuple[PyTree, ...]) -> list[tuple[PyTree, ...]]:
        """Return the arguments of each layer: all inputs."""
        return [inputs] * len(self.layers)


def fold_key(key: Key | None, position: int) -> Key | None:
    """Return the key of the layer at a position; None stays None."""
    return None if key is None else jax.random.fold_in(key, position)


def serial(*layers: Any, name: str | None = None) -> Serial:
    """Compose layers in sequence; the result is a layer.

    The first layer takes the inputs. A tuple, as `branch` and `parallel` return it, is several
    arguments of the next layer; an array, a list or a dict is one argument.

    Args:
        layers: Layers, tuples `(init, apply)`, or functions of arrays such as `jax.nn.relu`.
        name: The name of the composed layer inside a larger container.

    Raises:
        ValueError: Two layers were given the same name.
        TypeError: An argument is not a layer.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Dense
    >>> init, apply = serial(Dense(4), jax.nn.relu, Dense(1))
    >>> inputs = jnp.ones((32, 8))
    >>> params, state = init(jax.random.key(0), inputs)
    >>> sorted(params), params["dense"]["kernel"].shape
    (['dense', 'dense_1', 'relu'], (8, 4))
    >>> outputs, state = apply(params, state, inputs)
    >>> outputs.shape
    (32, 1)
    """
    return Serial(layers, name=name)


def parallel(*layers: Any, name: str | None = None) -> Parallel:
    """Put layers side by side, the first on the first input, the second on the second, and so on.

    The composed layer takes one input for each layer, and returns a tuple of one output for each.
    An input that is a tuple is several arguments of its layer, as in `serial`.

    Args:
        layers: As in `serial`; at least one.
        name: The name of the composed layer inside a larger container.

    Raises:
        ValueError: Two layers were given the same name, or there are none.
        TypeError: An argument is not a layer, or there are more or fewer inputs than layers.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Concatenate, Dense, Flatten
    >>> network = serial(parallel(Flatten(), Dense(4)), Concatenate())
    >>> picture, features = jnp.ones((32, 2, 3)), jnp.ones((32, 8))
    >>> params, state = network.init(jax.random.key(0), picture, features)
    >>> outputs, state = network.apply(params, state, picture, features)
    >>> outputs.shape
    (32, 10)
    """
    return Parallel(layers, name=name)


def branch(*layers: Any, name: str | None = None) -> Branch:
    """Put layers side by side, all on the same inputs.

    The composed layer takes one or several inputs and returns a tuple of one output for each
    layer.

    Args:
        layers: As in `serial`; at least one.
        name: The name of the composed layer inside a larger container.

    Raises:
        ValueError: Two layers were given the same name, or there are none.
        TypeError: An argument is not a layer.

    >>> import jax, jax.numpy as jnp
    >>> from fjax.layers import Concatenate, Dense
    >>> wide, deep = Dense(2), serial(Dense(16, "relu"), Dense(3))
    >>> network = serial(branch(wide, deep), Concatenate())
    >>> inputs = jnp.ones((32, 8))
    >>> params, state = network.init(jax.random.key(0), inputs)
    >>> sorted(params["branch"])
    ['dense', 'sequential']
    >>> outputs, state = network.apply(params, state, inputs)
    >>> outputs.shape
    (32, 5)
    """
    return Branch(layers, name=name)


def checks_inputs(layer: Any) -> bool:
    """Return whether `check_inputs` may raise, by a layer that checks the values of its inputs.

    >>> from fjax.layers import Dense, Embedding
    >>> checks_inputs(Serial((Dense(2),))), checks_inputs(Serial((Embedding(9, 2),)))
    (False, True)
    """
    check = getattr(type(layer), "check_inputs", Layer.check_inputs)
    if check in (Serial.check_inputs, SideBySide.check_inputs):
        return any(map(checks_inputs, layer.layers))
    return check is not Layer.check_inputs
