"""Views of the layers of a model: their fields and the model's arrays."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fjax.core.freezing import set_trainable
from fjax.errors import suggestion
from fjax.models.symbolic import layer_tensors
from fjax.models.weight_paths import read_weights, weight_paths, write_weights
from fjax.trees import branch


class LayerView:
    """A layer of a model: the layer's fields, and its weights in the model.

    Attributes:
        name: The layer's name in this model.
        layer: The layer itself, which has no arrays.
    """

    name: str
    layer: Any

    def __init__(self, model: Any, name: str, layer: Any, path: tuple[str, ...] | None) -> None:
        # Bypasses `__setattr__`, which raises for all attributes but `trainable`.
        self.__dict__.update(_model=model, name=name, layer=layer, _path=path)

    def __getattr__(self, attribute: str) -> Any:
        # `copy` looks up attributes on an empty view.
        if "layer" not in self.__dict__:
            raise AttributeError(attribute)
        return getattr(self.__dict__["layer"], attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "trainable":
            set_trainable(self.layer, value)
            return
        raise AttributeError(
            f"The layer {self.name!r} cannot be changed: `{attribute}` was set to {value!r}. "
            "Its weights can be changed by `set_weights`."
        )

    def __repr__(self) -> str:
        return f"<{self.layer!r}, named {self.name!r}>"

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Call the layer on symbolic tensors; it keeps its weights of this model."""
        return self.layer(*inputs, **options)

    @property
    def has_symbols(self) -> bool:
        """Whether the layer is called once in its model, on known symbolic tensors."""
        try:
            return self.input is not None
        except (AttributeError, ValueError):
            return False

    @property
    def layer_tree(self) -> Any:
        """The layer itself, which other models use, as `Model.layer_tree`."""
        return self.layer

    @property
    def input(self) -> Any:
        """The symbolic tensor that the layer is called on in this model; a list for several."""
        return layer_tensors(self._model.symbols, self.name, self.layer).inputs

    @property
    def output(self) -> Any:
        """The symbolic tensor that the layer returns in this model; a structure for several."""
        return layer_tensors(self._model.symbols, self.name, self.layer).outputs

    @property
    def output_shape(self) -> Any:
        """The shape of the layer's outputs, None for axes of any size."""
        return jax.tree.map(lambda tensor: tensor.shape, self.output)

    @property
    def layers(self) -> list["LayerView"]:
        """The layers within this layer, such as the layers of a nested model."""
        return [
            LayerView(self._model, name, layer, (*self._path, name))
            for name, layer in self.layer.children()
        ]

    def get_layer(self, name: str) -> "LayerView":
        """Return the layer of this name within this layer."""
        within = {view.name: view for view in self.layers}
        if name not in within:
            raise ValueError(
                f"The layer {self.name!r} contains no layer {name!r}.{suggestion(name, within)} "
                f"Layers: {', '.join(within) or 'none'}."
            )
        return within[name]

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the layer's weights, in Keras's order."""
        return self.get_weights()

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of the layer's weights, in Keras's order: `kernel, bias`."""
        return read_weights(self._model.train_state, self._paths())

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the layer's weights.

        Raises:
            ValueError: The number of arrays or a shape does not fit.
        """
        self._model.train_state = write_weights(
            self._model.train_state, self._paths(), weights, f"layer {self.name!r}"
        )

    def count_params(self) -> int:
        """Return the number of values in the layer's weights."""
        return sum(weight.size for weight in self.get_weights())

    def _paths(self) -> list[tuple[str, ...]]:
        if self._path is None:
            return []
        top = self._path[:1]
        if not any(
            view.layer is self.layer or (top and view.name == top[0] and len(self._path) > 1)
            for view in self._model.layers
        ):
            raise ValueError(
                f"The layer {self.name!r} is no longer in the model {self._model.name!r}."
            )
        shapes = self._model.layer_shapes
        below = weight_paths(branch(shapes.params, self._path), branch(shapes.state, self._path))
        return [(path[0], *self._path, *path[1:]) for path in below]
