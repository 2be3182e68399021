"""What an author's class inherits: Keras's methods for weights and losses."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

from fjax import constraints
from fjax.typing import Array, Authoring

# The attribute `<weight>_constraint` holds the constraint of a weight.
CONSTRAINT = "_constraint"

# The attribute that has the weight slot of a layer.
WEIGHT_SLOT = "weight_slot"

# The attributes that facades keep on a layer, and that no copy of it has.
UNCOPIED = frozenset({WEIGHT_SLOT})


class Author:
    """Base of the classes that authors write with `build`, `add_weight` and `call`."""

    _authoring: ClassVar[Authoring]
    _facade_attributes: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.call is not Author.call:
            cls._authoring.prepare_class(cls)

    def build(self, input_shape: Any) -> None:
        """Make the weights that depend on the input's shape; for authors to override.

        Args:
            input_shape: The first input's shape with None for the batch axis; a list or dict of
                shapes where that input is one of arrays. For a `call` of several arguments write
                `build(self, a_shape, b_shape)`, with the names of these arguments.
        """

    def call(self, *inputs: Any, training: bool | None = None) -> Any:
        """Return the outputs; for authors to override. `super().call` is the extended layer."""
        return self._authoring.context_of(self).call_extended(inputs, training)

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Array:
        """Return a new weight of the layer; to be called in `__init__` or `build`.

        In `build` and `call` the weight is a JAX array. After `__init__` it has a shape and a
        dtype, and no values: these are in `params` or `state`.

        Args:
            shape: Its shape.
            initializer: Makes its first value; by default "glorot_uniform", "zeros" for integers.
            dtype: Its number type, by default the layer's `variable_dtype`.
            trainable: Whether it is one of the params. Otherwise it is state: `call` may assign it.
            autocast: Whether `call` reads it in the layer's `compute_dtype`.
            regularizer: A function of the weight that is added to the loss.
            constraint: A function of the weight that is applied after each update. For a weight
                that is made in `build` it must also be the object's attribute
                `<name>_constraint`, because `build` has not run there.
            name: Its name in params or state; by default that of the attribute that it is assigned
                to, or `variable`, numbered, if it is assigned to none.

        Raises:
            RuntimeError: It was called elsewhere, as in `call`.
            ValueError: The name is taken, the shape is not a tuple of integers, or the constraint
                is not that attribute.
        """
        return self._authoring.context_of(self).add_weight(
            shape, initializer, dtype, trainable, autocast, regularizer, constraint, name
        )

    def add_loss(self, loss: Any) -> None:
        """Add a number to the loss of this pass; to be called in `call`."""
        self._authoring.context_of(self).add_loss(loss)


def register_authoring(authoring: Authoring) -> None:
    """Set what makes pairs of authors' classes: `fjax.authoring`, which lies above this package."""
    Author._authoring = authoring


class ReplaceableAttribute:
    """A property that an attribute of the same name, which a subclass sets, replaces.

    Args:
        getter: The method that returns the value.
    """

    def __init__(self, getter: Callable[[Any], Any]) -> None:
        self._getter = getter
        self.__doc__ = getter.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # Without `__set__`, Python looks for the attribute in the object first.
        return self if instance is None else self._getter(instance)


def declare_facade(cls: Any) -> None:
    """Declare that the attributes which a class and its bases annotate are not an author's."""
    cls._facade_attributes = frozenset(
        name for base in cls.__mro__ for name in inspect.get_annotations(base)
    )


def facade_attributes(author: Any) -> frozenset[str]:
    """Return the names of the attributes that belong to the facade an author extends, if any."""
    return getattr(type(author), "_facade_attributes", frozenset())


def constraint_attributes(author: Any) -> dict[str, Callable[[Array], Array]]:
    """Return the constraints in the attributes `<weight>_constraint` of an object, by weight."""
    resolved = {
        name.removesuffix(CONSTRAINT): constraints.get(value)
        for name, value in vars(author).items()
        if name.endswith(CONSTRAINT)
    }
    return {weight: constraint for weight, constraint in resolved.items() if constraint is not None}
