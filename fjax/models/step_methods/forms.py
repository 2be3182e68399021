"""The form in which a subclass of `Model` writes its steps."""

import inspect
from collections.abc import Callable
from typing import Any

# The two kinds of steps: the names of `compile`'s arguments and of a subclass's methods.
TRAIN, TEST, PREDICT = "train_step", "test_step", "predict_step"

# What a subclass may override so that the engine's steps call it.
OVERRIDABLE = ("compute_loss", "compute_metrics")

_EXAMPLES = {
    TRAIN: "train_step(self, state, data)` and return `(logs, state)`, where `state` is "
    "`(trainable_variables, non_trainable_variables, optimizer_variables, metrics_variables)",
    TEST: "test_step(self, state, data)` and return `(logs, state)`, where `state` is "
    "`(trainable_variables, non_trainable_variables, metrics_variables)",
    PREDICT: "predict_step(self, state, data)` and return `(outputs, non_trainable_variables)`, "
    "where `state` is `(trainable_variables, non_trainable_variables)",
}


def is_overridden(model: Any, method: str) -> bool:
    """Return whether a method of a model is not fjax's."""
    function = getattr(type(model), method, None)
    return function is not None and not function.__module__.startswith("fjax.models.")


def own_form_step(model: Any, kind: str) -> Callable[..., Any] | None:
    """Return a subclass's step `(train_state, batch)`, or None.

    Raises:
        TypeError: The step has the form of Keras's TensorFlow or PyTorch backend.
    """
    if not is_overridden(model, kind) or _has_keras_form(model, kind):
        return None
    step: Callable[..., Any] = getattr(model, kind)
    return step


def has_stateful_step(model: Any, kind: str) -> bool:
    """Return whether the steps of a model have Keras's form, as written or by an overridden part.

    Raises:
        TypeError: The step has the form of Keras's TensorFlow or PyTorch backend.
    """
    if is_overridden(model, kind):
        return _has_keras_form(model, kind)
    return any(is_overridden(model, method) for method in OVERRIDABLE)


def has_predict_step(model: Any) -> bool:
    """Return whether a subclass has a `predict_step`; its form is always Keras's.

    Raises:
        TypeError: The step has the form of Keras's TensorFlow or PyTorch backend.
    """
    if not is_overridden(model, PREDICT):
        return False
    _check_is_pure(model, PREDICT)
    return True


def _has_keras_form(model: Any, kind: str) -> bool:
    parameters = _check_is_pure(model, kind)
    # fjax's own form has the names of its documentation, `train_state` and `batch`.
    return parameters[1] == "data" or (parameters[0] == "state" and parameters[1] != "batch")


def _check_is_pure(model: Any, kind: str) -> list[str]:
    """Return the names of the parameters of a step."""
    parameters = list(inspect.signature(getattr(model, kind)).parameters)
    if len(parameters) == 1:
        own_form = "" if kind == PREDICT else f"; or fjax's own `{kind}(self, train_state, batch)`"
        raise TypeError(
            f"`{type(model).__name__}.{kind}({', '.join(['self', *parameters])})` has the form of "
            "Keras's TensorFlow and PyTorch backends, which change the model within the step. On "
            f"JAX a step is pure: write `{_EXAMPLES[kind]}`, with "
            f"`self.stateless_call` and `self.optimizer.stateless_apply`{own_form}."
        )
    return parameters
