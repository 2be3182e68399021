"""The weights of a model, and everything else that its training has made."""

import random
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core import Layer
from fjax.core.shapes import LayerShapes
from fjax.errors import seed_of
from fjax.models.architecture import Architecture
from fjax.models.weight_tree import PARTS, WeightSlot, WeightTree
from fjax.training import TrainState
from fjax.training.initialization import initialize, initialize_optimizer
from fjax.training.state import run_key
from fjax.trees import first_difference
from fjax.typing import Adapts, GradientTransformation, Key, PyTree


class WeightStore:
    """The train state of a model: the weights in the slots of its layers, the rest here.

    The arrays are made when they are first asked for.

    Args:
        architecture: The layers and their inputs.
        owner: The class of the model, for messages.
        seed: Gives the weights and all that training draws; None draws one from Python's `random`.

    Attributes:
        seed: The seed.
        is_seeded: Whether a seed was given.
        optimizer: The optimizer that the model was compiled with, or None.
    """

    def __init__(self, architecture: Architecture, owner: str, seed: int | None) -> None:
        self.architecture = architecture
        self.is_seeded = seed is not None
        # Python's global generator advances only where nothing else gives a seed.
        self.seed = random.getrandbits(32) if seed is None else seed_of(owner, seed)
        self.optimizer: GradientTransformation | None = None
        self._optimizer_is_new = False
        # The train state without params and state.
        self._rest: TrainState | None = None
        # What a copy was made with; it goes into the slots when it is first asked for, since the
        # layers of an authored model may be incomplete until the whole model is copied.
        self._copied: TrainState | None = None
        self._statistics: list[Any] = []
        self._calls = 0

    @property
    def is_made(self) -> bool:
        """Whether the weights were made."""
        return self._rest is not None or self._copied is not None

    @property
    def train_state(self) -> TrainState:
        """The whole run as one value; what is assigned is neither checked nor copied."""
        self.unpack()
        if self._rest is None:
            return self._make()
        if self._optimizer_is_new and self.optimizer is not None:
            params = self._gather("params")
            opt_state = initialize_optimizer(self.architecture.network, self.optimizer, params)
            self._rest = self._rest._replace(opt_state=opt_state)
            self._optimizer_is_new = False
        return self._rest._replace(params=self._gather("params"), state=self._gather("state"))

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        tree = self.architecture.weight_tree
        for part in PARTS:
            tree.scatter(part, getattr(value, part))
        self._rest = value._replace(params={}, state={})

    def adopt(self, value: TrainState) -> None:
        """Take a train state that fits, of arrays that nobody else has."""
        if not self.is_made:
            self._statistics = learned_statistics(self.architecture.layer_tree)
        self.train_state = value
        self._optimizer_is_new = value.opt_state == ()

    def assign(self, value: Any) -> None:
        """Take a train state of a user's: it is checked, and arrays of others are copied.

        Raises:
            TypeError: It is no train state.
            ValueError: It does not fit the model, or arrays of it were donated.
        """
        if not isinstance(value, TrainState):
            raise TypeError(
                f"`train_state` must be a `fjax.training.TrainState`, received {value!r}."
            )
        shapes = self.architecture.built.layer_shapes
        for part in PARTS:
            difference = first_difference(getattr(shapes, part), getattr(value, part))
            if difference:
                raise ValueError(
                    f"The `{part}` of this train state does not fit the model "
                    f"{self.architecture.name!r}; at {difference}."
                )
        _check_dtypes(value, shapes)
        _check_counters(value)
        self.adopt(_with_own_arrays(value, self.train_state if self.is_made else None))

    def use_optimizer(self, optimizer: GradientTransformation) -> None:
        """Take another optimizer, whose state begins anew."""
        self.optimizer, self._optimizer_is_new = optimizer, True

    def optimizer_state(self) -> PyTree:
        """Return the optimizer's state if it has made a step, else an empty one."""
        self.unpack()
        if self._rest is None or self.optimizer is None or self._optimizer_is_new:
            return ()
        return self._rest.opt_state if int(self._rest.step) else ()

    def set_seed(self, seed: int) -> None:
        """Take another seed; weights that are made stay as they are."""
        self.seed = seed_of("set_seed", seed)
        self.is_seeded = True
        self.unpack()
        if self._rest is not None:
            self._rest = self._rest._replace(key=run_key(self.seed))

    def next_key(self) -> Key:
        """Return a key that no call before was given."""
        self._calls += 1
        held = self.train_state
        return jax.random.fold_in(jax.random.fold_in(held.key, held.step), self._calls)

    def rebuild(self) -> None:
        """Begin anew with other layers; those that stay keep their weights, and the run its key."""
        before, self._rest = self._rest, None
        if before is not None and self.architecture.is_built:
            self.train_state = self.train_state._replace(
                key=before.key, step=before.step, epoch=before.epoch
            )
            self._optimizer_is_new = True

    def check_statistics(self) -> None:
        """Raise ValueError if a layer was adapted to other data after the weights were made."""
        current = learned_statistics(self.architecture.layer_tree) if self.is_made else None
        if current is not None and current != self._statistics:
            raise ValueError(
                f"A layer of the model {self.architecture.name!r} was adapted anew after the model "
                "was used, and the model holds weights for what it had learned before: adapt "
                "before the first use, or make a new model. The statistics of a `Normalization` "
                "can be set by `model.get_layer(…).set_weights([mean, variance, count])`."
            )

    def __getstate__(self) -> dict[str, Any]:
        held = self.train_state if self.is_made else None
        # The slots go with their layers, which may be used before the model is.
        slots = [] if held is None else list(_layers_with_slots(self.architecture))
        return {**vars(self), "_rest": None, "_copied": held, "_slots": slots}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for layer, slot in state.pop("_slots"):
            object.__setattr__(layer, "weight_slot", slot)
        vars(self).update(state)

    def unpack(self) -> None:
        """Put the train state that a copy was made with into the slots that are empty.

        Those of layers that another model shares, which was copied together with this one, may be
        filled already, and trained since.
        """
        copied, self._copied = self._copied, None
        if copied is None:
            return
        self.architecture.weight_tree.fill(copied.params, copied.state)
        self._rest = copied._replace(params={}, state={})
        self._optimizer_is_new = copied.opt_state == ()

    def _make(self) -> TrainState:
        """Draw the weights that the layers do not have from other models."""
        architecture = self.architecture
        # A layer that was adapted since has begun a new slot.
        architecture.renew_weight_tree()
        built = architecture.built
        architecture.require_ready()
        slots = [slot for _, slot in architecture.weight_tree.slots()]
        # A declared input that two models share has no weights to bring.
        brings_weights = any(slot.is_filled and (slot.params or slot.state) for slot in slots)
        made = initialize(architecture.network, self.optimizer, self.seed, *built.specs)
        architecture.weight_tree.fill(made.params, made.state)
        self._rest = made._replace(params={}, state={})
        self._statistics = learned_statistics(architecture.layer_tree)
        # Weights that came with a layer are not those that the optimizer began with.
        self._optimizer_is_new = brings_weights and self.optimizer is not None
        return self.train_state

    def _gather(self, part: str) -> PyTree:
        return self.architecture.weight_tree.gather(part)


def _layers_with_slots(architecture: Architecture) -> Iterator[tuple[Layer, WeightSlot]]:
    """Return the layers that remember their slots, with these."""

    def walk(layer: Any, tree: WeightTree) -> Iterator[tuple[Layer, WeightSlot]]:
        if not isinstance(layer, Layer):
            return
        if vars(layer).get("weight_slot") is tree.slot:
            yield layer, tree.slot
        for name, child in layer.children():
            if name in tree.children:
                yield from walk(child, tree.children[name])

    return walk(architecture.layer_tree, architecture.weight_tree)


def learned_statistics(network: Any) -> list[Any]:
    """Return what the layers of a network that have an `adapt` have learned from data."""
    learned = [network.learned()] if isinstance(network, Adapts) else []
    inside = network.inside() if isinstance(network, Layer) else []
    return learned + [entry for layer in inside for entry in learned_statistics(layer)]


def _with_own_arrays(value: TrainState, held: TrainState | None) -> TrainState:
    """Return a train state of arrays that nobody else has: what is not held already is copied.

    The next step donates its arrays, and whoever else had one would be left without.

    Raises:
        ValueError: An array was donated to a step since the state was taken.
    """
    held_ids = {id(leaf) for leaf in jax.tree.leaves(held)}

    def own(leaf: Any) -> Any:
        if not isinstance(leaf, jax.Array):
            return leaf
        if leaf.is_deleted():
            raise ValueError(
                "The arrays of this train state are gone: a model with these layers was trained "
                "since it was taken, and a step donates its arrays. Take a copy before, by "
                "`jax.tree.map(jnp.copy, model.train_state)`."
            )
        if id(leaf) in held_ids:
            # A repeated array is copied.
            held_ids.discard(id(leaf))
            return leaf
        return jnp.copy(leaf)

    return jax.tree.map(own, value)


def _check_dtypes(value: TrainState, shapes: LayerShapes) -> None:
    for part in PARTS:
        pairs = zip(
            *(jax.tree_util.tree_leaves_with_path(getattr(t, part)) for t in (shapes, value)),
            strict=True,
        )
        for (path, expected), (_, leaf) in pairs:
            dtype = leaf.dtype if hasattr(leaf, "dtype") else np.result_type(leaf)
            if dtype != expected.dtype:
                raise ValueError(
                    f"The `{part}` of this train state do not fit: "
                    f"{jax.tree_util.keystr(path)} must be {expected.dtype}, received {dtype}."
                )


def _check_counters(value: TrainState) -> None:
    for name in ("step", "epoch", "batch"):
        count = getattr(value, name)
        is_integer = np.ndim(count) == 0 and np.issubdtype(np.asarray(count).dtype, np.integer)
        if not is_integer or count < 0:
            raise ValueError(
                f"`{name}` of a train state must be a non-negative integer, received {count!r}."
            )
    if not jnp.issubdtype(getattr(value.key, "dtype", np.float32), jax.dtypes.prng_key):
        raise ValueError(
            f"`key` of a train state must be a key as of `jax.random.key`, received {value.key!r}."
        )
