"""A network with weights whose layers may be the attributes of an author's class."""

from typing import Any

from fjax.core.authoring import Author
from fjax.models.network_with_weights import NetworkWithWeights
from fjax.models.subclassed import (
    build_within_a_pass,
    changes_layers,
    check_attribute,
    facade_attributes,
    is_authored_model,
)


class AuthoredNetwork(NetworkWithWeights, Author):
    """A network with weights, which a subclass with a `call` makes of its own attributes.

    See `NetworkWithWeights` for the arguments.
    """

    def __init__(self, network: Any, **options: Any) -> None:
        # All that an author adds may hold layers.
        self._internal = facade_attributes(self) | {"_internal"}
        super().__init__(network, **options)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__ and cls.call is not Author.call:
            setattr(cls, "build", build_within_a_pass(cls.__dict__["build"], AuthoredNetwork))  # noqa: B010

    def __setattr__(self, name: str, value: Any) -> None:
        changes = False
        if is_authored_model(self):
            check_attribute(self, name, value)
            changes = changes_layers(self, name, value)
        super().__setattr__(name, value)
        if changes:
            self._rebuild()

    def __getattr__(self, name: str) -> Any:
        # Asked for what is not there alone; `copy` asks for more before there is anything.
        if not name.startswith("__") and "model_parts" not in vars(self):
            raise RuntimeError(
                f"`{type(self).__name__}.__init__` did not call `super().__init__()`: make it the "
                "first line there."
            )
        return object.__getattribute__(self, name)

    @property
    def built(self) -> bool:
        """Whether the input shape is known."""
        return super().built

    @built.setter
    def built(self, value: bool) -> None:
        # An author's `build` ends by it, on the copy that is bound for one pass.
        if "_binding" not in vars(self):
            raise AttributeError(
                f"The model {self.name!r} is built by `build(input_shape)`, not by `built = …`."
            )

    def build(self, input_shape: Any) -> None:
        """Take the input shape, batch axis included (None for a batch of any size).

        Several inputs are a list of shapes, named ones a dict.
        """
        # An author's `build` calls it on the copy that is bound for one pass.
        if "_binding" not in vars(self):
            super().build(input_shape)

    def _rebuild(self) -> None:
        """Build the model anew with the layers that an author's attributes hold now."""
        architecture = self.model_parts.architecture
        specs, shapes = None, None
        if architecture.is_built:
            specs, shapes, _ = architecture.built
        self.model_parts.replace_layers(architecture.layer_tree, specs, shapes)
