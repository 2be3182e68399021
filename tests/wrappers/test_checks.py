"""All of scikit-learn's checks of estimators."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import fjax
from fjax.layers import Dense, Input
from fjax.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

# One layer learns the data of the checks with this rate, in epochs of one batch.
RATE, OPTIONS = 0.2, {"epochs": 50, "batch_size": 1000, "random_state": 0}


def line(X, y, rate=RATE):
    model = fjax.Sequential([Input(X.shape[1:]), Dense(y.shape[1])])
    model.compile(fjax.optimizers.Adam(rate), "mse")
    return model


def classes(X, y, rate=RATE):
    model = fjax.Sequential([Input(X.shape[1:]), Dense(y.shape[1], "softmax")])
    model.compile(fjax.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


# The default run has each check with at least one estimator.
@pytest.mark.sampled(8, name=r"check_\w+")
@parametrize_with_checks(
    [
        SKLearnClassifier(classes, **OPTIONS),
        SKLearnRegressor(line, **OPTIONS),
        SKLearnTransformer(line, **OPTIONS),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
