"""A layer and an optimizer as they stand in a model: configuration, with the model's arrays."""

import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from fjax.core.freezing import set_trainable
from fjax.errors import number_between, suggestion
from fjax.models.symbolic import layer_tensors
from fjax.models.weights import read_weights, weight_paths, write_weights
from fjax.trees import branch
from fjax.typing import HasLearningRate


class LayerView:
    """A layer of a model: the layer's fields, and its weights, which the model holds.

    Attributes:
        name: The layer's name in this model.
        layer: The layer itself, which owns no array.
    """

    name: str
    layer: Any

    def __init__(self, model: Any, name: str, layer: Any, path: tuple[str, ...] | None) -> None:
        # What makes a view is set once: an assignment from outside is answered.
        self.__dict__.update(_model=model, name=name, layer=layer, _path=path)

    def __getattr__(self, attribute: str) -> Any:
        return _of("layer", self, attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "trainable":
            set_trainable(self.layer, value)
            return
        raise AttributeError(
            f"The layer {self.name!r} is a description and cannot be changed: `{attribute}` was "
            f"set to {value!r}. Its weights can, by `set_weights`."
        )

    def __repr__(self) -> str:
        return f"<{self.layer!r}, named {self.name!r}>"

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        """Call the layer on symbolic tensors: its weights are those that it has in this model."""
        return self.layer(*inputs, **options)

    @property
    def has_symbols(self) -> bool:
        """Whether the layer is called once in its model, on symbolic tensors that are known."""
        try:
            return self.input is not None
        except (AttributeError, ValueError):
            return False

    @property
    def layer_tree(self) -> Any:
        """What another model takes up: the layer itself, as of a model its network."""
        return self.layer

    @property
    def input(self) -> Any:
        """The symbolic tensor that the layer is called on in this model; of several a list."""
        return layer_tensors(self._model.symbols, self.name, self.layer).inputs

    @property
    def output(self) -> Any:
        """The symbolic tensor that the layer makes in this model; of several their structure."""
        return layer_tensors(self._model.symbols, self.name, self.layer).outputs

    @property
    def output_shape(self) -> Any:
        """The shape of what the layer makes, None for axes of any size."""
        return jax.tree.map(lambda tensor: tensor.shape, self.output)

    @property
    def layers(self) -> list["LayerView"]:
        """The layers within this one, as the layers of a nested model."""
        return [
            LayerView(self._model, name, layer, (*self._path, name))
            for name, layer in self.layer.children()
        ]

    def get_layer(self, name: str) -> "LayerView":
        """Return the layer of this name within this one."""
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
            ValueError: The number of arrays or a shape is another.
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


class OptimizerView:
    """The optimizer of a model: its fields, and the learning rate in the model's train state."""

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.__dict__.update(_model=model, optimizer=optimizer)

    def __getattr__(self, attribute: str) -> Any:
        return _of("optimizer", self, attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "lr":
            warnings.warn(
                "`optimizer.lr` is an older spelling of `optimizer.learning_rate`.",
                DeprecationWarning,
                stacklevel=2,
            )
            attribute = "learning_rate"
        if attribute != "learning_rate":
            raise AttributeError(
                f"Of a model's optimizer the learning rate can be set, not `{attribute}`: "
                "call `compile` with another optimizer."
            )
        self._set_learning_rate(value)

    def __repr__(self) -> str:
        return repr(self.optimizer)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; setting it compiles nothing anew."""
        return float(self._opt_state().learning_rate)

    @property
    def lr(self) -> float:
        """The older spelling of `learning_rate`."""
        warnings.warn(
            "`optimizer.lr` is an older spelling of `optimizer.learning_rate`.",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.learning_rate

    def _opt_state(self) -> Any:
        opt_state = self._model.train_state.opt_state
        if not isinstance(opt_state, HasLearningRate):
            raise TypeError(
                f"The optimizer {self.optimizer!r} keeps no learning rate in its state: use one of "
                "`fjax.optimizers`."
            )
        return opt_state

    def _set_learning_rate(self, value: Any) -> None:
        opt_state = self._opt_state()
        rate = getattr(self.optimizer, "learning_rate", None)
        if callable(rate):
            raise TypeError(
                f"The learning rate follows the schedule {rate!r} and cannot be set: "
                "compile with a number as learning rate."
            )
        value = number_between("optimizer", "learning_rate", np.asarray(value).item(), 0.0)
        opt_state = opt_state._replace(learning_rate=np.float32(value))
        self._model.train_state = self._model.train_state._replace(opt_state=opt_state)

    @property
    def iterations(self) -> int:
        """How many updates were made: steps, or `gradient_accumulation_steps` of them for each."""
        every = getattr(self.optimizer, "gradient_accumulation_steps", None) or 1
        return int(self._model.train_state.step) // every


def _of(inner: str, view: Any, attribute: str) -> Any:
    # `copy` asks a view that has no attributes yet.
    if inner not in view.__dict__:
        raise AttributeError(attribute)
    return getattr(view.__dict__[inner], attribute)
