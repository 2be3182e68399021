"""Classifiers: types of labels, losses and outputs."""

import numpy as np
import pytest
from sklearn.metrics import get_scorer, roc_auc_score

import fjax
from fjax.layers import Dense, Input
from fjax.losses import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from fjax.wrappers import SKLearnClassifier

OPTIONS = {"epochs": 30, "batch_size": 60, "random_state": 0}


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["ant", "bee", "cow"]),
        np.array(["ant", "bee", "cow"], object),
        np.array([-7, 3, 1000]),
        np.array([-7, 3, 1000], object),
        np.array([0.0, 1.0, 2.0]),
    ],
    ids=lambda labels: f"{labels.dtype}",
)
def test_predictions_are_labels(labels, groups, build_softmax):
    x, y = groups
    fitted = SKLearnClassifier(build_softmax, **OPTIONS).fit(x, labels[y])
    assert fitted.classes_.tolist() == labels.tolist()
    assert fitted.predict(x).tolist() == labels[y].tolist()
    assert fitted.score(x, np.array(labels.tolist())[y]) == 1.0


@pytest.mark.parametrize(
    ("units", "activation", "loss"),
    [
        (1, "sigmoid", "binary_crossentropy"),
        (1, None, BinaryCrossentropy(from_logits=True)),
        (1, "sigmoid", "crossentropy"),
        (2, "softmax", "categorical_crossentropy"),
        (2, None, CategoricalCrossentropy(from_logits=True)),
        (2, None, SparseCategoricalCrossentropy(from_logits=True)),
        (2, "softmax", "ce"),
        (2, "softmax", lambda y_true, y_pred: (y_true - y_pred) ** 2),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_outputs_are_converted_to_probabilities(units, activation, loss, groups):
    x, y = groups
    model = fjax.Sequential([Input((2,)), Dense(units, activation)])
    model.compile(fjax.optimizers.Adam(0.1), loss)
    labels = np.array([True, False, False])[y]
    fitted = SKLearnClassifier(model, **OPTIONS).fit(x, labels)
    probabilities = fitted.predict_proba(x)
    assert probabilities.shape == (60, 2) and fitted.predict(x).dtype == bool
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert (fitted.predict(x) == (probabilities[:, 1] > 0.5)).all()
    decisions = fitted.decision_function(x)
    assert decisions.shape == (60,)
    assert (fitted.predict(x) == (decisions > 0)).all()
    # The scorers of scikit-learn that rank the rows prefer it to `predict_proba`.
    ranked = roc_auc_score(labels, decisions)
    assert (
        ranked
        == roc_auc_score(labels, probabilities[:, 1])
        == get_scorer("roc_auc")(fitted, x, labels)
    )
    assert fitted.score(x, labels) > 0.95


def test_decisions_of_several_classes_are_the_outputs_as_in_keras(groups, build_softmax):
    fitted = SKLearnClassifier(build_softmax, **OPTIONS).fit(*groups)
    decisions = fitted.decision_function(groups[0])
    np.testing.assert_array_equal(decisions, fitted.model_.predict(groups[0], verbose=0))
    np.testing.assert_array_equal(decisions.argmax(axis=1), fitted.predict(groups[0]))


def test_class_numbers_and_one_hot_rows_train_the_same_model(groups, build_softmax):
    fits = [
        SKLearnClassifier(build_softmax, loss=loss, **OPTIONS).fit(*groups)
        for loss in ("sparse_categorical_crossentropy", "categorical_crossentropy")
    ]
    one, other = (fitted.predict_proba(groups[0]) for fitted in fits)
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_class_weights_by_label(groups, build_softmax):
    x, y = groups
    labels, noise = np.array(["a", "b", "c"])[y], np.zeros_like(x)

    def probabilities(parameter, **arguments):
        estimator = SKLearnClassifier(build_softmax, class_weight=parameter, **OPTIONS)
        return estimator.fit(noise[10:], labels[10:], **arguments).predict_proba(noise[:1])[0]

    # From constant inputs a model learns the frequencies of the classes.
    np.testing.assert_allclose(probabilities("balanced"), 1 / 3, atol=0.02)
    np.testing.assert_allclose(probabilities(None), [0.2, 0.4, 0.4], atol=0.02)
    by_label = probabilities({"a": 4.0})
    np.testing.assert_allclose(by_label, [0.5, 0.25, 0.25], atol=0.03)
    assert (probabilities(None, class_weight={"a": 4.0}) == by_label).all()


def test_class_weights_do_not_apply_to_validation(groups, build_softmax):
    x, y = groups
    x, y = np.vstack([x, x[:20]]), np.append(y, y[:20])
    options = {"batch_size": 8, "epochs": 1, "random_state": 0, "class_weight": {0: 5.0}}
    split = SKLearnClassifier(build_softmax, validation_split=0.25, **options).fit(x, y)
    given = SKLearnClassifier(build_softmax, **options).fit(
        x[:60], y[:60], validation_data=(x[60:], y[60:])
    )
    assert split.history_ == given.history_
    val_loss = split.model_.evaluate(x[60:], y[60:], verbose=0)
    assert split.history_["val_loss"] == [pytest.approx(val_loss)]


def test_the_first_partial_fit_can_list_all_classes(groups, build_softmax):
    x, y = groups
    fitted = SKLearnClassifier(build_softmax).partial_fit(x[:40], y[:40], classes=[2, 1, 0])
    for _ in range(30):
        fitted.partial_fit(x, y)
    assert fitted.classes_.tolist() == [0, 1, 2] and fitted.score(x, y) > 0.95


def test_labels_of_validation_data(groups, build_softmax):
    x, y = groups
    labels = np.array(["a", "b", "c"])[y]
    estimator = SKLearnClassifier(build_softmax, **OPTIONS)
    history = estimator.fit(x, labels, validation_data=(x[:20], labels[:20])).history_
    assert len(history["val_loss"]) == 30 and history["val_loss"][-1] < history["val_loss"][0]
