"""A network with weights that supports subclasses with `call`."""

from typing import Any

from fjax.authoring import build_within_a_pass, is_bound
from fjax.core.author import Author, declare_facade
from fjax.models.network_with_weights import NetworkWithWeights
from fjax.models.subclassed import (
    changes_layers,
    check_attribute,
    has_only_steps,
    is_authored_model,
)


class AuthoredNetwork(NetworkWithWeights, Author):
    """A network with weights; a subclass with a `call` defines its layers as attributes.

    See `NetworkWithWeights` for the arguments.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith("fjax."):
            # Only attributes of authors' classes may hold layers and weights.
            declare_facade(cls)
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
        # Python calls this only for missing attributes; `copy` looks up some on an empty object.
        if not name.startswith("__") and "model_parts" not in vars(self):
            raise RuntimeError(
                f"`{type(self).__name__}.__init__` did not call `super().__init__()`: call it "
                "in the first line."
            )
        return object.__getattribute__(self, name)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._authoring.own_weights(self)

    @property
    def built(self) -> bool:
        """Whether the input shape is known."""
        return super().built

    @built.setter
    def built(self, value: bool) -> None:
        # An author's `build` sets it at its end, on the copy that is bound for one pass; a model
        # that has only a `train_step` sets it because Keras asks for it.
        if not is_bound(self) and not (value and has_only_steps(self)):
            raise AttributeError(
                f"The model {self.name!r} is built by `build(input_shape)`, not by `built = …`."
            )

    def build(self, input_shape: Any) -> None:
        """Set the input shape, batch axis included (None for a batch of any size).

        For several inputs, pass a list of shapes; for named inputs, a dict.
        """
        # An author's `build` calls it on the copy that is bound for one pass.
        if not is_bound(self):
            super().build(input_shape)

    def _rebuild(self) -> None:
        """Rebuild the model with the layers that are now in the author's attributes."""
        architecture = self.model_parts.architecture
        specs, shapes = None, None
        if architecture.is_built:
            specs, shapes, _ = architecture.built
        self.model_parts.replace_layers(architecture.layer_tree, specs, shapes)
