"""The candidates of a search: an estimator and a model for each, and how they are trained."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sklearn.base import clone

from fjax.callbacks import Callback
from fjax.callbacks.callback_list import list_callbacks
from fjax.errors import integer_at_least, number_between
from fjax.models import Model
from fjax.models.arguments import check_batch_size
from fjax.population.callbacks import PER_MEMBER
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import BATCH_SIZE, Examples
from fjax.wrappers.transformer import SKLearnTransformer

# The arguments of a fit that a search supports.
SUPPORTED = (
    "epochs", "batch_size", "callbacks", "validation_split", "validation_data", "verbose",
    "shuffle", "class_weight",
)  # fmt: skip
# The values of the other arguments that have no effect.
WITHOUT_EFFECT: Mapping[str, tuple[Any, ...]] = {
    "initial_epoch": (0,), "steps_per_epoch": (None,), "validation_steps": (None,),
    "validation_batch_size": (None,), "validation_freq": (1,), "resume": (None,),
    "replicas": (None,),
}  # fmt: skip


class Training(NamedTuple):
    """How a candidate is trained; candidates that are trained alike form one population.

    Attributes:
        epochs: One past the last epoch.
        batch_size: The number of samples in a step.
        shuffle: Whether each epoch takes the rows in another order.
        callbacks: The callbacks of which each member has a copy.
        validation_split: The share of a member's rows, from their end, to validate on.
        validation_data: Data to validate on; it overrides the split.
        class_weight: The weights of the classes.
    """

    epochs: int
    batch_size: int
    shuffle: bool
    callbacks: list[Callback]
    validation_split: float
    validation_data: Any
    class_weight: Any


class Candidate(NamedTuple):
    """One set of parameters.

    Attributes:
        number: Its number among all candidates, from 0.
        parameters: The parameters.
        estimator: The estimator with these parameters, not fitted.
        model: The model that the estimator builds.
        training: How the model is trained.
    """

    number: int
    parameters: dict[str, Any]
    estimator: Estimator
    model: Model
    training: Training

    def seed(self) -> int:
        """Return the seed of one fit, drawn as a fit of the estimator draws it."""
        weights = self.model.model_parts.weights
        if self.estimator.random_state is None and not weights.is_seeded:
            return random.getrandbits(32)
        return weights.seed


def make_candidates(
    owner: str,
    estimator: Estimator,
    parameters: Sequence[Mapping[str, Any]],
    examples: Examples,
    fit_arguments: Mapping[str, Any],
) -> list[Candidate]:
    """Return a candidate for each set of parameters, its model built for the data.

    Args:
        owner: The search that errors name.
        estimator: The estimator without the parameters of a candidate.
        parameters: The parameters of each candidate.
        examples: The data.
        fit_arguments: The arguments of `fit`, which override the estimator's.

    Raises:
        ValueError: A parameter is unknown, or an argument of the fit is not supported.
    """
    known = {
        name: vars(estimator)[name]
        for name in ("n_features_in_", "feature_names_in_")
        if name in vars(estimator)
    }
    candidates = []
    for number, values in enumerate(parameters):
        candidate = clone(estimator).set_params(**clone(dict(values), safe=False))
        for name, value in known.items():
            setattr(candidate, name, value)
        _check_layer(owner, candidate)
        training = _training(owner, candidate.fit_arguments(**fit_arguments))
        model = candidate.build_model_for(examples)
        candidates.append(Candidate(number, dict(values), candidate, model, training))
    return candidates


def _check_layer(owner: str, estimator: Estimator) -> None:
    if isinstance(estimator, SKLearnTransformer) and estimator.layer is not None:
        raise ValueError(
            f"`{owner}` scores the outputs of whole models and does not support "
            f"`layer={estimator.layer!r}`: search with `sklearn.model_selection`."
        )


def _training(owner: str, arguments: dict[str, Any]) -> Training:
    for name, value in arguments.items():
        if name not in SUPPORTED and value not in WITHOUT_EFFECT.get(name, ()):
            raise ValueError(
                f"`{owner}` trains whole epochs of all candidates side by side and does not "
                f"support `{name}={value!r}`: leave it out, or search with "
                "`sklearn.model_selection`."
            )
    size = check_batch_size(owner, arguments["batch_size"])
    return Training(
        epochs=integer_at_least(owner, "epochs", arguments["epochs"], 1),
        batch_size=BATCH_SIZE if size is None else size,
        shuffle=arguments["shuffle"],
        callbacks=per_member_callbacks(owner, arguments["callbacks"]),
        validation_split=number_between(
            owner, "validation_split", arguments["validation_split"], 0.0, 1.0, open_high=True
        ),
        validation_data=arguments["validation_data"],
        class_weight=arguments.get("class_weight"),
    )


def per_member_callbacks(owner: str, callbacks: Any) -> list[Callback]:
    """Return the callbacks as a list, or raise ValueError if members cannot have copies of one."""
    listed = list_callbacks(callbacks)
    for callback in listed:
        if not isinstance(callback, PER_MEMBER):
            known = ", ".join(kind.__name__ for kind in PER_MEMBER)
            raise ValueError(
                f"`{owner}`: each member has its own copy of a callback, which is possible for "
                f"{known}, received `{type(callback).__name__}`: leave it out, or search with "
                "`sklearn.model_selection`."
            )
    return listed
