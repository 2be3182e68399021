"""Views of the layers and the optimizer of a model: their fields and the model's arrays."""

import warnings
from typing import Any

import numpy as np

from fjax.errors import number_between
from fjax.typing import HasLearningRate


class OptimizerView:
    """The optimizer of a model: its fields, and its learning rate in the model's train state."""

    def __init__(self, model: Any, optimizer: Any) -> None:
        self.__dict__.update(_model=model, optimizer=optimizer)

    def __getattr__(self, attribute: str) -> Any:
        return _attribute_of("optimizer", self, attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        if attribute == "lr":
            warnings.warn(
                "`optimizer.lr` is an older spelling of `optimizer.learning_rate`.",
                DeprecationWarning,
                stacklevel=2,
            )
            attribute = "learning_rate"
        if attribute != "learning_rate":
            raise AttributeError(
                f"`{attribute}` of a model's optimizer cannot be set, only its `learning_rate`: "
                "call `compile` with another optimizer."
            )
        self._set_learning_rate(value)

    def __repr__(self) -> str:
        return repr(self.optimizer)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; setting it does not recompile anything."""
        return float(self._opt_state().learning_rate)

    @property
    def lr(self) -> float:
        """The older spelling of `learning_rate`."""
        warnings.warn(
            "`optimizer.lr` is an older spelling of `optimizer.learning_rate`.",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.learning_rate

    def _opt_state(self) -> Any:
        opt_state = self._model.train_state.opt_state
        if not isinstance(opt_state, HasLearningRate):
            raise TypeError(
                f"The optimizer {self.optimizer!r} has no learning rate in its state: use one of "
                "`fjax.optimizers`."
            )
        return opt_state

    def _set_learning_rate(self, value: Any) -> None:
        opt_state = self._opt_state()
        rate = getattr(self.optimizer, "learning_rate", None)
        if callable(rate):
            raise TypeError(
                f"The learning rate follows the schedule {rate!r} and cannot be set: "
                "compile with a number as learning rate."
            )
        value = number_between("optimizer", "learning_rate", np.asarray(value).item(), 0.0)
        opt_state = opt_state._replace(learning_rate=np.float32(value))
        self._model.train_state = self._model.train_state._replace(opt_state=opt_state)

    @property
    def iterations(self) -> int:
        """The number of updates: one per step, or per `gradient_accumulation_steps` steps."""
        every = getattr(self.optimizer, "gradient_accumulation_steps", None) or 1
        return int(self._model.train_state.step) // every


def _attribute_of(inner: str, view: Any, attribute: str) -> Any:
    # `copy` looks up attributes on an empty view.
    if inner not in view.__dict__:
        raise AttributeError(attribute)
    return getattr(view.__dict__[inner], attribute)
