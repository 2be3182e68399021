"""The train state of a model, created lazily."""

import random
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fjax.core import Layer
from fjax.core.shapes import LayerShapes
from fjax.core.weight_slot import PARTS, WeightSlot, find_slot, set_slot
from fjax.distribution.current import current_placement
from fjax.errors import seed_of
from fjax.models.architecture import Architecture
from fjax.training import TrainState
from fjax.training.initialization import initialize, initialize_optimizer
from fjax.training.placement import Placement
from fjax.training.programs import Draw
from fjax.training.state import run_key
from fjax.trees import first_difference
from fjax.typing import Adapts, GradientTransformation, PyTree
from fjax.variable import Variable


class WeightStore:
    """The train state of a model; the weights are in the slots of its layers.

    The arrays are created at their first use.

    Args:
        architecture: The layers and their inputs.
        owner: The class of the model, for errors.
        seed: Determines the weights and all random numbers of the training; None draws a seed from
            Python's `random`.

    Attributes:
        seed: The seed.
        is_seeded: Whether the user set a seed.
        optimizer: The optimizer that the model was compiled with, or None.
        placement: The devices for the arrays.
    """

    def __init__(self, architecture: Architecture, owner: str, seed: int | None) -> None:
        self.architecture = architecture
        self.is_seeded = seed is not None
        # Python's global generator is used only if the user sets no seed.
        self.seed = random.getrandbits(32) if seed is None else seed_of(owner, seed)
        self.optimizer: GradientTransformation | None = None
        self.placement = self._own(current_placement())
        self._optimizer_is_new = False
        # The train state without params and state.
        self._rest: TrainState | None = None
        # The train state of a copied model. It is put into the slots at its first use, since the
        # layers of an authored model may be incomplete until the whole model is copied.
        self._copied: TrainState | None = None
        # The layers with an `adapt`, and what they had learned when the weights were created.
        self._learned: list[tuple[Adapts, Any]] = []
        self._calls = 0
        self._seed_variable: Variable | None = None

    @property
    def is_made(self) -> bool:
        """Whether the weights exist."""
        return self._rest is not None or self._copied is not None

    @property
    def train_state(self) -> TrainState:
        """The train state; an assigned one is neither checked nor copied."""
        self.make()
        assert self._rest is not None
        if self._optimizer_is_new and self.optimizer is not None:
            params = self._gather("params")
            opt_state = initialize_optimizer(self.architecture.network, self.optimizer, params)
            self._rest = self._rest._replace(opt_state=opt_state)
            self._optimizer_is_new = False
            if self.placement.mesh is not None:
                self.train_state = self.placement.shard(self._whole())
        return self._whole()

    @train_state.setter
    def train_state(self, value: TrainState) -> None:
        slot = self.architecture.slot
        for part in PARTS:
            slot.scatter(part, getattr(value, part))
        self._rest = value._replace(params={}, state={})

    @property
    def accumulators(self) -> PyTree:
        """The accumulators of the train state."""
        return () if self._rest is None else self._rest.accumulators

    def begin_epoch(self, accumulators: PyTree, epoch: int | None = None) -> None:
        """Set the counters and the accumulators for the first step of an epoch.

        Args:
            accumulators: The accumulators.
            epoch: The number of completed epochs; None does not change it.
        """
        self.make()
        self._set(batch=np.int32(0), accumulators=accumulators)
        if epoch is not None:
            self._set(epoch=np.int32(epoch))

    def end_epoch(self, epoch: int) -> None:
        """Set the counters after an epoch to the number of completed epochs."""
        self._set(epoch=np.int32(epoch), batch=np.int32(0))

    def _set(self, **fields: Any) -> None:
        assert self._rest is not None
        self._rest = self._rest._replace(**fields)

    def make(self) -> None:
        """Draw the weights, unless they exist."""
        self.unpack()
        if self._rest is None:
            self._make()

    def adopt(self, value: TrainState) -> None:
        """Set a train state that fits, whose arrays are not used elsewhere."""
        if not self.is_made:
            self._learned = learned_statistics(self.architecture.layer_tree)
        self.train_state = value
        self._optimizer_is_new = value.opt_state == ()

    def assign(self, value: Any) -> None:
        """Set a user's train state: check it, and copy arrays that may be used elsewhere.

        Raises:
            TypeError: The value is not a train state.
            ValueError: It does not fit the model, or its arrays were donated.
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
        self.adopt(_copy_foreign_arrays(value, self.train_state if self.is_made else None))

    def use_optimizer(self, optimizer: GradientTransformation) -> None:
        """Set another optimizer, and reset its state."""
        self.optimizer, self._optimizer_is_new = optimizer, True

    def use_placement(self, placement: Placement) -> None:
        """Set the devices for the arrays, and move those that exist.

        Raises:
            ValueError: The placement does not fit the weights.
        """
        placement = self._own(placement)
        if placement == self.placement:
            return
        if placement.mesh is not None and self.architecture.is_built:
            shapes = self.architecture.built.layer_shapes
            placement.check_weights(shapes.params, shapes.state)
        self.placement = placement
        if self.is_made:
            self.unpack()
            self.train_state = placement.move(self._whole())

    def _own(self, placement: Placement) -> Placement:
        return placement.for_model(self.architecture.name)

    def optimizer_state(self) -> PyTree:
        """Return the optimizer's state, or an empty one before its first step."""
        self.unpack()
        if self._rest is None or self.optimizer is None or self._optimizer_is_new:
            return ()
        return self._rest.opt_state if int(self._rest.step) else ()

    def set_seed(self, seed: int) -> None:
        """Set the seed; existing weights do not change."""
        self.seed = seed_of("set_seed", seed)
        self.is_seeded, self._seed_variable = True, None
        self.unpack()
        if self._rest is not None:
            self._rest = self._rest._replace(key=run_key(self.seed))

    @property
    def seed_variable(self) -> Variable:
        """The seed of the random numbers of pure calls, in a variable."""
        if self._seed_variable is None:
            value = jax.random.key_data(run_key(self.seed))
            self._seed_variable = Variable(value, trainable=False, name="seed_generator_state")
        return self._seed_variable

    def for_call(self) -> tuple[PyTree, PyTree, Draw]:
        """Return the params, the state, and new random numbers for a call outside of training."""
        self._calls += 1
        self.make()
        assert self._rest is not None
        draw = Draw(self._rest.key, self._rest.step, np.int32(self._calls))
        return self._gather("params"), self._gather("state"), draw

    def rebuild(self) -> None:
        """Create the train state for other layers; keep the key, the counters and known weights."""
        before, self._rest = self._rest, None
        if before is not None and self.architecture.is_built:
            self.train_state = self.train_state._replace(
                key=before.key, step=before.step, epoch=before.epoch
            )
            self._optimizer_is_new = True

    def check_statistics(self) -> None:
        """Raise ValueError if a layer was adapted to other data after the weights were created."""
        if self.is_made and any(layer.learned() != learned for layer, learned in self._learned):
            raise ValueError(
                f"A layer of the model {self.architecture.name!r} was adapted again after the "
                "model was used, and the model has weights for the earlier statistics: adapt "
                "before the first use, or create a new model. The statistics of a `Normalization` "
                "can be set by `model.get_layer(…).set_weights([mean, variance, count])`."
            )

    def __getstate__(self) -> dict[str, Any]:
        train_state = self.train_state if self.is_made else None
        # The slots are copied with their layers, which may be used before the model is.
        slots = [] if train_state is None else list(_layers_with_slots(self.architecture))
        return {**vars(self), "_rest": None, "_copied": train_state, "_slots": slots}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for layer, slot in state.pop("_slots"):
            set_slot(layer, slot)
        vars(self).update(state)

    def unpack(self) -> None:
        """Put the train state of a copied model into the empty slots.

        Slots of layers that are shared with another copied model may be filled already, and their
        weights trained.
        """
        copied, self._copied = self._copied, None
        if copied is None:
            return
        self.architecture.slot.fill(copied.params, copied.state)
        self._rest = copied._replace(params={}, state={})
        self._optimizer_is_new = copied.opt_state == ()

    def _make(self) -> None:
        """Draw the weights of layers that have no weights from other models."""
        architecture = self.architecture
        # A layer that was adapted in the meantime has a new slot.
        architecture.renew_slots()
        built = architecture.built
        architecture.require_ready()
        slots = [slot for _, slot in architecture.slot.slots()]
        # The slot of a shared `Input` is filled but empty.
        has_weights = any(slot.is_filled and (slot.params or slot.state) for slot in slots)
        drawn = initialize(
            architecture.network, self.optimizer, self.seed, *built.specs, placement=self.placement
        )
        architecture.slot.fill(drawn.params, drawn.state)
        self._rest = drawn._replace(params={}, state={})
        self._learned = learned_statistics(architecture.layer_tree)
        # The optimizer's state belongs to the drawn weights, not to those of other models.
        self._optimizer_is_new = has_weights and self.optimizer is not None

    def _whole(self) -> TrainState:
        assert self._rest is not None
        return self._rest._replace(params=self._gather("params"), state=self._gather("state"))

    def _gather(self, part: str) -> PyTree:
        return self.architecture.slot.gather(part)


def _layers_with_slots(architecture: Architecture) -> Iterator[tuple[Layer, WeightSlot]]:
    """Return the layers that have a slot, with their slots."""

    def walk(layer: Any, slot: WeightSlot) -> Iterator[tuple[Layer, WeightSlot]]:
        if not isinstance(layer, Layer):
            return
        if find_slot(layer) is slot:
            yield layer, slot
        for name, child in layer.children():
            if name in slot.children:
                yield from walk(child, slot.children[name])

    return walk(architecture.layer_tree, architecture.slot)


def learned_statistics(network: Any) -> list[tuple[Adapts, Any]]:
    """Return the layers with an `adapt`, and the statistics that they have learned from data."""
    # Looking at the class is much faster than asking whether the layer has the protocol.
    adapts = hasattr(type(network), "adapt") and isinstance(network, Adapts)
    learned = [(network, network.learned())] if adapts else []
    sublayers = network.inside() if isinstance(network, Layer) else []
    return learned + [entry for layer in sublayers for entry in learned_statistics(layer)]


def _copy_foreign_arrays(value: TrainState, current: TrainState | None) -> TrainState:
    """Return a train state in which arrays that are not in the current one are copied.

    The next step donates the arrays, and they must not be used elsewhere.

    Raises:
        ValueError: An array was donated to a step since the state was taken.
    """
    known_ids = {id(leaf) for leaf in jax.tree.leaves(current)}

    def copy_if_foreign(leaf: Any) -> Any:
        if not isinstance(leaf, jax.Array):
            return leaf
        if leaf.is_deleted():
            raise ValueError(
                "The arrays of this train state are deleted: a model with these layers was trained "
                "after it was read, and a training step donates its arrays. Take a copy before, by "
                "`jax.tree.map(jnp.copy, model.train_state)`."
            )
        if id(leaf) in known_ids:
            # A repeated array is copied.
            known_ids.discard(id(leaf))
            return leaf
        return jnp.copy(leaf)

    return jax.tree.map(copy_if_foreign, value)


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
            f"`key` of a train state must be a key, as `jax.random.key` returns it, received "
            f"{value.key!r}."
        )
