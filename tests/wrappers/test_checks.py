"""scikit-learn's own checks of estimators, all of them."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import fjax
from fjax.layers import Dense, Input
from fjax.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

# Adam's rate, and epochs of one batch each: what one layer needs to learn the checks' data.
RATE, OPTIONS = 0.2, {"epochs": 50, "batch_size": 1000, "random_state": 0}


def line(X, y, rate=RATE):
    model = fjax.Sequential([Input(X.shape[1:]), Dense(y.shape[1])])
    model.compile(fjax.optimizers.Adam(rate), "mse")
    return model


def classes(X, y, rate=RATE):
    model = fjax.Sequential([Input(X.shape[1:]), Dense(y.shape[1], "softmax")])
    model.compile(fjax.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    return model


# Each check is in the default run, with one estimator or more.
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
