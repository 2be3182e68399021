"""Cross-validation: each fold equals a separate fit; means, spreads and predictions."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, RepeatedKFold, ShuffleSplit, StratifiedKFold

import fjax
from fjax.callbacks import CSVLogger, EarlyStopping, LearningRateScheduler
from fjax.layers import BatchNormalization, Dense, Dropout, Input
from fjax.search import cross_validate
from fjax.visualization import plot_history

pytestmark = pytest.mark.sampled(3, whole=True)

random = np.random.default_rng(0)
X = random.normal(size=(60, 3)).astype("float32")
Y = (X[:, 0] - X[:, 1] ** 2).astype("float32")
LABELS = np.sort(random.integers(0, 3, size=60)).astype("int32")
ARGUMENTS = {"epochs": 3, "batch_size": 20}


def make_model(optimizer="adam", seed=0, metrics=("mae",)):
    model = fjax.Sequential([Input((3,)), Dense(4, "tanh"), Dropout(0.1), Dense(1)], seed=seed)
    model.compile(optimizer, "mse", metrics=list(metrics))
    return model


def make_classifier(metrics=("accuracy",)):
    model = fjax.Sequential([Dense(3, "softmax")], seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def check_fold(result, fold, make, x, y, train, test, weight=None, **arguments):
    """Compare a fold with `Model.fit` on its rows."""

    def rows(data, index):
        if data is None:
            return None
        return (
            {name: own[index] for name, own in data.items()}
            if isinstance(data, dict)
            else (data[index])
        )

    model = make()
    validation = [rows(own, test) for own in (x, y, weight) if own is not None]
    logs = model.fit(
        rows(x, train), rows(y, train), sample_weight=rows(weight, train),
        validation_data=tuple(validation), verbose=0, **ARGUMENTS | arguments,
    ).history  # fmt: skip
    assert result.histories[fold].keys() == logs.keys()
    for name, values in logs.items():
        np.testing.assert_allclose(result.histories[fold][name], values, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(result.scores[name][fold], values[-1], rtol=1e-4, atol=1e-6)
    outputs = model.predict(rows(x, test), verbose=0)
    own = rows(result.predictions, test)
    for name in outputs if isinstance(outputs, dict) else [...]:
        np.testing.assert_allclose(own[name], outputs[name], rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def result():
    return cross_validate(make_model(), X, Y, 3, **ARGUMENTS)


def test_each_fold_equals_a_separate_fit(result):
    for fold, (train, test) in enumerate(KFold(3).split(X)):
        check_fold(result, fold, make_model, X, Y, train, test)


def test_the_history_has_means_and_spreads(result):
    history, logs = result.history, result.histories
    assert isinstance(history, fjax.callbacks.History) and history.epoch == [0, 1, 2]
    assert list(history.history) == list(history.spread) == ["loss", "mae", "val_loss", "val_mae"]
    values = np.array([own["val_mae"] for own in logs])
    np.testing.assert_allclose(history.history["val_mae"], values.mean(axis=0))
    np.testing.assert_allclose(history.spread["val_mae"], values.std(axis=0))
    figure = plot_history(history)
    assert len(figure.axes[0].collections) == 2


def test_repr_shows_the_scores(result):
    score = result.scores["val_mae"]
    assert repr(result).startswith("3 folds: val_loss ")
    assert repr(result).endswith(f"val_mae {score.mean():.4g} ± {score.std():.2g}")


def test_the_model_does_not_change(result):
    model = make_model()
    before = [np.ones_like(weight) for weight in model.get_weights()]
    model.set_weights(before)
    again = cross_validate(model, X, Y, 3, **ARGUMENTS)
    np.testing.assert_array_equal(again.predictions, result.predictions)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_function_that_builds_the_model(result):
    again = cross_validate(make_model, X, Y, 3, **ARGUMENTS)
    np.testing.assert_array_equal(again.predictions, result.predictions)


def test_without_a_seed_each_fold_has_different_weights():
    # Almost no training, and all folds have the same rows: they differ by their weights only.
    split = (np.arange(60), np.arange(60))
    rate = fjax.optimizers.SGD(1e-9)
    for seed, kinds in ((None, 2), (0, 1)):
        own = cross_validate(make_model(rate, seed), X, Y, [split, split], shuffle=False)
        assert len({round(value, 5) for value in own.scores["val_loss"]}) == kinds


def test_one_fold_at_a_time_gives_the_same_result(result):
    own = cross_validate(make_model(), X, Y, KFold(3), at_once=1, verbose=1, **ARGUMENTS)
    np.testing.assert_allclose(own.predictions, result.predictions, rtol=1e-4, atol=1e-5)


def test_classes_are_spread_evenly_over_a_number_of_folds():
    result = cross_validate(make_classifier(), X, LABELS, 3, **ARGUMENTS)
    even, plain = (
        cross_validate(make_classifier(), X, LABELS, splitter, **ARGUMENTS).predictions
        for splitter in (StratifiedKFold(3), KFold(3))
    )
    np.testing.assert_array_equal(result.predictions, even)
    assert not np.allclose(even, plain)
    np.testing.assert_allclose(result.predictions.sum(axis=1), 1, rtol=1e-5)


def test_folds_of_different_sizes_in_a_network_that_mixes_rows():
    def make():
        model = fjax.Sequential([Input((3,)), BatchNormalization(), Dense(1)], seed=0)
        model.compile("sgd", "mse")
        return model

    result = cross_validate(make(), X[:41], Y[:41], 2, **ARGUMENTS)
    # The second fold trains on one row more than the first: its last batch has one row.
    check_fold(result, 1, make, X, Y, *list(KFold(2).split(X[:41]))[1])


def test_several_inputs_and_outputs_and_weights():
    weight = random.uniform(0.5, 2, size=60).astype("float32")
    x = {"wide": X[:, :1], "deep": X}
    y = {"main": Y, "side": (Y > 0).astype("int32")}

    def make():
        wide, deep = Input((1,), name="wide"), Input((3,), name="deep")
        hidden = Dense(4, "tanh")(deep)
        outputs = {
            "main": Dense(1, name="main")(hidden) + Dense(1)(wide),
            "side": Dense(1, "sigmoid", name="side")(hidden),
        }
        model = fjax.Model(inputs={"wide": wide, "deep": deep}, outputs=outputs, seed=0)
        model.compile("adam", {"main": "mse", "side": "binary_crossentropy"})
        return model

    result = cross_validate(make(), x, y, 3, sample_weight=weight, **ARGUMENTS)
    check_fold(result, 1, make, x, y, *list(KFold(3).split(X))[1], weight)


def test_a_metric_with_several_values():
    model = fjax.Sequential([Dense(3, "softmax")], seed=0)
    f1 = fjax.metrics.F1Score(name="f1")
    model.compile("adam", "categorical_crossentropy", metrics=[f1, "accuracy"])
    result = cross_validate(model, X, fjax.utils.to_categorical(LABELS), 2, epochs=2)
    assert result.scores["val_f1"].shape == (2, 3)
    assert np.shape(result.history.history["val_f1"]) == (2, 3)
    np.testing.assert_allclose(
        result.history.history["val_f1"][-1], result.scores["val_f1"].mean(axis=0)
    )
    assert "f1" not in repr(result) and "val_accuracy" in repr(result)


def test_callbacks_apply_to_each_fold():
    def callbacks():
        schedule = LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        return [EarlyStopping(patience=0, restore_best_weights=True), schedule]

    def make():
        return make_model(fjax.optimizers.Adam(0.5))

    result = cross_validate(make(), X, Y, 3, epochs=12, batch_size=20, callbacks=callbacks())
    split = list(KFold(3).split(X))[1]
    check_fold(result, 1, make, X, Y, *split, epochs=12, callbacks=callbacks())
    made = [len(own["loss"]) for own in result.histories]
    assert len(set(made)) > 1 and len(result.history.epoch) == max(made)
    # A fold that has stopped counts with its last values.
    last = np.mean([own["val_loss"][-1] for own in result.histories])
    np.testing.assert_allclose(result.history.history["val_loss"][-1], last)


def test_rows_that_are_held_out_never_or_twice():
    few = ShuffleSplit(3, test_size=10, random_state=0)
    result = cross_validate(make_model(), X, Y, few, **ARGUMENTS)
    held_out = np.unique([test for _, test in few.split(X)])
    assert np.flatnonzero(~np.isnan(result.predictions)).tolist() == held_out.tolist()
    splits = list(RepeatedKFold(n_splits=3, n_repeats=2, random_state=0).split(X))
    twice, first, second = (
        cross_validate(make_model(), X, Y, own, at_once=3, **ARGUMENTS).predictions
        for own in (splits, splits[:3], splits[3:])
    )
    np.testing.assert_allclose(twice, (first + second) / 2, rtol=1e-4, atol=1e-5)


def test_a_fold_that_diverges_warns_and_is_nan():
    y = Y.copy()
    y[:20] *= 1e30
    with pytest.warns(RuntimeWarning, match=r"not finite in fold 2 \(epoch 1\), fold 3") as warned:
        result = cross_validate(make_model("sgd"), X, y, 3, epochs=2, batch_size=20)
    assert warned[0].filename == __file__
    assert np.isnan(result.history.history["val_loss"][-1])
    assert len(result.histories[0]["loss"]) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"cv": 61}, ValueError, "60 rows cannot be split into `cv=61` folds"),
        ({"cv": 1}, ValueError, "`cv` must be an integer of at least 2, received 1"),
        ({"cv": None}, ValueError, "received None"),
        ({"cv": "loo"}, ValueError, "received 'loo'"),
        ({"cv": []}, ValueError, "`cv` gives no folds"),
        ({"cv": [3]}, ValueError, r"must give a pair `\(train, test\)`"),
        ({"cv": [([], [1])]}, ValueError, "fold 1 has 0 rows to train on and 1 held out, of 60"),
        ({"cv": [([1], [-1])]}, ValueError, "fold 1 has the row -1"),
        ({"epochs": 0}, ValueError, "`epochs` must be an integer of at least 1"),
        ({"batch_size": 0}, ValueError, "`batch_size`"),
        ({"at_once": 0}, ValueError, "`at_once` must be an integer of at least 1"),
        ({"shuffle": "batch"}, ValueError, "`shuffle`"),
        ({"verbose": 3}, ValueError, "`verbose`"),
        ({"callbacks": CSVLogger("log.csv")}, ValueError, "received `CSVLogger`"),
        ({"model": fjax.Sequential([Dense(1)])}, TypeError, "is not compiled"),
        ({"model": Dense(1)}, TypeError, "compiled"),
        ({"x": iter([(X, Y)]), "y": None}, ValueError, "needs arrays"),
        ({"y": Y[:50]}, ValueError, "60 samples and `y` has 50"),
        ({"epoch": 3}, TypeError, "Did you mean `epochs`"),
    ],
)
def test_mistakes_raise_before_training(arguments, error, message):
    given = {"model": make_model(), "x": X, "y": Y} | arguments
    with pytest.raises(error, match=message):
        cross_validate(given.pop("model"), given.pop("x"), given.pop("y"), **given)


def test_callbacks_cannot_set_a_rate_that_follows_a_schedule():
    schedule = fjax.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    model = make_model(fjax.optimizers.SGD(schedule))
    callbacks = fjax.callbacks.ReduceLROnPlateau("loss")
    with pytest.raises(TypeError, match=r"`ReduceLROnPlateau` sets the learning rate.*schedule"):
        cross_validate(model, X, Y, 3, callbacks=callbacks, **ARGUMENTS)
