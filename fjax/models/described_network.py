"""The properties of a model: layers, names, shapes, symbolic tensors."""

from typing import Any

import jax

from fjax.core import SymbolicTensor
from fjax.core.author import ReplaceableAttribute
from fjax.core.calling import call_inputs
from fjax.core.checks import is_shape, whole_shape
from fjax.core.freezing import set_trainable, trainable_flags
from fjax.core.graph_builder import Symbols
from fjax.core.layer_walk import NetworkRecord
from fjax.core.placeholders import placeholder_spec
from fjax.core.policies import policy_of
from fjax.core.shapes import LayerShapes
from fjax.data.structure import match_structure
from fjax.data.text_encoding import first_specs
from fjax.dtype_policies import DTypePolicy
from fjax.models.layer_links import is_linked, link_layers, linked_name
from fjax.models.model_parts import ModelParts
from fjax.models.nested_models import note_model
from fjax.models.symbolic import arrange_inputs
from fjax.typing import PyTree


class DescribedNetwork:
    """The properties of a model that are derived from its layers and inputs.

    Args:
        model_parts: The layers, the weights, and the compile arguments.
    """

    model_parts: ModelParts

    def __init__(self, model_parts: ModelParts) -> None:
        self.model_parts = model_parts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}: {self.layer_tree!r}>"

    def _repr_html_(self) -> str:
        """Return the drawing and the table that a notebook shows as the value of a cell."""
        # Imported here: drawings are made of models.
        from fjax.models.notebook import model_html

        return model_html(self)

    @property
    def name(self) -> str:
        """The name of the model; of an unnamed one within another model its name there."""
        architecture = self.model_parts.architecture
        inner = None if architecture.is_named else linked_name(architecture.layer_tree)
        return inner or architecture.name

    @name.setter
    def name(self, value: str) -> None:
        architecture = self.model_parts.architecture
        architecture.name, architecture.is_named = value, True

    @property
    def layer_tree(self) -> Any:
        """The layers, whose `trainable` may be set."""
        layer_tree = self.model_parts.architecture.layer_tree
        # A model of these layers lists this model, not its network.
        note_model(layer_tree, self)
        if self.built and not is_linked(layer_tree):
            # The layers of a copy do not know their model yet.
            link_layers(self.model_parts)
        return layer_tree

    @ReplaceableAttribute
    def network(self) -> Any:
        """The pure pair: `init, apply = model.network`.

        Its layers have the `trainable` flags of the last `compile`. A subclass may have an
        attribute of this name, which Keras leaves free.
        """
        return self.model_parts.architecture.network

    @property
    def dtype_policy(self) -> DTypePolicy:
        """The dtype policy of the model itself; its layers have policies of their own."""
        return policy_of(self.model_parts.architecture.layer_tree)

    @property
    def dtype(self) -> str:
        """The dtype of the weights that the model itself makes."""
        return self.dtype_policy.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the weights that the model itself makes."""
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype in which an author's `call` computes."""
        return self.dtype_policy.compute_dtype

    @property
    def layer_shapes(self) -> LayerShapes:
        """The shapes of weights and outputs.

        Raises:
            ValueError: The input shape is not known yet.
        """
        return self.model_parts.architecture.built.layer_shapes

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it sets it for every layer.

        It takes effect at the next `compile`, of this model and of those that contain it.
        """
        return all(trainable_flags(self.layer_tree))

    @trainable.setter
    def trainable(self, value: bool) -> None:
        set_trainable(self.layer_tree, value)

    @property
    def built(self) -> bool:
        """Whether the input shape is known."""
        return self.model_parts.architecture.is_built

    def build(self, input_shape: Any) -> None:
        """Set the input shape, batch axis included (None for a batch of any size).

        For several inputs, pass a list of shapes; for named inputs, a dict.
        """
        several = isinstance(input_shape, list | tuple) and any(
            isinstance(shape, list | tuple) for shape in input_shape
        )
        whole = tuple(input_shape) if several else (input_shape,)
        whole = jax.tree.map(_without_batch, whole, is_leaf=is_shape)
        shapes = jax.tree.leaves(whole, is_leaf=is_shape)
        specs = jax.tree.map(
            lambda shape: placeholder_spec(shape, "float32", 0), whole, is_leaf=is_shape
        )
        self.model_parts.build(specs, shapes)

    def _build_for_inputs(self, inputs: tuple[PyTree, ...]) -> None:
        """Build the network for inputs like these."""
        architecture = self.model_parts.architecture
        names = getattr(architecture.layer_tree, "input_names", None)
        if names and len(inputs) == 1 and isinstance(inputs[0], dict):
            by_name = match_structure("x", "input", inputs[0], (0,) * len(names), names)
            inputs = tuple(by_name)
        self.model_parts.build(*first_specs(architecture.name, architecture.layer_tree, inputs))

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that the model begins with."""
        return jax.tree.leaves(self.symbols.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that the model ends with."""
        return jax.tree.leaves(self.symbols.outputs)

    @property
    def input(self) -> PyTree:
        """The symbolic tensor that the model begins with; for several, their structure."""
        return self.symbols.inputs

    @property
    def output(self) -> PyTree:
        """The symbolic tensor that the model ends with; for several, their structure."""
        return self.symbols.outputs

    @property
    def symbols(self) -> Symbols:
        """The model's symbolic tensors, from which new models can be created."""
        return self.model_parts.architecture.symbols

    @property
    def output_shape(self) -> Any:
        """The shape of the outputs in their structure, None for axes of any size."""
        self._check_has_shapes("output_shape")
        return self.model_parts.architecture.output_shape()

    @property
    def input_shape(self) -> Any:
        """The shape of the input, or a list or dict of shapes; None for the batch axis."""
        self._check_has_shapes("input_shape")
        return self.model_parts.architecture.input_shape()

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs: the network's, the keys of a dict, or `input_0`, …."""
        return self.model_parts.architecture.input_names()

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: the network's, the keys of a dict, or `output_0`, …."""
        return self.model_parts.architecture.output_names()

    def count_params(self) -> int:
        """Return the number of values in all weights."""
        return self.model_parts.architecture.count_params()

    def layer_calls(self, nested: bool = False) -> NetworkRecord:
        """Return the layers with their shapes and connections, as drawings show them.

        Args:
            nested: Whether to record the layers inside layers, too.

        Raises:
            ValueError: The input shape is not known yet.
        """
        return self.model_parts.architecture.trace_layers(nested)

    def _check_has_shapes(self, attribute: str) -> None:
        """Raise AttributeError, as in Keras, if the input shape is not known."""
        if not self.built:
            raise AttributeError(
                f"The model {self.name!r} does not know its input shape yet, so it has no "
                f"`{attribute}`: give `Input(shape=…)` to its first layer, or call "
                "`build((None, …))`, or fit it first."
            )

    def _call_on_symbols(
        self, inputs: tuple[Any, ...], training: bool | None, options: dict[str, Any]
    ) -> PyTree:
        """Return the symbolic tensors of a call, which builds the network if necessary."""
        architecture = self.model_parts.architecture
        if self.built:
            inputs = arrange_inputs(architecture.layer_tree, inputs)
        elif not options:
            values = call_inputs(architecture.layer_tree, inputs, options)
            shapes = [leaf.shape[1:] for leaf in jax.tree.leaves(values)]
            specs = jax.tree.map(lambda tensor: tensor.spec(0), values)
            self.model_parts.build(specs, shapes)
        return self.layer_tree(*inputs, training=training, **options)


def _without_batch(shape: Any) -> tuple[int | None, ...]:
    return whole_shape("build", shape)[1:]
