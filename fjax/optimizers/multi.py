"""Several optimizers, each for some of the params."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import jax
import jax.numpy as jnp

from fjax.configuration import Configured, replace
from fjax.errors import number_between, warn_user
from fjax.optimizers.optimizer import Optimizer, OptimizerState
from fjax.optimizers.optimizer_map import OptimizerMap, Param, group_by_optimizer
from fjax.optimizers.optimizer_variables import OptimizerVariables
from fjax.optimizers.state_layout import ITERATION, Path, StateEntry, StateLayout
from fjax.optimizers.stateful import VARIABLES, StatefulOptimizer
from fjax.trees import path_name
from fjax.typing import Array, PyTree, Spec


class MultiOptimizerState(NamedTuple):
    """The state of a `MultiOptimizer` between updates.

    Attributes:
        step: The number of updates so far, an int32 scalar.
        optimizers: The state of each optimizer.
    """

    step: Array
    optimizers: tuple[OptimizerState, ...]


class MultiOptimizer(StatefulOptimizer, Configured):
    """Update some params by one optimizer, and others by another.

    It has no learning rate; each optimizer has one: `optimizer.optimizers[0].learning_rate`.

    Args:
        optimizer_map: An `OptimizerMap`; or a function of a variable, which has a `path`, a `name`,
            a `shape` and a `dtype`, that returns an optimizer. The path is that in the params, as
            in `exclude_from_weight_decay`: "dense/kernel", without the name of a `Sequential`.
            The params for which a function returns the same object share an optimizer.
        loss_scale_factor: As in `Optimizer`; the optimizers inside must not have one.
        name: A name.

    An entry of the map that matches none of the params is a warning.

    Raises:
        TypeError: `optimizer_map` is neither, or an optimizer is not one of `fjax.optimizers`.
        ValueError: Several entries of the map match one param.

    Source: Keras, `MultiOptimizer`.

    >>> from fjax.optimizers.adam import Adam
    >>> from fjax.optimizers.sgd import SGD
    >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.5), {"b": Adam(0.1)}))
    >>> params = {"a": jnp.ones(1), "b": jnp.ones(1)}
    >>> updates, opt_state = optimizer.update(params, optimizer.init(params), params)
    >>> {name: round(float(update[0]), 4) for name, update in updates.items()}
    {'a': -0.5, 'b': -0.1}
    """

    optimizer_map: Any
    loss_scale_factor: float | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        owner = type(self).__name__
        given = self.optimizer_map
        if isinstance(given, Mapping) and "config" in given:
            self.optimizer_map = given = OptimizerMap.from_config(given["config"])
        if not callable(given):
            raise TypeError(
                f"`{owner}`: `optimizer_map` must be an `OptimizerMap`, or a function from a "
                f"variable to an optimizer, received {given!r}."
            )
        if isinstance(given, OptimizerMap):
            given.close()
        if self.loss_scale_factor is not None:
            number_between(owner, "loss_scale_factor", self.loss_scale_factor, 0.0, open_low=True)

    def init(self, params: PyTree) -> MultiOptimizerState:
        """Return the state before the first update of `params`; see `Optimizer.init`."""
        optimizers, owners = self._assign(params)
        self._warn_of_unused(params)
        states = [optimizer.init(_part(params, owners, index))
                  for index, optimizer in enumerate(optimizers)]  # fmt: skip
        return MultiOptimizerState(jnp.zeros((), jnp.int32), tuple(states))

    def update(
        self, grads: PyTree, opt_state: MultiOptimizerState, params: PyTree
    ) -> tuple[PyTree, MultiOptimizerState]:
        """Return the updates, a tree to add to `params`, and the next state.

        Args:
            grads: The gradients, a tree like `params`.
            opt_state: The state from `init` or the previous `update`.
            params: The params of the gradients.

        Raises:
            ValueError: `grads` is not a tree like `params`, or `opt_state` belongs to other params
                or to another optimizer.
        """
        if self.loss_scale_factor is not None:
            grads = jax.tree.map(lambda grad: grad / self.loss_scale_factor, grads)
        optimizers, owners = self._assign(params)
        if len(optimizers) != len(getattr(opt_state, "optimizers", ())):
            raise ValueError(
                f"`{type(self).__name__}.update`: `opt_state` does not belong to this optimizer "
                "and these `params`. Make one by `init(params)`."
            )
        updates, states = [], []
        for index, optimizer in enumerate(optimizers):
            state = opt_state.optimizers[index]
            parts = [_part(tree, owners, index) for tree in (grads, params)]
            update: PyTree = parts[1]
            if index in owners:
                update, state = optimizer.update(parts[0], state, parts[1])
            updates.append(update)
            states.append(state)
        merged = _merge(updates, owners, jax.tree.structure(params))
        return merged, MultiOptimizerState(opt_state.step + 1, tuple(states))

    def finalize(self, params: PyTree, opt_state: MultiOptimizerState) -> PyTree:
        """Return the params to use after training; see `Optimizer.finalize`."""
        optimizers, owners = self._assign(params)
        parts = [
            optimizer.finalize(_part(params, owners, index), state)
            for index, (optimizer, state) in enumerate(
                zip(optimizers, opt_state.optimizers, strict=True)
            )
        ]
        return _merge(parts, owners, jax.tree.structure(params))

    def scale_loss(self, loss: Array, opt_state: MultiOptimizerState | None = None) -> Array:
        """Return the loss times `loss_scale_factor`, if set: `update` expects its gradients."""
        del opt_state
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers: those of the entries of the map, then the default one.

        Those of a function are known once the optimizer has variables. The variables and the
        learning rate of each are part of the state.
        """
        held = vars(self).get(VARIABLES)
        if held is None or not held.exists:
            return group_by_optimizer(self.optimizer_map, [])[0]
        layout = held.in_variables.layout
        optimizers, _ = group_by_optimizer(self.optimizer_map, _params_of(layout.param_specs))
        for index, optimizer in enumerate(optimizers):
            optimizer.use_variables(_InnerVariables(held, optimizer, index))
        return optimizers

    def use_variables(self, holder: Any) -> None:
        """Use the variables in the attribute `in_variables` of an object for the state."""
        super().use_variables(holder)
        # The objects of a map show and set their part of the state at once.
        for index, optimizer in enumerate(group_by_optimizer(self.optimizer_map, [])[0]):
            optimizer.use_variables(_InnerVariables(holder, optimizer, index))

    def with_shown_rate(self) -> Self:
        """Return an optimizer that begins with the learning rates that were assigned."""
        given = self.optimizer_map
        if not isinstance(given, OptimizerMap):
            return self
        default = given.default_optimizer.with_shown_rate()
        entries = {key: given.optimizer_map[key].with_shown_rate() for key in given}
        changed = OptimizerMap(default, entries)
        return self if changed == given else replace(self, optimizer_map=changed)

    @property
    def schedule(self) -> Any:
        """None: each optimizer has its own learning rate."""
        return None

    @property
    def reads_rate_from_state(self) -> bool:
        """False: there is no single learning rate."""
        return False

    def __getattr__(self, name: str) -> Any:
        if name == "learning_rate":
            raise AttributeError(f"`MultiOptimizer` has no learning rate. {_RATES}")
        raise AttributeError(f"`MultiOptimizer` has no attribute `{name}`.")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "learning_rate":
            raise AttributeError(f"`MultiOptimizer` has no learning rate to set. {_RATES}")
        super().__setattr__(name, value)

    def state_entry(
        self, path: tuple[Any, ...], state: PyTree, params: Mapping[Path, Spec]
    ) -> StateEntry:
        """Return what a leaf of the state is: the iteration, then each optimizer's."""
        if path[0].name == "step":
            return StateEntry((0,), ITERATION, self.shown_name, *ITERATION)
        index = path[1].idx
        optimizers, _ = group_by_optimizer(self.optimizer_map, _params_of(params))
        names = [optimizer.shown_name for optimizer in optimizers]
        same = names[:index].count(names[index])
        entry = optimizers[index].state_entry(path[2:], state.optimizers[index], params)
        return entry._replace(
            position=(1, index, *entry.position),
            key=(str(index), *entry.key),
            prefix=f"{names[index]}_{same}" if same else names[index],
            iteration=(str(index), *entry.iteration),
        )

    def _assign(self, params: PyTree) -> tuple[list[Optimizer], list[int]]:
        leaves = jax.tree_util.tree_leaves_with_path(params)
        described = [_param(path_name(path), leaf) for path, leaf in leaves]
        return group_by_optimizer(self.optimizer_map, described)

    def _warn_of_unused(self, params: PyTree) -> None:
        paths = [path_name(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
        if not paths or not isinstance(self.optimizer_map, OptimizerMap):
            return
        used = {self.optimizer_map.key_of(path) for path in paths}
        for key in self.optimizer_map:
            if key not in used:
                warn_user(
                    f"`MultiOptimizer`: the entry {key!r} of the map matches no trainable param. "
                    f"The params are: {', '.join(paths)}."
                )


_RATES = "Each of its optimizers has one: `optimizer.optimizers[0].learning_rate`."


class _InnerVariables:
    """The part of the variables of a `MultiOptimizer` that is one optimizer's."""

    def __init__(self, holder: Any, optimizer: Optimizer, index: int) -> None:
        self.holder, self.optimizer, self.index = holder, optimizer, index

    @property
    def exists(self) -> bool:
        exists: bool = self.holder.exists
        return exists

    @property
    def in_variables(self) -> OptimizerVariables:
        whole: OptimizerVariables = self.holder.in_variables
        layout, choose = whole.layout, whole.layout.optimizer.optimizer_map  # type: ignore[attr-defined]
        params = _params_of(layout.param_specs)
        _, owners = group_by_optimizer(choose, params)
        own = {
            tuple(param.path.split("/"))
            for param, owner in zip(params, owners, strict=True) if owner == self.index
        }  # fmt: skip
        inner = StateLayout(
            self.optimizer,
            [path for path in layout.paths if path in own],
            [spec for path, spec in layout.param_specs.items() if path in own],
        )
        by_key = whole.by_key()
        trainable = [
            variable for path, variable in zip(layout.paths, whole.trainable, strict=True)
            if path in own
        ]  # fmt: skip
        return OptimizerVariables(
            inner, [by_key[(str(self.index), *key)] for key in inner.keys], trainable
        )


def _param(path: str, leaf: Any) -> Param:
    return Param(path, path.rpartition("/")[2], tuple(jnp.shape(leaf)), jnp.result_type(leaf))


def _params_of(specs: Mapping[Path, Spec]) -> list[Param]:
    """Return the params in the order of the leaves of the tree of params."""
    return [
        Param("/".join(path), path[-1], tuple(specs[path].shape), specs[path].dtype)
        for path in sorted(specs)
    ]


def _part(tree: PyTree, owners: list[int], index: int) -> PyTree:
    """Return a tree with the leaves of one optimizer, and None in place of the others."""
    leaves, structure = jax.tree.flatten(tree)
    if len(leaves) != len(owners):
        raise ValueError(
            f"`MultiOptimizer.update`: `grads` must be a tree like `params`, with {len(owners)} "
            f"arrays, received {len(leaves)}."
        )
    kept = [leaf if owner == index else None for leaf, owner in zip(leaves, owners, strict=True)]
    return jax.tree.unflatten(structure, kept)


def _merge(parts: list[PyTree], owners: list[int], structure: Any) -> PyTree:
    """Return the tree whose leaves are those of the parts."""
    leaves = [iter(jax.tree.leaves(part)) for part in parts]
    return jax.tree.unflatten(structure, [next(leaves[owner]) for owner in owners])
