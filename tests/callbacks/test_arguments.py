"""Invalid arguments fail when a callback is created, invalid runs before training."""

import pytest

import fjax
from fjax.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TerminateOnNaN,
)

VALUE = {
    "patience": (lambda: EarlyStopping(patience=-1), "`patience` must be an integer of at least 0"),
    "patience not an integer": (
        lambda: EarlyStopping(patience=1.5),
        "`patience` must be an integer",
    ),
    "min_delta": (lambda: EarlyStopping(min_delta=-0.1), r"`min_delta` must be .* \[0, inf\)"),
    "mode": (lambda: EarlyStopping(mode="mni"), "received 'mni'. Did you mean `min`"),
    "unknown mode": (lambda: EarlyStopping(mode="minimum"), "one of 'auto', 'min', 'max'"),
    "monitor": (lambda: EarlyStopping(monitor=None), "`monitor` must be the name of a log"),
    "monitor empty": (lambda: ReduceLROnPlateau(""), "`ReduceLROnPlateau`: `monitor` must be"),
    "baseline": (lambda: EarlyStopping(baseline="good"), "`baseline` must be a number"),
    "restore": (
        lambda: EarlyStopping(restore_best_weights="yes"),
        "`restore_best_weights` must be one of False, True",
    ),
    "verbose": (lambda: EarlyStopping(verbose=-1), "`verbose` must be one of 0, 1, 2"),
    "start": (lambda: EarlyStopping(start_from_epoch=-1), "`start_from_epoch` must be an integer"),
    "factor": (lambda: ReduceLROnPlateau(factor=1.0), r"`factor` must be a number in \(0, 1\)"),
    "factor percent": (lambda: ReduceLROnPlateau(factor=50), "received 50"),
    "factor zero": (lambda: ReduceLROnPlateau(factor=0.0), r"in \(0, 1\), received 0.0"),
    "cooldown": (lambda: ReduceLROnPlateau(cooldown=-1), "`cooldown` must be an integer"),
    "min_lr": (lambda: ReduceLROnPlateau(min_lr=-1), "`min_lr` must be a number"),
    "separator": (lambda: CSVLogger("a.csv", separator="::"), "one character .* received '::'"),
    "separator quote": (lambda: CSVLogger("a.csv", separator='"'), "other than a quote"),
    "append": (lambda: CSVLogger("a.csv", append="a"), "`append` must be one of False, True"),
    "raise_error": (lambda: TerminateOnNaN("yes"), "`raise_error` must be one of False, True"),
    "swap": (lambda: SwapEMAWeights(2), "`swap_on_epoch` must be one of False, True"),
}

TYPE = {
    "keyword": (lambda: EarlyStopping(patient=3), "argument `patient`. Did you mean `patience`"),
    "keyword of Keras 2": (lambda: ReduceLROnPlateau(epsilon=0.1), "argument `epsilon`"),
    "schedule": (lambda: LearningRateScheduler(0.1), "`schedule` must be a function .* 0.1"),
    "schedule with three arguments": (
        lambda: LearningRateScheduler(lambda a, b, c: a),
        r"`schedule\(epoch, learning_rate\)` or `schedule\(epoch\)`",
    ),
    "schedule without arguments": (
        lambda: LearningRateScheduler(lambda: 0.1),
        "`schedule` must be",
    ),
    "file": (lambda: CSVLogger(3), "`filename` must be a path, received 3"),
    "empty file name": (lambda: CSVLogger(""), "`filename` must be a path"),
    "hook": (
        lambda: LambdaCallback(on_epoch_ends=print),
        "argument `on_epoch_ends`. Did you mean `on_epoch_end`",
    ),
    "hook not a function": (
        lambda: LambdaCallback(on_epoch_end="print"),
        r"`on_epoch_end` must be a function of \(epoch, logs\), received 'print'",
    ),
    "hook with one argument": (
        lambda: LambdaCallback(on_test_batch_end=lambda logs: 0),
        r"`on_test_batch_end` is called with \(batch, logs\), .* takes \(logs\)",
    ),
}


@pytest.mark.parametrize("name", VALUE)
def test_invalid_value(name):
    mistake, message = VALUE[name]
    with pytest.raises(ValueError, match=message):
        mistake()


@pytest.mark.parametrize("name", TYPE)
def test_invalid_type(name):
    mistake, message = TYPE[name]
    with pytest.raises(TypeError, match=message):
        mistake()


def scheduled(make_model):
    model = make_model()
    schedule = fjax.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(fjax.optimizers.SGD(schedule), "mse")
    return model


RUNS = {
    "no validation": (EarlyStopping(), ValueError, "Give `fit` a `validation_split`"),
    "misspelt": (
        EarlyStopping("acuracy", mode="max"), ValueError,
        "`EarlyStopping` monitors 'acuracy', .* Did you mean `accuracy`",
    ),
    "folder": (CSVLogger("no/such/folder/run.csv"), FileNotFoundError, "`CSVLogger`: the folder"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_invalid_run(name, data, make_model):
    callback, error, message = RUNS[name]
    model = make_model()
    with pytest.raises(error, match=message):
        model.fit(*data, verbose=0, callbacks=[callback])
    assert int(model.train_state.step) == 0
    model.fit(*data, verbose=0)


def test_monitor_behind_built_in_callbacks_is_checked(data, make_model):
    before = [EarlyStopping("loss"), LearningRateScheduler(lambda epoch: 0.1)]
    with pytest.raises(ValueError, match="'val_los', which this run does not log"):
        make_model().fit(*data, verbose=0, callbacks=[*before, ReduceLROnPlateau("val_los")])
    # Callbacks behind the one that adds `learning_rate` can monitor it.
    rates = EarlyStopping("learning_rate", mode="min")
    make_model().fit(*data, verbose=0, callbacks=[*before, rates])
    with pytest.raises(ValueError, match="'learning_rate', which this run does not log"):
        make_model().fit(*data, verbose=0, callbacks=[rates, *before])


class AddsLogInSubclass(EarlyStopping):
    """A subclass by a user, which may add any log."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        logs["extra"] = 1.0


def test_log_added_by_subclass(data, make_model):
    stop = EarlyStopping("extra", mode="max")
    make_model().fit(*data, verbose=0, callbacks=[AddsLogInSubclass("loss"), stop])
    assert stop.best == 1.0


class AddsLog(fjax.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["extra"] = 1.0


def test_log_added_by_user_callback(data, make_model):
    model = make_model()
    model.fit(*data, verbose=0, callbacks=[AddsLog(), EarlyStopping("extra", mode="max")])
    with pytest.raises(ValueError, match="'extra', and whether higher or lower values"):
        model.fit(*data, verbose=0, callbacks=[AddsLog(), EarlyStopping("extra")])
    with pytest.raises(ValueError, match=r"'extr', which is not in the logs. Did you mean `extra`"):
        model.fit(*data, verbose=0, callbacks=[AddsLog(), EarlyStopping("extr", mode="max")])


class Median(fjax.metrics.MeanAbsoluteError):
    direction = None


def test_mode_auto_uses_direction_of_metric(data, make_model):
    model = make_model()
    stop = EarlyStopping("accuracy", patience=0, min_delta=1.0)
    assert len(model.fit(*data, epochs=5, verbose=0, callbacks=[stop]).epoch) == 2
    assert stop.best == pytest.approx(model.history.history["accuracy"][0])
    model.compile("sgd", "mse", metrics=[Median(name="mine")])
    with pytest.raises(ValueError, match="monitors 'mine', and whether higher or lower"):
        model.fit(*data, verbose=0, callbacks=[EarlyStopping("mine")])
    model.fit(*data, verbose=0, callbacks=[EarlyStopping("mine", mode="min")])
    # A reused callback looks up the direction again.
    model.compile("sgd", "mse", metrics=[fjax.metrics.MeanAbsoluteError(name="mine")])
    reused = EarlyStopping("mine")
    model.fit(*data, verbose=0, callbacks=[reused])
    model.compile("sgd", "mse", metrics=[Median(name="mine")])
    with pytest.raises(ValueError, match="monitors 'mine', and whether higher or lower"):
        model.fit(*data, verbose=0, callbacks=[reused])
    model.compile("sgd", "mse", metrics=[fjax.metrics.F1Score(name="f1")])
    model.fit(*data, verbose=0, callbacks=[EarlyStopping("loss")])
    with pytest.raises(ValueError, match=r"'f1', which is an array of shape \(1,\)"):
        model.fit(*data, verbose=0, callbacks=[EarlyStopping("f1")])


def test_learning_rate_cannot_be_set(data, make_model):
    for callback in (ReduceLROnPlateau("loss"), LearningRateScheduler(lambda epoch: 0.1)):
        name = type(callback).__name__
        with pytest.raises(TypeError, match=f"`{name}` sets the learning rate. .* schedule"):
            scheduled(make_model).fit(*data, verbose=0, callbacks=[callback])


@pytest.mark.parametrize("rate", [None, -0.1, "0.1", float("nan"), [0.1], True])
def test_schedule_returns_no_rate(rate, data, make_model):
    model = make_model()
    with pytest.raises(ValueError, match=r"`schedule\(0, 0.1.*\)` must be a number in \[0, inf\)"):
        model.fit(*data, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, lr: rate)])


def test_optimizer_without_averages(data, make_model):
    model = make_model()
    model.compile("sgd", "mse")
    for run in (model.fit, model.evaluate):
        with pytest.raises(ValueError, match=r"does not average the weights.* `use_ema=True`"):
            run(*data, verbose=0, callbacks=[SwapEMAWeights()])


def test_terminate_on_nan_without_loss(data, make_model):
    model = make_model()
    model.compile("sgd", train_step=lambda state, batch: (state, {"error": 1.0}))
    with pytest.raises(
        ValueError, match="`TerminateOnNaN` monitors 'loss', which this run does not"
    ):
        model.fit(*data, verbose=0, callbacks=[TerminateOnNaN()])
