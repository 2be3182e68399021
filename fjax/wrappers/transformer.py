"""The transformer."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from fjax.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy
from fjax.models import Model
from fjax.models.compile_arguments import CROSSENTROPY
from fjax.wrappers.building import loss_of
from fjax.wrappers.classifier import label_array, label_targets, one_hot, with_class_numbers
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples, check_sample_weight, make_examples
from fjax.wrappers.regressor import as_numbers, number_targets


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):
    """A network whose outputs are features, as a transformer of scikit-learn.

    It is trained on targets, which are numbers or labels. Without `y`, or with `reconstruct=True`,
    it is trained as an autoencoder, with the inputs as targets. The features are the outputs of the
    model or of one of its layers, one row for each sample, float32.

    Args:
        model: As in `SKLearnRegressor`; with labels as in `SKLearnClassifier`.
        layer: The name of the layer whose outputs are the features; by default those of the model.
        reconstruct: Whether the inputs are the targets even if there is a `y`. A step of a pipeline
            needs this if `y` is meant for the last step only.
        random_state: As in `SKLearnRegressor`, like all other arguments.
        warm_start: Whether `fit` continues with the model of the last fit.
        epochs: As in `Model.fit`.
        batch_size: The number of samples in a step, by default 32.
        callbacks: Callbacks; each fit has copies of them.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(X, y)` or `(X, y, sample_weight)` to validate on.
        verbose: 0 is silent.
        shuffle: Whether each epoch takes the samples in another order.
        model_kwargs: A dict of arguments of the function.
        fit_kwargs: A dict of further arguments of `Model.fit`.
        parameters: Arguments of the function; also spelled `model__name`.

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
        self, model: Any, *, layer: str | None = None, reconstruct: bool = False, **parameters: Any
    ) -> None:
        super().__init__(model, **parameters)
        self.layer = layer
        self.reconstruct = reconstruct

    def transform(self, X: Any) -> np.ndarray:
        """Return the features, one row for each sample."""
        check_is_fitted(self, "model_")
        return self.from_outputs(self.compute_outputs(X, self._feature_model(self.model_)))

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return the features for outputs of the model, or of its layer."""
        return outputs.reshape(len(outputs), -1)

    def adopt(self, model: Model, examples: Examples, history: Mapping[str, list[Any]]) -> Self:
        """Set the fitted attributes to a trained model; see `Estimator.adopt`."""
        self._n_features_out = int(np.prod(self._feature_model(model).output_shape[1:]))
        return super().adopt(model, examples, history)

    def build_model_for(self, examples: Examples) -> Model:
        """Return a new compiled model; see `Estimator.build_model_for`."""
        model = super().build_model_for(examples)
        # An unknown layer is an error before training.
        self._feature_model(model)
        return model

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the targets in the form that the loss of a model takes."""
        owner, shape = type(self).__name__, self._output_shape(model, examples)
        if examples.classes is None:
            return number_targets(owner, shape, examples)
        if _are_integers(examples.classes) and not _has_class_loss(model, shape):
            values = as_numbers(owner, examples.classes)[examples.y]
            return number_targets(owner, shape, examples._replace(y=values))
        return label_targets(owner, model, shape, examples)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, reset: bool, training: Examples | None = None
    ) -> Examples:
        owner = type(self).__name__
        if self.reconstruct or y is None:
            X = self.check_inputs(X, reset)
            return make_examples(X, X, check_sample_weight(sample_weight, len(X)))
        examples = self._validate(X, label_array(y), sample_weight, reset, multi_output=True)
        # A single column that is not float is class numbers.
        if examples.y.ndim == 1 and examples.y.dtype.kind != "f":
            known = None if reset else self._classes if training is None else training.classes
            return with_class_numbers(owner, examples, known)
        return examples._replace(y=as_numbers(owner, examples.y))

    def target_columns(self, examples: Examples) -> np.ndarray:
        """Return numbers in columns, or labels as one-hot rows, for a function with `y`."""
        has_labels = examples.classes is not None and not _are_integers(examples.classes)
        return one_hot(examples) if has_labels else super().target_columns(examples)

    def _set_target_attributes(self, examples: Examples) -> None:
        self._classes = examples.classes

    def _feature_model(self, model: Model) -> Model:
        """Return the model whose outputs are the features."""
        if self.layer is None:
            return model
        return Model(model.inputs, model.get_layer(self.layer).output)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        assert tags.transformer_tags is not None
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _are_integers(labels: np.ndarray) -> bool:
    return labels.dtype.kind in "iu"


def _has_class_loss(model: Model, shape: tuple[int, ...]) -> bool:
    """Return whether the loss of a model is for classes with one unit each."""
    loss = loss_of(model)
    if isinstance(loss, str):
        return loss.lower() in CROSSENTROPY and int(np.prod(shape)) > 1
    return isinstance(loss, CategoricalCrossentropy | SparseCategoricalCrossentropy)
