"""The order of a model's arrays in the flat lists that Keras's pure functions take."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fjax.core.reserved import CARRY
from fjax.core.shapes import LayerShapes
from fjax.core.slot_variables import are_trainable, weight_paths
from fjax.core.weight_slot import Path
from fjax.trees import branch
from fjax.typing import Array, Key, PyTree

# The path of the seed, which is in no layer.
SEED = ("seed",)


class ModelArrays(NamedTuple):
    """The arrays of a model as the trees of a pair.

    Attributes:
        params: The params.
        state: The state.
        key: The key of one call, or None if the model draws no random numbers.
        next_seed: The seed of the next call.
    """

    params: PyTree
    state: PyTree
    key: Key | None
    next_seed: Array | None


class VariableLayout(NamedTuple):
    """The paths of a model's arrays, in the order of its lists of variables.

    Attributes:
        model: The model's name, for errors.
        shapes: The shapes of all weights.
        trainable: The paths of the arrays that are trained.
        non_trainable: The paths of the others: weights, what recurrent layers remember, and the
            seed of a model that draws random numbers.
    """

    model: str
    shapes: LayerShapes
    trainable: tuple[Path, ...]
    non_trainable: tuple[Path, ...]

    def trees(self, trainable: Sequence[Any], non_trainable: Sequence[Any]) -> ModelArrays:
        """Return the arrays of two lists as trees.

        Raises:
            ValueError: A list has another length, or an array another shape.
        """
        # Penalties are computed anew by each call.
        trees = {
            "params": _zeros(self.shapes.params),
            "state": _zeros(self.shapes.state),
            "seed": None,
        }
        self._put(trees, "trainable_variables", self.trainable, trainable)
        self._put(trees, "non_trainable_variables", self.non_trainable, non_trainable)
        key = next_seed = None
        if trees["seed"] is not None:
            key, next_key = jax.random.split(jax.random.wrap_key_data(trees["seed"]))
            next_seed = jax.random.key_data(next_key)
        return ModelArrays(trees["params"], trees["state"], key, next_seed)

    def lists(
        self, params: PyTree, state: PyTree, seed: Array | None
    ) -> tuple[list[Array], list[Array]]:
        """Return the arrays of trees as two lists, the trainable and the other ones."""
        trees = {"params": params, "state": state, "seed": seed}
        trainable, non_trainable = (
            [branch(trees, path) for path in paths]
            for paths in (self.trainable, self.non_trainable)
        )
        return trainable, non_trainable

    def _put(
        self, trees: dict[str, Any], argument: str, paths: Sequence[Path], values: Sequence[Any]
    ) -> None:
        if not isinstance(values, list | tuple) or len(values) != len(paths):
            received = len(values) if isinstance(values, list | tuple) else type(values).__name__
            raise ValueError(
                f"The model {self.model!r} takes a list of {len(paths)} arrays as `{argument}`, "
                f"one for each of `model.{argument}`, received {received}."
            )
        for path, value in zip(paths, values, strict=True):
            array = jnp.asarray(getattr(value, "value", value))
            if path == SEED:
                trees["seed"] = array
                continue
            *parents, name = path
            parent = branch(trees, parents)
            if array.shape != parent[name].shape:
                raise ValueError(
                    f"`{argument}` of the model {self.model!r}: {'/'.join(path[1:])} has the shape "
                    f"{parent[name].shape}, received {array.shape}. Keep the order of "
                    f"`model.{argument}`."
                )
            parent[name] = array


def variable_layout(model: str, layer: Any, shapes: LayerShapes, draws: bool) -> VariableLayout:
    """Return the order of a model's arrays.

    Args:
        model: The model's name, for errors.
        layer: The layers, whose `trainable` flags count.
        shapes: The shapes of their weights.
        draws: Whether the model draws random numbers.

    >>> from fjax.core.shapes import eval_shapes
    >>> from fjax.layers import BatchNormalization
    >>> layer = BatchNormalization()
    >>> shapes = eval_shapes(layer, jax.ShapeDtypeStruct((1, 2), "float32"))
    >>> layout = variable_layout("model", layer, shapes, draws=False)
    >>> ["/".join(path[1:]) for path in layout.non_trainable]
    ['moving_mean', 'moving_variance']
    """
    paths = weight_paths(shapes.params, shapes.state)
    flags = are_trainable(paths, layer)
    trained = [path for path, trainable in zip(paths, flags, strict=True) if trainable]
    others = [path for path, trainable in zip(paths, flags, strict=True) if not trainable]
    others += _carry_paths(shapes.state, ("state",))
    return VariableLayout(model, shapes, tuple(trained), (*others, *([SEED] if draws else ())))


def _carry_paths(state: Any, path: Path, within: bool = False) -> list[Path]:
    """Return the paths of what recurrent layers remember between batches."""
    if not isinstance(state, Mapping):
        return [path] if within else []
    return [
        found
        for name, value in state.items()
        for found in _carry_paths(value, (*path, name), within or name == CARRY)
    ]


def _zeros(tree: PyTree) -> PyTree:
    return jax.tree.map(lambda spec: jnp.zeros(spec.shape, spec.dtype), tree)
