"""The model that is a list of layers."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import jax
import numpy as np

from fjax.core import InputLayer, SymbolicTensor, as_layer, serial
from fjax.core.calling import call_inputs
from fjax.core.checks import only
from fjax.core.naming import unique_names
from fjax.core.text import is_text
from fjax.errors import explain_keywords
from fjax.models.construction import declared_inputs
from fjax.models.model import Model
from fjax.models.stored_network import entries
from fjax.models.text_inputs import check_text, declared_specs
from fjax.models.views import LayerView
from fjax.storage import decode, encode
from fjax.training import Batch
from fjax.typing import PyTree


class Sequential(Model):
    """A model whose layers follow one another.

    Args:
        layers: Layers, functions of arrays, or pairs `(init, apply)`. The first may be
            `Input(shape=…)` or have `input_shape=`; else the first data tells the shape.
        name: The model's name.
        seed: As in `Model`.

    Source: Keras's page "The Sequential class".

    >>> from fjax.layers import Dense, Flatten, Input
    >>> model = Sequential([Input((28, 28)), Flatten(), Dense(10, activation="softmax")])
    >>> model.output_shape, [layer.name for layer in model.layers]
    ((None, 10), ['flatten', 'dense'])
    """

    @explain_keywords
    def __init__(
        self,
        layers: Sequence[Any] | None = None,
        name: str | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(serial(name=name), seed=seed)
        self._given_name = name
        self._declared: InputLayer | None = None
        self._list: list[Any] = []
        if layers is not None and not isinstance(layers, list | tuple):
            raise TypeError(
                f"`Sequential`: `layers` must be a list of layers, received {layers!r}. "
                "Write `Sequential([layer, …])`."
            )
        for layer in layers or []:
            self._append(layer)
        self._relink()

    def add(self, layer: Any) -> None:
        """Append a layer; the layers that are there keep their weights.

        Raises:
            TypeError: It is no layer.
            ValueError: Its name is taken, or its inputs do not fit.
        """
        self._append(layer)
        try:
            self._relink()
        except Exception:
            self._list.pop()
            self._relink()
            raise

    def pop(self) -> Any:
        """Remove the last layer and return it, without its weights."""
        if not self._list:
            raise ValueError(f"The model {self.name!r} has no layer to remove.")
        last = self._list.pop()
        self._relink()
        return last

    def build(self, input_shape: Any) -> None:
        """Tell the model its input shape, batch axis included (None for a batch of any size)."""
        if not isinstance(input_shape, list | tuple) or not input_shape:
            raise ValueError(
                "`build`: `input_shape` needs a batch axis, as in (None, 8), "
                f"received {input_shape!r}."
            )
        self._declared = InputLayer(tuple(input_shape)[1:])
        self._relink()

    def _architecture(self) -> dict[str, Any]:
        return {
            "name": self._given_name,
            "input": encode(self._declared),
            "layers": [encode(layer, f"the layer {layer!r}") for layer in self._list],
        }

    @classmethod
    def _of_architecture(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None
    ) -> Self:
        name, declared, layers = entries(cls.__name__, config, ("name", "input", "layers"))
        given = decode([layers] if declared is None else [[declared], layers], custom_objects)
        return cls([layer for part in given for layer in part], name=name)

    def _append(self, layer: Any) -> None:
        declared = _declaration_of(layer)
        layer = _layer_of(layer)
        if any(layer is other for other in self._list):
            raise ValueError(
                f"The layer {layer!r} stands twice in {self.name!r}. Write a layer for each place, "
                "or share one in a graph: `fjax.Model(inputs, outputs)`."
            )
        if isinstance(layer, InputLayer):
            if self._list or self._declared is not None:
                raise ValueError(
                    "`Input` declares the model's input: it must come first, and once."
                )
            self._declared = layer
            return
        if not self._list and self._declared is None:
            self._declared = declared
        if getattr(layer, "name", None) is not None:
            unique_names([*self._list, layer])
        self._list.append(layer)

    def _relink(self) -> None:
        """Make the network of the list anew; the layers keep their weights."""
        declared = [] if self._declared is None else [self._declared]
        self.layer_tree = serial(*declared, *self._list, name=self._given_name)
        if self._declared is not None and self._list:
            self._restructure(*declared_specs(self.name, self.layer_tree, (self._declared,)))
        else:
            self._restructure(None)

    def _called_in_graph(
        self, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
    ) -> PyTree:
        if self._declared is None and self._list:
            tensor = only("Sequential", call_inputs(self.layer_tree, inputs, options))
            self.build(tensor.shape)
        return super()._called_in_graph(inputs, training, options)

    def _usable(self, batch: Batch) -> Batch:
        if self._declared is None:
            if not self._list:
                raise ValueError(f"The model {self.name!r} has no layers: `add` one first.")
            first = _one_array(batch)
            check_text(self.name, self.layer_tree, batch.inputs)
            dtype = "string" if is_text(first) else None
            self._declared = InputLayer(first.shape[1:], dtype=dtype)
            try:
                self._relink()
            except Exception:
                self._declared = None
                raise
        x = _one_array(batch)
        if x.ndim == 1 and self._declared.shape == (1,):
            # As in Keras: a column may come without its axis.
            batch = batch._replace(inputs=(x[:, None],))
        return super()._usable(batch)


def _layer_of(item: Any) -> Any:
    """Return the layer that an entry of the list stands for."""
    if isinstance(item, SymbolicTensor):
        if not isinstance(item.node.layer, InputLayer):
            raise TypeError(
                f"A `Sequential` holds layers, received {item!r}: give the layer, not what it "
                "returns, or make a graph by `fjax.Model(inputs, outputs)`."
            )
        return item.node.layer
    return as_layer(item)


def _declaration_of(item: Any) -> InputLayer | None:
    """Return the input that the first entry of the list declares, if it does."""
    if isinstance(item, LayerView):
        # The layer of another model begins with what it has there.
        return _input_like(item.input) if item.has_symbols else None
    layer = _layer_of(item)
    shape = getattr(layer, "input_shape", None)
    if shape is not None:
        return InputLayer(shape)
    declared = declared_inputs(layer)
    if declared is not None and len(declared) == 1 and isinstance(declared[0], InputLayer):
        return InputLayer(declared[0].shape, declared[0].batch_size, declared[0].dtype)
    return None


def _input_like(tensor: Any) -> InputLayer | None:
    if not isinstance(tensor, SymbolicTensor):
        return None
    return InputLayer(tensor.shape[1:], dtype=tensor.dtype)


def _one_array(batch: Batch) -> Any:
    if len(batch.inputs) == 1 and isinstance(batch.inputs[0], Mapping):
        names = ", ".join(map(repr, batch.inputs[0]))
        raise ValueError(
            f"A `Sequential` takes one array as `x`, received a dict with {names}. Give the arrays "
            'themselves: of batches as dicts `((batch["x"], batch["y"]) for batch in batches)`. To '
            "give inputs by name, make a `fjax.Model(inputs, outputs)` whose inputs have these "
            "names."
        )
    if len(batch.inputs) != 1 or not isinstance(batch.inputs[0], np.ndarray | jax.Array):
        raise ValueError(
            f"A `Sequential` takes one array as `x`, received {len(batch.inputs)} inputs of types "
            f"{[type(value).__name__ for value in batch.inputs]}."
        )
    return batch.inputs[0]
