"""Populations: each member becomes what it would be alone."""

import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Model, regularizers
from fjax.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from fjax.layers import BatchNormalization, Dense, Dropout, Input
from fjax.optimizers import SGD, Adam
from fjax.population import Member, Population
from fjax.population.member import check_members
from tests.population.alone import (
    HELD_OUT,
    ROWS,
    TRAINED,
    X,
    Y,
    assert_as_alone,
    assert_trees_close,
    fit_alone,
    make_model,
    make_population,
)

pytestmark = pytest.mark.sampled(3, whole=True)

EPOCHS = 2


HYPERPARAMETERS = [(0.05, 0.9, 0.2, 0.01), (0.02, 0.8, 0.5, 0.1)]


def varied(index, rate=None, **compiled):
    """Return a model; both models share a program and differ in all that members may differ in."""
    learning_rate, beta, dropout_rate, decay = HYPERPARAMETERS[index]
    return make_model(
        Dense(3, "tanh", kernel_regularizer=regularizers.L2(decay)),
        Dropout(dropout_rate),
        optimizer=Adam(learning_rate if rate is None else rate, beta_1=beta),
        seed=index,
        **({"metrics": ["mae"]} | compiled),
    )


def pair():
    return [varied(0), varied(1)]


# Different numbers of rows: the last batches of training have 8 rows and 1, of validation 4 and 7.
OWN_ROWS = [TRAINED, np.arange(3, 36, dtype=np.int32)]
OWN_HELD_OUT = [HELD_OUT, np.arange(37, 60, dtype=np.int32)]


@pytest.fixture(scope="module")
def alone():
    """Return the models trained alone, and their histories."""
    models = pair()
    histories = [
        fit_alone(model, EPOCHS, rows, held_out)
        for model, rows, held_out in zip(models, OWN_ROWS, OWN_HELD_OUT, strict=True)
    ]
    return models, histories


@pytest.mark.short
def test_members_that_differ_in_hyperparameters_seeds_and_rows(alone):
    population = make_population(pair(), OWN_ROWS, OWN_HELD_OUT)
    assert population.architectures == 1
    population.train(EPOCHS)
    population.end()
    assert population.failed == {}
    assert_as_alone(population, *alone)
    rows = [np.arange(4), np.array([59])]
    for model, own, outputs in zip(alone[0], rows, population.predict(rows), strict=True):
        np.testing.assert_allclose(outputs, model.predict(X[own], verbose=0), rtol=1e-5, atol=1e-6)


def test_the_number_of_members_at_once_changes_nothing(alone):
    population = make_population(pair(), OWN_ROWS, OWN_HELD_OUT, at_once=1)
    population.train(1)
    population.train(EPOCHS)
    assert_as_alone(population, *alone)


def test_inactive_members_do_not_change_and_active_members_are_compacted(alone):
    population = make_population(pair() + pair(), OWN_ROWS * 2, OWN_HELD_OUT * 2, at_once=2)
    population.train(1)
    before = population.train_state(0)
    population.deactivate([0, 2])
    assert [runner.indices for runner in population._runners] == [[0, 2], [1, 3]]
    calls = []
    population.train(EPOCHS, lambda epoch, logs: calls.append((epoch, [bool(own) for own in logs])))
    assert calls == [(1, [False, True, False, True])]
    assert_trees_close(population.train_state(0), before, rtol=0, atol=0)
    models, histories = alone
    for index in (1, 3):
        assert_trees_close(population.train_state(index).params, models[1].train_state.params)
        np.testing.assert_allclose(
            population.history[index]["loss"], histories[1]["loss"], rtol=1e-5
        )
    assert [len(own["loss"]) for own in population.history] == [1, 2, 1, 2]


def test_on_epoch_ends_the_training():
    population = make_population(pair())
    population.train(5, lambda epoch, logs: epoch == 0)
    assert population.epochs == 1
    assert len(population.history[0]["loss"]) == 1


def test_rows_stay_in_order_without_shuffling():
    population, model = make_population(pair(), shuffle=False), varied(1)
    population.train(EPOCHS)
    fit_alone(model, EPOCHS, shuffle=False)
    assert_trees_close(population.train_state(1).params, model.train_state.params)


def test_a_member_begins_with_a_train_state():
    first, model = varied(0), varied(0)
    fit_alone(first, 1)
    population = make_population([varied(0), varied(1)])
    members = population.members
    members[0] = members[0]._replace(train_state=first.train_state)
    resumed = Population(
        members, population._data, population._measurements, population._batch_size
    )
    resumed.train(1)
    fit_alone(model, 1)
    fit_alone(model, 1)
    assert_trees_close(resumed.train_state(0).params, model.train_state.params)
    assert int(resumed.train_state(0).epoch) == int(model.train_state.epoch) == 2


CALLBACKS = {
    "stop": lambda: EarlyStopping("val_loss", min_delta=0.1, restore_best_weights=True),
    "plateau": lambda: ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.3),
    "schedule": lambda: LearningRateScheduler(lambda epoch, rate: rate / (1 + epoch)),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_apply_to_each_member(name):
    population = make_population(pair(), OWN_ROWS, OWN_HELD_OUT, callbacks=[CALLBACKS[name]()])
    population.train(4)
    population.end()
    models, histories = pair(), []
    for model, rows, held_out in zip(models, OWN_ROWS, OWN_HELD_OUT, strict=True):
        histories.append(fit_alone(model, 4, rows, held_out, callbacks=[CALLBACKS[name]()]))
    assert_as_alone(population, models, histories)
    if name == "stop":
        assert len({len(own["loss"]) for own in histories}) > 1
    if name == "plateau":
        assert len({own["learning_rate"][-1] for own in histories}) > 1


def test_best_weights_override_averaged_weights():
    def models():
        return [
            make_model(
                Dense(3, "tanh"), optimizer=Adam(rate, use_ema=True, ema_momentum=0.5), seed=1
            )
            for rate in (0.05, 0.5)
        ]

    def stop():
        return EarlyStopping("loss", patience=5, restore_best_weights=True)

    population, single = make_population(models(), callbacks=[stop()]), models()
    population.train(EPOCHS)
    population.end()
    histories = [fit_alone(model, EPOCHS, callbacks=[stop()]) for model in single]
    assert_as_alone(population, single, histories)


def test_averaged_weights_replace_the_weights():
    def models():
        return [
            make_model(
                Dense(3, "tanh"), optimizer=Adam(0.05, use_ema=True, ema_momentum=momentum), seed=1
            )
            for momentum in (0.5, 0.9)
        ]

    population, single = make_population(models()), models()
    population.train(EPOCHS)
    population.end()
    assert population.architectures == 1
    assert_as_alone(population, single, [fit_alone(model, EPOCHS) for model in single])


def test_a_member_that_diverges_fails_and_does_not_affect_the_others(alone):
    models = [varied(0, rate=1e30), varied(1)]
    population = make_population(models, OWN_ROWS, OWN_HELD_OUT)
    population.train(EPOCHS)
    population.end()
    assert population.architectures == 1
    assert population.failed == {0: 0}
    assert not np.isfinite(population.history[0]["loss"][-1])
    assert_trees_close(population.train_state(1).params, alone[0][1].train_state.params)
    np.testing.assert_allclose(population.history[1]["val_mae"], alone[1][1]["val_mae"], rtol=1e-5)


@pytest.mark.short
@pytest.mark.parametrize(
    ("counts", "normalized"), [((1, 5), False), ((17, 17), True), ((3, 1), True)]
)
def test_few_rows_and_last_batches_of_one(counts, normalized):
    def models():
        return [
            make_model(
                Dense(3, "tanh"),
                *([BatchNormalization()] if normalized else []),
                optimizer=SGD(rate),
                seed=1,
            )
            for rate in (0.05, 0.02)
        ]

    rows = [np.arange(count, dtype=np.int32) for count in counts]
    population, single = make_population(models(), rows, [HELD_OUT[:3], HELD_OUT]), models()
    population.train(EPOCHS)
    histories = [
        fit_alone(model, EPOCHS, own, held_out)
        for model, own, held_out in zip(single, rows, [HELD_OUT[:3], HELD_OUT], strict=True)
    ]
    assert population.architectures == 1
    assert_as_alone(population, single, histories)


def batch_error(y_true, y_pred):
    return jnp.sqrt(jnp.mean(jnp.square(y_true - y_pred)))


def test_user_functions_for_loss_and_metric_see_whole_batches():
    def models():
        return [
            make_model(Dense(3, "tanh"), loss=batch_error, metrics=[batch_error], seed=seed)
            for seed in range(2)
        ]

    population, single = make_population(models(), OWN_ROWS), models()
    population.train(EPOCHS)
    histories = [fit_alone(m, EPOCHS, rows) for m, rows in zip(single, OWN_ROWS, strict=True)]
    assert_as_alone(population, single, histories)


class ScaledDifference(fjax.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        # The rows of a batch depend on each other.
        return self.factor * (inputs - jnp.mean(inputs, axis=0))


def test_authored_layers_are_separate_architectures():
    def models():
        return [
            make_model(Dense(3, "tanh"), ScaledDifference(factor), seed=1) for factor in (0.5, 2.0)
        ]

    population, single = make_population(models(), OWN_ROWS), models()
    assert population.architectures == 2
    population.train(EPOCHS)
    histories = [fit_alone(m, EPOCHS, rows) for m, rows in zip(single, OWN_ROWS, strict=True)]
    assert_as_alone(population, single, histories)


def test_two_inputs_and_two_outputs():
    def forked(rate):
        first, second = Input((3,), name="first"), Input((3,), name="second")
        hidden = Dense(3, "tanh")(first + second)
        outputs = [Dense(1, name="a")(hidden), Dense(1, name="b")(hidden)]
        model = Model([first, second], outputs, seed=1)
        model.compile(
            Adam(rate), loss=["mse", "mae"], loss_weights=[1.0, 0.5], metrics=[["mae"], ["mse"]]
        )
        return model

    data = ((X, X[::-1].copy()), (Y, -Y))
    rates = (0.05, 0.02)
    population = make_population([forked(rate) for rate in rates], OWN_ROWS, OWN_HELD_OUT, data)
    population.train(EPOCHS)
    single = [forked(rate) for rate in rates]
    histories = [
        fit_alone(model, EPOCHS, rows, held_out, data)
        for model, rows, held_out in zip(single, OWN_ROWS, OWN_HELD_OUT, strict=False)
    ]
    assert population.architectures == 1
    assert_as_alone(population, single, histories)
    outputs, expected = (
        population.predict([np.arange(4)] * 2)[1],
        single[1].predict((X[:4], data[0][1][:4]), verbose=0),
    )
    assert_trees_close(list(outputs), list(expected))


def test_populations_with_other_hyperparameters_share_a_program():
    first, second = (
        make_population([make_model(Dense(2), Dropout(rate), seed=0) for rate in rates])._groups
        for rates in ((0.2, 0.3), (0.4, 0.6))
    )
    assert first[0].architecture == second[0].architecture
    assert hash(first[0].architecture) == hash(second[0].architecture)
    assert second[0].hyperparameters == [((0.4,), ()), ((0.6,), ())]


def test_members_that_do_not_fit_in_memory_raise_before_training(monkeypatch):
    monkeypatch.setattr("fjax.training.placement.Placement.free_memory", lambda self: 2900)
    with pytest.raises(MemoryError, match=r"population of 2 members.*2 KB are free.*at most 1 of"):
        make_population(pair())


@pytest.mark.parametrize(
    ("rows", "held_out", "message"),
    [
        ([], None, "at least one member"),
        ([TRAINED, np.array([], np.int32)], None, "Member 1.*`rows`.*0 to 59"),
        ([np.array([3, ROWS])], None, "Member 0.*`rows`.*0 to 59"),
        ([np.array([-1])], None, "Member 0.*`rows`"),
        ([TRAINED], [np.array([ROWS])], "Member 0.*`validation_rows`"),
        ([TRAINED] * 2, [HELD_OUT, None], "member 1 has no `validation_rows`, and member 0 has"),
    ],
)
def test_invalid_rows_of_members_raise(rows, held_out, message):
    kept = held_out or [None] * len(rows)
    members = [Member((), (), 0, own, held) for own, held in zip(rows, kept, strict=True)]
    with pytest.raises(ValueError, match=message):
        check_members(members, ROWS)


def test_at_once_must_be_positive():
    with pytest.raises(ValueError, match="at_once"):
        make_population(pair(), at_once=0)
