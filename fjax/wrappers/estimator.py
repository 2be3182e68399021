"""What all estimators share: parameters, the way of a fit, and the seams that a search uses.

A fit is `prepare` (data, checked), `build_model_for` (a fresh compiled model), `Model.fit` with
`fit_arguments` and the data of `training_data`, and `adopt` (the fitted attributes). A search that
trains many models side by side takes these one by one.
"""

import copy
import inspect
import re
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fjax.errors import check_keywords, is_integer
from fjax.models import Model
from fjax.training import Batch
from fjax.wrappers.building import built_by, cloned, is_builder, output_shape
from fjax.wrappers.examples import BATCH_SIZE, Examples, checked_weight, present
from fjax.wrappers.parameters import Arguments, name_of, without_prefix

FIT_ARGUMENTS = [
    name
    for name in inspect.signature(Model.fit).parameters
    if name not in ("self", "x", "y", "sample_weight")
]
# Those of `Model.fit` that are parameters of an estimator.
OF_FIT = (
    "epochs", "batch_size", "callbacks", "validation_split", "validation_data", "verbose",
    "shuffle",
)  # fmt: skip
# The form of the inputs; what is beyond float32 is told as infinite.
INPUTS: dict[str, Any] = {"dtype": np.float32, "order": "C", "allow_nd": True}

ADDRESS = re.compile(r"<function (\S+) at 0x[0-9a-f]+>")


class Estimator(BaseEstimator):
    """Base of the estimators; see `SKLearnRegressor`."""

    def __init__(
        self,
        model: Any,
        *,
        random_state: Any = None,
        warm_start: bool = False,
        epochs: int = 1,
        batch_size: int | None = None,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        verbose: Any = 0,
        shuffle: bool = True,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        self.model = model
        self.random_state = random_state
        self.warm_start = warm_start
        self.epochs = epochs
        self.batch_size = batch_size
        self.callbacks = callbacks
        self.validation_split = validation_split
        self.validation_data = validation_data
        self.verbose = verbose
        self.shuffle = shuffle
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs
        self._parameters = without_prefix(type(self).__name__, parameters)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        # A function by its name, without the address that it has today.
        return ADDRESS.sub(r"\1", super().__repr__(N_CHAR_MAX))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, all arguments of the model-building function among them.

        Those that stand in `model_kwargs` are there alone.
        """
        own = super().get_params(deep=deep)
        if is_builder(self.model):
            within = _names(self.model_kwargs)
            defaults = Arguments(self.model).defaults
            # A name of the estimator's own is told at `fit`, and is no second parameter.
            own = {n: v for n, v in defaults.items() if n not in within} | own
        return own | self._parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters: the estimator's own, and arguments of the model-building function.

        An argument may be spelt `model__n_hidden`, too. What is set last is in force, here or in
        `model_kwargs`; of one call the argument itself.

        Raises:
            ValueError: A name is neither; nothing is set then.
        """
        names = self._get_param_names()
        own = {name: value for name, value in params.items() if name in names}
        rest = {name: value for name, value in params.items() if name not in names}
        arguments = without_prefix(type(self).__name__, rest)
        build = own.get("model", self.model)
        if is_builder(build):
            Arguments(build).check_known(type(self).__name__, build, arguments, names)
        elif isinstance(build, Model):
            _refuse_arguments(type(self).__name__, arguments)
        for name, value in own.items():
            setattr(self, name, value)
        within = _names(own.get("model_kwargs"))
        kept = {name: value for name, value in self._parameters.items() if name not in within}
        self._parameters = kept | arguments
        return self

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **fit_arguments: Any) -> Self:
        """Train a fresh model, or with `warm_start` go on with the one of the last fit.

        Args:
            X: The inputs, one row for each sample: an array, a DataFrame or lists of numbers.
            y: The targets.
            sample_weight: What each row counts, relative to the others; 0 is as if it were absent.
            fit_arguments: Arguments of `Model.fit`, which win over the estimator's parameters.
        """
        goes_on = bool(self.warm_start) and hasattr(self, "model_")
        return self._fit(X, y, sample_weight, fit_arguments, goes_on)

    def fit_arguments(self, **given: Any) -> dict[str, Any]:
        """Return what a fit passes to `Model.fit`, beside the data: copies of the callbacks.

        Args:
            given: What a call of `fit` was given, which wins.

        Raises:
            TypeError: A name is no argument of `Model.fit`; or a callback cannot be copied.
        """
        owner = type(self).__name__
        if not isinstance(self.fit_kwargs, Mapping | None):
            raise TypeError(
                f"`{owner}`: `fit_kwargs` must be a dict of arguments of `Model.fit`, received "
                f"{self.fit_kwargs!r}."
            )
        arguments = {name: getattr(self, name) for name in OF_FIT}
        arguments |= {**(self.fit_kwargs or {}), **given}
        check_keywords(f"{owner}.fit", arguments, FIT_ARGUMENTS)
        try:
            arguments["callbacks"] = copy.deepcopy(arguments["callbacks"])
        except Exception as error:
            raise TypeError(
                f"`{owner}`: each fit has copies of the `callbacks`, and one of "
                f"{arguments['callbacks']!r} cannot be copied: {error}."
            ) from error
        return arguments

    def build_model_for(self, examples: Examples) -> Model:
        """Return a fresh compiled model for the parameters as they are, held against the data.

        Raises:
            ValueError: A parameter is not known or missing, or the outputs do not fit the targets.
            TypeError: There is no compiled model.
        """
        owner = type(self).__name__
        if not isinstance(self.model_kwargs, Mapping | None):
            raise TypeError(
                f"`{owner}`: `model_kwargs` must be a dict of arguments of the function that "
                f"builds the model, received {self.model_kwargs!r}."
            )
        given = {**(self.model_kwargs or {}), **self._parameters}
        if is_builder(self.model):
            model = built_by(
                owner, self.model, given, self._get_param_names(),
                lambda: (examples.x, self._columns(examples)), self._meta(examples),
            )  # fmt: skip
            if model is getattr(self, "model_", None):
                raise ValueError(
                    f"`{owner}`: `{name_of(self.model)}` returned the model of the last fit again: "
                    "let it make a new one at each call."
                )
        else:
            model = cloned(owner, self.model)
            _refuse_arguments(owner, given)
        if self.random_state is not None:
            model.set_seed(_seed(self.random_state))
        self.targets_for(model, examples)
        return model

    def training_data(
        self, model: Model, examples: Examples, arguments: Mapping[str, Any]
    ) -> Batch:
        """Return the data as `Model.fit` is to be given it, weights scaled to a mean of 1.

        Args:
            model: What `build_model_for` returned.
            examples: What `prepare` returned, or some rows of it.
            arguments: What `fit_arguments` returned; `class_weight` is not for `Model.fit`.
        """
        examples = self._weighted(examples, arguments.get("class_weight"))
        if arguments.get("steps_per_epoch") is None:
            examples = examples.in_training_order(arguments["batch_size"])
        return self._batch(model, examples)

    def adopt(self, model: Model, examples: Examples, history: Mapping[str, list[Any]]) -> Self:
        """Take a trained model as the outcome of a fit.

        Args:
            model: The model.
            examples: What `prepare` returned.
            history: For each log its values, one for each epoch that the model has made.
        """
        self.model_ = model
        self.history_ = dict(history)
        self.n_iter_ = max(map(len, history.values()), default=0)
        self._remember(examples)
        return self

    def prepare(self, X: Any, y: Any = None, sample_weight: Any = None) -> Examples:
        """Return the data as models take it, checked, without the rows whose weight is zero.

        It sets `n_features_in_`, and of a DataFrame `feature_names_in_`.

        Raises:
            ValueError: Something cannot be trained on.
        """
        return self._prepared(X, y, sample_weight, first=True)

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the targets in the form that a model's loss takes.

        Raises:
            ValueError: The model's outputs do not fit them.
        """
        raise NotImplementedError

    def _prepared(self, X: Any, y: Any, sample_weight: Any, first: bool) -> Examples:
        """Return the data checked; `first` where the estimator begins anew with it."""
        raise NotImplementedError

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, first: bool, **checks: Any
    ) -> Examples:
        with np.errstate(over="ignore", invalid="ignore"):
            X, y = validate_data(self, X, y, reset=first, **INPUTS, **checks)
        return present(X, np.asarray(y), checked_weight(sample_weight, len(X)))

    def _inputs(self, X: Any, first: bool) -> np.ndarray:
        """Return inputs alone, checked."""
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(self, X, reset=first, **INPUTS)

    def _columns(self, examples: Examples) -> np.ndarray:
        """Return the targets with a column for each output, as a function with `y` gets them."""
        return examples.y.reshape(len(examples.y), -1)

    def _meta(self, examples: Examples) -> dict[str, Any]:
        """Return the facts for a function with `meta`."""
        facts = {
            "n_features_in_": examples.x.shape[1],
            "n_outputs_": self._columns(examples.rows([0])).shape[1],
            "X_shape_": examples.x.shape,
        }
        if examples.classes is None:
            return facts
        return facts | {"classes_": examples.classes, "n_classes_": len(examples.classes)}

    def _weighted(self, examples: Examples, class_weight: Any) -> Examples:
        """Return examples whose weights count their classes, too."""
        if class_weight is not None:
            raise TypeError(f"`{type(self).__name__}` has no classes: leave out `class_weight`.")
        return examples

    def _remember(self, examples: Examples) -> None:
        """Set the fitted attributes of a kind of estimator."""

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, given: Mapping[str, Any], goes_on: bool
    ) -> Self:
        arguments = self.fit_arguments(**given)
        examples = self._prepared(X, y, sample_weight, first=not goes_on)
        model = self.model_ if goes_on else self.build_model_for(examples)
        validation = arguments.pop("validation_data")
        share = arguments.pop("validation_split")
        # As in `Model.fit`, data to validate on wins over a split.
        training, held_out = examples.split(0.0 if validation is not None else share)
        if validation is not None:
            held_out = self._validation(validation, examples)
        if held_out is not None:
            batch = self._batch(model, held_out)
            arguments["validation_data"] = (batch.inputs[0], batch.targets, batch.sample_weight)
        data = self.training_data(model, training, arguments)
        arguments.pop("class_weight", None)
        logs = model.fit(
            data.inputs[0], data.targets, sample_weight=data.sample_weight, **arguments
        ).history
        if goes_on:
            before = self.history_
            logs = {n: [*before.get(n, []), *logs.get(n, [])] for n in {**before, **logs}}
        return self.adopt(model, examples, logs)

    def _batch(self, model: Model, examples: Examples) -> Batch:
        targets = self.targets_for(model, examples)
        return Batch((examples.x,), targets, examples.relative_weight)

    def _validation(self, validation_data: Any, examples: Examples) -> Examples:
        if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
            raise ValueError(
                f"`{type(self).__name__}`: `validation_data` must be `(X, y)` or `(X, y, "
                f"sample_weight)`, received {type(validation_data).__name__}."
            )
        return self._held_out(*validation_data, examples=examples)

    def _held_out(
        self, X: Any, y: Any, sample_weight: Any = None, *, examples: Examples
    ) -> Examples:
        """Return validation data, checked."""
        return self._prepared(X, y, sample_weight, first=False)

    def _outputs(self, X: Any, model: Model | None = None) -> np.ndarray:
        """Return the model's outputs for inputs, each row's whatever rows stand beside it.

        The batches have one size: the last one is filled up, since a sum of float32 numbers may be
        made in another order in a batch of another size.
        """
        check_is_fitted(self, "model_")
        X = self._inputs(X, first=False)
        missing = -len(X) % BATCH_SIZE
        filled = np.concatenate([X, np.zeros((missing, *X.shape[1:]), X.dtype)]) if missing else X
        model = self.model_ if model is None else model
        return model.predict(filled, BATCH_SIZE, verbose=0)[: len(X)]

    def _output_shape(self, model: Model, examples: Examples) -> tuple[int, ...]:
        return output_shape(type(self).__name__, model, examples.x)


def _seed(random_state: Any) -> int:
    """Return an integer as it is, and of a generator the next number that it draws."""
    if is_integer(random_state):
        return random_state
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _names(model_kwargs: Any) -> set[str]:
    return set(model_kwargs) if isinstance(model_kwargs, Mapping) else set()


def _refuse_arguments(owner: str, given: Mapping[str, Any]) -> None:
    for name in given:
        raise ValueError(
            f"Invalid parameter {name!r} of `{owner}`: its `model` is a model that is made "
            "already, and takes no arguments. Give a function that builds models."
        )
