"""The base class of optimizers: pure functions `init` and `update` of a tree of params."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from fjax import trees
from fjax.configuration import Configured, is_nonzero
from fjax.errors import integer_at_least, number_between, one_of, warn_user
from fjax.optimizers import schedules
from fjax.optimizers.accumulation import accumulate_update
from fjax.optimizers.averaging import update_averages
from fjax.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from fjax.optimizers.learning_rate import LearningRate, check_rate
from fjax.optimizers.patterns import check_patterns, matches
from fjax.optimizers.stateful import StatefulOptimizer
from fjax.typing import Array, PyTree

# The slots of this class, in addition to those of a subclass.
AVERAGE = "average"
ACCUMULATOR = "gradient_accumulator"

Slots = dict[str, Array]


class OptimizerState(NamedTuple):
    """The state of an optimizer between updates.

    Attributes:
        step: The number of calls of `update` so far, an int32 scalar; schedules count these.
        learning_rate: The rate of the next update, a float32 scalar. If the optimizer has a fixed
            rate, replace this leaf to change it without compiling again.
        slots: The optimizer's arrays: for each slot name a tree like the params, with None where a
            param does not have the slot.
    """

    step: Array
    learning_rate: Array
    slots: dict[str, PyTree]


class Optimizer(StatefulOptimizer, Configured):
    """Base class of optimizers: it applies a rule for one array to a tree of params.

    A subclass defines the rule, in `init_one` and `update_one`. An optimizer contains configuration
    only; its state is an `OptimizerState`:

        opt_state = optimizer.init(params)
        updates, opt_state = optimizer.update(grads, opt_state, params)
        params = jax.tree.map(jnp.add, params, updates)

    Args:
        learning_rate: A number, a schedule, or a function from the step to the rate. Compiled
            programs do not depend on the number: `update` reads it from the state.
        weight_decay: Each update first subtracts `weight_decay * learning_rate * param`; None and 0
            mean no decay.
        clipnorm: The largest L2 norm of each gradient array; None and 0 mean no clipping.
        clipvalue: The largest absolute value of a gradient's element, likewise.
        global_clipnorm: The largest joint L2 norm of all gradients, likewise.
        use_ema: Whether to compute exponential moving averages of the params, in the slot
            "average". At the end of training, `finalize` returns them as the params; `fit` does so.
        ema_momentum: The decay of the averages, from 0 to 1.
        ema_overwrite_frequency: The number of updates after which the params are set to their
            averages; None does so only at the end.
        loss_scale_factor: A factor for the loss, to keep small gradients from vanishing in low
            precision. The training step applies it (`scale_loss`), and `update` divides by it.
        gradient_accumulation_steps: The number of gradients whose mean makes one update, at least
            2; in the other steps the updates are 0. As in Keras, schedules and moving averages
            count all steps, the rule counts updates.
        exclude_from_weight_decay: Regular expressions for params without decay, searched in the
            param's path, such as "dense/bias".
        name: A name.
        decay: Keras 2's spelling of `schedules.InverseTimeDecay(learning_rate, 1, decay)`.

    At most one of the three clipping arguments may be set; clipping comes before everything else.

    Raises:
        ValueError: An argument is out of its range, or two clipping arguments are set.
        TypeError: `learning_rate` is not a number, schedule or function of the step.

    Source: Keras, `Optimizer`; optax, `GradientTransformation`, for the pair.

    >>> class SignDescent(Optimizer):
    ...     def update_one(self, grad, slots, param, learning_rate, step):
    ...         return -learning_rate * jnp.sign(grad), slots
    >>> optimizer = SignDescent(0.5, use_ema=True)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, opt_state = optimizer.update(params, optimizer.init(params), params)
    >>> updates["w"], int(opt_state.step)
    (Array([-0.5,  0.5], dtype=float32), 1)
    >>> optimizer.finalize(params, opt_state)
    {'w': Array([ 0.5, -1.5], dtype=float32)}
    """

    fields_beyond_keras = frozenset({"decay", "exclude_from_weight_decay"})

    traceable_fields = frozenset(
        {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "ema_momentum"}
    )

    _renamed: ClassVar[Mapping[str, str]] = {"lr": "learning_rate"}

    learning_rate: LearningRate
    weight_decay: float | None = field(default=None, kw_only=True)
    clipnorm: float | None = field(default=None, kw_only=True)
    clipvalue: float | None = field(default=None, kw_only=True)
    global_clipnorm: float | None = field(default=None, kw_only=True)
    use_ema: bool = field(default=False, kw_only=True)
    ema_momentum: float = field(default=0.99, kw_only=True)
    ema_overwrite_frequency: int | None = field(default=None, kw_only=True)
    loss_scale_factor: float | None = field(default=None, kw_only=True)
    gradient_accumulation_steps: int | None = field(default=None, kw_only=True)
    exclude_from_weight_decay: Sequence[str] = field(default=(), kw_only=True)
    name: str | None = field(default=None, kw_only=True)
    decay: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.learning_rate = check_rate(type(self).__name__, self.learning_rate)
        if self.decay is not None:
            self._translate_decay(self.decay)
        clipping = ("clipnorm", "clipvalue", "global_clipnorm")
        for argument in ("weight_decay", *clipping):
            if getattr(self, argument) is not None:
                self._check_number(argument, 0.0)
        in_use = [f"`{name}`" for name in clipping if getattr(self, name) is not None]
        if len(in_use) > 1:
            raise ValueError(
                f"`{type(self).__name__}`: gradients can be clipped in one way only, received "
                f"{' and '.join(in_use)}. Remove all but one."
            )
        self._check_training_options()
        self.exclude_from_weight_decay = check_patterns(
            type(self).__name__, "exclude_from_weight_decay", self.exclude_from_weight_decay
        )
        self._check()

    def _translate_decay(self, decay: float) -> None:
        self._check_number("decay", 0.0)
        if callable(self.learning_rate):
            raise ValueError(
                f"`{type(self).__name__}`: `decay` changes a fixed learning rate, but "
                "`learning_rate` is a schedule already. Remove `decay`."
            )
        warn_user(
            f"`{type(self).__name__}(decay={decay})` is an older spelling of `learning_rate="
            f"schedules.InverseTimeDecay({self.learning_rate}, 1, {decay})`.",
            DeprecationWarning,
        )
        # For Keras 2's default, 0, the rate stays a number, which callbacks can change.
        if decay:
            self.learning_rate = schedules.InverseTimeDecay(self.learning_rate, 1, decay)
        self.decay = None

    def _check_training_options(self) -> None:
        owner = type(self).__name__
        one_of(owner, "use_ema", self.use_ema, [False, True])
        self._check_number("ema_momentum", 0.0, 1.0)
        if self.ema_overwrite_frequency is not None:
            integer_at_least(owner, "ema_overwrite_frequency", self.ema_overwrite_frequency, 1)
            if not self.use_ema:
                raise ValueError(
                    f"`{owner}`: `ema_overwrite_frequency` needs `use_ema=True`. Set that too."
                )
        if self.loss_scale_factor is not None:
            number_between(owner, "loss_scale_factor", self.loss_scale_factor, 0.0, open_low=True)
        steps = self.gradient_accumulation_steps
        if steps is not None:
            integer_at_least(owner, "gradient_accumulation_steps", steps, 2)

    def _check(self) -> None:
        """Raise ValueError if an argument of the subclass is out of its range."""

    def _check_number(
        self, argument: str, low: float, high: float = float("inf"), *, open_high: bool = False
    ) -> None:
        value = getattr(self, argument)
        number_between(type(self).__name__, argument, value, low, high, open_high=open_high)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain data, without `decay`, which became a schedule."""
        return {name: value for name, value in super().get_config().items() if name != "decay"}

    def init_one(self, param: Array) -> Slots:
        """Return the slots of one param before the first update, by name.

        Each slot must be a separate array: JAX cannot donate one array twice.
        """
        del param
        return {}

    def init_at(self, path: str, param: Array) -> Slots:
        """Return the slots of the param at this path; by default those of `init_one`."""
        del path
        return self.init_one(param)

    def decay_at(self, path: str, param: Array) -> float | None:
        """Return the weight decay of the param at this path."""
        del param
        return None if matches(self.exclude_from_weight_decay, path) else self.weight_decay

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return the update to add to one param, and its next slots.

        Args:
            grad: The gradient, after clipping.
            slots: The slots, from `init_one` or the previous update.
            param: The param, after weight decay.
            learning_rate: A float32 scalar.
            step: The number of this update, counted from 1; an int32 scalar. Steps that only
                accumulate gradients do not count.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must define "
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
        slots = [
            self.init_at(trees.path_name(path), leaf)
            for path, leaf in jax.tree_util.tree_leaves_with_path(params)
        ]
        rule_slots = _group_by_name(slots, jax.tree.structure(params))
        common = {name: jax.tree.map(jnp.zeros_like, params) for name in self.common_slots}
        if rule_slots.keys() & common.keys():
            raise ValueError(
                f"`{type(self).__name__}.init_one`: the slot names {sorted(common)} are reserved. "
                "Use other names."
            )
        return OptimizerState(step, self.rate_at(step), rule_slots | common)

    def update(
        self, grads: PyTree, opt_state: OptimizerState, params: PyTree
    ) -> tuple[PyTree, OptimizerState]:
        """Return the updates, a tree to add to `params`, and the next state.

        Updates have the dtypes of the params, and slots keep theirs, whatever dtype the rule
        computes in.

        Args:
            grads: The gradients, a tree like `params`.
            opt_state: The state from `init` or the previous `update`.
            params: The params of the gradients.

        Raises:
            ValueError: `grads` is not a tree like `params`, or `opt_state` belongs to other params
                or to another optimizer; the error names the first path that differs.
        """
        self._check_trees(grads, opt_state, params)
        step, rate = opt_state.step + 1, jnp.asarray(opt_state.learning_rate, jnp.float32)
        common = {name: opt_state.slots[name] for name in self.common_slots}
        slots = {name: tree for name, tree in opt_state.slots.items() if name not in common}
        if self.loss_scale_factor is not None:
            grads = jax.tree.map(lambda grad: grad / self.loss_scale_factor, grads)
        every, update_count = self.gradient_accumulation_steps, opt_state.step
        if every is None:
            updates, slots = self._update_all(grads, slots, params, rate, step)
        else:
            update_count = opt_state.step // every
            updates, slots, common[ACCUMULATOR] = accumulate_update(
                lambda mean, slots: self._update_all(mean, slots, params, rate, step // every),
                common[ACCUMULATOR], grads, slots, params, step, every,
            )  # fmt: skip
        if self.use_ema:
            updates, common[AVERAGE] = update_averages(
                updates, common[AVERAGE], params, update_count,
                self.ema_momentum, self.ema_overwrite_frequency,
            )  # fmt: skip
        next_rate = self.rate_at(step) if self.has_schedule else rate
        return updates, OptimizerState(step, next_rate, slots | common)

    def finalize(self, params: PyTree, opt_state: OptimizerState) -> PyTree:
        """Return the params to use after training: with `use_ema` their averages.

        A model's `fit` calls it at its end. Before the first update it returns the params.

        Source: Keras, `Optimizer.finalize_variable_values`.
        """
        if not self.use_ema:
            return params
        averages = opt_state.slots[AVERAGE]
        return jax.tree.map(lambda p, a: jnp.where(opt_state.step > 0, a, p), params, averages)

    def scale_loss(self, loss: Array, opt_state: OptimizerState | None = None) -> Array:
        """Return the loss times `loss_scale_factor`, if set: `update` expects its gradients."""
        del opt_state
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    @property
    def common_slots(self) -> list[str]:
        """The slots of this class that are in use."""
        in_use = {
            AVERAGE: self.use_ema,
            ACCUMULATOR: self.gradient_accumulation_steps is not None,
        }
        return [name for name, used in in_use.items() if used]

    def _update_all(
        self, grads: PyTree, slots: dict[str, PyTree], params: PyTree, rate: Array, step: Array
    ) -> tuple[PyTree, dict[str, PyTree]]:
        """Return the updates and the next slots of all params, without accumulation."""
        leaves = jax.tree_util.tree_leaves_with_path(params)
        structure = jax.tree.structure(params)
        columns = {
            name: structure.flatten_up_to(tree)  # type: ignore[attr-defined]
            for name, tree in slots.items()
        }
        updates, new_slots = [], []
        for index, grad in enumerate(jax.tree.leaves(self._clip(grads))):
            path, param = leaves[index]
            leaf_slots = {
                name: column[index] for name, column in columns.items() if column[index] is not None
            }
            decay = self.decay_at(trees.path_name(path), param)
            update, leaf_slots = self._update_leaf(grad, leaf_slots, param, decay, rate, step)
            updates.append(update)
            new_slots.append(leaf_slots)
        return jax.tree.unflatten(structure, updates), _group_by_name(new_slots, structure)

    def _update_leaf(
        self,
        grad: Array,
        slots: Slots,
        param: Array,
        decay: float | None,
        rate: Array,
        step: Array,
    ) -> tuple[Array, Slots]:
        if is_nonzero(decay):
            decrement = param * decay * rate
            update, new_slots = self.update_one(grad, slots, param - decrement, rate, step)
            update = update - decrement
        else:
            update, new_slots = self.update_one(grad, slots, param, rate, step)
        if new_slots.keys() != slots.keys():
            raise ValueError(
                f"`{type(self).__name__}.update_one` must return the slots of `init_one`, "
                f"{sorted(slots)}, and returned {sorted(new_slots)}."
            )
        new_slots = {name: new_slots[name].astype(slot.dtype) for name, slot in slots.items()}
        return update.astype(jnp.result_type(param)), new_slots

    def _clip(self, grads: PyTree) -> PyTree:
        if is_nonzero(self.clipnorm):
            return clip_by_norm(grads, self.clipnorm)
        if is_nonzero(self.global_clipnorm):
            return clip_by_global_norm(grads, self.global_clipnorm)
        if is_nonzero(self.clipvalue):
            return clip_by_value(grads, self.clipvalue)
        return grads

    def rate_at(self, step: Array) -> Array:
        """Return the configured rate after `step` updates."""
        rate = super().rate_at(step)
        if rate.shape != ():
            raise ValueError(
                f"`{type(self).__name__}`: `learning_rate` must return one number for a step, but "
                f"{self.schedule!r} returned an array of shape {rate.shape}."
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
                f"`{type(self).__name__}.update`: `opt_state` does not belong to this optimizer "
                f"and these `params`; at {difference}. Make one by `init(params)`."
            )


def _group_by_name(slots: list[Slots], structure: Any) -> dict[str, PyTree]:
    """Return, for each slot name, a tree of the leaves' slots, None for leaves without the slot."""
    names = dict.fromkeys(name for leaf_slots in slots for name in leaf_slots)
    return {
        name: jax.tree.unflatten(structure, [leaf_slots.get(name) for leaf_slots in slots])
        for name in names
    }
