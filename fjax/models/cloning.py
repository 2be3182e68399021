"""Copies of models, with newly drawn weights."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import jax

from fjax.core import Graph, InputLayer, Layer, Serial, SymbolicTensor, as_layer
from fjax.core.graph_builder import replay, symbols_of
from fjax.core.operations import Index, Operation
from fjax.core.symbolic import input_tensor
from fjax.errors import explain_keywords
from fjax.models.model import Model
from fjax.models.sequential import Sequential
from fjax.models.subclassed import is_authored_model
from fjax.typing import PyTree


@explain_keywords
def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Any:
    """Return a model of copies of a model's layers, with newly drawn weights.

    The copy is compiled if the model is.

    Args:
        model: The model. An authored model (one with its own `call`) is created again from its
            `get_config`.
        input_tensors: The symbolic tensors that the copy begins with, in the structure of
            `model.input`; by default new ones.
        clone_function: Takes each layer of the model, and returns the layer to use in its place: a
            new one, or the same one, whose weights the two models then share. By default a copy.
        call_function: Called as `call_function(layer, *inputs)` in place of each call of a layer of
            a model made from symbolic tensors; returns the tensors that replace its outputs.
        recursive: Whether `clone_function` takes the layers within inner models; else it takes an
            inner model as one layer.

    Raises:
        TypeError: `model` is not a model; or an argument does not apply to this kind of model; or
            `clone_function` does not return a layer.
        ValueError: `input_tensors` do not have the structure of the model's inputs.

    Source: Keras's page "clone_model function".

    >>> from fjax.layers import Dense, Input
    >>> model = Sequential([Input((3,)), Dense(2)])
    >>> clone = clone_model(model)
    >>> clone.output_shape, bool((clone.get_weights()[0] == model.get_weights()[0]).any())
    ((None, 2), False)
    """
    if not isinstance(model, Model):
        raise TypeError(f"`clone_model` takes a model, received {model!r}.")
    _check_arguments(model, input_tensors, clone_function, call_function)
    cloner = _Cloner(clone_function, call_function, recursive)
    is_plain = input_tensors is None and clone_function is None and call_function is None
    if is_authored_model(model):
        clone = _created_again(model)
    elif isinstance(model, Sequential):
        clone = _clone_sequential(model, cloner, input_tensors)
    elif isinstance(model.layer_tree, Graph) and not is_plain:
        clone = _clone_graph(model, cloner, input_tensors)
    else:
        name = model.model_parts.architecture.name
        clone = type(model)(cloner.contents(model.layer_tree), name=name)
    if model.built and not clone.built:
        specs, sample_shapes, _ = model.model_parts.architecture.built
        clone.model_parts.build(specs, sample_shapes)
    if model.model_parts.config is not None:
        clone.model_parts.set_config(model.model_parts.config, model.model_parts.placement)
        clone.run_eagerly = model.run_eagerly
    return clone


def _created_again(model: Any) -> Any:
    """Return a model of an author's class, created from the configuration of another one.

    Raises:
        TypeError: The class keeps fjax's `from_config`, and the configuration lacks an argument.
    """
    cls, config = type(model), model.get_config()
    if cls.from_config.__module__.startswith("fjax."):
        try:
            inspect.signature(cls).bind(**config)
        except TypeError as error:
            raise TypeError(
                f"`clone_model`: `{cls.__name__}` is created again as `{cls.__name__}(**config)`, "
                f"and its `get_config` returned the entries {sorted(config)}: {error}. Override "
                "`get_config` to return the arguments of `__init__` by name, and `from_config` if "
                "they are layers."
            ) from None
    return cls.from_config(config)


class _Cloner:
    """Returns the copy of each layer; the same copy for the same layer."""

    def __init__(
        self,
        clone_function: Callable[[Any], Any] | None,
        call_function: Callable[..., Any] | None,
        recursive: bool,
    ) -> None:
        self.clone_function, self.call_function = clone_function, call_function
        self.recursive = recursive
        self._copies: dict[int, Any] = {}

    def __call__(self, layer: Any) -> Any:
        """Return the layer to use in place of a layer."""
        if not isinstance(layer, Layer) or isinstance(layer, InputLayer | Operation | Index):
            return layer
        if id(layer) not in self._copies:
            self._copies[id(layer)] = self._copy(layer)
        return self._copies[id(layer)]

    def contents(self, layer: Any) -> Any:
        """Return a container with the copies of its layers; a single layer is copied."""
        sublayers = layer.inside() if isinstance(layer, Layer) else []
        return layer.with_children([self(each) for each in sublayers]) if sublayers else self(layer)

    def graph(self, network: Graph, inputs: PyTree) -> Any:
        """Return the symbolic tensors of the calls of a graph, with the copies of its layers."""
        layers = []
        for layer, name in zip(network.layers, network.names, strict=True):
            clone = self(layer)
            if clone is not layer and getattr(clone, "name", "") is None:
                clone = copy.copy(clone)
                object.__setattr__(clone, "name", name)
                self._copies[id(layer)] = clone
            layers.append(clone)
        return replay(network, inputs, layers, self.call_function)

    def _copy(self, layer: Any) -> Any:
        is_model = isinstance(layer, Graph | Serial)
        if self.clone_function is None or (self.recursive and is_model):
            return self.contents(layer) if layer.inside() else copy.copy(layer)
        given = _as_model(layer) if is_model else layer
        clone = self.clone_function(given)
        return layer if clone is given else as_layer(clone)


def _as_model(layer: Any) -> Model:
    """Return an inner model as a model, with the same layers and weights."""
    symbols = symbols_of(layer)
    if isinstance(layer, Graph) and symbols is not None:
        return Model(symbols.inputs, symbols.outputs, name=layer.name)
    return Sequential([each for _, each in layer.calls()], name=layer.name)


def _check_arguments(
    model: Any, input_tensors: Any, clone_function: Any, call_function: Any
) -> None:
    """Raise TypeError if an argument does not apply to this kind of model."""
    owner = type(model).__name__
    given = {"input_tensors": input_tensors, "clone_function": clone_function}
    for name, value in given.items():
        if value is not None and is_authored_model(model):
            raise TypeError(
                f"`clone_model`: `{name}` cannot replace the layers of `{owner}`, because its "
                "`__init__` creates them."
            )
    if call_function is not None and not isinstance(model.layer_tree, Graph):
        raise TypeError(
            f"`clone_model`: `call_function` needs a model made as `Model(inputs, outputs)`, whose "
            f"layers are called, received a `{owner}`."
        )
    for tensor in jax.tree.leaves(input_tensors):
        if not isinstance(tensor, SymbolicTensor):
            raise TypeError(
                f"`clone_model`: `input_tensors` must be symbolic tensors, received {tensor!r}."
            )


def _clone_sequential(model: Any, cloner: _Cloner, input_tensors: Any) -> Any:
    def copies(layers: Any) -> list[Any]:
        return [cloner(layer) for layer in layers]

    if input_tensors is None:
        return model.copy_with(copies)
    tensors = jax.tree.leaves(input_tensors)
    if len(tensors) != 1:
        raise ValueError(
            f"`clone_model`: a `Sequential` has one input, received {len(tensors)} `input_tensors`."
        )
    (tensor,) = tensors
    declared = InputLayer(shape=tensor.shape[1:], dtype=tensor.dtype)
    return type(model)(
        [
            declared,
            *copies(
                [
                    layer
                    for _, layer in model.layer_tree.calls()
                    if not isinstance(layer, InputLayer)
                ]
            ),
        ],
        name=model.name,
    )


def _clone_graph(model: Any, cloner: _Cloner, input_tensors: Any) -> Any:
    network = model.layer_tree
    inputs = input_tensors
    if inputs is None:
        inputs = jax.tree.map(input_tensor, network.inputs)
    expected, received = (str(jax.tree.structure(tree)) for tree in (model.input, inputs))
    if expected != received:
        raise ValueError(
            f"`clone_model`: `input_tensors` must have the structure of `model.input`, {expected}, "
            f"received {received}."
        )
    symbols = cloner.graph(network, inputs)
    kind = type(model) if type(model).__init__ is Model.__init__ else Model
    return kind(symbols.inputs, symbols.outputs, name=model.name)
