"""The layer that an author's class extends, such as `Dense`, in one pass."""

import functools
from typing import TYPE_CHECKING, Any

import jax

from fjax.authoring.pass_variables import PassVariable, uses_variables
from fjax.authoring.plans import extended_class, extends_layer
from fjax.core.assigned import note_assigned
from fjax.core.policies import author_policy
from fjax.core.precision import apply_in_policy
from fjax.core.reserved import PENALTY
from fjax.dtype_policies import DEFAULT, policy_named
from fjax.typing import Array, Key, Params, PyTree, State

if TYPE_CHECKING:
    from fjax.authoring.binding import Binding


class ExtendedLayer:
    """What `super().call` and the weights of the extended layer are in one pass.

    Args:
        binding: The pass.
    """

    def __init__(self, binding: "Binding") -> None:
        self.binding = binding
        self._calls = 0
        self._params: Params | None = None
        self._is_charged = False
        # What `call` has assigned to its weights.
        self._assigned: dict[str, Array] = {}

    @property
    def is_used(self) -> bool:
        """Whether the pass used the extended layer."""
        return self._calls > 0 or self._params is not None

    def call(self, inputs: tuple[PyTree, ...], training: bool | None) -> PyTree:
        """Return the outputs of the extended layer."""
        binding, key = self.binding, self.binding.key
        extended = extended_class(type(binding.owner))
        mode = binding.training if training is None else bool(training)
        if key is not None and self._calls:
            # Each call draws anew.
            key = jax.random.fold_in(key, self._calls)
        self._calls += 1
        params, state = binding.extended_weights(extended, inputs)
        outputs, after = self._apply(
            extended, {**params, **self._assigned}, state, inputs, key, mode
        )
        if PENALTY in after:
            binding.call_penalties.append(after[PENALTY]["calls"])
        self._charge(after)
        binding.keep_extended_state(after)
        return outputs

    def weight(self, name: str, inputs: tuple[PyTree, ...]) -> Any:
        """Return one of its trainable weights, or None if there is none of this name.

        Args:
            name: The name.
            inputs: The inputs of the pass, which the weights are made for.
        """
        owner = self.binding.owner
        if not extends_layer(type(owner)):
            return None
        if self._params is None:
            extended = extended_class(type(owner))
            params, state = self.binding.extended_weights(extended, inputs)
            _, after = self._apply(
                extended, params, state, inputs, self.binding.key, self.binding.training
            )
            self._charge(after)
            self._params = params
        value = self.binding.as_read(self._assigned.get(name, self._params.get(name)))
        if value is None or not uses_variables(type(owner)):
            return value

        def note(array: Array) -> None:
            self._assigned[name] = array
            note_assigned(owner, name, array)

        return PassVariable(name, value, trainable=True, note=note)

    def _apply(
        self, extended: Any, params: Params, state: State, inputs: tuple[PyTree, ...],
        key: Key | None, training: bool | None,
    ) -> tuple[PyTree, State]:  # fmt: skip
        """Return what `apply` of the extended class returns, in the dtypes of the policy."""
        owner = self.binding.owner
        return apply_in_policy(
            author_policy(owner) if owner.autocast else policy_named(DEFAULT), extended.casting,
            functools.partial(extended.apply, owner), params, state, inputs, key, training,
        )  # fmt: skip

    def _charge(self, after: State) -> None:
        """Charge for the weights: once, however often the layer is called."""
        if PENALTY in after and not self._is_charged:
            self.binding.note_penalty()
            self._is_charged = True
            self.binding.weight_penalties.append(after[PENALTY]["weights"])
