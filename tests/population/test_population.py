"""Populations: each member becomes what it would be alone."""

import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax import Model, regularizers
from fjax.callbacks import EarlyStopping, LearningRateScheduler, ReduceLROnPlateau
from fjax.layers import BatchNormalization, Dense, Dropout, Input
from fjax.optimizers import SGD, Adam
from fjax.population import Member, Population, memory
from fjax.population.member import check_members
from tests.population.alone import (
    HELD_OUT,
    ROWS,
    TRAINED,
    X,
    Y,
    assert_alike,
    assert_as_alone,
    fitted,
    made,
    population,
)

EPOCHS = 2


NUMBERS = [(0.05, 0.9, 0.2, 0.01), (0.02, 0.8, 0.5, 0.1)]


def varied(place, rate=None, **compiled):
    """Models that share a program and differ in all that its members may differ in."""
    own, beta, dropped, decay = NUMBERS[place]
    return made(
        Dense(3, "tanh", kernel_regularizer=regularizers.L2(decay)),
        Dropout(dropped),
        optimizer=Adam(own if rate is None else rate, beta_1=beta),
        seed=place,
        **({"metrics": ["mae"]} | compiled),
    )


def pair():
    return [varied(0), varied(1)]


# Of different counts: the last batches of training have 8 rows and 1, of validation 4 and 7.
OWN_ROWS = [TRAINED, np.arange(3, 36, dtype=np.int32)]
OWN_HELD_OUT = [HELD_OUT, np.arange(37, 60, dtype=np.int32)]


@pytest.fixture(scope="module")
def alone():
    """The models trained alone, and their histories."""
    models = pair()
    histories = [
        fitted(model, EPOCHS, rows, held_out)
        for model, rows, held_out in zip(models, OWN_ROWS, OWN_HELD_OUT, strict=True)
    ]
    return models, histories


@pytest.mark.short
def test_members_that_differ_in_numbers_seeds_and_rows(alone):
    together = population(pair(), OWN_ROWS, OWN_HELD_OUT)
    assert together.architectures == 1
    together.train(EPOCHS)
    together.end()
    assert together.failed == {}
    assert_as_alone(together, *alone)
    rows = [np.arange(4), np.array([59])]
    for model, own, found in zip(alone[0], rows, together.predict(rows), strict=True):
        np.testing.assert_allclose(found, model.predict(X[own], verbose=0), rtol=1e-5, atol=1e-6)


def test_how_many_run_at_once_changes_nothing(alone):
    together = population(pair(), OWN_ROWS, OWN_HELD_OUT, at_once=1)
    together.train(1)
    together.train(EPOCHS)
    assert_as_alone(together, *alone)


def test_members_at_rest_stay_and_the_others_are_gathered_anew(alone):
    together = population(pair() + pair(), OWN_ROWS * 2, OWN_HELD_OUT * 2, at_once=2)
    together.train(1)
    before = together.train_state(0)
    together.rest([0, 2])
    assert [fleet.indices for fleet in together._fleets] == [[0, 2], [1, 3]]
    heard = []
    together.train(EPOCHS, lambda epoch, logs: heard.append((epoch, [bool(own) for own in logs])))
    assert heard == [(1, [False, True, False, True])]
    assert_alike(together.train_state(0), before, rtol=0, atol=0)
    models, histories = alone
    for index in (1, 3):
        assert_alike(together.train_state(index).params, models[1].train_state.params)
        np.testing.assert_allclose(together.history[index]["loss"], histories[1]["loss"], rtol=1e-5)
    assert [len(own["loss"]) for own in together.history] == [1, 2, 1, 2]


def test_training_ends_where_the_listener_says_so():
    together = population(pair())
    together.train(5, lambda epoch, logs: epoch == 0)
    assert together.epochs == 1
    assert len(together.history[0]["loss"]) == 1


def test_rows_in_order_where_nothing_is_shuffled():
    together, model = population(pair(), shuffle=False), varied(1)
    together.train(EPOCHS)
    fitted(model, EPOCHS, shuffle=False)
    assert_alike(together.train_state(1).params, model.train_state.params)


def test_a_member_goes_on_from_a_train_state():
    first, model = varied(0), varied(0)
    fitted(first, 1)
    together = population([varied(0), varied(1)])
    members = together.members
    members[0] = members[0]._replace(train_state=first.train_state)
    onward = Population(
        members, together._data, together._metrics, together._sums, together._batch_size
    )
    onward.train(1)
    fitted(model, 1)
    fitted(model, 1)
    assert_alike(onward.train_state(0).params, model.train_state.params)
    assert int(onward.train_state(0).epoch) == int(model.train_state.epoch) == 2


CALLBACKS = {
    "stop": lambda: EarlyStopping("val_loss", min_delta=0.1, restore_best_weights=True),
    "plateau": lambda: ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.3),
    "schedule": lambda: LearningRateScheduler(lambda epoch, rate: rate / (1 + epoch)),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_steer_each_member_for_itself(name):
    together = population(pair(), OWN_ROWS, OWN_HELD_OUT, callbacks=[CALLBACKS[name]()])
    together.train(4)
    together.end()
    models, histories = pair(), []
    for model, rows, held_out in zip(models, OWN_ROWS, OWN_HELD_OUT, strict=True):
        histories.append(fitted(model, 4, rows, held_out, callbacks=[CALLBACKS[name]()]))
    assert_as_alone(together, models, histories)
    if name == "stop":
        assert len({len(own["loss"]) for own in histories}) > 1
    if name == "plateau":
        assert len({own["learning_rate"][-1] for own in histories}) > 1


def test_best_weights_win_over_averages_as_alone():
    def models():
        return [
            made(Dense(3, "tanh"), optimizer=Adam(rate, use_ema=True, ema_momentum=0.5), seed=1)
            for rate in (0.05, 0.5)
        ]

    def stop():
        return EarlyStopping("loss", patience=5, restore_best_weights=True)

    together, single = population(models(), callbacks=[stop()]), models()
    together.train(EPOCHS)
    together.end()
    histories = [fitted(model, EPOCHS, callbacks=[stop()]) for model in single]
    assert_as_alone(together, single, histories)


def test_averages_take_the_place_of_weights():
    def models():
        return [
            made(Dense(3, "tanh"), optimizer=Adam(0.05, use_ema=True, ema_momentum=keep), seed=1)
            for keep in (0.5, 0.9)
        ]

    together, single = population(models()), models()
    together.train(EPOCHS)
    together.end()
    assert together.architectures == 1
    assert_as_alone(together, single, [fitted(model, EPOCHS) for model in single])


def test_a_member_that_diverges_fails_and_touches_no_other(alone):
    models = [varied(0, rate=1e30), varied(1)]
    together = population(models, OWN_ROWS, OWN_HELD_OUT)
    together.train(EPOCHS)
    together.end()
    assert together.architectures == 1
    assert together.failed == {0: 0}
    assert not np.isfinite(together.history[0]["loss"][-1])
    assert_alike(together.train_state(1).params, alone[0][1].train_state.params)
    np.testing.assert_allclose(together.history[1]["val_mae"], alone[1][1]["val_mae"], rtol=1e-5)


@pytest.mark.short
@pytest.mark.parametrize(
    ("counts", "normalized"), [((1, 5), False), ((17, 17), True), ((3, 1), True)]
)
def test_few_rows_and_last_batches_of_one(counts, normalized):
    def models():
        return [
            made(
                Dense(3, "tanh"),
                *([BatchNormalization()] if normalized else []),
                optimizer=SGD(rate),
                seed=1,
            )
            for rate in (0.05, 0.02)
        ]

    rows = [np.arange(count, dtype=np.int32) for count in counts]
    together, single = population(models(), rows, [HELD_OUT[:3], HELD_OUT]), models()
    together.train(EPOCHS)
    histories = [
        fitted(model, EPOCHS, own, held_out)
        for model, own, held_out in zip(single, rows, [HELD_OUT[:3], HELD_OUT], strict=True)
    ]
    assert together.architectures == 1
    assert_as_alone(together, single, histories)


def of_the_batch(y_true, y_pred):
    return jnp.sqrt(jnp.mean(jnp.square(y_true - y_pred)))


def test_a_loss_and_a_metric_of_the_users_see_whole_batches():
    def models():
        return [
            made(Dense(3, "tanh"), loss=of_the_batch, metrics=[of_the_batch], seed=seed)
            for seed in range(2)
        ]

    together, single = population(models(), OWN_ROWS), models()
    together.train(EPOCHS)
    histories = [fitted(m, EPOCHS, rows) for m, rows in zip(single, OWN_ROWS, strict=True)]
    assert_as_alone(together, single, histories)


class Scaled(fjax.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        # The rows know of each other.
        return self.factor * (inputs - jnp.mean(inputs, axis=0))


def test_authored_layers_are_architectures_of_their_own():
    def models():
        return [made(Dense(3, "tanh"), Scaled(factor), seed=1) for factor in (0.5, 2.0)]

    together, single = population(models(), OWN_ROWS), models()
    assert together.architectures == 2
    together.train(EPOCHS)
    histories = [fitted(m, EPOCHS, rows) for m, rows in zip(single, OWN_ROWS, strict=True)]
    assert_as_alone(together, single, histories)


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
    together = population([forked(rate) for rate in rates], OWN_ROWS, OWN_HELD_OUT, data)
    together.train(EPOCHS)
    single = [forked(rate) for rate in rates]
    histories = [
        fitted(model, EPOCHS, rows, held_out, data)
        for model, rows, held_out in zip(single, OWN_ROWS, OWN_HELD_OUT, strict=False)
    ]
    assert together.architectures == 1
    assert_as_alone(together, single, histories)
    found, wanted = (
        together.predict([np.arange(4)] * 2)[1],
        single[1].predict((X[:4], data[0][1][:4]), verbose=0),
    )
    assert_alike(list(found), list(wanted))


def test_members_of_other_numbers_find_the_same_program():
    first, second = (
        population([made(Dense(2), Dropout(rate), seed=0) for rate in rates])._groups
        for rates in ((0.2, 0.3), (0.4, 0.6))
    )
    assert first[0].architecture == second[0].architecture
    assert hash(first[0].architecture) == hash(second[0].architecture)
    assert second[0].numbers == [((0.4,), ()), ((0.6,), ())]


def test_what_does_not_fit_in_memory_is_told_before_training(monkeypatch):
    monkeypatch.setattr(memory, "_available", lambda: 2900)
    with pytest.raises(MemoryError, match=r"population of 2 members.*2 KB are free.*at most 1 of"):
        population(pair())


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
def test_members_without_rows_are_refused(rows, held_out, message):
    kept = held_out or [None] * len(rows)
    members = [Member((), (), 0, own, held) for own, held in zip(rows, kept, strict=True)]
    with pytest.raises(ValueError, match=message):
        check_members(members, ROWS)


def test_how_many_at_once_must_be_positive():
    with pytest.raises(ValueError, match="at_once"):
        population(pair(), at_once=0)
