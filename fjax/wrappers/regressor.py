"""The regressor, and targets as numbers."""

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from fjax.models import Model
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples


class SKLearnRegressor(RegressorMixin, Estimator):
    """A network that predicts numbers, as an estimator of scikit-learn.

    Args:
        model: A function that returns a compiled `fjax.Model`, or a compiled model, of which each
            fit trains a clone with new weights. The arguments of the function are parameters of the
            estimator. A function with `X` and `y` gets the data, `y` with one column for each
            output; a function with `meta` gets a dict with `n_features_in_` and `n_outputs_`.
        random_state: The seed of the model: an integer, or a `numpy.random.RandomState` that draws
            one. With a seed a fit is a function of data and parameters. With None the model keeps
            its own seed.
        warm_start: Whether `fit` continues with the model of the last fit.
        epochs: As in `Model.fit`, like the six arguments that follow.
        batch_size: The number of samples in a step, by default 32.
        callbacks: Callbacks; each fit has copies of them.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(X, y)` or `(X, y, sample_weight)` to validate on.
        verbose: 0 is silent.
        shuffle: Whether each epoch takes the samples in another order.
        model_kwargs: A dict of arguments of the function.
        fit_kwargs: A dict of further arguments of `Model.fit`.
        parameters: Arguments of the function; also spelled `model__name`.

    Attributes:
        model_: The trained model.
        history_: For each log its values, one for each epoch.
        n_iter_: The number of epochs that the model was trained for.
        n_features_in_: The number of columns of `X`.
        feature_names_in_: The names of the columns, if `X` is a DataFrame.

    Weights are relative, as everywhere in scikit-learn: they are scaled to a mean of 1, and rows of
    weight 0 are left out before training. If all rows fit in one batch, rows with integer weights
    are repeated, and the rows are sorted: the sum of float32 numbers depends on the order of the
    numbers, and this makes "a weight of 2 is the row twice" exact to the last bit.

    Errors are raised by `fit`, as scikit-learn requires; those of unknown names also by
    `set_params`.

    Source: Keras's page "Scikit-Learn API wrappers"; scikit-learn's "Developing estimators".

    >>> import fjax, numpy as np
    >>> def build_model(learning_rate=0.1):
    ...     model = fjax.Sequential([fjax.layers.Dense(1)])
    ...     model.compile(fjax.optimizers.SGD(learning_rate), "mse")
    ...     return model
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> regressor = SKLearnRegressor(build_model, epochs=50, random_state=0)
    >>> regressor.fit(X, 3 * X[:, 0]).score(X, 3 * X[:, 0]) > 0.99
    True
    >>> regressor.get_params()["learning_rate"]
    0.1
    """

    def predict(self, X: Any) -> np.ndarray:
        """Return the predictions in the shape of the targets, float64."""
        return self.from_outputs(self.compute_outputs(X))

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return predictions for outputs of the model."""
        return outputs.reshape(len(outputs), *self._target_shape).astype(np.float64)

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the targets in the shape of the model's outputs."""
        return number_targets(type(self).__name__, self._output_shape(model, examples), examples)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, reset: bool, training: Examples | None = None
    ) -> Examples:
        examples = self._validate(X, y, sample_weight, reset, multi_output=True, y_numeric=True)
        return examples._replace(y=as_numbers(type(self).__name__, examples.y))

    def _set_target_attributes(self, examples: Examples) -> None:
        self._target_shape = examples.y.shape[1:]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


# The name in older versions of Keras.
KerasRegressor = SKLearnRegressor


def as_numbers(owner: str, y: np.ndarray) -> np.ndarray:
    """Return targets as float32, or raise ValueError if they are not finite numbers."""
    try:
        with np.errstate(over="ignore"):
            numbers = y.astype(np.float32)
    except (TypeError, ValueError):
        first = y.ravel().tolist()[0]
        raise ValueError(f"`{owner}`: `y` must hold numbers, received {first!r}.") from None
    if not np.isfinite(numbers).all():
        raise ValueError(f"`{owner}`: `y` holds numbers beyond float32: scale the targets.")
    return numbers


def number_targets(owner: str, shape: tuple[int, ...], examples: Examples) -> np.ndarray:
    """Return targets in the shape of outputs, or raise ValueError if their sizes differ."""
    columns = examples.y[0].size
    units = int(np.prod(shape))
    if columns != units:
        raise ValueError(
            f"`{owner}`: `y` has {columns} column{'s' * (columns > 1)}, and the model has {units} "
            f"output{'s' * (units > 1)}: the last layer must have {columns}."
        )
    return examples.y.reshape(len(examples.y), *shape)
