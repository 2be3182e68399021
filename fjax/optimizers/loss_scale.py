"""The optimizer that scales the loss dynamically, for float16."""

import copy
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from fjax.configuration import Configured
from fjax.errors import integer_at_least, number_between
from fjax.optimizers.inner import inner_optimizer
from fjax.optimizers.optimizer import Optimizer, OptimizerState
from fjax.optimizers.state_layout import Path, StateEntry
from fjax.optimizers.stateful import StatefulOptimizer
from fjax.typing import Array, PyTree, Spec

# The slots of this class in the state, in addition to those of the optimizer inside.
COUNTER, SCALE = "step_counter", "dynamic_scale"


class LossScaleOptimizer(StatefulOptimizer, Configured):
    """Multiply the loss by a factor that follows the range of the gradients.

    Gradients that are too small for float16 become 0. They are computed from the loss times a
    scale, and divided by the scale before the update. If a gradient is not finite, the update is
    skipped and the scale is halved; after `dynamic_growth_steps` finite updates in a row it is
    doubled.

    The state is that of `inner_optimizer` with two more slots, "dynamic_scale" and "step_counter",
    each a scalar. A skipped update is not counted in `step`. The training step multiplies the loss
    by `scale_loss(loss, opt_state)`.

    Args:
        inner_optimizer: The optimizer that updates the params, one without `loss_scale_factor`.
            Clipping, averages and the like are its arguments.
        initial_scale: The first scale. Too large a scale is halved in each step until it fits.
        dynamic_growth_steps: The number of finite updates after which the scale is doubled.
        name: A name.

    Raises:
        TypeError: `inner_optimizer` is not one of `fjax.optimizers`, or contains another one.
        ValueError: An argument is out of its range, or `inner_optimizer` scales the loss, too.

    Source: Micikevicius et al., "Mixed Precision Training" (2018), section 3.2; Keras,
    `LossScaleOptimizer`.

    >>> from fjax.optimizers.sgd import SGD
    >>> optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=4.0)
    >>> params = {"w": jnp.array([1.0])}
    >>> opt_state = optimizer.init(params)
    >>> optimizer.scale_loss(jnp.float32(3.0), opt_state)
    Array(12., dtype=float32)
    >>> updates, opt_state = optimizer.update({"w": jnp.array([8.0])}, opt_state, params)
    >>> updates["w"], int(opt_state.step)
    (Array([-1.], dtype=float32), 1)
    >>> updates, opt_state = optimizer.update({"w": jnp.array([jnp.inf])}, opt_state, params)
    >>> updates["w"], int(opt_state.step), float(opt_state.slots["dynamic_scale"])
    (Array([0.], dtype=float32), 1, 2.0)
    """

    neutral_arguments: ClassVar[Mapping[str, tuple[Any, ...]]] = {"dynamic": (True,)}
    rate_field = "inner_optimizer"

    inner_optimizer: Any
    initial_scale: float = 2.0**15
    dynamic_growth_steps: int = 2000
    name: str | None = None

    def __post_init__(self) -> None:
        owner = type(self).__name__
        self.inner_optimizer = inner_optimizer(owner, "inner_optimizer", self.inner_optimizer)
        number_between(owner, "initial_scale", self.initial_scale, 0.0, open_low=True)
        integer_at_least(owner, "dynamic_growth_steps", self.dynamic_growth_steps, 1)

    def init(self, params: PyTree) -> OptimizerState:
        """Return the state before the first update of `params`; see `Optimizer.init`."""
        state = self._inner.init(params)
        own = {
            COUNTER: jnp.zeros((), jnp.int32),
            SCALE: jnp.full((), self.initial_scale, jnp.float32),
        }
        return state._replace(slots={**own, **state.slots})

    def update(
        self, grads: PyTree, opt_state: OptimizerState, params: PyTree
    ) -> tuple[PyTree, OptimizerState]:
        """Return the updates, which are 0 if a gradient is not finite, and the next state.

        Args:
            grads: The gradients of the scaled loss, a tree like `params`.
            opt_state: The state from `init` or the previous `update`.
            params: The params of the gradients.

        Raises:
            ValueError: `grads` is not a tree like `params`, or `opt_state` belongs to other params
                or to another optimizer.
        """
        self._check_slots(opt_state)
        slots = dict(opt_state.slots)
        counter, scale = slots.pop(COUNTER), slots.pop(SCALE)
        inner_state = opt_state._replace(slots=slots)
        is_finite = _all_finite(grads)
        unscaled = jax.tree.map(lambda grad: grad / scale.astype(grad.dtype), grads)
        updates, next_state = self._inner.update(unscaled, inner_state, params)
        updates = jax.tree.map(lambda u: jnp.where(is_finite, u, jnp.zeros_like(u)), updates)
        next_state = jax.tree.map(
            lambda new, old: jnp.where(is_finite, new, old), next_state, inner_state
        )
        grows = counter == self.dynamic_growth_steps - 1
        own = {
            COUNTER: jnp.where(is_finite & ~grows, counter + 1, 0),
            SCALE: scale * jnp.where(is_finite, jnp.where(grows, 2.0, 1.0), 0.5),
        }
        return updates, next_state._replace(slots={**own, **next_state.slots})

    def scale_loss(self, loss: Array, opt_state: OptimizerState | None = None) -> Array:
        """Return the loss times the scale.

        Args:
            loss: A scalar.
            opt_state: The state of the next update. Without it the scale is the variable
                `dynamic_scale` of `variables`, and before `build` the first one.

        Raises:
            TypeError: JAX traces the calling function, and the scale would be a constant in it.
        """
        if opt_state is not None:
            scale = opt_state.slots[SCALE]
        elif self.built:
            scale = self.in_variables.by_key()[(SCALE,)].value
        else:
            scale = np.float32(self.initial_scale)
        if opt_state is None and _is_constant(scale):
            raise TypeError(
                f"`{type(self).__name__}.scale_loss` was called while JAX traces a function "
                "(`jax.jit`, `jax.lax.scan`, …), where the scale would be a constant, although "
                "each update may change it: pass the state, `scale_loss(loss, opt_state)`, or give "
                "the optimizer's variables their values by `fjax.StatelessScope(zip(optimizer."
                "variables, optimizer_variables))`."
            )
        return loss * scale.astype(jnp.result_type(loss))

    def finalize(self, params: PyTree, opt_state: OptimizerState) -> PyTree:
        """Return the params to use after training; see `Optimizer.finalize`."""
        return self._inner.finalize(params, opt_state)

    @property
    def use_ema(self) -> bool:
        """Whether the optimizer inside computes averages of the params."""
        return self._inner.use_ema

    @property
    def gradient_accumulation_steps(self) -> int | None:
        """The number of gradients whose mean makes one update."""
        return self._inner.gradient_accumulation_steps

    @property
    def schedule(self) -> Any:
        """The configured learning rate: a number, a schedule or a function."""
        return self._inner.schedule

    def with_rate(self, rate: float) -> Self:
        """Return a copy with another configured learning rate."""
        duplicate = copy.copy(self)
        vars(duplicate)["inner_optimizer"] = self._inner.with_rate(rate)
        return duplicate

    @property
    def reads_rate_from_state(self) -> bool:
        """Whether `update` uses a numeric learning rate only as a leaf of the state."""
        return self._inner.reads_rate_from_state

    def state_entry(
        self, path: tuple[Any, ...], state: PyTree, params: Mapping[Path, Spec]
    ) -> StateEntry:
        """Return what a leaf of the state is; the slots of this class come first."""
        own = [COUNTER, SCALE]
        if path[0].name == "slots" and path[1].key in own:
            name = path[1].key
            return StateEntry((0, own.index(name)), (name,), self.shown_name, name)
        entry = self._inner.state_entry(path, state, params)
        return entry._replace(position=(1, *entry.position))

    @property
    def _inner(self) -> Optimizer:
        inner: Optimizer = self.inner_optimizer
        return inner

    def _check_slots(self, opt_state: Any) -> None:
        slots = getattr(opt_state, "slots", {})
        missing = [name for name in (COUNTER, SCALE) if name not in slots]
        if missing:
            raise ValueError(
                f"`{type(self).__name__}.update`: `opt_state` does not belong to this optimizer: "
                f"it has no slot {missing[0]!r}. Make one by `init(params)`."
            )


def _is_constant(value: Any) -> bool:
    """Return whether a value would be a constant of the program that JAX traces, if it traces one.

    Under `jax.grad` alone the value is read again in each call.
    """
    is_staged = isinstance(jnp.add(np.float32(0), np.float32(0)), jax.core.Tracer)
    return is_staged and not isinstance(value, jax.core.Tracer)


def _all_finite(tree: PyTree) -> Array:
    finite = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return jnp.all(jnp.stack(finite)) if finite else jnp.array(True)
