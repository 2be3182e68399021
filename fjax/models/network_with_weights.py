"""The base of `Model` without training: weights, layers, files and the summary."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from fjax.core import InputLayer, Layer
from fjax.core.checks import normalize_shape
from fjax.core.graph_builder import Symbols
from fjax.core.layer_walk import list_layers
from fjax.core.shapes import LayerShapes
from fjax.core.slot_variables import read_weights, write_weights
from fjax.core.weight_slot import WeightSlot, find_slot
from fjax.data.text_encoding import declared_specs
from fjax.errors import explain_keywords, integer_at_least, suggestion
from fjax.models import file_content
from fjax.models.architecture import Architecture
from fjax.models.declarations import declared_inputs
from fjax.models.described_network import DescribedNetwork
from fjax.models.layer_links import link_layers
from fjax.models.model_parts import ModelParts
from fjax.models.nested_models import as_model
from fjax.models.step_methods import stateless
from fjax.models.step_methods.losses import collect_losses
from fjax.models.summary import Layout, print_summary, unbuilt_record
from fjax.models.weight_store import WeightStore
from fjax.storage import config_values, decode, encode
from fjax.storage.background import BackgroundTask
from fjax.training import TrainState
from fjax.variable import Variable


class NetworkWithWeights(DescribedNetwork):
    """A network and its train state, whose arrays are created at their first use.

    Args:
        network: A layer, or anything that `serial` accepts as one.
        input_shape: The shape of one sample, if it is known.
        name: The name of the model.
        seed: Determines the weights and all random numbers of the training.
        symbols: The symbolic tensors that the network was created from.

    >>> from fjax.layers import Dense
    >>> network = NetworkWithWeights(Dense(3), input_shape=(8,))
    >>> network.output_shape, network.count_params(), [w.shape for w in network.get_weights()]
    ((None, 3), 27, [(8, 3), (3,)])
    """

    def __init__(
        self,
        network: Any,
        *,
        input_shape: Any = None,
        name: str | None = None,
        seed: int | None = None,
        symbols: Symbols | None = None,
    ) -> None:
        architecture = Architecture(network, name, symbols)
        weights = WeightStore(architecture, type(self).__name__, seed)
        super().__init__(ModelParts(architecture, weights))
        declared = declared_inputs(architecture.layer_tree)
        if declared is not None:
            self.model_parts.build(
                *declared_specs(architecture.name, architecture.layer_tree, declared)
            )
        if input_shape is not None:
            self.build((None, *normalize_shape(type(self).__name__, "input_shape", input_shape)))

    @explain_keywords
    def set_seed(self, seed: int) -> None:
        """Set the seed, as if the model had been created with it.

        Weights that exist already do not change; weights that do not exist yet, and the random
        numbers of later training, are drawn from the new seed.

        >>> from fjax.layers import Dense
        >>> one, other = (
        ...     NetworkWithWeights(Dense(3), input_shape=(8,), seed=seed) for seed in (1, 2)
        ... )
        >>> other.set_seed(1)
        >>> bool((one.get_weights()[0] == other.get_weights()[0]).all())
        True
        """
        self.model_parts.weights.set_seed(seed)

    @property
    def is_seeded(self) -> bool:
        """Whether the user set a seed."""
        return self.model_parts.weights.is_seeded

    @property
    def train_state(self) -> TrainState:
        """The whole state of the training, as one pytree; it can be assigned."""
        return self.model_parts.weights.train_state

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        self.model_parts.weights.assign(value)

    @property
    def layers(self) -> list[Any]:
        """The layers themselves, the models among them included; of a graph also its inputs."""
        return list(self._layers_by_name().values())

    def _layers_by_name(self) -> dict[str, Any]:
        parts = self.model_parts
        link_layers(parts, is_listed=True)
        layers = {
            record.name: as_model(parts, record.layer)
            for record in list_layers(self.layer_tree)
            # A graph has its inputs among its layers, as in Keras; other networks do not.
            if not isinstance(record.layer, InputLayer) or record.weights_path is None
        }
        # A subclass without layers is the only record of its own tree.
        return {name: layer for name, layer in layers.items() if layer is not self}

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """Return the layer of this name, or at this index.

        Raises:
            ValueError: There is no such layer.
        """
        if (name is None) == (index is None):
            raise ValueError("`get_layer` needs either `name` or `index`.")
        if index is not None:
            layers = self.layers
            index = integer_at_least("get_layer", "index", index, -len(layers))
            if index >= len(layers):
                raise ValueError(
                    f"`get_layer`: the model has {len(layers)} layers, received index {index}."
                )
            return layers[index]
        by_name = self._layers_by_name()
        if name not in by_name:
            raise ValueError(
                f"`get_layer`: the model {self.name!r} has no layer {name!r}."
                f"{suggestion(str(name), by_name)} Layers: {', '.join(by_name)}."
            )
        return by_name[name]

    @property
    def weights(self) -> list[Variable]:
        """All weights, in Keras's order; `get_weights` returns copies of their arrays.

        The list is empty before the model is built, as in Keras.
        """
        return stateless.weights(self.model_parts) if self._may_have_weights() else []

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training updates."""
        return [weight for weight in self.weights if weight.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights: those of frozen layers, and statistics."""
        return [weight for weight in self.weights if not weight.trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training updates, as `stateless_call` takes their values."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The other variables, as `stateless_call` takes their values.

        Beside weights, these are what stateful recurrent layers remember, and the seed of a model
        that draws random numbers.
        """
        if not self._may_have_weights():
            return []
        return stateless.non_trainable_variables(self.model_parts)

    @property
    def variables(self) -> list[Variable]:
        """All variables: the trainable ones, then the others."""
        return [*self.trainable_variables, *self.non_trainable_variables]

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        training: bool = False,
    ) -> tuple[Any, ...]:
        """Return the outputs for these variables and inputs; it is pure, and changes nothing.

        It works under `jit`, `grad`, `vmap` and `scan`.

        Args:
            trainable_variables: The values of `trainable_variables`.
            non_trainable_variables: The values of `non_trainable_variables`.
            args: The inputs, as in a call of the model.
            return_losses: Whether to return the losses of regularizers and of `add_loss`, too.
            training: Whether the call is in training mode.

        Returns:
            `(outputs, non_trainable_variables)`, or `(outputs, non_trainable_variables, losses)`.

        Raises:
            ValueError: A list has another length, or an array another shape.

        Source: Keras, `Layer.stateless_call`.

        >>> from fjax import Model
        >>> from fjax.layers import Dense
        >>> model = Model(Dense(3), input_shape=(8,))
        >>> outputs, others = model.stateless_call(
        ...     model.trainable_variables, model.non_trainable_variables, np.ones((2, 8))
        ... )
        >>> outputs.shape, others
        ((2, 3), [])
        """
        outputs, others, losses = stateless.stateless_call(
            self, self.model_parts, trainable_variables, non_trainable_variables, args, training
        )
        collect_losses(self.model_parts, losses)
        return (outputs, others, losses) if return_losses else (outputs, others)

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all weights, in Keras's order; none before the model is built."""
        return read_weights(self._filled_slot()) if self._may_have_weights() else []

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights by arrays in the order of `get_weights`.

        Raises:
            ValueError: The number of arrays or a shape does not fit.
        """
        if len(weights) or self._may_have_weights():
            write_weights(self._filled_slot(), weights, f"model {self.name!r}")

    def _may_have_weights(self) -> bool:
        """Return whether the model is built, or a layer of it is, whose weights it then needs."""
        if self.built:
            return True
        network = self.layer_tree
        layers = network.inside() if isinstance(network, Layer) else []
        return any(slot is not None and slot.is_built for slot in map(find_slot, layers))

    def _filled_slot(self) -> WeightSlot:
        self.model_parts.weights.make()
        return self.model_parts.architecture.slot

    @explain_keywords
    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights to one file, by name, without architecture and optimizer.

        Args:
            filepath: The file. With the extension `.weights.h5`, it is a file that Keras loads;
                with `.orbax`, a folder as `save` writes it.
            overwrite: Whether an existing file may be replaced.

        Raises:
            FileExistsError: The file exists, and `overwrite` is False.
            FileNotFoundError: The folder does not exist.
        """
        file_content.save_weights(self, filepath, overwrite)

    @explain_keywords
    def load_weights(self, filepath: Any, skip_mismatch: bool = False, names: Any = None) -> None:
        """Load the weights, by name, from a file of `save_weights` or `save`.

        Files of Keras (`.weights.h5`, `.keras`, `.h5`) and safetensors files of other programs are
        read under the same rules; no code runs. The optimizer's state is reset.

        Args:
            filepath: The file.
            skip_mismatch: Whether to load the weights that fit and to warn about the others. By
                default, the file must have exactly the model's weights, in the same shapes.
            names: Where another program wrote a safetensors file: for the path of each weight
                (`variable.path`) the name of the array in the file, or a tuple of the name and the
                order of its axes, such as `("fc.weight", (1, 0))`.

        Raises:
            ModelFileError: The file is not a weight file, is damaged, or its weights do not fit;
                the message lists the missing, unexpected and different ones.
        """
        file_content.load_weights(self, filepath, skip_mismatch, names)

    @explain_keywords
    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Save the whole model to one file, which `fjax.models.load_model` loads.

        The file contains the architecture, the weights, the compile arguments, the optimizer's
        state and the position of the training, so that training can continue exactly. It is
        written atomically, in the safetensors format. It contains no code: your own classes and
        functions are stored by name. With the extension `.keras`, it is a file that Keras loads;
        with `.orbax` a folder, to which each device writes its own part.

        Args:
            filepath: The file.
            overwrite: Whether an existing file may be replaced.
            include_optimizer: Whether to save the compile arguments and the optimizer's state.

        Raises:
            FileExistsError: The file exists, and `overwrite` is False.
            FileNotFoundError: The folder does not exist.
            TypeError: The model contains something without a name, such as a lambda; or, for a
                `.keras` file, something that Keras does not have.

        Source: Keras's page "Whole model saving & loading".
        """
        file_content.save(self, filepath, overwrite, include_optimizer)

    @explain_keywords
    def async_save(
        self, filepath: Any, overwrite: bool = True, weights_only: bool = False
    ) -> BackgroundTask:
        """Save the model in the background, as it is now; the task's `wait()` ends with the file.

        Args:
            filepath: The file, or the folder with the extension `.orbax`; see `save`.
            overwrite: Whether an existing file may be replaced.
            weights_only: Whether to write what `save_weights` writes.

        Raises:
            ValueError: The extension is that of a file of Keras. For other errors see `save`.

        >>> import os, tempfile
        >>> from fjax import Sequential, layers
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Sequential([layers.Input((3,)), layers.Dense(2)]).async_save(f"{folder}/a").wait()
        ...     os.listdir(folder)
        ['a']
        """
        return file_content.async_save(self, filepath, overwrite, weights_only)

    @explain_keywords
    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        platforms: Sequence[str] | None = None,
        opset_version: int | None = None,
    ) -> None:
        """Write the model's program for inference to a file that runs without fjax.

        The weights are part of the program. It takes batches of any size. The file is replaced if
        it exists.

        Args:
            filepath: The file.
            format: "stablehlo" for JAX, whose `jax.export.deserialize` reads the file; "onnx"; or
                "safetensors" for the weights alone, named as in `dense.kernel`. Keras's default
                is an error: fjax does not write TensorFlow's files.
            verbose: Whether to print the file, and until when JAX promises to read it; None prints.
            input_signature: The shapes of the inputs, `fjax.InputSpec`s or symbolic tensors, to
                fix sizes that are None; by default those that the model was built for. It is for
                programs.
            platforms: For "stablehlo", the platforms that the program is for, by default all:
                "cpu", "cuda", "rocm" and "tpu".
            opset_version: For "onnx", the version of the operators; by default that of jax2onnx.

        Raises:
            ImportError: A package of the extra `export` is missing.
            ValueError: The model is not built, encodes text, draws random numbers in `predict`, or
                has code that cannot be exported; the message says what to do.

        Source: Keras, `Model.export`; JAX, `jax.export`.
        """
        from fjax.models.exporting import export

        export(
            self.model_parts, filepath, format, verbose, input_signature=input_signature,
            platforms=platforms, opset_version=opset_version,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, for `from_config`.

        A subclass whose `__init__` takes arguments overrides this to return them by name.
        """
        return {
            "name": self.model_parts.architecture.name,
            "network": encode(self.layer_tree, "the network"),
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return a model of the architecture in `config`, with newly drawn weights.

        Args:
            config: The result of `get_config` of this class.
            custom_objects: Your own classes and functions by name.

        Raises:
            ValueError: The configuration is not one of this class, or contains unknown names.

        >>> from fjax import Sequential
        >>> from fjax.layers import Dense, Input
        >>> model = Sequential([Input((3,)), Dense(2)])
        >>> Sequential.from_config(model.get_config()).output_shape
        (None, 2)
        """
        name, network = config_values(cls.__name__, config, ("name", "network"))
        return cls(decode(network, custom_objects), name=name)

    def to_json(self) -> str:
        """Return the architecture as JSON, for `fjax.models.model_from_json`."""
        return file_content.to_json(self)

    @explain_keywords
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print a table of the layers, their output shapes and parameter counts.

        Args:
            line_length: Width of the table; by default, as wide as its cells, but not wider than
                the terminal.
            positions: The end of each column, as a fraction of the line: `[0.4, 0.75, 1.0]`.
            print_fn: Called with the whole text; by default `print`.
            expand_nested: Whether to show the layers within layers.
            show_trainable: Whether to show if each layer is trained: Y, N, or - for a layer without
                weights.
            layer_range: The names of the first and last layer to show, or regular expressions.

        Layers that are frozen now are counted as not trainable, also before the next `compile`.

        Raises:
            ValueError: No layer has a name in the range.
        """
        shapes, layers = LayerShapes({}, {}, None), unbuilt_record(self.layer_tree)
        if self.built:
            shapes, layers = self.layer_shapes, self.layer_calls(nested=expand_nested)
        print_summary(
            self.name, self.layer_tree, shapes, layers,
            self.model_parts.weights.optimizer_state(),
            Layout(line_length, positions, print_fn, show_trainable, layer_range),
        )  # fmt: skip

    def __copy__(self) -> Self:
        # With a shallow copy, the two models would train each other's weights.
        return copy.deepcopy(self)
