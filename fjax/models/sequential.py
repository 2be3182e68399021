"""`Sequential`: a model that is a list of layers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from fjax.core import InputLayer, Serial, SymbolicTensor, as_layer, serial
from fjax.core.calling import call_inputs
from fjax.core.checks import single_input
from fjax.core.naming import given_name, unique_names
from fjax.core.text_inputs import is_text
from fjax.core.weight_slot import slot_of
from fjax.data.expectation import InputExpectation, one_array
from fjax.data.text_encoding import check_text, declared_specs
from fjax.dtype_policies import DEFAULT, describe_policy, policy_name, policy_scope
from fjax.errors import explain_keywords
from fjax.models.declarations import declared_inputs
from fjax.models.model import Model
from fjax.models.nested_models import makes_models_of
from fjax.storage import config_values, decode, encode
from fjax.training import Batch
from fjax.typing import PyTree

# The entries of a configuration that are arguments of the network, and of the model.
_OF_NETWORK = ("dtype", "remat")


class Sequential(Model):
    """A model whose layers follow one another.

    Args:
        layers: Layers, functions of arrays, or pairs `(init, apply)`. The first may be
            `Input(shape=…)` or have `input_shape=`; else the first data determines the shape.
        name: The model's name.
        seed: As in `Model`.
        remat: As in `Model`.

    Source: Keras's page "The Sequential class".

    >>> from fjax.layers import Dense, Flatten, Input
    >>> model = Sequential([Input((28, 28)), Flatten(), Dense(10, activation="softmax")])
    >>> model.output_shape, [layer.name for layer in model.layers]
    ((None, 10), ['flatten', 'dense'])
    """

    _given_name: str | None
    _declared: InputLayer | None
    _list: list[Any]

    @explain_keywords
    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        name: str | None = None,
        seed: int | None = None,
        remat: bool = False,
    ) -> None:
        super().__init__(serial(name=name), seed=seed, remat=remat)
        self._given_name, self._declared, self._list = name, None, []
        if layers is not None and not isinstance(layers, list | tuple):
            raise TypeError(
                f"`Sequential`: `layers` must be a list of layers, received {layers!r}. "
                "Write `Sequential([layer, …])`."
            )
        for layer in layers or []:
            self._append(layer)
        self._relink()

    def add(self, layer: Any) -> None:
        """Append a layer; the other layers keep their weights.

        Raises:
            TypeError: `layer` is not a layer.
            ValueError: The name is already used, or the inputs do not fit.
        """
        self._append(layer)
        try:
            self._relink()
        except Exception:
            self._list.pop()
            self._relink()
            raise

    def pop(self) -> Any:
        """Remove the last layer and return it; it keeps its weights."""
        if not self._list:
            raise ValueError(f"The model {self.name!r} has no layer to remove.")
        last = self._list.pop()
        self._relink()
        return last

    def build(self, input_shape: Any) -> None:
        """Set the input shape, batch axis included (None for a batch of any size)."""
        if not isinstance(input_shape, list | tuple) or not input_shape:
            raise ValueError(
                "`build`: `input_shape` needs a batch axis, as in (None, 8), "
                f"received {input_shape!r}."
            )
        self._declared = InputLayer(shape=tuple(input_shape)[1:])
        self._relink()

    def build_for(self, batch: Batch) -> None:
        """Build the model for a first batch, unless it is built already."""
        if not self._list:
            raise ValueError(f"The model {self.name!r} has no layers: `add` a layer first.")
        # Within a built model, whose weights are in the slots of this network, it stays as it is.
        is_layer = slot_of(self.layer_tree).shapes is not None
        if self._declared is None and _is_one_array(batch.inputs) and not is_layer:
            self._declare_like(batch)
        super().build_for(batch)

    def input_expectation(self) -> InputExpectation:
        """Return what the model expects of the inputs of a batch."""
        is_declared = self._declared is not None
        return self.model_parts.architecture.input_expectation(is_declared, not is_declared)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, for `from_config`."""
        layers = [encode(layer, f"the layer {layer!r}") for layer in _distinct(self._list)]
        config: dict[str, Any] = {
            "name": self._given_name,
            "input": encode(self._declared),
            "layers": layers,
        }
        if len(layers) < len(self._list):
            config["order"] = list(_order(self._list))
        if self.dtype_policy.name != DEFAULT:
            config["dtype"] = describe_policy(self.dtype_policy.name)
        if self.model_parts.architecture.layer_tree.remat:
            config["remat"] = True
        return config

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return a model with the architecture in `config`, with newly drawn weights.

        See `Model.from_config`.
        """
        if not cls.describes_layers():
            return cls(**config)
        order = config.get("order")
        of_network = {name: config[name] for name in _OF_NETWORK if name in config}
        config = {key: config[key] for key in config if key not in ("order", *_OF_NETWORK)}
        name, declared, layers = config_values(cls.__name__, config, ("name", "input", "layers"))
        *inputs, layers = decode(
            [layers] if declared is None else [[declared], layers], custom_objects
        )
        layers = layers if order is None else _in_order(cls.__name__, layers, order)
        policy = policy_name(cls.__name__, "dtype", of_network.pop("dtype", DEFAULT))
        with policy_scope(policy):
            return cls(
                [layer for part in (*inputs, layers) for layer in part], name=name, **of_network
            )

    @property
    def layers(self) -> list[Any]:
        """The layers themselves, the models among them included, as they are called."""
        layers = super().layers
        repeated = len(layers) < len(self._list)
        return [layers[position] for position in _order(self._list)] if repeated else layers

    def copy_with(self, change: Callable[[Sequence[Any]], Sequence[Any]]) -> Self:
        """Return a model with the same name and input, whose layers are `change(layers)`."""
        declared = [] if self._declared is None else [self._declared]
        remat = {"remat": True} if self.model_parts.architecture.layer_tree.remat else {}
        with policy_scope(self.dtype_policy.name):
            return type(self)([*declared, *change(self._list)], name=self._given_name, **remat)

    def _adopt_network(self, network: Serial) -> None:
        """Use the layers of a network that is a layer of another model, and the network itself."""
        layers = [layer for _, layer in network.calls()]
        is_declared = bool(layers) and isinstance(layers[0], InputLayer)
        self._declared = layers[0] if is_declared else None
        self._list = layers[1:] if is_declared else layers
        slot = slot_of(network)
        specs, shapes = slot.specs, None
        if self._declared is not None:
            specs, shapes = declared_specs(self.name, network, (self._declared,))
        self.model_parts.replace_layers(network, specs, shapes)

    def _call_on_symbols(
        self, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
    ) -> PyTree:
        """Return the symbolic tensors of a call, which builds the model if necessary."""
        if self._declared is None and self._list:
            tensor = single_input("Sequential", call_inputs(self.layer_tree, inputs, options))
            self.build(tensor.shape)
        return super()._call_on_symbols(inputs, training, options)

    def _append(self, layer: Any) -> None:
        declared = _declaration_of(layer)
        layer = _layer_of(layer)
        if isinstance(layer, InputLayer):
            if self._list or self._declared is not None:
                raise ValueError(
                    "`Input` declares the model's input: it must be the first entry of the list, "
                    "and the only `Input`."
                )
            self._declared = layer
            return
        if not self._list and self._declared is None:
            self._declared = declared
        if given_name(layer) is not None and not any(layer is other for other in self._list):
            unique_names([*_distinct(self._list), layer])
        self._list.append(layer)

    def _relink(self) -> None:
        """Rebuild the network from the list; the layers keep their weights."""
        declared = [] if self._declared is None else [self._declared]
        layers, order = _distinct(self._list), _order(self._list)
        order = (*range(len(declared)), *(len(declared) + position for position in order))
        network = Serial(
            (*declared, *layers), name=self._given_name, order=order,
            dtype=self.dtype_policy, remat=self.model_parts.architecture.layer_tree.remat,
        )  # fmt: skip
        if self._declared is not None and self._list:
            specs, sample_shapes = declared_specs(self.name, network, (self._declared,))
            self.model_parts.replace_layers(network, specs, sample_shapes)
        else:
            self.model_parts.replace_layers(network, None)

    def _declare_like(self, batch: Batch) -> None:
        """Declare an input with the shape and dtype of a first batch."""
        array = one_array(batch.inputs)
        check_text(self.name, self.layer_tree, batch.inputs)
        dtype = "string" if is_text(array) else None
        self._declared = InputLayer(shape=array.shape[1:], dtype=dtype, observed=True)
        try:
            self._relink()
        except Exception:
            self._declared = None
            raise


def _distinct(layers: Sequence[Any]) -> list[Any]:
    """Return the layers of a list, each once."""
    return list({id(layer): layer for layer in layers}.values())


def _order(layers: Sequence[Any]) -> tuple[int, ...]:
    """Return the position of each entry of a list among its distinct layers."""
    positions = {id(layer): position for position, layer in enumerate(_distinct(layers))}
    return tuple(positions[id(layer)] for layer in layers)


def _in_order(owner: str, layers: Sequence[Any], order: Any) -> list[Any]:
    """Return the layers of a configuration as they are called.

    Raises:
        ValueError: `order` is not a list of their positions.
    """
    positions = range(len(layers))
    known = isinstance(order, list | tuple) and all(
        isinstance(each, int) and each in positions for each in order
    )
    if not known or set(order) != set(positions):
        raise ValueError(
            f"`{owner}.from_config`: `order` must have the positions of the {len(layers)} layers, "
            f"received {order!r}."
        )
    return [layers[each] for each in order]


def _is_one_array(inputs: tuple[PyTree, ...]) -> bool:
    return len(inputs) == 1 and hasattr(inputs[0], "shape")


def _layer_of(item: Any) -> Any:
    """Return the layer of an entry of the list."""
    if isinstance(item, SymbolicTensor):
        if not isinstance(item.node.layer, InputLayer):
            raise TypeError(
                f"The entries of a `Sequential` are layers, received {item!r}: pass the layer, not "
                "its output, or create a graph by `fjax.Model(inputs, outputs)`."
            )
        return item.node.layer
    return as_layer(item)


def _declaration_of(item: Any) -> InputLayer | None:
    """Return the input that the first entry of the list declares, or None."""
    layer = _layer_of(item)
    shape = getattr(layer, "input_shape", None)
    if shape is not None:
        return InputLayer(shape)
    declared = declared_inputs(layer)
    if declared is not None and len(declared) == 1 and isinstance(declared[0], InputLayer):
        first = declared[0]
        return InputLayer(shape=first.shape, batch_size=first.batch_size, dtype=first.dtype)
    try:
        # The layer of another model has the input shape that it has there.
        tensor = layer.input
    except (AttributeError, ValueError):
        return None
    if not isinstance(tensor, SymbolicTensor):
        return None
    return InputLayer(shape=tensor.shape[1:], dtype=tensor.dtype)


def _sequential_around(network: Serial, seed: int) -> Sequential:
    """Return a model of the layers of a network, which shares its weights."""
    model = Sequential(name=network.given_name, seed=seed)
    model._adopt_network(network)
    return model


makes_models_of(Serial, _sequential_around)
