"""The base class of everything that plain fields describe."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar, Self, dataclass_transform

import numpy as np

from fjax.configuration.fields import (
    arguments,
    described_arguments,
    is_implied,
    is_required,
    snake_case,
    stored,
)
from fjax.configuration.identity import ByIdentity
from fjax.configuration.recording import (
    accepts,
    argument_names,
    record_arguments,
    recorded_arguments,
)
from fjax.errors import check_keywords, warn_user

# The attribute of an object whose construction is over: its fields cannot be set any more.
SEALED = "_sealed"


class _SignatureOfFields:
    """The signature that `help` and notebooks show for the constructor: the class's fields."""

    def __get__(self, instance: Any, owner: type["Configured"]) -> inspect.Signature:
        if owner.has_own_init or instance is not None:
            raise AttributeError("__signature__")
        return inspect.Signature([_parameter(item) for item in arguments(owner)])


def _parameter(item: dataclasses.Field[Any]) -> inspect.Parameter:
    kind = (
        inspect.Parameter.KEYWORD_ONLY if item.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
    )
    default = inspect.Parameter.empty if is_required(item) else item.default
    return inspect.Parameter(item.name, kind, default=default, annotation=item.type)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class Configured:
    """Base class of layers, losses, metrics, optimizers, initializers and schedules.

    A subclass lists its fields as annotations, as in a dataclass. This class provides the
    constructor, `repr`, equality and hash by value, `get_config` and `from_config`. A subclass may
    normalize its fields in `__post_init__`; afterwards the object cannot be changed, because
    compiled programs are cached by configuration.

    A subclass with its own `__init__`, as in code written for Keras, is called authored. Its
    attributes may be set at any time, and its objects are compared by identity.

    Class attributes that a subclass may set:

    - `_renamed`: maps an argument's former name to its present one. A former name works, with a
      DeprecationWarning.
    - `traceable_fields`: the fields whose numbers a compiled program may take as inputs. The class
      must work with tracers there, and must ask `is_nonzero` whether the number takes part at all.
    - `width_field`: the field that is the width of the outputs. A wider layer whose added weights
      are 0 must compute the same outputs.
    - `settable_fields`: the attributes that may be set after construction.
    - `neutral_arguments`: arguments of Keras that are no fields, with the values that mean what the
      class does anyway. They are accepted and forgotten; another value is an error.
    - `keywords_field`: the field that holds a dict of the keywords which name no field.
    - `inherited_arguments`: the fields that the `get_config` of an authored subclass contains
      beside the arguments of its own `__init__`, if that takes them.
    - `keras_fields`: the names of arguments in Keras's configurations that are not those of the
      fields, each with the name of its field.
    - `derived_in_keras`: the entries of Keras's configurations that follow from other entries.
    - `fields_beyond_keras`: the fields that Keras's class lacks; those of base classes are added.
    - `in_keras`: whether Keras has a class of this name.
    - `differs_from_keras`: what its objects compute differently; a file of Keras warns of it.

    >>> class Scale(Configured):
    ...     factor: float = 1.0
    >>> Scale(2.0), Scale(2.0) == Scale(factor=2.0), Scale().get_config()
    (Scale(factor=2.0), True, {'factor': 1.0})
    >>> Scale(factr=2.0)
    Traceback (most recent call last):
        ...
    TypeError: `Scale` takes no argument `factr`. Did you mean `factor`? It takes: factor.
    """

    __signature__: ClassVar[Any] = _SignatureOfFields()
    _renamed: ClassVar[Mapping[str, str]] = {}
    traceable_fields: ClassVar[frozenset[str]] = frozenset()
    width_field: ClassVar[str | None] = None
    # Whether the class writes its own `__init__`; then its objects equal only themselves.
    has_own_init: ClassVar[bool] = False
    settable_fields: ClassVar[frozenset[str]] = frozenset()
    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    keywords_field: ClassVar[str | None] = None
    inherited_arguments: ClassVar[tuple[str, ...]] = ()
    keras_fields: ClassVar[Mapping[str, str]] = {}
    derived_in_keras: ClassVar[frozenset[str]] = frozenset()
    fields_beyond_keras: ClassVar[frozenset[str]] = frozenset()
    in_keras: ClassVar[bool] = True
    differs_from_keras: ClassVar[str | None] = None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Return a new object; one of an authored class keeps the arguments of its `__init__`."""
        instance = super().__new__(cls)
        if cls.has_own_init:
            record_arguments(instance, args, kwargs)
        return instance

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__ or cls.has_own_init:
            cls.has_own_init = True
            return
        # All classes share the constructor below: if dataclasses generated one for each, importing
        # fjax would take twice as long.
        dataclasses.dataclass(init=False, eq=False, repr=False)(cls)
        _order_new_positions(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for name, value in _bind_arguments(self, args, kwargs).items():
            setattr(self, name, value)
        self.__post_init__()
        # An authored `__init__` may set attributes after `super().__init__()`.
        if not self.has_own_init:
            object.__setattr__(self, SEALED, True)

    def __post_init__(self) -> None:
        """Normalize the fields."""

    def __setattr__(self, name: str, value: Any) -> None:
        if SEALED in self.__dict__ and name not in self.settable_fields:
            raise AttributeError(
                f"`{type(self).__name__}` cannot be changed once it is made: `{name}` was set to "
                f"{value!r}. {self.change_advice(name)}"
            )
        object.__setattr__(self, name, value)

    def change_advice(self, name: str) -> str:
        """Return what an error says of setting an attribute."""
        return f"Make a new one, as with `{type(self).__name__}.from_config`."

    def __delattr__(self, name: str) -> None:
        if SEALED in self.__dict__:
            raise AttributeError(
                f"`{type(self).__name__}` cannot be changed once it is made: `{name}` was deleted."
            )
        object.__delattr__(self, name)

    def __eq__(self, other: object) -> bool:
        if self.has_own_init or type(self) is not type(other):
            return self is other
        return _hashable_fields(self) == _hashable_fields(other)

    def __hash__(self) -> int:
        return object.__hash__(self) if self.has_own_init else hash(_hashable_fields(self))

    def __repr__(self) -> str:
        if self.has_own_init:
            return f"{type(self).__name__}()"
        shown = []
        for item in described_arguments(self):
            value = stored(self, item.name)
            if not _is_default(value, item.default):
                shown.append(f"{item.name}={_short_repr(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_html_(self) -> str:
        """Return the table of arguments that a notebook shows as the value of a cell."""
        # Imported where a notebook asks for it, so that `import fjax` loads no markup.
        from fjax.configuration.display import arguments_html

        return arguments_html(type(self).__name__, *self._shown_arguments())

    def _shown_arguments(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the arguments as short texts: those that were given, and those left out."""
        if self.has_own_init:
            recorded = recorded_arguments(self)
            return {name: _short_repr(value) for name, value in recorded.items()}, {}
        given, left_out = dict[str, str](), dict[str, str]()
        for item in described_arguments(self):
            value = stored(self, item.name)
            part = left_out if _is_default(value, item.default) else given
            part[item.name] = _short_repr(value)
        return given, left_out

    def get_config(self) -> dict[str, Any]:
        """Return the fields as plain data: functions by name, configured objects as dicts.

        For an authored class these are the arguments of its `__init__`. An authored class that
        overrides this method gets the fields of the class that it extends.

        Raises:
            TypeError: An argument of an authored class's `__init__` is not plain data, so that the
                class must override this method.
        """
        if self.has_own_init:
            return self._authored_config()
        return {item.name: described(self, item) for item in described_arguments(self)}

    def _authored_config(self) -> dict[str, Any]:
        accepted = argument_names(type(self))
        fields = getattr(type(self), "__dataclass_fields__", {})
        inherited = {
            name: described(self, fields[name]) if name in fields else plain(stored(self, name))
            for name in self.inherited_arguments
            if name not in fields or not is_implied(fields[name], stored(self, name))
        }
        if type(self).get_config.__module__.startswith("fjax."):
            known = {name: value for name, value in inherited.items() if accepts(accepted, name)}
            return {**recorded_arguments(self), **known}
        # What the author's `get_config` adds to: without defaults that `__init__` does not take.
        return {
            name: value
            for name, value in inherited.items()
            if accepts(accepted, name) or value != getattr(type(self), name, None)
        }

    @classmethod
    def present_name(cls, argument: str) -> str:
        """Return the present name of an argument that may have its former name."""
        return cls._renamed.get(argument, argument)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return the object with this configuration, as `get_config` returns it."""
        return cls(**config)


def plain(value: Any) -> Any:
    """Return a field's value as plain data, as `get_config` returns it.

    Raises:
        TypeError: The value is a function without a name.
    """
    if isinstance(value, Configured):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [plain(item) for item in value]
        # Tuples stay tuples, as in Keras: `config["kernel_size"] == (3, 3)`.
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if callable(value):
        if not hasattr(value, "__name__"):
            raise TypeError(f"A configuration holds functions by name, and {value!r} has none.")
        # A lambda has no name that could be looked up again.
        return value if "<" in value.__name__ else value.__name__
    return value


def described(configured: Configured, item: dataclasses.Field[Any]) -> Any:
    """Return the value of a field as plain data, in the form that its metadata may ask for."""
    describe: Callable[[Any], Any] = item.metadata.get("describe", plain)
    return describe(stored(configured, item.name))


def _order_new_positions(cls: Any) -> None:
    """Put the fields that only this class accepts by position where it declares them.

    A single one stays where the base class has it.
    """
    fields: dict[str, dataclasses.Field[Any]] = cls.__dataclass_fields__
    inherited = getattr(cls.__base__, "__dataclass_fields__", {})
    declared = _declared_positions(cls)
    is_new = any(name in inherited and inherited[name].kw_only for name in declared)
    if is_new and len(declared) > 1:
        for name in declared:
            fields[name] = fields.pop(name)


def _declared_positions(cls: Any) -> list[str]:
    fields = cls.__dataclass_fields__
    own = inspect.get_annotations(cls)
    return [name for name in own if name in fields and not fields[name].kw_only]


def are_strings(values: list[Any] | tuple[Any, ...]) -> bool:
    """Tell whether a list or tuple holds only strings; fast for long vocabularies."""
    return set(map(type, values)) == {str}


def _bind_arguments(
    configured: Configured, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the value of each field that the constructor accepts, in the order of the fields."""
    cls = type(configured)
    _translate_former_names(cls, kwargs)
    accepted = arguments(cls)
    _drop_neutral_arguments(cls, kwargs, {item.name for item in accepted})
    if cls.keywords_field is not None:
        kwargs = _gather_keywords(cls.keywords_field, accepted, kwargs)
    if kwargs:
        check_keywords(_constructor_of(cls), kwargs, [item.name for item in accepted])
    positional = [item.name for item in accepted if not item.kw_only]
    if len(args) > len(positional):
        raise TypeError(
            f"`{cls.__name__}` takes at most {len(positional)} arguments by position "
            f"({', '.join(positional)}), received {len(args)}."
        )
    values = dict(zip(positional, args, strict=False))
    repeated = [name for name in values if name in kwargs]
    if repeated:
        raise TypeError(f"`{cls.__name__}` was given `{repeated[0]}` by position and by name.")
    values |= kwargs
    missing = [item.name for item in accepted if item.name not in values and is_required(item)]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise TypeError(f"`{cls.__name__}` was made without {names}, which it needs.")
    return {item.name: values.get(item.name, item.default) for item in accepted}


def _constructor_of(cls: type[Configured]) -> str:
    """Return the name of the class whose constructor this is: an authored `__init__` calls it."""
    return next(base for base in cls.__mro__ if not getattr(base, "has_own_init", False)).__name__


def _gather_keywords(
    keywords_field: str, accepted: list[dataclasses.Field[Any]], kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Return the keywords with those that name no field in a dict of their own."""
    names = {item.name for item in accepted}
    known = {name: value for name, value in kwargs.items() if name in names}
    further = {name: value for name, value in kwargs.items() if name not in names}
    if further:
        known[keywords_field] = {**(known.get(keywords_field) or {}), **further}
    return known


def _translate_former_names(cls: type[Configured], kwargs: dict[str, Any]) -> None:
    for former in kwargs.keys() & cls._renamed.keys():
        name = cls._renamed[former]
        if name in kwargs:
            raise TypeError(
                f"`{cls.__name__}` was given `{name}` and its older spelling `{former}`."
            )
        warn_user(
            f"`{cls.__name__}({former}=…)` is an older spelling of `{name}=`.", DeprecationWarning
        )
        kwargs[name] = kwargs.pop(former)


def _drop_neutral_arguments(
    cls: type[Configured], kwargs: dict[str, Any], fields: set[str]
) -> None:
    """Remove the arguments that are no fields and have a value which means nothing else."""
    for name in (kwargs.keys() & cls.neutral_arguments.keys()) - fields:
        value, allowed = kwargs.pop(name), cls.neutral_arguments[name]
        # A dtype or a policy is meant by its name.
        plain_value = getattr(value, "name", value)
        if not any(plain_value is each or plain_value == each for each in allowed):
            raise ValueError(
                f"`{cls.__name__}`: `{name}` must be {' or '.join(map(repr, allowed))}, received "
                f"{value!r}."
            )


def _hashable_fields(configured: Configured) -> tuple[Any, ...]:
    """Return what equality and hash compare: the class and the values of all fields."""
    values = (stored(configured, item.name) for item in dataclasses.fields(configured))  # type: ignore[arg-type]
    return (type(configured), *(_hashable(value) for value in values))


def _hashable(value: Any) -> Any:
    """Return a hashable object that is equal for equal values of a field."""
    if isinstance(value, Mapping):
        items = ((key, _hashable(item)) for key, item in value.items())
        return tuple(sorted(items, key=lambda item: repr(item[0])))
    if isinstance(value, list | tuple):
        return tuple(value) if are_strings(value) else tuple(_hashable(item) for item in value)
    # In Python 1, 1.0 and True are equal; their programs differ.
    if isinstance(value, bool | int | float):
        return type(value), value
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Configured):
        fields = dataclasses.fields(value)
        return type(value), *(_hashable(getattr(value, item.name)) for item in fields)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.dtype.str, value.shape, value.tobytes()
    try:
        hash(value)
    except TypeError:
        return ByIdentity(value)
    return value


def _is_default(value: Any, default: Any) -> bool:
    """Tell whether `repr` may omit a value; a default may be the name of a function or class."""
    if isinstance(default, str) and isinstance(value, Configured):
        return snake_case(type(value).__name__) == default and value == type(value)()
    if isinstance(default, str) and callable(value):
        return getattr(value, "__name__", None) == default
    return type(value) is type(default) and bool(value == default)


def _short_repr(value: Any) -> str:
    """Return the repr of a value, with functions by their names."""
    if callable(value) and not isinstance(value, Configured):
        return getattr(value, "__name__", repr(value))
    if isinstance(value, list):
        return f"[{', '.join(map(_short_repr, value))}]"
    if isinstance(value, tuple):
        inner = ", ".join(map(_short_repr, value))
        return f"({inner}{',' if len(value) == 1 else ''})"
    return repr(value)
