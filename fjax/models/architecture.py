"""The layers of a model, the inputs that they were built for, and all shapes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from fjax.core import as_layer, output_specs
from fjax.core.freezing import apply_trainable_flags, trainable_flags
from fjax.core.graph_builder import Symbols
from fjax.core.key_use import draws_random_numbers
from fjax.core.layer_walk import NetworkRecord, trace_layers
from fjax.core.masking import strip_masks
from fjax.core.naming import default_name, given_name
from fjax.core.penalties import has_penalty
from fjax.core.placeholders import (
    PLACEHOLDER_SIZES,
    at_placeholder_sizes,
    merge_shapes,
    placeholder_spec,
)
from fjax.core.reserved import has_carry, only_weights
from fjax.core.shapes import LayerShapes, eval_shapes
from fjax.core.weight_slot import WeightSlot, connect_slots
from fjax.data.expectation import InputExpectation
from fjax.data.structure import declared_names, names_of
from fjax.models.declarations import declared_inputs
from fjax.models.symbolic import model_symbols
from fjax.typing import PyTree, RequiresReady

# The shape of one sample, None for an axis of any size.
SampleShape = tuple[int | None, ...]


class Built(NamedTuple):
    """The inputs that a network was built for, and the resulting shapes.

    Attributes:
        specs: The inputs, for a batch of size 1 unless another size is declared.
        sample_shapes: The shape of one sample of each leaf of `specs`.
        layer_shapes: The shapes of weights and outputs.
    """

    specs: tuple[PyTree, ...]
    sample_shapes: list[SampleShape]
    layer_shapes: LayerShapes


class Architecture:
    """The layers of a model, their shapes and names; it has no arrays.

    Args:
        layers: A layer, or anything that `serial` accepts as one.
        name: The model's name; by default, the name of the layers.
        symbols: The symbolic tensors that the layers were called on, if they were.

    Attributes:
        layer_tree: The layers themselves, whose `trainable` may be set at any time.
        name: The model's name.
        is_named: Whether the user gave the name.

    >>> from fjax.layers import Dense
    >>> architecture = Architecture(Dense(3))
    >>> architecture.build((jax.ShapeDtypeStruct((1, 8), "float32"),))
    >>> architecture.output_shape(), architecture.count_params()
    ((None, 3), 27)
    """

    def __init__(
        self, layers: Any, name: str | None = None, symbols: Symbols | None = None
    ) -> None:
        self.layer_tree = as_layer(layers)
        given = name or given_name(self.layer_tree)
        self.is_named = given is not None
        self.name = given or default_name(self.layer_tree)
        self._symbols = symbols
        self._built: Built | None = None
        self._slot: WeightSlot | None = None
        self._output_specs: dict[Any, PyTree] = {}
        self._input_expectations: dict[tuple[bool, bool], InputExpectation] = {}
        self._draws: bool | None = None
        # The pure pair, with the `trainable` flags that the layers had when it was created.
        self._network: Any = None
        self._flags: tuple[bool, ...] = ()
        self._flags_are_fixed = False

    @property
    def is_built(self) -> bool:
        """Whether the inputs are known."""
        return self._built is not None

    @property
    def built(self) -> Built:
        """The inputs and shapes.

        Raises:
            ValueError: The inputs are not known yet.
        """
        if self._built is None:
            raise ValueError(
                f"The model {self.name!r} does not know its input shape yet: give "
                "`Input(shape=…)` or `input_shape=` to its first layer, call "
                "`build((None, …))`, or fit it first."
            )
        return self._built

    @property
    def slot(self) -> WeightSlot:
        """The slot of the whole network, connected to those of the layers."""
        if self._slot is None:
            shapes = self.built.layer_shapes
            self._slot = connect_slots(self.name, self.layer_tree, shapes.params, shapes.state)
        return self._slot

    def renew_slots(self) -> None:
        """Use the current slots of the layers, from the next access on."""
        self._slot = None

    @property
    def network(self) -> Any:
        """The pure pair. Its layers have the `trainable` flags of the last `fix_flags`."""
        is_current = self._flags_are_fixed or trainable_flags(self.layer_tree) == self._flags
        if self._network is None or not is_current:
            self._make_network()
        return self._network

    def fix_flags(self) -> None:
        """Fix the layers' current `trainable` flags in the network, until the next call."""
        self._make_network()
        self._flags_are_fixed = True

    def build(
        self, specs: tuple[PyTree, ...], sample_shapes: list[SampleShape] | None = None
    ) -> None:
        """Set the inputs, and derive all shapes.

        Args:
            specs: The inputs, for a batch of size 1 unless another size is declared.
            sample_shapes: The shape of one sample of each leaf of `specs`, None for an axis of any
                size; by default, the sizes of `specs`.

        Raises:
            ValueError: The inputs do not fit a layer, or the weights that a layer has in another
                model do not fit.
        """
        shapes = sample_shapes or [leaf.shape[1:] for leaf in jax.tree.leaves(specs)]
        flags_are_current = trainable_flags(self.layer_tree) == self._flags

        def evaluate(which: int) -> LayerShapes:
            return eval_shapes(self.layer_tree, *(_specs_at(specs, shapes, 1) if which else specs))

        layer_shapes = at_placeholder_sizes(evaluate)
        if any(None in shape for shape in shapes) and self._is_ready():
            _check_weights(self.name, layer_shapes, at_placeholder_sizes(evaluate, 1))
        self._check_carry(specs, layer_shapes)
        # Created here, so that weights that do not fit are an error before training.
        self._slot = connect_slots(
            self.name, self.layer_tree, layer_shapes.params, layer_shapes.state
        )
        layer_shapes = layer_shapes._replace(outputs=strip_masks(layer_shapes.outputs))
        self._draws = None
        self._built = Built(specs, shapes, layer_shapes)
        self._output_specs = {_key_of(specs): layer_shapes.outputs}
        if self._network is not None and flags_are_current:
            # An authored model has learned which layers it has.
            self._make_network()
        self._input_expectations = {}

    def replace_layers(
        self,
        layers: Any,
        specs: tuple[PyTree, ...] | None,
        sample_shapes: list[SampleShape] | None = None,
    ) -> None:
        """Replace the layers, and build them for these inputs if they are known."""
        self.layer_tree = layers
        self._built, self._slot = None, None
        self._symbols, self._output_specs, self._input_expectations = None, {}, {}
        self._network = None
        if specs is not None:
            self.build(specs, sample_shapes)

    def _check_carry(self, specs: tuple[PyTree, ...], shapes: LayerShapes) -> None:
        """Raise ValueError if a stateful layer would carry the states of a batch of any size."""
        batch, _ = PLACEHOLDER_SIZES[0]
        has_size = any(spec.shape[0] != batch for spec in jax.tree.leaves(specs))
        declared = jax.tree.leaves(declared_inputs(self.layer_tree))
        if has_size or any(layer.batch_size for layer in declared) or not has_carry(shapes.state):
            return
        raise ValueError(
            f"The model {self.name!r} has a layer with `stateful=True`, which carries the states "
            "of each row from batch to batch, but no fixed batch size: declare it, as by "
            "`Input(batch_shape=(32, 10, 8))` or `Input((10, 8), batch_size=32)`."
        )

    def _is_ready(self) -> bool:
        """Return whether no layer must be adapted first, which determines its outputs."""
        try:
            self.require_ready()
        except ValueError:
            return False
        return True

    def require_ready(self) -> None:
        """Raise if a layer must be adapted to data before its weights can be created."""
        if isinstance(self.layer_tree, RequiresReady):
            self.layer_tree.require_ready()

    @property
    def symbols(self) -> Symbols:
        """The symbolic tensors of the layers' calls, from which new models can be created."""
        if self._symbols is None:
            self._symbols = model_symbols(self.name, self.layer_tree)
        return self._symbols

    def draws_random_numbers(self) -> bool:
        """Return whether the model draws random numbers in training."""
        if self._draws is None:
            built = self.built
            self._draws = draws_random_numbers(self.layer_tree, built.layer_shapes, *built.specs)
        return self._draws

    def has_penalty(self) -> bool:
        """Return whether a layer adds to the loss."""
        return has_penalty(self.built.layer_shapes.state)

    def output_specs(self, inputs: tuple[PyTree, ...]) -> PyTree:
        """Return the shapes and dtypes of the outputs for inputs of these shapes.

        The batch has the size that the model was built for: 1, unless another size is declared.
        """
        size = jax.tree.leaves(self.built.specs)[0].shape[0]
        specs = _with_batch_size(inputs, size)
        key = _key_of(specs)
        if key not in self._output_specs:
            shapes = self.built.layer_shapes
            outputs = output_specs(self.layer_tree, shapes.params, shapes.state, *specs)
            self._output_specs[key] = strip_masks(outputs)
        return self._output_specs[key]

    def output_shape(self) -> Any:
        """Return the shape of the outputs in their structure, None for axes of any size."""
        small, large = (
            self.output_specs(self._specs_at(which)) for which in range(len(PLACEHOLDER_SIZES))
        )
        batch = self._declared_batch_size()
        return jax.tree.map(lambda a, b: (batch, *merge_shapes(a.shape, b.shape)[1:]), small, large)

    def input_shape(self) -> Any:
        """Return the shape of the input, or a list or dict of shapes; None for axes of any size."""
        specs, shapes = self.built.specs, self.built.sample_shapes
        shown = iter(self._declared_shapes() or shapes)
        structure = specs[0] if len(specs) == 1 else list(specs)
        batch = self._declared_batch_size()
        return jax.tree.map(lambda _: (batch, *next(shown)), structure)

    def input_names(self) -> list[str]:
        """Return the names of the inputs: the network's, a dict's keys, or `input_0`, …."""
        return names_of(self.layer_tree, "input", self.built.specs)

    def output_tree(self) -> PyTree:
        """Return the shapes of the outputs in their structure, for the inputs of `built`."""
        return strip_masks(self.built.layer_shapes.outputs)

    def output_names(self) -> list[str]:
        """Return the names of the outputs: the network's, a dict's keys, or `output_0`, …."""
        return names_of(self.layer_tree, "output", self.built.layer_shapes.outputs)

    def output_log_names(self) -> list[str]:
        """Return the names of the outputs in logs, which are equal for outputs of one layer."""
        return getattr(self.layer_tree, "output_log_names", None) or self.output_names()

    def has_output_names(self) -> bool:
        """Return whether the network or a dict names the outputs, as the logs then do."""
        return bool(declared_names(self.layer_tree, "output", self.built.layer_shapes.outputs))

    def input_expectation(
        self, takes_one_array: bool, has_observed_sizes: bool = False
    ) -> InputExpectation:
        """Return what the model expects of the inputs of a batch.

        Args:
            takes_one_array: Whether the model is a `Sequential`.
            has_observed_sizes: Whether the sizes are those of a first batch.
        """
        built, key = self.built, (takes_one_array, has_observed_sizes)
        if key not in self._input_expectations:
            self._input_expectations[key] = InputExpectation(
                self.name, self.layer_tree, built.specs, built.sample_shapes, self.input_names(),
                takes_one_array, self._declared_shapes(), has_observed_sizes,
            )  # fmt: skip
        return self._input_expectations[key]

    def _declared_shapes(self) -> list[SampleShape] | None:
        """Return the shapes of samples as the inputs declare them; those of text before encoding.

        They are None if the inputs are not declared.
        """
        declared = jax.tree.leaves(declared_inputs(self.layer_tree))
        return [layer.shape for layer in declared] or None

    def _declared_batch_size(self) -> int | None:
        declared = jax.tree.leaves(declared_inputs(self.layer_tree))
        return next((layer.batch_size for layer in declared if layer.batch_size), None)

    def count_params(self) -> int:
        """Return the number of values in all weights."""
        shapes = self.built.layer_shapes
        leaves = jax.tree.leaves((shapes.params, only_weights(shapes.state)))
        return sum(int(np.prod(leaf.shape)) for leaf in leaves)

    def trace_layers(self, nested: bool = False) -> NetworkRecord:
        """Return the layers with their shapes and connections.

        Args:
            nested: Whether to record the layers inside layers, too.
        """
        shapes = self.built.layer_shapes
        inputs = [self._specs_at(which) for which in range(len(PLACEHOLDER_SIZES))]
        return trace_layers(self.layer_tree, shapes.params, shapes.state, inputs, nested)

    def __getstate__(self) -> dict[str, Any]:
        # A copy has its own weights, and computes the cached attributes again.
        return {**vars(self), "_slot": None, "_symbols": None, "_output_specs": {}}

    def _make_network(self) -> None:
        self._flags = trainable_flags(self.layer_tree)
        self._network = apply_trainable_flags(self.layer_tree)

    def _specs_at(self, which: int) -> tuple[PyTree, ...]:
        """Return the inputs' specs at one of the `PLACEHOLDER_SIZES`."""
        return _specs_at(self.built.specs, self.built.sample_shapes, which)


def _specs_at(
    specs: tuple[PyTree, ...], sample_shapes: list[SampleShape], which: int
) -> tuple[PyTree, ...]:
    """Return specs at one of the `PLACEHOLDER_SIZES`."""
    shapes = iter(sample_shapes)

    def spec_at(spec: Any) -> Any:
        # A size other than the placeholder's was declared.
        declared = None if spec.shape[0] == PLACEHOLDER_SIZES[0][0] else spec.shape[0]
        return placeholder_spec(next(shapes), spec.dtype, which, declared)

    return jax.tree.map(spec_at, specs)


def _check_weights(name: str, smaller: LayerShapes, larger: LayerShapes) -> None:
    """Raise ValueError if a weight has the size of an axis of any size."""
    trees = ((shapes.params, only_weights(shapes.state)) for shapes in (smaller, larger))
    first, second = (jax.tree_util.tree_leaves_with_path(tree) for tree in trees)
    for (path, one), (_, other) in zip(first, second, strict=True):
        if one.shape != other.shape:
            weight = "/".join(str(entry.key) for entry in path[1:])
            shape = merge_shapes(one.shape, other.shape)
            raise ValueError(
                f"The model {name!r}: the weight {weight!r} would have the shape {shape}, because "
                "an input declares an axis as None, of any size. Declare the size of this axis."
            )


def _with_batch_size(inputs: Sequence[PyTree], size: int) -> tuple[PyTree, ...]:
    return tuple(
        jax.tree.map(lambda a: jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype), inputs)
    )


def _key_of(specs: tuple[PyTree, ...]) -> Any:
    leaves, structure = jax.tree.flatten(specs)
    return (structure, *((leaf.shape, leaf.dtype) for leaf in leaves))
