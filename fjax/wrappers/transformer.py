"""The transformer."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from fjax.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy
from fjax.models import Model
from fjax.models.compile_config import CROSSENTROPY
from fjax.wrappers.building import loss_of
from fjax.wrappers.classifier import labels_for, numbered, one_hot, plain_labels
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples, checked_weight, present
from fjax.wrappers.regressor import as_numbers, numbers_for


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """A network whose outputs are features, as a transformer of scikit-learn.

    It is trained on targets, numbers or labels; without a `y`, or with `reconstruct=True`, as an
    autoencoder, to give the inputs back. What it returns are the model's outputs, or those of one
    of its layers, a row for each sample, float32.

    Args:
        model: As in `SKLearnRegressor`; of labels as in `SKLearnClassifier`.
        layer: The name of the layer whose outputs are the features, by default the whole model's.
        reconstruct: Whether the targets are the inputs whatever `y` is, as a step of a pipeline
            needs it whose `y` is for the last step alone.
        random_state: The other arguments, too, are those of `SKLearnRegressor`.
        warm_start: Whether `fit` goes on with the model of the last fit.
        epochs: As in `Model.fit`.
        batch_size: Samples a step, by default 32.
        callbacks: Who listens; each fit has copies of them.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(X, y)` or `(X, y, sample_weight)` to validate on.
        verbose: 0 is silent.
        shuffle: Whether each epoch goes through the samples in another order.
        model_kwargs: Arguments of the function, in a dict.
        fit_kwargs: Further arguments of `Model.fit`, in a dict.
        parameters: Arguments of the function; also spelt `model__name`.

    Source: Keras's page "Scikit-Learn API wrappers"; scikit-learn's "Developing estimators".

    >>> import fjax, numpy as np
    >>> def autoencoder(X, y, codes=2):
    ...     layers = [fjax.layers.Dense(codes, name="codes"), fjax.layers.Dense(X.shape[1])]
    ...     model = fjax.Sequential(layers)
    ...     model.compile("adam", "mse")
    ...     return model
    >>> transformer = SKLearnTransformer(autoencoder, layer="codes", random_state=0)
    >>> transformer.fit_transform(np.ones((20, 5))).shape
    (20, 2)
    """

    def __init__(
        self,
        model: Any,
        *,
        layer: str | None = None,
        reconstruct: bool = False,
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
        super().__init__(
            model, random_state=random_state, warm_start=warm_start, epochs=epochs,
            batch_size=batch_size, callbacks=callbacks, validation_split=validation_split,
            validation_data=validation_data, verbose=verbose, shuffle=shuffle,
            model_kwargs=model_kwargs, fit_kwargs=fit_kwargs, **parameters,
        )  # fmt: skip
        self.layer = layer
        self.reconstruct = reconstruct

    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Make one epoch, with the model of the last fit if there is one."""
        return self._fit(X, y, sample_weight, {"epochs": 1}, hasattr(self, "model_"))

    def transform(self, X: Any) -> np.ndarray:
        """Return the features, one row for each sample."""
        check_is_fitted(self, "model_")
        return self.from_outputs(self._outputs(X, self._part(self.model_)))

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return what `transform` does for these outputs of the model, or of its layer."""
        return outputs.reshape(len(outputs), -1)

    def adopt(self, model: Model, examples: Examples, history: Mapping[str, list[Any]]) -> Self:
        """Take a trained model as the outcome of a fit; see `Estimator.adopt`."""
        self._n_features_out = int(np.prod(self._part(model).output_shape[1:]))
        return super().adopt(model, examples, history)

    def build_model_for(self, examples: Examples) -> Model:
        """Return a fresh compiled model; see `Estimator.build_model_for`."""
        model = super().build_model_for(examples)
        self._part(model)
        return model

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the targets in the form that the model's loss takes."""
        owner, shape = type(self).__name__, self._output_shape(model, examples)
        if examples.classes is None:
            return numbers_for(owner, shape, examples)
        if _are_numbers(examples.classes) and not _takes_classes(model, shape):
            values = as_numbers(owner, examples.classes)[examples.y]
            return numbers_for(owner, shape, examples._replace(y=values))
        return labels_for(owner, model, shape, examples)

    def _prepared(self, X: Any, y: Any, sample_weight: Any, first: bool) -> Examples:
        return self._with_targets(X, y, sample_weight, first, None if first else self._classes)

    def _held_out(
        self, X: Any, y: Any, sample_weight: Any = None, *, examples: Examples
    ) -> Examples:
        return self._with_targets(X, y, sample_weight, False, examples.classes)

    def _with_targets(
        self, X: Any, y: Any, sample_weight: Any, first: bool, classes: np.ndarray | None
    ) -> Examples:
        """Return the data; targets in one column that are no floats as numbers of classes."""
        owner = type(self).__name__
        if self.reconstruct or y is None:
            X = self._inputs(X, first)
            return present(X, X, checked_weight(sample_weight, len(X)))
        examples = self._validated(X, plain_labels(y), sample_weight, first, multi_output=True)
        if examples.y.ndim == 1 and examples.y.dtype.kind != "f":
            return numbered(owner, examples, classes)
        return examples._replace(y=as_numbers(owner, examples.y))

    def _columns(self, examples: Examples) -> np.ndarray:
        labels = examples.classes is not None and not _are_numbers(examples.classes)
        return one_hot(examples) if labels else super()._columns(examples)

    def _remember(self, examples: Examples) -> None:
        self._classes = examples.classes

    def _part(self, model: Model) -> Model:
        """Return the model up to the layer whose outputs are the features."""
        if self.layer is None:
            return model
        return Model(model.inputs, model.get_layer(self.layer).output)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _are_numbers(labels: np.ndarray) -> bool:
    return labels.dtype.kind in "iu"


def _takes_classes(model: Model, shape: tuple[int, ...]) -> bool:
    """Tell whether a model's loss is for classes, of one unit each."""
    loss = loss_of(model)
    if isinstance(loss, str):
        return loss.lower() in CROSSENTROPY and int(np.prod(shape)) > 1
    return isinstance(loss, CategoricalCrossentropy | SparseCategoricalCrossentropy)
