"""Objects from the configurations of Keras, which name classes and functions of fjax or yours.

A configuration is a dict with `module`, `class_name` and `config`; files of Keras 2 and `.h5` files
have no `module`. No module is imported: its name chooses one of the families of fjax.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from fjax.configuration import Configured
from fjax.core.layer import Layer
from fjax.custom_objects import find_custom, get_registered_object
from fjax.dtype_policies import NAMED
from fjax.errors import suggestion, warn_user
from fjax.storage.classes import CLASSES
from fjax.storage.functions import FUNCTIONS
from fjax.storage.keras_files.operations import call_operation, function_of

# Makes a model of its configuration, the name of its class, and the path of its group.
MakeModel = Callable[["KerasDecoder", str, Mapping[str, Any], str], Any]

MODELS = frozenset({"Sequential", "Functional", "Model"})
# The families of classes, in the order in which a name without a module is looked up.
_FAMILIES = (
    "layers", "initializers", "regularizers", "constraints", "schedules", "optimizers", "losses",
    "metrics",
)  # fmt: skip
_FUNCTION_FAMILIES = ("activations", "losses", "metrics")
# The families of fields: what a field without a module holds.
_FIELDS = {
    "_initializer": "initializers", "_regularizer": "regularizers", "_constraint": "constraints",
    "learning_rate": "schedules", "optimizer": "optimizers", "loss": "losses",
    "metrics": "metrics",
}  # fmt: skip
_BATCH_SHAPE = "batch_input_shape"
_DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "int64", "float16", "float32",
           "float64")  # fmt: skip


class KerasDecoder:
    """Makes the objects of one file.

    Args:
        custom_objects: The user's classes and functions by name.
        make_model: Makes a model.
        read_arrays: Returns the arrays of a layer by its group and its name; none by default.
        read_vocabulary: Returns the vocabulary of a layer by its group; None by default.
    """

    def __init__(
        self,
        custom_objects: Mapping[str, Any],
        make_model: MakeModel,
        read_arrays: Callable[[str, str], list[np.ndarray]] = lambda group, name: [],
        read_vocabulary: Callable[[str], "Vocabulary | None"] = lambda group: None,
    ) -> None:
        self.custom_objects = custom_objects
        self._read_vocabulary = read_vocabulary
        self._read_arrays = read_arrays
        self._make_model = make_model
        self._shared: dict[int, Any] = {}

    def decode(self, data: Any, family: str | None = None, group: str = "") -> Any:
        """Return the object, or the list or dict of objects, that a configuration describes.

        Args:
            data: Plain data.
            family: The family of an object whose module is not named.
            group: The path of the group of weights, if it is a model.

        Raises:
            ValueError: A name is unknown, an argument is, or the file contains code.
        """
        if data is None or isinstance(data, bool | int | float | str):
            return data
        if isinstance(data, list):
            return [self.decode(item, family) for item in data]
        if not isinstance(data, dict):
            raise ValueError(f"{str(data)[:80]!r} is not plain data")
        if not {"class_name", "config"} <= data.keys():
            return {key: self.decode(value, family) for key, value in data.items()}
        name = data["class_name"]
        if not isinstance(name, str):
            raise ValueError(f"the class name {str(name)[:80]!r} is not text")
        if name in _VALUES:
            return _VALUES[name](self, _config(name, data))
        if name.startswith("__"):
            raise ValueError(f"it contains {name!r}, which fjax does not read. {_CODE}")
        return self._decode_object(name, data, family, group)

    def decode_layer(self, data: Any, group: str = "") -> Any:
        """Return the layer or model that a configuration describes.

        Raises:
            ValueError: It describes something else, or something unknown.
        """
        layer = self.decode(data, "layers", group)
        if not (isinstance(layer, Layer) or hasattr(layer, "layer_tree") or callable(layer)):
            raise ValueError(f"expected a layer, found {str(data)[:80]!r}")
        if isinstance(layer, LearnsArrays):
            arrays = self._read_arrays(group, str(data["config"].get("name")))
            if arrays:
                layer.learn_arrays(arrays)
        if isinstance(layer, LearnsVocabulary) and not layer.get_vocabulary(False):
            vocabulary = self._read_vocabulary(group)
            if vocabulary is not None:
                layer.learn_lines(*vocabulary)
        return layer

    def _decode_object(self, name: str, data: Any, family: str | None, group: str) -> Any:
        if name in ("function", "builtin_function_or_method"):
            return self._function(data["config"], data.get("module"))
        config = _config(name, data)
        identity = data.get("shared_object_id")
        if isinstance(identity, int) and identity in self._shared:
            return self._shared[identity]
        made = self._create(name, data, config, family, group)
        if isinstance(identity, int):
            self._shared[identity] = made
        return made

    def _create(
        self, name: str, data: Any, config: Mapping[str, Any], family: str | None, group: str
    ) -> Any:
        module, registered = data.get("module"), data.get("registered_name")
        if module is not None and not isinstance(module, str):
            raise ValueError(f"the module of {name[:80]!r} is not text")
        is_registered = isinstance(registered, str) and ">" in registered
        if _is_keras(module) and not (module is None and is_registered):
            if name in MODELS and family in (None, "layers"):
                return self._make_model(self, name, config, group)
            if module is not None and module.startswith("keras.src.ops."):
                return self._operation(name, config)
            if name == "DTypePolicy" or name.endswith(("DTypePolicy", "DTypePolicyMap")):
                return _policy(name, config)
            cls = _find_class(name, module, family)
            if cls is not None:
                return self._create_own(name, cls, config)
        if module is not None and _is_keras(module):
            raise _unknown_class(name, module)
        custom = find_custom("class", registered if is_registered else name, self.custom_objects)
        return self._create_custom(custom, config)

    def _create_own(
        self, name: str, cls: type[Configured], config: Mapping[str, Any]
    ) -> Configured:
        fields = {}
        for key, value in config.items():
            if key == _BATCH_SHAPE and "batch_shape" in cls.__annotations__:
                fields["batch_shape"] = self.decode(value)
            elif key == _BATCH_SHAPE:
                # In files of Keras 2, the first layer of a model declares its input.
                fields["input_shape"] = self.decode(value)[1:]
            elif key not in cls.derived_in_keras:
                fields[cls.keras_fields.get(key, key)] = self.decode_field(key, value)
        warn_of_difference(cls)
        try:
            return cls.from_config(fields)
        except TypeError as error:
            # Keras would name the argument, too; a later release may have added it.
            raise ValueError(f"the layer or object `{name}` of the file: {error}") from error

    def _create_custom(self, cls: Any, config: Mapping[str, Any]) -> Any:
        fields = {key: self.decode_field(key, value) for key, value in config.items()}
        return cls.from_config(fields) if hasattr(cls, "from_config") else cls(**fields)

    def decode_field(self, key: str, value: Any) -> Any:
        """Return the value of an argument, whose name says what a value without a module is."""
        family = next((each for end, each in _FIELDS.items() if key.endswith(end)), None)
        return self.decode(value, family)

    def _function(self, name: Any, module: Any) -> Any:
        if not isinstance(name, str):
            raise ValueError(f"a function has the name {str(name)[:80]!r}, which is not text")
        families = [each for each in _FUNCTION_FAMILIES if isinstance(module, str) and
                    module.endswith(each)] or _FUNCTION_FAMILIES  # fmt: skip
        if get_registered_object(name, self.custom_objects) is None:
            for family in families:
                if f"{family}.{name}" in FUNCTIONS:
                    return FUNCTIONS[f"{family}.{name}"]
        return find_custom("function", name, self.custom_objects)

    def _operation(self, name: str, config: Mapping[str, Any]) -> "Operation":
        arguments = {key: self.decode(value) for key, value in config.items()}
        return Operation(name, arguments.pop("name", None), arguments)


@runtime_checkable
class LearnsArrays(Protocol):
    """A layer whose `adapt` computes arrays, which a file of Keras has among the weights."""

    def learn_arrays(self, arrays: Sequence[np.ndarray]) -> None:
        """Set what `adapt` computed."""


class Vocabulary(NamedTuple):
    """What a file has of a layer with a vocabulary.

    Attributes:
        lines: The tokens as text, in the order of their indices.
        weights: The weight of each token for `output_mode="tf_idf"`, or None.
    """

    lines: list[str]
    weights: np.ndarray | None


@runtime_checkable
class LearnsVocabulary(Protocol):
    """A layer whose `adapt` learns a vocabulary, which a file of Keras has in a file of text."""

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the tokens in the order of their indices."""
        ...

    def learn_lines(self, lines: list[str], weights: np.ndarray | None) -> None:
        """Set what `adapt` learned; see `Vocabulary`."""


class Operation:
    """A function of `keras.ops` in a graph.

    Args:
        kind: The name of Keras's class.
        name: The name in the graph.
        arguments: The arguments that Keras stores in the operation.
    """

    def __init__(self, kind: str, name: Any, arguments: Mapping[str, Any]) -> None:
        self.kind, self.name, self.arguments = kind, name, arguments
        self._function = None if kind == "GetItem" else function_of(kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the symbolic tensor of a call."""
        if self._function is None:
            tensor, index = args
            return tensor[tuple(index) if isinstance(index, list) else index]
        return call_operation(self._function, self.arguments, args, kwargs)


def _config(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    config = {} if data["config"] is None else data["config"]
    if not isinstance(config, dict):
        raise ValueError(f"the configuration of {name[:80]!r} is {str(config)[:80]!r}")
    return config


def warn_of_difference(cls: type[Configured]) -> None:
    """Warn if an object computes something else than Keras's in the same file."""
    if cls.differs_from_keras is not None:
        warn_user(f"`{cls.__name__}` of a file of Keras: {cls.differs_from_keras}.")


def _find_class(name: str, module: str | None, family: str | None) -> type[Configured] | None:
    """Return the class of fjax that has a name of Keras, or None."""
    families: tuple[str, ...] = _FAMILIES
    if module is not None:
        families = (module.rpartition(".")[2],)
    elif family is not None:
        families = (family,)
    return next(
        (CLASSES[f"{each}.{name}"] for each in families if f"{each}.{name}" in CLASSES), None
    )


def _unknown_class(name: str, module: str) -> ValueError:
    family = module.rpartition(".")[2]
    known = [each.partition(".")[2] for each in CLASSES if each.startswith(f"{family}.")]
    return ValueError(
        f"it contains the class {name[:80]!r} of Keras's module {module[:80]!r}, which fjax does "
        f"not have.{suggestion(name, known)}"
    )


def _is_keras(module: str | None) -> bool:
    return module is None or module == "keras" or module.startswith("keras.")


def _policy(name: str, config: Mapping[str, Any]) -> str:
    policy = config.get("name")
    if name != "DTypePolicy" or not isinstance(policy, str) or policy not in NAMED:
        raise ValueError(
            f"it has the dtype policy {name} {str(policy)[:40]!r}, which fjax does not have: in "
            "Keras set the policy 'float32', build the model, and copy the weights to it"
        )
    return policy


_CODE = "A file must not contain code: write a class or a function, and pass it in `custom_objects`"


def _array(decoder: KerasDecoder, config: Mapping[str, Any]) -> Any:
    dtype = config.get("dtype")
    if dtype not in _DTYPES:
        raise ValueError(f"an array has the dtype {str(dtype)[:40]!r}")
    return np.array(config["value"], dtype)


def _lambda(decoder: KerasDecoder, config: Mapping[str, Any]) -> Any:
    raise ValueError(f"it contains the code of a lambda, which is never run. {_CODE}")


def _slice(decoder: KerasDecoder, config: Mapping[str, Any]) -> Any:
    return slice(*(decoder.decode(config[name]) for name in ("start", "stop", "step")))


def _tensor(decoder: KerasDecoder, config: Mapping[str, Any]) -> Any:
    raise ValueError("it refers to a tensor outside of a graph")


_VALUES: Mapping[str, Callable[[KerasDecoder, Mapping[str, Any]], Any]] = {
    "__numpy__": _array,
    "__tensor__": _array,
    "__lambda__": _lambda,
    "__slice__": _slice,
    "__ellipsis__": lambda decoder, config: ...,
    "__tuple__": lambda decoder, config: tuple(decoder.decode(config["value"])),
    "__keras_tensor__": _tensor,
}
