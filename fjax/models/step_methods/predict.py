"""A subclass's `predict_step(self, state, data)`, in Keras's form, as the network of `predict`."""

from typing import Any

import jax

from fjax.configuration import code_of
from fjax.core.masking import strip_masks
from fjax.core.step_scopes import WholeStepScope
from fjax.models.model_parts import ModelParts
from fjax.models.step_methods.forms import PREDICT, has_predict_step
from fjax.typing import Key, Params, PyTree, State


class PredictStep:
    """A pair whose outputs are those of a model's `predict_step`; `init` is the network's.

    Args:
        model: The model, which is built.
        parts: Its parts.
    """

    def __init__(self, model: Any, parts: ModelParts) -> None:
        self.model, self.layout = model, model.variable_layout()
        self.init = parts.architecture.network.init

    def apply(
        self,
        params: Params,
        state: State,
        *inputs: PyTree,
        key: Key | None = None,
        training: bool = False,
    ) -> tuple[PyTree, State]:
        """Return the outputs of the step, and the same state: a prediction changes none.

        Raises:
            TypeError: The step does not return a pair.
        """
        seed = None if key is None else jax.random.key_data(key)
        values = self.layout.lists(params, state, seed)
        variables = [*self.model.trainable_variables, *self.model.non_trainable_variables]
        scope = WholeStepScope(
            zip(variables, [*values[0], *values[1]], strict=True), key,
            trained=(), label=f"{type(self.model).__name__}.{PREDICT}",
        )  # fmt: skip
        with scope:
            returned = self.model.predict_step(values, inputs[0] if len(inputs) == 1 else (inputs,))
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise TypeError(
                f"`{type(self.model).__name__}.predict_step(state, data)` must return the pair "
                f"`(outputs, non_trainable_variables)`, received a {type(returned).__name__}."
            )
        return strip_masks(returned[0]), state


def predict_step(model: Any, parts: ModelParts) -> PredictStep | None:
    """Return the `predict_step` of a built model, or None if it has none of its own.

    Raises:
        TypeError: The step has the form of Keras's TensorFlow or PyTorch backend.
    """
    if not has_predict_step(model):
        return None
    key = ("steps", PREDICT, code_of(type(model)))
    if key not in parts.programs:
        parts.programs[key] = PredictStep(model, parts)
    step: PredictStep = parts.programs[key]
    return step
