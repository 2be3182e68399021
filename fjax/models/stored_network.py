"""A model that can be told in words and kept in files."""

import copy
from collections.abc import Mapping
from typing import Any, Self

from fjax.errors import explain_keywords
from fjax.models import model_file
from fjax.models.compiled_network import CompiledNetwork
from fjax.models.subclassed import is_authored_model
from fjax.storage import decode, encode

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
        """Write the whole model into one file, from which `fjax.models.load_model` makes it again.

        The file has the architecture, the weights, the compile arguments, the optimizer's state
        and the position of the training, so that training goes on as if it had never stopped. It
        is written whole or not at all, in safetensors' format, whatever its name ends in; it
        carries no code: classes and functions of your own are in it by name alone.

        Args:
            filepath: The file.
            overwrite: Whether a file that is there may be replaced.
            include_optimizer: Whether to write the compile arguments and the optimizer's state.

        Raises:
            FileExistsError: The file is there, and `overwrite` is False.
            FileNotFoundError: The folder is not there.
            TypeError: Something has no name, as a lambda, or an optimizer of another library.

        Source: Keras's page "Whole model saving & loading".
        """
        model_file.save(self, filepath, overwrite, include_optimizer)

    @explain_keywords
    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights into one file, by name, without architecture and optimizer.

        Args:
            filepath: The file.
            overwrite: Whether a file that is there may be replaced.

        Raises:
            FileExistsError: The file is there, and `overwrite` is False.
            FileNotFoundError: The folder is not there.
        """
        model_file.save_weights(self, filepath, overwrite)

    @explain_keywords
    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Take the weights, by name, from a file of `save_weights` or `save`.

        The optimizer begins anew.

        Args:
            filepath: The file.
            skip_mismatch: Whether to take what fits and to warn of the rest. By default every
                weight must be there, in its shape, and nothing else.

        Raises:
            ModelFileError: The file is none, is damaged, or its weights do not fit; all that is
                missing and all that is too much is named.
        """
        model_file.load_weights(self, filepath, skip_mismatch)

    def get_config(self) -> dict[str, Any]:
        """Return the architecture as plain data, for `from_config`.

        An author's class whose `__init__` takes arguments returns them here, by name.
        """
        return {} if is_authored_model(self) else self._architecture()

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Return a model of the architecture that `get_config` told, with weights of its own.

        Args:
            config: What `get_config` returned.
            custom_objects: Classes and functions of your own, by name.

        Raises:
            ValueError: It was not told by `get_config` of this class, or has names that are not
                known.

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
        return model_file.as_json(self)

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
        name, network = entries(cls.__name__, config, ("name", "network"))
        return cls(decode(network, custom_objects), name=name)


def entries(owner: str, config: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    """Return the entries of a description, which must be just these.

    >>> entries("Model", {"name": "net"}, ("name", "network"))
    Traceback (most recent call last):
        ...
    ValueError: the description of `Model` must have just 'name', 'network', found 'name'
    """
    if not isinstance(config, Mapping) or config.keys() != set(keys):
        found = ", ".join(map(repr, config)) if isinstance(config, Mapping) else repr(config)
        wanted = ", ".join(map(repr, keys))
        raise ValueError(
            f"the description of `{owner}` must have just {wanted}, found {found[:200]}"
        )
    return tuple(config[key] for key in keys)
