"""A model that can be told in words and kept in files."""

import copy
from collections.abc import Mapping
from typing import Any, Self

from fjax.errors import explain_keywords
from fjax.models import model_file
from fjax.models.compiled_network import CompiledNetwork
from fjax.models.subclassed import is_authored_model
from fjax.storage import config_values, decode, encode

# What a copy of a model finds again by itself, and what it begins with instead.
FOUND_AGAIN: Mapping[str, Any] = {
    "_programs": {}, "_views": {}, "_outputs": {}, "_symbols": None, "_holder": None,
}  # fmt: skip


class StoredNetwork(CompiledNetwork):
    """A compiled network with Keras's methods for files, which can be copied and pickled.

    See `Model`. A pickle, unlike a model file, may run code: unpickle only what you trust. Models
    that share layers share them again where they are pickled together.
    """

    def __copy__(self) -> Self:
        # Two models of the same layers would train each other's weights.
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        held = None if self._holder is None else self._holder.train_state
        return {**vars(self), **copy.deepcopy(FOUND_AGAIN), "_fitting": False, "train_state": held}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        attributes = dict(state)
        held = attributes.pop("train_state")
        vars(self).update(attributes)
        if held is not None:
            self._hold(held)
            self._optimizer_is_new = attributes["_optimizer_is_new"]

    @explain_keywords
    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Save the whole model to one file, which `fjax.models.load_model` loads.

        The file contains the architecture, the weights, the compile arguments, the optimizer's
        state and the position of the training, so that training can continue exactly. It is
        written atomically, in the safetensors format, with any extension. It contains no code:
        your own classes and functions are stored by name.

        Args:
            filepath: The file.
            overwrite: Whether an existing file may be replaced.
            include_optimizer: Whether to save the compile arguments and the optimizer's state.

        Raises:
            FileExistsError: The file exists, and `overwrite` is False.
            FileNotFoundError: The folder does not exist.
            TypeError: The model contains something that has no name, such as a lambda or an
                optimizer of another library.

        Source: Keras's page "Whole model saving & loading".
        """
        model_file.save(self, filepath, overwrite, include_optimizer)

    @explain_keywords
    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights to one file, by name, without architecture and optimizer.

        Args:
            filepath: The file.
            overwrite: Whether an existing file may be replaced.

        Raises:
            FileExistsError: The file exists, and `overwrite` is False.
            FileNotFoundError: The folder does not exist.
        """
        model_file.save_weights(self, filepath, overwrite)

    @explain_keywords
    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Load the weights, by name, from a file of `save_weights` or `save`.

        The optimizer's state is reset.

        Args:
            filepath: The file.
            skip_mismatch: Whether to load the weights that fit and to warn of the others. By
                default the file must have exactly the model's weights, in the same shapes.

        Raises:
            ModelFileError: The file is not a weight file, is damaged, or its weights do not fit;
                the message lists the missing, unexpected and different ones.
        """
        model_file.load_weights(self, filepath, skip_mismatch)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, for `from_config`.

        A subclass whose `__init__` takes arguments overrides this to return them by name.
        """
        return {} if is_authored_model(self) else self._architecture()

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return a model of the architecture in `config`, with newly drawn weights.

        Args:
            config: What `get_config` of this class returned.
            custom_objects: Your own classes and functions by name.

        Raises:
            ValueError: The configuration is not one of this class, or contains unknown names.

        >>> from fjax import Sequential
        >>> from fjax.layers import Dense, Input
        >>> model = Sequential([Input((3,)), Dense(2)])
        >>> Sequential.from_config(model.get_config()).output_shape
        (None, 2)
        """
        if cls._tells_architecture():
            return cls._of_architecture(config, custom_objects)
        return cls(**config)

    def to_json(self) -> str:
        """Return the architecture as JSON, for `fjax.models.model_from_json`."""
        return model_file.to_json(self)

    @classmethod
    def _tells_architecture(cls) -> bool:
        """Whether `get_config` is ours, and tells the layers; an author's tells arguments."""
        return cls.get_config is StoredNetwork.get_config and not is_authored_model(cls)

    def _architecture(self) -> dict[str, Any]:
        return {"name": self.name, "network": encode(self.layer_tree, "the network")}

    @classmethod
    def _of_architecture(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None
    ) -> Self:
        name, network = config_values(cls.__name__, config, ("name", "network"))
        return cls(decode(network, custom_objects), name=name)
