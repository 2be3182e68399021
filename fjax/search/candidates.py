"""The candidates of a search: an estimator and a model for each, and how they are trained."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sklearn.base import clone

from fjax.errors import integer_at_least, number_between
from fjax.models import Model
from fjax.models.arguments import check_batch_size
from fjax.population.steering import STEERING, is_steering, listed
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import BATCH_SIZE, Examples

# The arguments of a fit that a search follows; of others only what leaves training as it is.
FOLLOWED = (
    "epochs", "batch_size", "callbacks", "validation_split", "validation_data", "verbose",
    "shuffle", "class_weight",
)  # fmt: skip
WITHOUT_EFFECT: Mapping[str, tuple[Any, ...]] = {
    "initial_epoch": (0,), "steps_per_epoch": (None,), "validation_steps": (None,),
    "validation_batch_size": (None,), "validation_freq": (1,), "resume": (None,),
    "replicas": (None,),
}  # fmt: skip


class Training(NamedTuple):
    """How a candidate is trained; candidates that are trained alike form one population.

    Attributes:
        epochs: One past the last epoch.
        batch_size: Samples a step.
        shuffle: Whether each epoch goes through the rows in another order.
        callbacks: Those that steer.
        validation_split: The share of a member's rows, from their end, to validate on.
        validation_data: Data to validate on; wins over a split.
        class_weight: What the classes count.
    """

    epochs: int
    batch_size: int
    shuffle: bool
    callbacks: list[Any]
    validation_split: float
    validation_data: Any
    class_weight: Any


class Candidate(NamedTuple):
    """One set of parameters.

    Attributes:
        parameters: The parameters.
        estimator: The estimator with these, not fitted.
        model: The model that it builds.
        training: How it is trained.
    """

    parameters: dict[str, Any]
    estimator: Estimator
    model: Model
    training: Training

    def seed(self) -> int:
        """Return the seed of one fit, which a fit of the estimator itself would draw alike."""
        if self.estimator.random_state is None and not self.model.model_parts.weights.is_seeded:
            return random.getrandbits(32)
        return self.model.model_parts.weights.seed


def candidates_of(
    owner: str,
    estimator: Estimator,
    parameters: Sequence[Mapping[str, Any]],
    examples: Examples,
    fit_arguments: Mapping[str, Any],
) -> list[Candidate]:
    """Return a candidate for each set of parameters, its model built and held against the data.

    Raises:
        ValueError: A parameter is not known; or an argument of the fit asks for what a search in
            one program does not do.
    """
    found = []
    for own in parameters:
        candidate = clone(estimator).set_params(**clone(dict(own), safe=False))
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                setattr(candidate, name, getattr(estimator, name))
        _refuse_part(owner, candidate)
        training = _training(owner, candidate.fit_arguments(**fit_arguments))
        model = candidate.build_model_for(examples)
        found.append(Candidate(dict(own), candidate, model, training))
    return found


def _refuse_part(owner: str, estimator: Estimator) -> None:
    layer = getattr(estimator, "layer", None)
    if layer is not None:
        raise ValueError(
            f"`{owner}` scores by the outputs of whole models, and does not follow "
            f"`layer={layer!r}`: search by `sklearn.model_selection`."
        )


def _training(owner: str, arguments: dict[str, Any]) -> Training:
    for name, value in arguments.items():
        if name not in FOLLOWED and value not in WITHOUT_EFFECT.get(name, ()):
            raise ValueError(
                f"`{owner}` trains whole epochs of all candidates side by side, and does not "
                f"follow `{name}={value!r}`: leave it out, or search by `sklearn.model_selection`."
            )
    size = check_batch_size(owner, arguments["batch_size"])
    return Training(
        epochs=integer_at_least(owner, "epochs", arguments["epochs"], 1),
        batch_size=BATCH_SIZE if size is None else size,
        shuffle=arguments["shuffle"],
        callbacks=steering(owner, arguments["callbacks"]),
        validation_split=number_between(
            owner, "validation_split", arguments["validation_split"], 0.0, 1.0, open_high=True
        ),
        validation_data=arguments["validation_data"],
        class_weight=arguments.get("class_weight"),
    )


def steering(owner: str, callbacks: Any) -> list[Any]:
    """Return the callbacks as a list, or raise where one cannot be had by each member."""
    given = listed(callbacks)
    for callback in given:
        if not is_steering(callback):
            known = ", ".join(kind.__name__ for kind in STEERING)
            raise ValueError(
                f"`{owner}`: each member has its own copy of a callback, which is possible for "
                f"{known}, received `{type(callback).__name__}`: leave it out, or search by "
                "`sklearn.model_selection`."
            )
    return given
