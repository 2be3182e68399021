"""The steps of a fit, which searches use one by one."""

import numpy as np
import pytest

from fjax.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

OPTIONS = {"epochs": 3, "random_state": 0}


@pytest.mark.parametrize("batch_size", [8, 100])
def test_a_fit_step_by_step(build_softmax, groups, batch_size):
    x, y = groups
    labels = np.array(["a", "b", "c"])[y]
    weight = np.arange(60) % 3
    options = {"batch_size": batch_size, "class_weight": {"b": 2}, **OPTIONS}
    whole = SKLearnClassifier(build_softmax, **options).fit(x, labels, sample_weight=weight)

    estimator = SKLearnClassifier(build_softmax, **options)
    examples = estimator.prepare(x, labels, sample_weight=weight)
    assert examples.x.shape == (40, 2) and examples.classes.tolist() == ["a", "b", "c"]
    assert examples.y.dtype == np.int32 and examples.sample_weight.tolist() == [1, 2] * 20
    model, arguments = estimator.build_model_for(examples), estimator.fit_arguments()
    data = estimator.training_data(model, examples, arguments)
    if batch_size == 8:
        assert data.sample_weight.mean() == pytest.approx(1.0) and len(data.targets) == 40
    assert arguments["epochs"] == 3 and arguments["class_weight"] == {"b": 2}
    logs = model.fit(
        data.inputs[0], data.targets, sample_weight=data.sample_weight, epochs=3,
        batch_size=batch_size, verbose=0,
    ).history  # fmt: skip
    assert estimator.adopt(model, examples, logs) is estimator
    assert estimator.history_ == whole.history_ and estimator.n_iter_ == 3
    outputs = model.predict(x, verbose=0)
    np.testing.assert_allclose(estimator.probabilities(outputs), whole.predict_proba(x), atol=1e-6)
    assert (estimator.from_outputs(outputs) == whole.predict(x)).all()


def test_some_rows_of_prepared_data_train_like_separate_data(build, line):
    x, y = line
    index = np.arange(0, 40, 2)
    whole = SKLearnRegressor(build, batch_size=8, **OPTIONS).fit(x[index], y[index])
    estimator = SKLearnRegressor(build, batch_size=8, **OPTIONS)
    examples = estimator.prepare(x, y).rows(index)
    model, arguments = estimator.build_model_for(examples), estimator.fit_arguments()
    data = estimator.training_data(model, examples, arguments)
    logs = model.fit(data.inputs[0], data.targets, epochs=3, batch_size=8, verbose=0).history
    estimator.adopt(model, examples, logs)
    assert (estimator.predict(x) == whole.predict(x)).all()


def test_data_of_a_transformer(build_softmax, groups):
    x, y = groups
    transformer = SKLearnTransformer(build_softmax)
    assert transformer.fit(x, np.array(["a", "b", "c"])[y]).transform(x).shape == (60, 3)
    assert (transformer.prepare(x).y == x.astype(np.float32)).all()
    labeled = transformer.prepare(x, y + 5)
    assert labeled.classes.tolist() == [5, 6, 7] and (labeled.y == y).all()
    assert transformer.prepare(x, y / 2).classes is None
