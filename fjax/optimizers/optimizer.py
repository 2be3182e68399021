"""The optimizer: a pure pair `init` and `update`, whose rule is written for one array."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from fjax import trees
from fjax.configuration import Configured, is_nonzero
from fjax.errors import integer_at_least, number_between, one_of
from fjax.optimizers import schedules
from fjax.optimizers.accumulation import accumulated
from fjax.optimizers.averaging import averaged
from fjax.optimizers.clipping import clip_by_global_norm, clip_by_norm, clip_by_value
from fjax.optimizers.patterns import checked_patterns, matches
from fjax.optimizers.rates import LearningRate, checked_rate
from fjax.typing import Array, PyTree

# The slots of the base, beside those of a rule.
AVERAGE = "average"
ACCUMULATOR = "gradient_accumulator"

Slots = dict[str, Array]


class OptimizerState(NamedTuple):
    """What an optimizer carries from one update to the next.

    Attributes:
        step: Calls of `update` so far, an int32 scalar; schedules count these.
        learning_rate: The rate that the next update will use, a float32 scalar. Where the optimizer
            has a fixed rate, replace this leaf to change it; nothing is compiled anew.
        slots: The optimizer's own arrays: by slot name, a tree like the params, with None where a
            param has no such slot.
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
        use_ema: Whether an exponential moving average of the params is kept, in the slot "average".
            `finalize` gives the params at the end of training their averages; a model's `fit` does.
        ema_momentum: How much of the average is kept at each step, from 0 to 1.
        ema_overwrite_frequency: After how many updates the params are set to their averages; never
            before the end where None.
        loss_scale_factor: By what the gradients are divided. The training step multiplies the loss
            by it (`scale_loss`), so that small gradients of low precision do not vanish.
        gradient_accumulation_steps: Of how many gradients the mean is taken for one update, at
            least 2; the updates of the steps between are 0. As in Keras a schedule counts every
            step, the rule only real updates, and the moving average takes part in every step.
        exclude_from_weight_decay: Params that are not decayed: regular expressions that are
            searched in a param's path, whose names are joined by "/", as in "dense/bias".
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
    >>> optimizer = SignDescent(0.5, use_ema=True)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, opt_state = optimizer.update(params, optimizer.init(params), params)
    >>> updates["w"], int(opt_state.step)
    (Array([-0.5,  0.5], dtype=float32), 1)
    >>> optimizer.finalize(params, opt_state)
    {'w': Array([ 0.5, -1.5], dtype=float32)}
    """

    _varying = frozenset(
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
        self.learning_rate = checked_rate(type(self).__name__, self.learning_rate)
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
        self._check_averaging()
        self.exclude_from_weight_decay = checked_patterns(
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
        warnings.warn(
            f"`{type(self).__name__}(decay={decay})` is an older spelling of `learning_rate="
            f"schedules.InverseTimeDecay({self.learning_rate}, 1, {decay})`.",
            DeprecationWarning,
            stacklevel=4,
        )
        # Keras 2's default, 0, leaves a number, which callbacks may change.
        if decay:
            self.learning_rate = schedules.InverseTimeDecay(self.learning_rate, 1, decay)
        self.decay = None

    def _check_averaging(self) -> None:
        owner = type(self).__name__
        one_of(owner, "use_ema", self.use_ema, [False, True])
        self._check_number("ema_momentum", 0.0, 1.0)
        if self.ema_overwrite_frequency is not None:
            integer_at_least(owner, "ema_overwrite_frequency", self.ema_overwrite_frequency, 1)
            if not self.use_ema:
                raise ValueError(
                    f"`{owner}`: `ema_overwrite_frequency` needs averages. Set `use_ema=True`."
                )
        if self.loss_scale_factor is not None:
            number_between(owner, "loss_scale_factor", self.loss_scale_factor, 0.0, open_low=True)
        steps = self.gradient_accumulation_steps
        if steps is not None:
            integer_at_least(owner, "gradient_accumulation_steps", steps, 2)

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
        """Return the slots of one param before the first update, by name.

        Each slot must be an array of its own: two names for one array could not be donated.
        """
        del param
        return {}

    def init_at(self, path: str, param: Array) -> Slots:
        """Return the slots of the param at this path; `init_one` unless a rule depends on it."""
        del path
        return self.init_one(param)

    def decay_at(self, path: str, param: Array) -> float | None:
        """Return the weight decay of the param at this path."""
        del param
        return None if matches(self.exclude_from_weight_decay, path) else self.weight_decay

    def update_one(
        self, grad: Array, slots: Slots, param: Array, learning_rate: Array, step: Array
    ) -> tuple[Array, Slots]:
        """Return what to add to one param, and its next slots.

        Args:
            grad: The gradient, clipped if so configured.
            slots: What `init_one` made and earlier updates returned.
            param: The param, decayed if so configured.
            learning_rate: A float32 scalar.
            step: The number of this update counted from 1, as papers count; an int32 scalar. A step
                that only gathers gradients is none.
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
        slots = [
            self.init_at(trees.path_name(path), leaf)
            for path, leaf in jax.tree_util.tree_leaves_with_path(params)
        ]
        own = _by_name(slots, jax.tree.structure(params))
        common = {name: jax.tree.map(jnp.zeros_like, params) for name in self._common_slots()}
        if own.keys() & common.keys():
            raise ValueError(
                f"`{type(self).__name__}.init_one`: the slots {sorted(common)} are the base's own "
                "here. Take another name."
            )
        return OptimizerState(step, self._rate_at(step), own | common)

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
        common = {name: opt_state.slots[name] for name in self._common_slots()}
        own = {name: tree for name, tree in opt_state.slots.items() if name not in common}
        if self.loss_scale_factor is not None:
            grads = jax.tree.map(lambda grad: grad / self.loss_scale_factor, grads)
        every, made = self.gradient_accumulation_steps, opt_state.step
        if every is None:
            updates, own = self._update_all(grads, own, params, rate, step)
        else:
            made = opt_state.step // every
            updates, own, common[ACCUMULATOR] = accumulated(
                lambda mean, slots: self._update_all(mean, slots, params, rate, step // every),
                common[ACCUMULATOR], grads, own, params, step, every,
            )  # fmt: skip
        if self.use_ema:
            updates, common[AVERAGE] = averaged(
                updates, common[AVERAGE], params, made,
                self.ema_momentum, self.ema_overwrite_frequency,
            )  # fmt: skip
        next_rate = self._rate_at(step) if callable(self.learning_rate) else rate
        return updates, OptimizerState(step, next_rate, own | common)

    def finalize(self, params: PyTree, opt_state: OptimizerState) -> PyTree:
        """Return the params as they are to be used after training: with `use_ema` their averages.

        A model's `fit` ends by it. Before the first update there is no average yet.

        Source: Keras, `Optimizer.finalize_variable_values`.
        """
        if not self.use_ema:
            return params
        averages = opt_state.slots[AVERAGE]
        return jax.tree.map(lambda p, a: jnp.where(opt_state.step > 0, a, p), params, averages)

    def scale_loss(self, loss: Array) -> Array:
        """Return the loss whose gradients `update` expects: times `loss_scale_factor` if set."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def _common_slots(self) -> list[str]:
        in_use = {
            AVERAGE: self.use_ema,
            ACCUMULATOR: self.gradient_accumulation_steps is not None,
        }
        return [name for name, used in in_use.items() if used]

    def _update_all(
        self, grads: PyTree, slots: dict[str, PyTree], params: PyTree, rate: Array, step: Array
    ) -> tuple[PyTree, dict[str, PyTree]]:
        """Return the updates and slots of update number `step`, whose gradients are whole."""
        leaves = jax.tree_util.tree_leaves_with_path(params)
        structure = jax.tree.structure(params)
        columns = {
            name: structure.flatten_up_to(tree)  # type: ignore[attr-defined]
            for name, tree in slots.items()
        }
        updates, new_slots = [], []
        for index, grad in enumerate(jax.tree.leaves(self._clip(grads))):
            path, param = leaves[index]
            at = {name: column[index] for name, column in columns.items()}
            at = {name: slot for name, slot in at.items() if slot is not None}
            decay = self.decay_at(trees.path_name(path), param)
            update, at = self._update_leaf(grad, at, param, decay, rate, step)
            updates.append(update)
            new_slots.append(at)
        return jax.tree.unflatten(structure, updates), _by_name(new_slots, structure)

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
            loss = param * decay * rate
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
        if is_nonzero(self.clipnorm):
            return clip_by_norm(grads, self.clipnorm)
        if is_nonzero(self.global_clipnorm):
            return clip_by_global_norm(grads, self.global_clipnorm)
        if is_nonzero(self.clipvalue):
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
    """Turn each leaf's slots into, by name, a tree of one slot, None where there is none."""
    names = dict.fromkeys(name for each in slots for name in each)
    return {
        name: jax.tree.unflatten(structure, [each.get(name) for each in slots]) for name in names
    }
