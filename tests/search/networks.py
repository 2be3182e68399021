"""Small data, functions that build small networks, and searches by fjax and scikit-learn."""

import numpy as np
from sklearn import model_selection
from sklearn.base import clone

import fjax
from fjax import search
from fjax.layers import Dense, Dropout, Input

ROWS = 72

_generator = np.random.default_rng(0)
X = _generator.standard_normal((ROWS, 3)).astype("float32")
TARGETS = (X[:, 0] - 0.5 * X[:, 1] ** 2 + 0.1 * _generator.standard_normal(ROWS)).astype("float32")
LABELS = np.where(X[:, 0] + X[:, 2] > 0, "more", "less")
WEIGHTS = _generator.integers(0, 4, ROWS).astype("float64")
GROUPS = np.arange(ROWS) % 6


def network(
    units=1, activation=None, loss="mse", n_hidden=1, n_neurons=4, learning_rate=0.01,
    dropout=0.0, l2=0.0, beta_1=0.9, metrics=(),
):  # fmt: skip
    """Return a compiled network."""
    hidden = []
    for _ in range(n_hidden):
        penalty = fjax.regularizers.L2(l2) if l2 else None
        hidden.append(Dense(n_neurons, "relu", kernel_regularizer=penalty))
        if dropout:
            hidden.append(Dropout(dropout))
    model = fjax.Sequential([Input((3,)), *hidden, Dense(units, activation)], seed=0)
    adam = fjax.optimizers.Adam(learning_rate, beta_1=beta_1)
    model.compile(adam, loss, metrics=list(metrics))
    return model


def regression(
    n_hidden=1, n_neurons=4, learning_rate=0.01, dropout=0.0, l2=0.0, beta_1=0.9, metrics=()
):
    """Return a network with one output."""
    return network(1, None, "mse", n_hidden, n_neurons, learning_rate, dropout, l2, beta_1, metrics)


def classification(n_hidden=1, n_neurons=4, learning_rate=0.01, dropout=0.0, metrics=()):
    """Return a network for two classes."""
    return network(
        2, "softmax", "sparse_categorical_crossentropy", n_hidden, n_neurons, learning_rate,
        dropout, metrics=metrics,
    )  # fmt: skip


def regressor(**parameters):
    """Return an estimator, not fitted."""
    parameters = {"epochs": 2, "batch_size": 16, "random_state": 3} | parameters
    return fjax.wrappers.SKLearnRegressor(regression, **parameters)


def classifier(**parameters):
    """Return an estimator, not fitted."""
    parameters = {"epochs": 2, "batch_size": 16, "random_state": 3} | parameters
    return fjax.wrappers.SKLearnClassifier(classification, **parameters)


def search_both(estimator, parameters, y, x=X, draws=None, fit=None, **arguments):
    """Return the same search by fjax and by scikit-learn, fitted."""
    kind, options = "GridSearchCV", {}
    if draws is not None:
        kind, options = "RandomizedSearchCV", {"n_iter": draws, "random_state": 0}
    return tuple(
        getattr(module, kind)(clone(estimator), parameters, **options, **arguments).fit(
            x, y, **(fit or {})
        )
        for module in (search, model_selection)
    )


def check_equal(ours, theirs, tolerance=1e-5):
    """Compare two searches: the tables and the best candidates."""
    table, expected = ours.cv_results_, theirs.cv_results_
    assert list(table) == list(expected)
    assert table["params"] == expected["params"]
    for name, column in expected.items():
        if name.startswith("param_"):
            assert table[name].dtype == column.dtype, name
            np.testing.assert_array_equal(table[name].mask, column.mask, name)
            assert table[name].tolist() == column.tolist(), name
        elif name.startswith("rank_"):
            assert table[name].dtype == column.dtype
            np.testing.assert_array_equal(table[name], column, name)
        elif name != "params" and not name.endswith("_time"):
            np.testing.assert_allclose(
                table[name], column, rtol=tolerance, atol=tolerance, err_msg=name
            )
    assert ours.n_splits_ == theirs.n_splits_
    assert ours.multimetric_ == theirs.multimetric_
    for name in ("best_index_", "best_params_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None), name
    assert hasattr(ours, "best_score_") == hasattr(theirs, "best_score_")
    if hasattr(theirs, "best_score_"):
        np.testing.assert_allclose(ours.best_score_, theirs.best_score_, atol=tolerance)


def check_best(ours, theirs, x=X, tolerance=1e-5):
    """Compare the best estimators."""
    one, other = ours.best_estimator_, theirs.best_estimator_
    assert one.get_params() == other.get_params()
    assert one.n_iter_ == other.n_iter_
    assert list(one.history_) == list(other.history_)
    for name, values in other.history_.items():
        np.testing.assert_allclose(one.history_[name], values, rtol=tolerance, atol=tolerance)
    outputs = [best.compute_outputs(x) for best in (one, other)]
    np.testing.assert_allclose(*outputs, rtol=tolerance, atol=tolerance)
