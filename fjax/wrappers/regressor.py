"""The regressor."""

from typing import Any, Self

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
            fit trains a clone with weights of its own. The function's arguments are parameters of
            the estimator. One with `X` and `y` is given the data, `y` with one column for each
            output; one with `meta` a dict that has `n_features_in_` and `n_outputs_`.
        random_state: An integer, or a `numpy.random.RandomState` to draw one from: the model's
            seed, so that a fit is a function of data, parameters and this number. None leaves the
            model's own seed.
        warm_start: Whether `fit` goes on with the model of the last fit.
        epochs: As in `Model.fit`, and so the next six.
        batch_size: Samples a step, by default 32.
        callbacks: Who listens; each fit has copies of them.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(X, y)` or `(X, y, sample_weight)` to validate on.
        verbose: 0 is silent.
        shuffle: Whether each epoch goes through the samples in another order.
        model_kwargs: Arguments of the function, in a dict.
        fit_kwargs: Further arguments of `Model.fit`, in a dict.
        parameters: Arguments of the function; also spelt `model__name`.

    Attributes:
        model_: The trained model.
        history_: For each log its values, one an epoch.
        n_iter_: How many epochs the model has made.
        n_features_in_: How many columns `X` has.
        feature_names_in_: Their names, of a DataFrame.

    Weights are relative, as everywhere in scikit-learn: they are scaled to a mean of 1, and a row
    of weight 0 is left out before training. A sum of float32 numbers depends on the order of
    its terms; so that "a weight of 2 is the row twice" holds to the last bit, a fit whose rows all
    make one batch repeats rows by whole-number weights, and puts the rows in one order of its own.

    Errors are raised by `fit`, as scikit-learn wants it; an unknown name also by `set_params`.

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

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Make one epoch, with the model of the last fit if there is one."""
        return self._fit(X, y, sample_weight, {"epochs": 1}, hasattr(self, "model_"))

    def predict(self, X: Any) -> np.ndarray:
        """Return the predictions in the shape of the targets, float64."""
        return self.from_outputs(self._outputs(X))

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return what `predict` does for these outputs of the model."""
        return outputs.reshape(len(outputs), *self._target_shape).astype(np.float64)

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the targets in the shape of the model's outputs."""
        return numbers_for(type(self).__name__, self._output_shape(model, examples), examples)

    def _prepared(self, X: Any, y: Any, sample_weight: Any, first: bool) -> Examples:
        examples = self._validated(X, y, sample_weight, first, multi_output=True, y_numeric=True)
        return examples._replace(y=as_numbers(type(self).__name__, examples.y))

    def _remember(self, examples: Examples) -> None:
        self._target_shape = examples.y.shape[1:]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def as_numbers(owner: str, y: np.ndarray) -> np.ndarray:
    """Return targets as float32, or raise ValueError where they are no finite numbers."""
    try:
        with np.errstate(over="ignore"):
            numbers = y.astype(np.float32)
    except (TypeError, ValueError):
        first = y.ravel().tolist()[0]
        raise ValueError(f"`{owner}`: `y` must hold numbers, received {first!r}.") from None
    if not np.isfinite(numbers).all():
        raise ValueError(f"`{owner}`: `y` holds numbers beyond float32: scale them.")
    return numbers


def numbers_for(owner: str, shape: tuple[int, ...], examples: Examples) -> np.ndarray:
    """Return targets in the shape of outputs, or raise ValueError where their numbers differ."""
    columns = examples.y[0].size
    units = int(np.prod(shape))
    if columns != units:
        raise ValueError(
            f"`{owner}`: `y` has {columns} column{'s' * (columns > 1)}, and the model has {units} "
            f"output{'s' * (units > 1)}: the last layer must have {columns}."
        )
    return examples.y.reshape(len(examples.y), *shape)
