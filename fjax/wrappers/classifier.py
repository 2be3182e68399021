"""The classifier, and labels as class numbers."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from fjax.errors import plain
from fjax.losses import Hinge, SparseCategoricalCrossentropy, SquaredHinge
from fjax.models import Model
from fjax.models.compile_arguments import CROSSENTROPY
from fjax.wrappers.building import loss_of
from fjax.wrappers.estimator import Estimator
from fjax.wrappers.examples import Examples


class SKLearnClassifier(ClassifierMixin, Estimator):
    """A network that predicts labels, as an estimator of scikit-learn.

    Labels may be strings, booleans, numbers or objects. The model has one unit, a probability or a
    logit, for two classes, or one unit for each class. The targets are class numbers if the loss is
    `SparseCategoricalCrossentropy` or "crossentropy", or if there is one unit; otherwise they are
    one-hot rows.

    Args:
        model: As in `SKLearnRegressor`. For a function with `X` and `y`, `y` has one column for
            each class; `meta` has `n_classes_` and `classes_`, too.
        random_state: As in `SKLearnRegressor`, like all other arguments.
        warm_start: Whether `fit` continues with the model of the last fit.
        epochs: As in `Model.fit`.
        batch_size: The number of samples in a step, by default 32.
        callbacks: Callbacks; each fit has copies of them.
        validation_split: The share of the data, from its end, to validate on.
        validation_data: `(X, y)` or `(X, y, sample_weight)`, with labels.
        verbose: 0 is silent.
        shuffle: Whether each epoch takes the samples in another order.
        class_weight: A dict from labels to weights, 1 by default; or "balanced", which gives all
            classes the same total weight.
        model_kwargs: A dict of arguments of the function.
        fit_kwargs: A dict of further arguments of `Model.fit`.
        parameters: Arguments of the function; also spelled `model__name`.

    Attributes:
        classes_: The labels in the order of the outputs. The other attributes are those of
            `SKLearnRegressor`.

    Rows of weight 0 are left out. A class whose rows all have weight 0 is ignored.

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

    def __init__(self, model: Any, *, class_weight: Any = None, **parameters: Any) -> None:
        super().__init__(model, **parameters)
        self.class_weight = class_weight

    def fit_arguments(self, **overrides: Any) -> dict[str, Any]:
        """Return the arguments of `Model.fit`; see `Estimator.fit_arguments`."""
        return {"class_weight": self.class_weight, **super().fit_arguments(**overrides)}

    def partial_fit(  # type: ignore[override]
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> Self:
        """Train for one epoch, with the model of the last fit if there is one.

        Args:
            X: The inputs.
            y: The labels.
            classes: In the first call all labels of later calls, too; by default the labels in `y`.
            sample_weight: The weight of each row.
        """
        continues = hasattr(self, "model_")
        if not continues:
            self._all_classes = None if classes is None else np.unique(classes)
        try:
            return self._fit(X, y, sample_weight, {"epochs": 1}, continues)
        finally:
            self._all_classes = None

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row."""
        return self.from_outputs(self.compute_outputs(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the classes, one column for each of `classes_`."""
        return self.probabilities(self.compute_outputs(X))

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the outputs of the model, `(rows, classes)`; the largest one is predicted.

        For two classes, as scikit-learn has it, one number for each row, `(rows,)`: how much more
        the second class has than the first, which is positive where the second one is predicted.
        """
        outputs = self.compute_outputs(X)
        outputs = outputs.reshape(len(outputs), -1)
        if outputs.shape[1] > 2:
            return outputs
        if outputs.shape[1] == 2:
            return outputs[:, 1] - outputs[:, 0]
        is_logit = getattr(loss_of(self.model_), "from_logits", False)
        # Of one probability p, the other class has 1 - p.
        return outputs[:, 0] if is_logit else 2 * outputs[:, 0] - 1

    def from_outputs(self, outputs: np.ndarray) -> np.ndarray:
        """Return the most probable label for each row of outputs of the model."""
        return np.asarray(self.classes_)[self.probabilities(outputs).argmax(axis=1)]

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Return the probabilities of the classes for outputs of the model.

        If the loss takes logits, a sigmoid or a softmax is applied.
        """
        outputs = outputs.reshape(len(outputs), -1)
        if getattr(loss_of(self.model_), "from_logits", False):
            outputs = _probabilities_of(outputs)
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def targets_for(self, model: Model, examples: Examples) -> np.ndarray:
        """Return class numbers, or one-hot rows, as the loss of a model takes them."""
        shape = self._output_shape(model, examples)
        return label_targets(type(self).__name__, model, shape, examples)

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, reset: bool, training: Examples | None = None
    ) -> Examples:
        owner, y = type(self).__name__, None if y is None else label_array(y)
        examples = self._validate(X, y, sample_weight, reset)
        if training is not None:
            return with_class_numbers(owner, examples, training.classes, "validation_data")
        check_classification_targets(examples.y)
        known = getattr(self, "_all_classes", None) if reset else self.classes_
        examples = with_class_numbers(owner, examples, known)
        assert examples.classes is not None
        if len(examples.classes) < 2:
            raise ValueError(
                f"`{owner}` needs samples of at least 2 classes, and all rows with a weight above "
                f"0 are of one class, {examples.classes.tolist()[0]!r}."
            )
        return examples

    def with_class_weight(self, examples: Examples, class_weight: Any) -> Examples:
        """Return examples whose weights include those of their classes, without those of 0."""
        if class_weight is None:
            return examples
        owner = type(self).__name__
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
                        f"`{owner}`: `class_weight` names the class {plain(label)!r}; the classes "
                        f"are {', '.join(map(repr, labels))}."
                    )
                if not np.isfinite(weight) or weight < 0:
                    raise ValueError(
                        f"`{owner}`: `class_weight[{plain(label)!r}]` must be a number of at least "
                        f"0, received {plain(weight)!r}."
                    )
                by_class[labels.index(label)] = weight
        else:
            raise ValueError(
                f'`{owner}`: `class_weight` must be a dict from labels to weights, "balanced" or '
                f"None, received {class_weight!r}."
            )
        weight = by_class[examples.y]
        if examples.sample_weight is not None:
            weight = weight * examples.sample_weight
        if not weight.any():
            raise ValueError(
                f"`{owner}`: with this `class_weight` all rows have weight 0: there is no row to "
                "train on."
            )
        return examples._replace(sample_weight=weight).rows(weight > 0)

    def target_columns(self, examples: Examples) -> np.ndarray:
        """Return one-hot rows, for a function with `y`."""
        return one_hot(examples)

    def _set_target_attributes(self, examples: Examples) -> None:
        self.classes_ = examples.classes


# The name in older versions of Keras.
KerasClassifier = SKLearnClassifier


def label_array(y: Any) -> np.ndarray:
    """Return labels as an array; an object array of numbers or booleans gets their dtype."""
    labels = np.asarray(y)
    if labels.dtype != object:
        return labels
    plain = np.asarray(labels.tolist())
    return plain if plain.dtype.kind in "biuf" else labels


def with_class_numbers(
    owner: str, examples: Examples, classes: np.ndarray | None, argument: str = "y"
) -> Examples:
    """Return examples with class numbers in place of labels.

    Args:
        owner: The estimator that errors name.
        examples: The examples, with labels.
        classes: The labels of the classes; None for all labels in the examples.
        argument: The argument that errors name.

    Raises:
        ValueError: A label is not one of the classes.
    """
    if classes is None:
        classes, numbers = np.unique(examples.y, return_inverse=True)
        return examples._replace(y=numbers.astype(np.int32), classes=classes)
    number_of = {label: number for number, label in enumerate(classes.tolist())}
    numbers = np.array([number_of.get(label, -1) for label in examples.y.tolist()], np.int32)
    if (numbers < 0).any():
        row = int(np.argmax(numbers < 0))
        label, known = examples.y.tolist()[row], ", ".join(map(repr, classes.tolist()))
        raise ValueError(
            f"`{owner}`: `{argument}` has the label {label!r} at row {row}, which is not one of "
            f"the classes {known}."
        )
    return examples._replace(y=numbers, classes=classes)


def one_hot(examples: Examples) -> np.ndarray:
    """Return a row for each label, with 1 in the column of its class."""
    assert examples.classes is not None
    return np.eye(len(examples.classes), dtype=np.float32)[examples.y]


def label_targets(
    owner: str, model: Model, shape: tuple[int, ...], examples: Examples
) -> np.ndarray:
    """Return class numbers, or one-hot rows, as the loss of a model takes them.

    Args:
        owner: The estimator that errors name.
        model: The model.
        shape: The shape of its output for one sample.
        examples: The examples, with class numbers.

    Raises:
        ValueError: The outputs are not probabilities or logits of these classes.
    """
    assert examples.classes is not None
    classes, units, loss = len(examples.classes), int(np.prod(shape)), loss_of(model)
    if isinstance(loss, Hinge | SquaredHinge):
        raise ValueError(
            f"`{owner}` needs outputs that are probabilities or logits, which a hinge loss does "
            "not train: use a crossentropy."
        )
    if units != classes and not (units == 1 and classes == 2):
        expected = "1 or 2" if classes == 2 else f"{classes}"
        raise ValueError(
            f"`{owner}`: the labels have {classes} classes, and the model has {units} "
            f"output{'s' * (units > 1)}: the last layer must have {expected}."
        )
    if units == 1:
        return examples.y.reshape(len(examples.y), *shape)
    is_sparse = isinstance(loss, SparseCategoricalCrossentropy)
    if is_sparse or (isinstance(loss, str) and loss.lower() in CROSSENTROPY):
        return examples.y
    return one_hot(examples)


def _probabilities_of(logits: np.ndarray) -> np.ndarray:
    if logits.shape[1] == 1:
        # A sigmoid that does not overflow.
        return (0.5 * (1 + np.tanh(0.5 * logits))).astype(logits.dtype)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
