"""What all estimators share: parameters, and the steps of a fit, which searches use one by one.

A fit is `prepare` (check the data), `build_model_for` (build a compiled model), `Model.fit` with
`fit_arguments` and `training_data`, and `adopt` (set the fitted attributes). A search, which trains
many models side by side, uses its own step in place of `Model.fit`.
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
from fjax.wrappers.building import call_builder, clone_compiled, is_builder, output_shape
from fjax.wrappers.examples import BATCH_SIZE, Examples, check_sample_weight, make_examples
from fjax.wrappers.parameters import BuilderArguments, name_of, without_prefix

FIT_ARGUMENTS = [
    name
    for name in inspect.signature(Model.fit).parameters
    if name not in ("self", "x", "y", "sample_weight")
]
# The arguments of `Model.fit` that are parameters of an estimator.
FIT_PARAMETERS = (
    "epochs", "batch_size", "callbacks", "validation_split", "validation_data", "verbose",
    "shuffle",
)  # fmt: skip
# How scikit-learn checks the inputs; it reports numbers beyond float32 as infinite.
INPUT_CHECKS: dict[str, Any] = {"dtype": np.float32, "order": "C", "allow_nd": True}

FUNCTION_ADDRESS = re.compile(r"<function (\S+) at 0x[0-9a-f]+>")


class Estimator(BaseEstimator):
    """The base of the estimators; see `SKLearnRegressor`."""

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

    def __init_subclass__(cls, **options: Any) -> None:
        """Show all parameters in the signature of a constructor that passes `**parameters` on."""
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            own, inherited = (
                inspect.signature(init) for init in (cls.__init__, super(cls, cls).__init__)
            )
            parameters = {**inherited.parameters, **own.parameters}.values()
            ordered = sorted(parameters, key=lambda parameter: parameter.kind)
            cls.__init__.__signature__ = own.replace(parameters=ordered)  # type: ignore[attr-defined]

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        # A function is shown by its name, without its address, which differs in each process.
        return FUNCTION_ADDRESS.sub(r"\1", super().__repr__(N_CHAR_MAX))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, with all arguments of the model-building function.

        Arguments in `model_kwargs` are shown there only.
        """
        parameters = super().get_params(deep=deep)
        if is_builder(self.model):
            hidden = _names(self.model_kwargs)
            defaults = BuilderArguments(self.model).defaults
            # An argument with the name of an estimator's parameter is an error of `fit`.
            parameters = {n: v for n, v in defaults.items() if n not in hidden} | parameters
        return parameters | self._parameters

    def set_params(self, **params: Any) -> Self:
        """Set parameters: the estimator's own, and arguments of the model-building function.

        An argument may be spelled `model__n_hidden`, too. The last value that is set wins, here or
        in `model_kwargs`; in one call the argument wins over `model_kwargs`.

        Raises:
            ValueError: A name is unknown; then nothing is set.
        """
        names = self._get_param_names()
        own = {name: value for name, value in params.items() if name in names}
        rest = {name: value for name, value in params.items() if name not in names}
        arguments = without_prefix(type(self).__name__, rest)
        model = own.get("model", self.model)
        if is_builder(model):
            BuilderArguments(model).check_names(type(self).__name__, arguments, names)
        elif isinstance(model, Model):
            _refuse_arguments(type(self).__name__, arguments)
        for name, value in own.items():
            setattr(self, name, value)
        replaced = _names(own.get("model_kwargs"))
        kept = {name: value for name, value in self._parameters.items() if name not in replaced}
        self._parameters = kept | arguments
        return self

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, **fit_arguments: Any) -> Self:
        """Train a new model, or with `warm_start` continue with the model of the last fit.

        Args:
            X: The inputs, one row for each sample: an array, a DataFrame or lists of numbers.
            y: The targets.
            sample_weight: The weight of each row, relative to the others; rows of weight 0 are left
                out.
            fit_arguments: Arguments of `Model.fit`, which override the estimator's parameters.
        """
        continues = bool(self.warm_start) and hasattr(self, "model_")
        return self._fit(X, y, sample_weight, fit_arguments, continues)

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch, with the model of the last fit if there is one."""
        return self._fit(X, y, sample_weight, {"epochs": 1}, hasattr(self, "model_"))

    def fit_arguments(self, **overrides: Any) -> dict[str, Any]:
        """Return the arguments of `Model.fit` besides the data, with copies of the callbacks.

        Args:
            overrides: The arguments of a call of `fit`.

        Raises:
            TypeError: A name is not an argument of `Model.fit`, or a callback cannot be copied.
        """
        owner = type(self).__name__
        if not isinstance(self.fit_kwargs, Mapping | None):
            raise TypeError(
                f"`{owner}`: `fit_kwargs` must be a dict of arguments of `Model.fit`, received "
                f"{self.fit_kwargs!r}."
            )
        arguments = {name: getattr(self, name) for name in FIT_PARAMETERS}
        arguments |= {**(self.fit_kwargs or {}), **overrides}
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
        """Return a new compiled model for the current parameters, built for the data.

        Raises:
            ValueError: A parameter is unknown or missing, or the outputs do not fit the targets.
            TypeError: There is no compiled model.
        """
        owner = type(self).__name__
        if not isinstance(self.model_kwargs, Mapping | None):
            raise TypeError(
                f"`{owner}`: `model_kwargs` must be a dict of arguments of the function that "
                f"builds the model, received {self.model_kwargs!r}."
            )
        parameters = {**(self.model_kwargs or {}), **self._parameters}
        if is_builder(self.model):
            model = call_builder(self, parameters, examples)
            if model is getattr(self, "model_", None):
                raise ValueError(
                    f"`{owner}`: `{name_of(self.model)}` returned the model of the last fit again: "
                    "make a new model at each call."
                )
        else:
            model = clone_compiled(owner, self.model)
            _refuse_arguments(owner, parameters)
        if self.random_state is not None:
            model.set_seed(_seed(self.random_state))
        self.targets_for(model, examples)
        return model

    def training_data(
        self, model: Model, examples: Examples, arguments: Mapping[str, Any]
    ) -> Batch:
        """Return the data for `Model.fit`, with weights scaled to a mean of 1.

        Args:
            model: The result of `build_model_for`.
            examples: The result of `prepare`, or some rows of it.
            arguments: The result of `fit_arguments`. `class_weight` is applied here, and must not
                be passed to `Model.fit`.
        """
        examples = self.with_class_weight(examples, arguments.get("class_weight"))
        if arguments.get("steps_per_epoch") is None:
            examples = examples.in_training_order(arguments["batch_size"])
        return self._batch(model, examples)

    def adopt(self, model: Model, examples: Examples, history: Mapping[str, list[Any]]) -> Self:
        """Set the fitted attributes to a trained model.

        Args:
            model: The model.
            examples: The result of `prepare`.
            history: For each log its values, one for each epoch of the model.
        """
        self.model_ = model
        self.history_ = dict(history)
        self.n_iter_ = max(map(len, history.values()), default=0)
        self._set_target_attributes(examples)
        return self

    def prepare(self, X: Any, y: Any = None, sample_weight: Any = None) -> Examples:
        """Return the data as models take it, checked, without rows of weight zero.

        It sets `n_features_in_`, and for a DataFrame `feature_names_in_`.

        Raises:
            ValueError: The data cannot be trained on.
        """
        return self._prepare(X, y, sample_weight, reset=True)

    def prepare_validation(self, validation_data: Any, examples: Examples) -> Examples:
        """Return data to validate on, checked.

        Args:
            validation_data: `(X, y)` or `(X, y, sample_weight)`.
            examples: The data to train on.

        Raises:
            ValueError: It is something else, or does not fit the data to train on.
        """
        if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
            raise ValueError(
                f"`{type(self).__name__}`: `validation_data` must be `(X, y)` or `(X, y, "
                f"sample_weight)`, received {type(validation_data).__name__}."
            )
        X, y, weight = (*validation_data, None)[:3]
        return self._prepare(X, y, weight, reset=False, training=examples)

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the targets in the form that the loss of a model takes.

        Raises:
            ValueError: The outputs of the model do not fit them.
        """
        raise NotImplementedError

    def check_inputs(self, X: Any, reset: bool = False) -> np.ndarray:
        """Return inputs as a float32 array, checked.

        Args:
            X: The inputs.
            reset: Whether to set `n_features_in_` and `feature_names_in_` rather than compare.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return validate_data(self, X, reset=reset, **INPUT_CHECKS)

    def compute_outputs(self, X: Any, model: Model | None = None) -> np.ndarray:
        """Return the outputs of a model; those of a row do not depend on the other rows.

        All batches have the same size, the last one is padded: in a batch of another size the sum
        of float32 numbers may be computed in another order.

        Args:
            X: The inputs.
            model: The model, by default `model_`.
        """
        check_is_fitted(self, "model_")
        X = self.check_inputs(X)
        missing = -len(X) % BATCH_SIZE
        padded = np.concatenate([X, np.zeros((missing, *X.shape[1:]), X.dtype)]) if missing else X
        model = self.model_ if model is None else model
        return model.predict(padded, BATCH_SIZE, verbose=0)[: len(X)]

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, reset: bool, training: Examples | None = None
    ) -> Examples:
        """Return the data, checked.

        Args:
            X: The inputs.
            y: The targets.
            sample_weight: The weight of each row.
            reset: Whether a new fit begins with this data.
            training: The data to train on, if this is data to validate on.
        """
        raise NotImplementedError

    def _validate(self, X: Any, y: Any, sample_weight: Any, reset: bool, **checks: Any) -> Examples:
        with np.errstate(over="ignore", invalid="ignore"):
            X, y = validate_data(self, X, y, reset=reset, **INPUT_CHECKS, **checks)
        return make_examples(X, np.asarray(y), check_sample_weight(sample_weight, len(X)))

    def target_columns(self, examples: Examples) -> np.ndarray:
        """Return the targets with one column for each output, for a function with `y`."""
        return examples.y.reshape(len(examples.y), -1)

    def with_class_weight(self, examples: Examples, class_weight: Any) -> Examples:
        """Return examples whose weights include those of their classes, without those of 0."""
        if class_weight is not None:
            raise TypeError(f"`{type(self).__name__}` has no classes: leave out `class_weight`.")
        return examples

    def _set_target_attributes(self, examples: Examples) -> None:
        """Set the fitted attributes that describe the targets."""

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, overrides: Mapping[str, Any], continues: bool
    ) -> Self:
        arguments = self.fit_arguments(**overrides)
        examples = self._prepare(X, y, sample_weight, reset=not continues)
        model = self.model_ if continues else self.build_model_for(examples)
        validation_data = arguments.pop("validation_data")
        share = arguments.pop("validation_split")
        # As in `Model.fit`, `validation_data` overrides the split.
        training, held_out = examples.split(0.0 if validation_data is not None else share)
        if validation_data is not None:
            held_out = self.prepare_validation(validation_data, examples)
        if held_out is not None:
            batch = self._batch(model, held_out)
            arguments["validation_data"] = (batch.inputs[0], batch.targets, batch.sample_weight)
        data = self.training_data(model, training, arguments)
        arguments.pop("class_weight", None)
        logs = model.fit(
            data.inputs[0], data.targets, sample_weight=data.sample_weight, **arguments
        ).history
        if continues:
            before = self.history_
            logs = {n: [*before.get(n, []), *logs.get(n, [])] for n in {**before, **logs}}
        return self.adopt(model, examples, logs)

    def _batch(self, model: Model, examples: Examples) -> Batch:
        targets = self.targets_for(model, examples)
        return Batch((examples.x,), targets, examples.relative_weight)

    def _output_shape(self, model: Model, examples: Examples) -> tuple[int, ...]:
        return output_shape(type(self).__name__, model, examples.x)


def _seed(random_state: Any) -> int:
    """Return an integer as it is, or the next number that a generator draws."""
    if is_integer(random_state):
        return random_state
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _names(model_kwargs: Any) -> set[str]:
    return set(model_kwargs) if isinstance(model_kwargs, Mapping) else set()


def _refuse_arguments(owner: str, arguments: Mapping[str, Any]) -> None:
    for name in arguments:
        raise ValueError(
            f"Invalid parameter {name!r} of `{owner}`: its `model` is a model and takes no "
            "arguments: give a function that builds models."
        )
