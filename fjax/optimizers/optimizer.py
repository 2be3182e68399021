"""The optimizer: a pure pair `init` and `update`, whose rule is written for one array."""

import inspect
import numbers
import warnings
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fjax import trees
from fjax.configuration import Configured
from fjax.errors import number_between
from fjax.optimizers import schedules
from fjax.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from fjax.typing import Array, ArrayLike, PyTree

Slots = dict[str, Array]
LearningRate = float | Callable[[Array], ArrayLike]


class OptimizerState(NamedTuple):
    """What an optimizer carries from one update to the next.

    Attributes:
        step: Updates made so far, an int32 scalar.
        learning_rate: The rate that the next update will use, a float32 scalar. Where the optimizer
            has a fixed rate, replace this leaf to change it; nothing is compiled anew.
        slots: The optimizer's own arrays: by slot name, a tree like the params.
    """

    step: Array
    learning_rate: Array
    slots: dict[str, PyTree]


class Optimizer(Configured):
    """Base of the optimizers: lifts a rule for one array over a tree of params.

    A subclass defines `init_one` and `update_one`. An optimizer holds configuration only, and what
    it carries along is the `OptimizerState` that goes in and comes out:

        opt_state = optimizer.init(params)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        params = jax.tree.map(jnp.add, params, updates)

    Args:
        learning_rate: A number; a schedule; or any function from the step to the rate. Compiled
            programs do not depend on the number: `update` reads it from the state alone.
        weight_decay: Each update first takes `weight_decay * learning_rate` of each param away.
        clipnorm: Largest L2 norm of each gradient array.
        clipvalue: Largest absolute value of a gradient's element.
        global_clipnorm: Largest L2 norm of all gradients taken as one vector.
        name: A name of your own.
        decay: Keras 2's spelling of `schedules.InverseTimeDecay(learning_rate, 1, decay)`.

    At most one of the three clippings may be given; it goes before everything else. None and 0
    leave the weights undecayed and the gradients unclipped.

    Raises:
        ValueError: An argument is out of its range, or two clippings are given.
        TypeError: `learning_rate` is no number, schedule or function of the step.

    Source: Keras, `Optimizer`; optax, `GradientTransformation`, for the pair.

    >>> class SignDescent(Optimizer):
    ...     def update_one(self, grad, slots, param, learning_rate, step):
    ...         return -learning_rate * jnp.sign(grad), slots
    >>> optimizer = SignDescent(0.5)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, opt_state = optimizer.update(params, optimizer.init(params), params)
    >>> updates["w"], int(opt_state.step)
    (Array([-0.5,  0.5], dtype=float32), 1)
    """

    _renamed: ClassVar[Mapping[str, str]] = {"lr": "learning_rate"}

    learning_rate: LearningRate
    weight_decay: float | None = field(default=None, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    clipvalue: float | None = field(default=None, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    decay: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.learning_rate = _checked_rate(type(self).__name__, self.learning_rate)
        if self.decay is not None:
            self._translate_decay(self.decay)
        clippings = ("clipnorm", "clipvalue", "global_clipnorm")
        for argument in ("weight_decay", *clippings):
            if getattr(self, argument) is not None:
                self._check_number(argument, 0.0)
        given = [f"`{argument}`" for argument in clippings if getattr(self, argument) is not None]
        if len(given) > 1:
            raise ValueError(
                f"`{type(self).__name__}`: gradients are clipped in one way only, received "
                f"{' and '.join(given)}. Keep one."
            )
        self._check()

    def _translate_decay(self, decay: float) -> None:
        self._check_number("decay", 0.0)
        if callable(self.learning_rate):
            raise ValueError(
                f"`{type(self).__name__}`: `decay` changes a fixed learning rate, but "
                "`learning_rate` is a schedule already. Remove `decay`."
            )
        warnings.warn(
            f"`{type(self).__name__}(decay={decay})` is an older spelling of `learning_rate="
            f"schedules.InverseTimeDecay({self.learning_rate}, 1, {decay})`.",
            DeprecationWarning,
            stacklevel=5,
        )
        # Keras 2's default, 0, leaves a number, which callbacks may change.
        if decay:
            self.learning_rate = schedules.InverseTimeDecay(self.learning_rate, 1, decay)
        self.decay = None

    def _check(self) -> None:
        """Raise where an argument of the subclass's own is out of its range."""

    def _check_number(
        self, argument: str, low: float, high: float = float("inf"), *, open_high: bool = False
    ) -> None:
        value = getattr(self, argument)
        number_between(type(self).__name__, argument, value, low, high, open_high=open_high)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain data; `decay` is in the learning rate's schedule."""
        return {name: value for name, value in super().get_config().items() if name != "decay"}

    def init_one(self, param: Array) -> Slots:
        """Return the slots of one param before the first update, by name; the same for each param.

        Each slot must be an array of its own: two names for one array could not be donated.
        """
        del param
        return {}

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return what to add to one param, and its next slots.

        Args:
            grad: The gradient, clipped if so configured.
            slots: What `init_one` made and earlier updates returned.
            param: The param, decayed if so configured.
            learning_rate: A float32 scalar.
            step: The number of this update counted from 1, as papers count; an int32 scalar.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` is an optimizer without a rule: define "
            "`update_one(self, grad, slots, param, learning_rate, step)`."
        )

    def init(self, params: PyTree) -> OptimizerState:
        """Return the state before the first update of `params`, a tree of floating-point arrays.

        Raises:
            TypeError: A leaf of `params` is not floating-point.
        """
        for path, leaf in jax.tree_util.tree_leaves_with_path(params):
            if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
                raise TypeError(
                    f"`{type(self).__name__}.init`: `params{jax.tree_util.keystr(path)}` must be "
                    f"floating-point to be trained, received {jnp.result_type(leaf)}."
                )
        step = jnp.zeros((), jnp.int32)
        leaves, structure = jax.tree.flatten(params)
        slots = [self.init_one(leaf) for leaf in leaves]
        return OptimizerState(step, self._rate_at(step), _by_name(slots, structure))

    def update(
        self, grads: PyTree, opt_state: OptimizerState, params: PyTree
    ) -> tuple[PyTree, OptimizerState]:
        """Return the updates, a tree to add to `params`, and the next state.

        Updates and slots keep their dtypes, whatever the rule computes in.

        Args:
            grads: The gradients, a tree like `params`.
            opt_state: The state that `init` or the last `update` returned.
            params: The params that the gradients were taken at.

        Raises:
            ValueError: `grads` is not a tree like `params`, or `opt_state` belongs to other params
                or to another optimizer; the first path that differs is named.
        """
        self._check_trees(grads, opt_state, params)
        step, rate = opt_state.step + 1, jnp.asarray(opt_state.learning_rate, jnp.float32)
        leaves, structure = jax.tree.flatten(params)
        all_slots = {name: jax.tree.leaves(tree) for name, tree in opt_state.slots.items()}
        updates, new_slots = [], []
        for index, grad in enumerate(jax.tree.leaves(self._clip(grads))):
            slots = {name: column[index] for name, column in all_slots.items()}
            update, slots = self._update_leaf(grad, slots, leaves[index], rate, step)
            updates.append(update)
            new_slots.append(slots)
        next_rate = self._rate_at(step) if callable(self.learning_rate) else rate
        next_state = OptimizerState(step, next_rate, _by_name(new_slots, structure))
        return jax.tree.unflatten(structure, updates), next_state

    def _update_leaf(
        self, grad: Array, slots: Slots, param: Array, rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        if self.weight_decay:
            loss = param * self.weight_decay * rate
            update, new_slots = self.update_one(grad, slots, param - loss, rate, step)
            update = update - loss
        else:
            update, new_slots = self.update_one(grad, slots, param, rate, step)
        if new_slots.keys() != slots.keys():
            raise ValueError(
                f"`{type(self).__name__}.update_one` must return the slots that `init_one` makes, "
                f"{sorted(slots)}, and returned {sorted(new_slots)}."
            )
        kept = {name: new_slots[name].astype(slot.dtype) for name, slot in slots.items()}
        return update.astype(jnp.result_type(param)), kept

    def _clip(self, grads: PyTree) -> PyTree:
        if self.clipnorm:
            return clip_by_norm(grads, self.clipnorm)
        if self.global_clipnorm:
            return clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue:
            return clip_by_value(grads, self.clipvalue)
        return grads

    def _rate_at(self, step: Array) -> Array:
        """Return the configured rate for the update that follows `step` earlier ones."""
        rate = self.learning_rate(step) if callable(self.learning_rate) else self.learning_rate
        rate = jnp.asarray(rate, jnp.float32)
        if rate.shape != ():
            raise ValueError(
                f"`{type(self).__name__}`: `learning_rate` must give one number for a step, "
                f"{self.learning_rate!r} gave an array of shape {rate.shape}."
            )
        return rate

    def _check_trees(self, grads: PyTree, opt_state: OptimizerState, params: PyTree) -> None:
        difference = trees.first_difference(params, grads)
        if difference is not None:
            raise ValueError(
                f"`{type(self).__name__}.update`: `grads` must be a tree like `params`; at "
                f"{difference}."
            )
        difference = trees.first_difference(jax.eval_shape(self.init, params), opt_state)
        if difference is not None:
            raise ValueError(
                f"`{type(self).__name__}.update`: `opt_state` is not this optimizer's for these "
                f"`params`; at {difference}. Make one by `init(params)`."
            )


def _by_name(slots: list[Slots], structure: Any) -> dict[str, PyTree]:
    """Turn each leaf's slots by name into, by name, a tree of one slot."""
    names = slots[0] if slots else {}
    return {name: jax.tree.unflatten(structure, [each[name] for each in slots]) for name in names}


def _checked_rate(owner: str, rate: Any) -> LearningRate:
    if isinstance(rate, Mapping):
        rate = schedules.get(rate)
    if callable(rate):
        try:
            inspect.signature(rate).bind(0)
        except TypeError:
            raise TypeError(
                f"`{owner}`: a function given as `learning_rate` is called with the step and "
                f"returns the rate; {rate!r} cannot be called with one argument."
            ) from None
        return rate
    if not isinstance(rate, bool) and isinstance(rate, numbers.Real):
        return number_between(owner, "learning_rate", rate, 0.0)
    hint = ""
    if isinstance(rate, jax.Array | np.ndarray):
        hint = " Give a plain number; to sweep over rates, replace `opt_state.learning_rate`."
    raise TypeError(
        f"`{owner}`: `learning_rate` must be a number, a schedule or a function of the step, "
        f"received {rate!r}.{hint}"
    )
