"""The classifier."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from fjax.losses import Hinge, SparseCategoricalCrossentropy, SquaredHinge
from fjax.models import Model
from fjax.models.compile_config import CROSSENTROPY
from fjax.wrappers.building import loss_of
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples


class SKLearnClassifier(ClassifierMixin, Estimator):
    """A network that predicts labels, as an estimator of scikit-learn.

    Labels may be strings, booleans, numbers or objects. The model has one unit of probability (or
    logit) for two classes, or one unit for each class; its loss is given the numbers of the
    classes if it is `SparseCategoricalCrossentropy`, "crossentropy" or of one unit, and one-hot
    rows else.

    Args:
        model: As in `SKLearnRegressor`; a function with `X` and `y` is given `y` with one column
            for each class, `meta` has `n_classes_` and `classes_`, too.
        random_state: The other arguments, too, are those of `SKLearnRegressor`.
        warm_start: Whether `fit` goes on with the model of the last fit.
        epochs: As in `Model.fit`.
        batch_size: Samples a step, by default 32.
        callbacks: Who listens; each fit has copies of them.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(X, y)` or `(X, y, sample_weight)`, with labels.
        verbose: 0 is silent.
        shuffle: Whether each epoch goes through the samples in another order.
        class_weight: A dict of label to weight, where others count 1; or "balanced", by which all
            classes count the same.
        model_kwargs: Arguments of the function, in a dict.
        fit_kwargs: Further arguments of `Model.fit`, in a dict.
        parameters: Arguments of the function; also spelt `model__name`.

    Attributes:
        classes_: The labels in the order of the outputs; the others are those of
            `SKLearnRegressor`.

    A row of weight 0 is as if it were absent, so that a class of nothing but such rows is none.

    Source: Keras's page "Scikit-Learn API wrappers"; scikit-learn's "Developing estimators".

    >>> import fjax, numpy as np
    >>> def build_model(meta):
    ...     model = fjax.Sequential([fjax.layers.Dense(meta["n_classes_"], "softmax")])
    ...     model.compile(fjax.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    ...     return model
    >>> X, y = np.linspace(-1, 1, 64)[:, None], np.repeat(["less", "more"], 32)
    >>> classifier = SKLearnClassifier(build_model, epochs=30, random_state=0).fit(X, y)
    >>> classifier.predict([[-0.9], [0.9]]).tolist(), classifier.predict_proba(X).shape
    (['less', 'more'], (64, 2))
    """

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
        class_weight: Any = None,
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
        self.class_weight = class_weight

    def fit_arguments(self, **given: Any) -> dict[str, Any]:
        """Return what a fit passes to `Model.fit`; see `Estimator.fit_arguments`."""
        return {"class_weight": self.class_weight, **super().fit_arguments(**given)}

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Make one epoch, with the model of the last fit if there is one.

        Args:
            X: The inputs.
            y: The labels.
            classes: All labels that there will be, at the first call; by default those in `y`.
            sample_weight: What each row counts.
        """
        goes_on = hasattr(self, "model_")
        if not goes_on:
            self._all_classes = None if classes is None else np.unique(classes)
        try:
            return self._fit(X, y, sample_weight, {"epochs": 1}, goes_on)
        finally:
            self._all_classes = None

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row."""
        return self.from_outputs(self._outputs(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, a column for each of `classes_`."""
        return self.probabilities(self._outputs(X))

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return what `predict` does for these outputs of the model."""
        return np.asarray(self.classes_)[self.probabilities(outputs).argmax(axis=1)]

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return what `predict_proba` does for these outputs of the model.

        Where the loss takes logits, a sigmoid or softmax makes probabilities of them.
        """
        outputs = outputs.reshape(len(outputs), -1)
        if getattr(loss_of(self.model_), "from_logits", False):
            outputs = _of_logits(outputs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return the numbers of the classes, or one-hot rows, as the model's loss takes them."""
        shape = self._output_shape(model, examples)
        return labels_for(type(self).__name__, model, shape, examples)

    def _prepared(self, X: Any, y: Any, sample_weight: Any, first: bool) -> Examples:
        y = None if y is None else plain_labels(y)
        examples = self._validated(X, y, sample_weight, first)
        check_classification_targets(examples.y)
        known = getattr(self, "_all_classes", None) if first else self.classes_
        examples = numbered(type(self).__name__, examples, known)
        assert examples.classes is not None
        if len(examples.classes) < 2:
            raise ValueError(
                f"`{type(self).__name__}` needs samples of 2 classes at least, all rows that count "
                f"are of one class, {examples.classes.tolist()[0]!r}."
            )
        return examples

    def _weighted(self, examples: Examples, class_weight: Any) -> Examples:
        return weighted(type(self).__name__, examples, class_weight)

    def _held_out(
        self, X: Any, y: Any, sample_weight: Any = None, *, examples: Examples
    ) -> Examples:
        held_out = self._validated(X, plain_labels(y), sample_weight, first=False)
        return numbered(type(self).__name__, held_out, examples.classes, "validation_data")

    def _columns(self, examples: Examples) -> np.ndarray:
        return one_hot(examples)

    def _remember(self, examples: Examples) -> None:
        self.classes_ = examples.classes


def plain_labels(y: Any) -> np.ndarray:
    """Return labels as an array; objects that are all numbers or booleans as such."""
    labels = np.asarray(y)
    if labels.dtype != object:
        return labels
    plain = np.asarray(labels.tolist())
    return plain if plain.dtype.kind in "biuf" else labels


def numbered(
    owner: str, examples: Examples, classes: np.ndarray | None, argument: str = "y"
) -> Examples:
    """Return examples with the number of each label among the classes, by default all in `y`."""
    if classes is None:
        classes, numbers = np.unique(examples.y, return_inverse=True)
        return examples._replace(y=numbers.astype(np.int32), classes=classes)
    places = {label: place for place, label in enumerate(classes.tolist())}
    found = [places.get(label, -1) for label in examples.y.tolist()]
    numbers = np.array(found, np.int32)
    if (numbers < 0).any():
        row = int(np.argmax(numbers < 0))
        label, known = examples.y.tolist()[row], ", ".join(map(repr, classes.tolist()))
        raise ValueError(
            f"`{owner}`: `{argument}` has the label {label!r} at row {row}, which is none of the "
            f"classes {known}."
        )
    return examples._replace(y=numbers, classes=classes)


def weighted(owner: str, examples: Examples, class_weight: Any) -> Examples:
    """Return examples whose weights count their classes, too; rows without weight are left out."""
    if class_weight is None:
        return examples
    assert examples.classes is not None
    labels = examples.classes.tolist()
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(examples.y, examples.sample_weight, len(labels))
        by_class = counts.sum() / (len(labels) * np.maximum(counts, np.finfo(float).tiny))
    elif isinstance(class_weight, Mapping):
        by_class = np.ones(len(labels))
        for label, weight in class_weight.items():
            if label not in labels:
                raise ValueError(
                    f"`{owner}`: `class_weight` names the class {label!r}, the classes are "
                    f"{', '.join(map(repr, labels))}."
                )
            if not np.isfinite(weight) or weight < 0:
                raise ValueError(
                    f"`{owner}`: `class_weight[{label!r}]` must be a number from 0, received "
                    f"{weight!r}."
                )
            by_class[labels.index(label)] = weight
    else:
        raise ValueError(
            f'`{owner}`: `class_weight` must be a dict of label to weight, "balanced" or None, '
            f"received {class_weight!r}."
        )
    weight = by_class[examples.y]
    if examples.sample_weight is not None:
        weight = weight * examples.sample_weight
    if not weight.any():
        raise ValueError(f"`{owner}`: by `class_weight` all rows have the weight zero.")
    return examples._replace(sample_weight=weight).rows(weight > 0)


def one_hot(examples: Examples) -> np.ndarray:
    """Return a row for each label, 1 in the column of its class."""
    assert examples.classes is not None
    return np.eye(len(examples.classes), dtype=np.float32)[examples.y]


def labels_for(owner: str, model: Model, shape: tuple[int, ...], examples: Examples) -> np.ndarray:
    """Return the numbers of classes, or one-hot rows, as a model's loss takes them."""
    assert examples.classes is not None
    classes, units, loss = len(examples.classes), int(np.prod(shape)), loss_of(model)
    if isinstance(loss, Hinge | SquaredHinge):
        raise ValueError(
            f"`{owner}` needs outputs that are probabilities or logits, and a hinge loss makes "
            "neither: use a crossentropy."
        )
    if units != classes and not (units == 1 and classes == 2):
        wanted = "1 or 2" if classes == 2 else f"{classes}"
        raise ValueError(
            f"`{owner}`: the labels have {classes} classes, and the model has {units} "
            f"output{'s' * (units > 1)}: the last layer must have {wanted}."
        )
    if units == 1:
        return examples.y.reshape(len(examples.y), *shape)
    by_number = isinstance(loss, SparseCategoricalCrossentropy)
    if by_number or (isinstance(loss, str) and loss.lower() in CROSSENTROPY):
        return examples.y
    return one_hot(examples)


def _of_logits(logits: np.ndarray) -> np.ndarray:
    if logits.shape[1] == 1:
        # Without an overflow, whatever the sign.
        return (0.5 * (1 + np.tanh(0.5 * logits))).astype(logits.dtype)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
