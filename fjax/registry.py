"""Registries that find functions and classes by name: "relu", "adam", "mse", "he_normal"."""

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from fjax.configuration import Configured, snake_case
from fjax.custom_objects import custom_object_scope, get_registered_object, registered_name
from fjax.errors import unknown_name


class Registry:
    """The functions and classes of one family, by name.

    Args:
        family: What error messages call a member, such as "activation".
        members: Classes and functions, found by their name; a class also by its name in snake case.
        aliases: Further names of members.

    >>> def relu(x): ...
    >>> activations = Registry("activation", [relu], {"rectifier": relu})
    >>> activations.get("rectifier").__name__
    'relu'
    >>> activations.get("relo")
    Traceback (most recent call last):
        ...
    ValueError: Unknown activation 'relo'. Did you mean `relu`?
    """

    def __init__(
        self,
        family: str,
        members: Iterable[Callable[..., Any]],
        aliases: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.family = family
        self._members: dict[str, Callable[..., Any]] = {}
        self._aliases: dict[str, Callable[..., Any]] = {}
        self.extend(members)
        self._aliases |= aliases or {}

    def extend(self, members: Iterable[Callable[..., Any]]) -> None:
        """Add members; an alias that exists already keeps its meaning."""
        for member in members:
            self._members[member.__name__] = member
            if isinstance(member, type):
                self._aliases.setdefault(snake_case(member.__name__), member)

    @property
    def names(self) -> list[str]:
        """All names that `get` accepts, sorted."""
        return sorted(self._members | self._aliases)

    @property
    def functions(self) -> tuple[Callable[..., Any], ...]:
        """The members that are functions."""
        members = self._members.values()
        return tuple(member for member in members if not isinstance(member, type))

    def get(self, identifier: Any) -> Any:
        """Return the function or object for an identifier.

        Args:
            identifier: The name of a function; a class, or its name, to make an object with the
                default arguments; `{"class_name": …, "config": …}`; or the function or object.


        Raises:
            ValueError: The name is unknown; the nearest known one is suggested.
            TypeError: The identifier is none of these.
        """
        if isinstance(identifier, str):
            member = self._find(identifier)
            return member() if isinstance(member, type) else member
        if isinstance(identifier, Mapping) and "class_name" in identifier:
            return self.deserialize(identifier)
        if isinstance(identifier, type):
            return identifier()
        if callable(identifier) or isinstance(identifier, Configured):
            return identifier
        raise TypeError(
            f"Expected the name of a known {self.family}, a function or an object, "
            f"received {identifier!r}. Known: {', '.join(self.names)}."
        )

    def deserialize(self, config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """Return the object or function that `serialize` described.

        Args:
            config: The result of `serialize`, or the name of a function. An object is returned as
                it is: `from_config` of your own class gets objects, where Keras gives it dicts.
            custom_objects: Your own classes and functions by name.

        Raises:
            ValueError: The name is unknown.
            TypeError: The configuration is not in this form.
        """
        if config is None:
            return None
        with custom_object_scope(custom_objects or {}):
            return self._deserialize(config, custom_objects or {})

    def _deserialize(self, config: Any, custom: Mapping[str, Any]) -> Any:
        if isinstance(config, str):
            member = self._find(config, custom)
            return member() if isinstance(member, type) else member
        if isinstance(config, Configured):
            return config
        if not isinstance(config, Mapping) or "class_name" not in config:
            raise TypeError(
                f"`deserialize` takes the name of a {self.family}, or a dict with the keys "
                f"'class_name' and 'config', received {config!r}."
            )
        if config["class_name"] == "function":
            name = config["config"]
            return custom.get(name) or self._members.get(name) or self._find(name, custom)
        member = self._find(config.get("registered_name") or config["class_name"], custom)
        if not isinstance(member, type):
            return member
        arguments = dict(config.get("config") or {})
        if "fn" in arguments:
            # The function of a wrapper is described by itself.
            arguments["fn"] = self._deserialize(arguments["fn"], custom)
        return (
            member.from_config(arguments) if hasattr(member, "from_config") else member(**arguments)
        )

    def _find(self, name: str, custom: Mapping[str, Any] = MappingProxyType({})) -> Any:
        if name in custom:
            return custom[name]
        for spelling in (name, name.lower()):
            if spelling in self._aliases:
                return self._aliases[spelling]
            if spelling in self._members:
                return self._members[spelling]
        registered = get_registered_object(name)
        if registered is not None:
            return registered
        # Only a name in snake case is compared with such names.
        known = sorted(self._members) if name[:1].isupper() and self._members else self.names
        raise unknown_name(self.family, name, known)


def serialize(value: Any) -> Any:
    """Return an object as plain data, which `deserialize` of its family takes.

    An object becomes a dict of its class and configuration, a function its name.

    Raises:
        TypeError: The value is a function without a name, or has no configuration.

    >>> from fjax.regularizers import L2
    >>> serialize(L2(0.5))["class_name"], serialize(L2(0.5))["config"], serialize(max)
    ('L2', {'l2': 0.5}, 'max')
    """
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "get_config") and not isinstance(value, type):
        cls = type(value)
        is_ours = cls.__module__.startswith("fjax.")
        return {
            "module": _public_module(cls) if is_ours else None,
            "class_name": cls.__name__,
            "config": value.get_config(),
            "registered_name": None if is_ours else registered_name(cls),
        }
    name = getattr(value, "__name__", "<lambda>")
    if "<" in name or not callable(value):
        raise TypeError(
            f"{value!r} cannot be serialized: it needs a `get_config`, or must be a "
            "function with a name, defined with `def`."
        )
    return registered_name(value)


def serializer(argument: str) -> Callable[..., Any]:
    """Return `serialize` with the name of its argument that Keras has in a family.

    >>> from fjax.regularizers import L2
    >>> serializer("regularizer")(regularizer=L2(0.5))["class_name"]
    'L2'
    """
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    signature = inspect.Signature([inspect.Parameter(argument, kind)])

    @functools.wraps(serialize)
    def serialize_member(*args: Any, **kwargs: Any) -> Any:
        return serialize(*signature.bind(*args, **kwargs).args)

    vars(serialize_member)["__signature__"] = signature
    return serialize_member


def serialize_as_dict(value: Any) -> Any:
    """Return an object or a function as a dict of plain data, as Keras describes losses.

    Raises:
        TypeError: The value is a function without a name, or has no configuration.

    >>> serialize_as_dict(max)["class_name"], serialize_as_dict(max)["config"]
    ('function', 'max')
    """
    data = serialize(value)
    if value is data or not isinstance(data, str):
        return data
    return {
        "module": "builtins",
        "class_name": "function",
        "config": data,
        "registered_name": "function",
    }


def _public_module(cls: type) -> str:
    """Return the package in which a class of fjax is public."""
    parts = cls.__module__.split(".")
    return ".".join(parts[:3] if parts[-1] == "schedules" else parts[:2])


def defined_in(*modules: ModuleType) -> list[Any]:
    """Return the public functions and classes that modules define, in the order of their code.

    >>> from fjax import registry
    >>> [member.__name__ for member in defined_in(registry)]
    ['Registry', 'serialize', 'serialize_as_dict', 'defined_in']
    """
    return [
        member
        for module in modules
        for name, member in vars(module).items()
        if getattr(member, "__module__", None) == module.__name__ and name[0] != "_"
    ]
