"""Callbacks compared with those of Keras: decisions, logs, rates and files."""

import contextlib
import inspect
import itertools
import warnings

import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

NAN = float("nan")

# A log may fall, rise, stay, improve again, be missing, or be NaN.
SEQUENCES = {
    "falls": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
    "rises": [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
    "stands": [0.5] * 7,
    "steps": [0.6, 0.6, 0.55, 0.54, 0.53, 0.4, 0.45, 0.41, 0.2, 0.3],
    "waves": [0.5, 0.3, 0.6, 0.2, 0.7, 0.1, 0.8, 0.9, 0.05, 0.5],
    "missing": [0.5, None, 0.6, None, None, 0.4, None, 0.5, None, 0.6],
    "nan": [0.5, 0.4, NAN, 0.45, NAN, 0.3, 0.6],
    "nan first": [NAN, 0.4, 0.3, 0.2],
    "close": [0.5, 0.5 - 1e-8, 0.5 - 1e-7, 0.4, 0.4 + 1e-8, 0.3, 0.2000001, 0.2],
}


class Rate:
    """An optimizer with what callbacks use."""

    def __init__(self):
        self.learning_rate = 0.1


class Scripted:
    """A model with what callbacks use: its weight is the number of the epoch."""

    def __init__(self):
        self.stop_training = False
        self.weight = None
        self.optimizer = Rate()

    def get_weights(self):
        return [np.array(self.weight)]

    def set_weights(self, weights):
        self.weight = int(weights[0])


def run_script(callback, values, monitor="val_loss", stops=True):
    """Return the model after each epoch of a scripted run, and the attributes of the callback."""
    model, epochs = Scripted(), []
    callback.set_model(model)
    callback.set_params({"epochs": len(values)})
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.weight = epoch
        callback.on_epoch_begin(epoch, {})
        logs = {"loss": 1.0} if value is None else {"loss": 1.0, monitor: value}
        with warnings.catch_warnings():
            # Keras warns at each epoch of a missing log.
            warnings.simplefilter("ignore")
            callback.on_epoch_end(epoch, logs)
        state = [getattr(callback, name, None) for name in ("wait", "best", "cooldown_counter")]
        epochs.append((epoch, model.stop_training, model.optimizer.learning_rate, logs, state))
        if stops and model.stop_training:
            break
    callback.on_train_end({})
    return epochs, model.weight


def assert_same_runs(ours, theirs):
    (mine, weight), (other, weight_of_keras) = ours, theirs
    assert weight == weight_of_keras
    assert len(mine) == len(other)
    for first, second in zip(mine, other, strict=True):
        assert first[:2] == second[:2]
        np.testing.assert_allclose(first[2], second[2], rtol=1e-6)
        assert first[3].keys() == second[3].keys()
        for name in first[3]:
            np.testing.assert_allclose(first[3][name], second[3][name], rtol=1e-6)
        np.testing.assert_array_equal(
            np.array(first[4], "float64"), np.array(second[4], "float64"), err_msg=str(first)
        )


def make_pair(name, *args, **kwargs):
    """Return our callback, with the names of the logs, and Keras's."""
    ours = getattr(fjax.callbacks, name)(*args, **kwargs)
    ours.prepare({"loss": "down", "val_loss": "down"})
    return ours, getattr(keras.callbacks, name)(*args, **kwargs)


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_early_stopping(sequence):
    grid = itertools.product(
        (0, 0.1), (0, 1, 2), ("min", "max"), (None, 0.45), (False, True), (0, 2)
    )
    for min_delta, patience, mode, baseline, restore, start in grid:
        options = {
            "min_delta": min_delta, "patience": patience, "mode": mode, "baseline": baseline,
            "restore_best_weights": restore, "start_from_epoch": start,
        }  # fmt: skip
        ours, theirs = make_pair("EarlyStopping", **options)
        runs = [run_script(callback, SEQUENCES[sequence]) for callback in (ours, theirs)]
        assert_same_runs(*runs)
        assert ours.stopped_epoch == theirs.stopped_epoch, options
        assert ours.best_epoch == theirs.best_epoch, options


def test_early_stopping_can_be_used_again():
    ours, theirs = make_pair("EarlyStopping", patience=1)
    for sequence in ("stands", "falls", "waves"):
        assert_same_runs(
            *(run_script(callback, SEQUENCES[sequence]) for callback in (ours, theirs))
        )


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_reduce_lr_on_plateau(sequence):
    grid = itertools.product(
        (0.1, 0.5), (0, 1, 2), ("min", "max"), (0, 1e-4, 0.1), (0, 1, 3), (0.0, 0.03)
    )
    for factor, patience, mode, min_delta, cooldown, min_lr in grid:
        ours, theirs = make_pair(
            "ReduceLROnPlateau", factor=factor, patience=patience, mode=mode,
            min_delta=min_delta, cooldown=cooldown, min_lr=min_lr,
        )  # fmt: skip
        assert_same_runs(
            *(run_script(callback, SEQUENCES[sequence]) for callback in (ours, theirs))
        )


@pytest.mark.parametrize("monitor", ["loss", "val_loss"])
def test_mode_auto_of_a_loss(monitor):
    for name in ("EarlyStopping", "ReduceLROnPlateau"):
        ours, theirs = make_pair(name, monitor=monitor, patience=1)
        assert_same_runs(
            *(run_script(callback, SEQUENCES["waves"], monitor) for callback in (ours, theirs))
        )


def metric_classes():
    for name, ours in vars(fjax.metrics).items():
        if inspect.isclass(ours) and hasattr(keras.metrics, name):
            yield name, ours


ARGUMENTS = {
    "IoU": (2, [0]), "MeanIoU": (2,), "OneHotIoU": (2, [0]), "OneHotMeanIoU": (2,),
    "PrecisionAtRecall": (0.5,), "RecallAtPrecision": (0.5,), "SensitivityAtSpecificity": (0.5,),
    "SpecificityAtSensitivity": (0.5,),
}  # fmt: skip


def direction_in_keras(metric):
    return getattr(metric, "_direction", None)


@pytest.mark.parametrize("name", [name for name, _ in metric_classes()])
def test_the_direction_of_metrics(name):
    if name in ("Metric", "MeanMetricWrapper"):
        return
    arguments = ARGUMENTS.get(name, ())
    ours, theirs = (getattr(library.metrics, name)(*arguments) for library in (fjax, keras))
    assert ours.direction == direction_in_keras(theirs)


def test_the_direction_of_metrics_by_name():
    names = ["acc", "accuracy", "auc", "mse", "mae", "bce", "kld", "cosine_similarity", "poisson"]
    names += [fjax.configuration.snake_case(name) for name, _ in metric_classes()]
    for name in names:
        spelt = {"acc": "binary_accuracy", "accuracy": "binary_accuracy"}.get(name, name)
        with contextlib.suppress(TypeError, ValueError):
            theirs = keras.metrics.get(spelt)
            if not isinstance(theirs, keras.metrics.Metric):
                theirs = keras.metrics.MeanMetricWrapper(theirs)
            ours = fjax.metrics.resolve(name, (8, 1), (8, 1))
            assert ours.direction == direction_in_keras(theirs), name


def test_a_loss_as_metric():
    for ours, theirs in (
        (fjax.losses.huber, keras.losses.huber),
        (lambda y, p: y - p, lambda y, p: y - p),
    ):
        metric = keras.metrics.MeanMetricWrapper(theirs)
        assert fjax.metrics.MeanMetricWrapper(ours).direction == direction_in_keras(metric)


X = np.random.default_rng(0).normal(size=(60, 6)).astype("float32")
Y = (X @ np.arange(6) > 0).astype("float32")[:, None]
FIT = {"batch_size": 16, "shuffle": False, "verbose": 0, "validation_split": 0.25}


def make_models(optimizer="SGD", **options):
    """Return the same compiled network of both libraries."""
    models = {}
    for library in (keras, fjax):
        layers = library.layers
        model = library.Sequential(
            [library.Input(shape=(6,)), layers.Dense(4, activation="tanh"),
             layers.Dense(1, activation="sigmoid")]
        )  # fmt: skip
        model.compile(
            getattr(library.optimizers, optimizer)(**options),
            "binary_crossentropy",
            metrics=["accuracy"],
        )
        models[library] = model
    models[fjax].set_weights(models[keras].get_weights())
    return models


def fit_both(models, callbacks, **options):
    return {
        library: model.fit(X, Y, callbacks=callbacks(library), **{**FIT, **options}).history
        for library, model in models.items()
    }


def assert_same_history(histories, rtol=1e-4):
    assert list(histories[fjax]) == list(histories[keras])
    for name, values in histories[keras].items():
        np.testing.assert_allclose(histories[fjax][name], values, rtol=rtol, err_msg=name)


def test_training_with_callbacks_that_set_the_rate_and_stop():
    models = make_models(learning_rate=0.5)

    def callbacks(library):
        return [
            library.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            library.callbacks.ReduceLROnPlateau("val_accuracy", factor=0.5, patience=1),
            library.callbacks.EarlyStopping(
                "val_accuracy", patience=3, restore_best_weights=True, min_delta=0.001
            ),
        ]

    histories = fit_both(models, callbacks, epochs=20)
    assert_same_history(histories)
    assert 3 < len(histories[fjax]["loss"]) < 20
    assert list(histories[fjax])[-1] == "learning_rate"
    for ours, theirs in zip(*(models[library].get_weights() for library in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    rates = [float(models[library].optimizer.learning_rate) for library in (fjax, keras)]
    assert rates[0] == pytest.approx(rates[1])


def test_learning_rate_scheduler_with_a_function_of_the_epoch():
    models = make_models(learning_rate=0.1)

    def callbacks(library):
        return [library.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))]

    assert_same_history(fit_both(models, callbacks, epochs=3))


LOGS = {
    "plain": [{"loss": 0.5, "accuracy": 0.25}, {"loss": 0.1, "accuracy": 1e-8}],
    "validated": [{"loss": 0.5, "val_loss": 0.25, "b": 1.0}, {"loss": 0.5, "b": float("inf")}],
    "vectors": [{"f1": np.array([0.5, 0.25], "float32"), "loss": np.float32(0.1)}],
    "scalars": [{"a": np.array(0.5), "text": "x,y", "list": [1, 2]}],
    "nothing": [{}, {}],
}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("name", LOGS)
def test_csv_logger_writes_the_same_text(name, separator, tmp_path):
    texts = []
    for library in (fjax, keras):
        file = tmp_path / f"{library.__name__}.csv"
        file.write_text("old\n")
        for append in (False, True):
            logger = library.callbacks.CSVLogger(file, separator=separator, append=append)
            logger.set_model(Scripted())
            logger.on_train_begin({})
            for epoch, logs in enumerate(LOGS[name]):
                logger.on_epoch_end(epoch, dict(logs))
            logger.on_train_end({})
        texts.append(file.read_bytes())
    assert texts[0] == texts[1]


def test_csv_logger_in_training(tmp_path):
    models = make_models(learning_rate=0.1)
    tables = {}

    def callbacks(library):
        return [library.callbacks.CSVLogger(tmp_path / f"{library.__name__}.csv")]

    fit_both(models, callbacks, epochs=3, validation_freq=2)
    for library in models:
        rows = (tmp_path / f"{library.__name__}.csv").read_text().splitlines()
        tables[library] = [row.split(",") for row in rows]
    assert tables[fjax][0] == tables[keras][0]
    for mine, other in zip(tables[fjax][1:], tables[keras][1:], strict=True):
        assert [cell == "NA" for cell in mine] == [cell == "NA" for cell in other]
        numbers = [[float(cell.replace("NA", "0")) for cell in row] for row in (mine, other)]
        np.testing.assert_allclose(*numbers, rtol=1e-5)


def record_weights(library, recorded):
    """Return a callback that records the weights at the end of each epoch."""

    class WeightRecorder(library.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            recorded.append(self.model.get_weights())

    return WeightRecorder()


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_swap_ema_weights(swap_on_epoch):
    models = make_models("Adam", learning_rate=0.05, use_ema=True, ema_momentum=0.5)
    recorded = {fjax: [], keras: []}

    def callbacks(library):
        swap = library.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
        return [swap, record_weights(library, recorded[library])]

    assert_same_history(fit_both(models, callbacks, epochs=3), rtol=1e-3)
    assert len(recorded[fjax]) == 3
    finals = [[models[library].get_weights()] for library in (fjax, keras)]
    for mine, other in zip(recorded[fjax] + finals[0], recorded[keras] + finals[1], strict=True):
        for first, second in zip(mine, other, strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)


def test_terminate_on_nan_stops_in_the_same_epoch(capsys):
    models = make_models(learning_rate=0.1)

    def callbacks(library):
        def spoil(epoch, logs):
            if epoch == 2:
                model = models[library]
                model.set_weights([weight * NAN for weight in model.get_weights()])

        return [
            library.callbacks.LambdaCallback(on_epoch_begin=spoil),
            library.callbacks.TerminateOnNaN(),
        ]

    histories = fit_both(models, callbacks, epochs=5)
    assert [len(history["loss"]) for history in histories.values()] == [3, 3]
    assert all(np.isnan(history["loss"][2]) for history in histories.values())


def test_arguments_equal_those_of_keras():
    for name in (
        "EarlyStopping", "ReduceLROnPlateau", "LearningRateScheduler", "CSVLogger",
        "TerminateOnNaN", "LambdaCallback", "SwapEMAWeights",
    ):  # fmt: skip
        ours, theirs = (
            {
                parameter.name: parameter.default
                for parameter in inspect.signature(
                    getattr(library.callbacks, name)
                ).parameters.values()
                if parameter.kind is not parameter.VAR_KEYWORD
            }
            for library in (fjax, keras)
        )
        assert ours == theirs, name
        assert list(ours) == list(theirs), name


@pytest.mark.parametrize("endless", [False, True])
def test_evaluation_and_prediction_can_be_stopped(endless):
    x = np.arange(40, dtype="float32").reshape(20, 2)
    y = x.sum(1, keepdims=True)

    def run(library):
        class Stop(library.callbacks.Callback):
            def on_test_batch_end(self, batch, logs=None):
                self.model.stop_evaluating = batch == 2

            def on_predict_batch_end(self, batch, logs=None):
                self.model.stop_predicting = batch == 1

        def batches(*arrays):
            while True:
                for start in range(0, 20, 4):
                    yield tuple(array[start : start + 4] for array in arrays)

        model = library.Sequential([library.layers.Input((2,)), library.layers.Dense(1)])
        model.set_weights([np.ones((2, 1), "float32"), np.ones(1, "float32")])
        model.compile(loss="mse")
        options = {"callbacks": [Stop()], "verbose": 0}
        if endless:
            return (
                model.evaluate(batches(x, 2 * y), **options),
                model.predict(batches(x), **options),
            )
        return (
            model.evaluate(x, 2 * y, batch_size=4, **options),
            model.predict(x, batch_size=4, **options),
        )

    ours, theirs = run(fjax), run(keras)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-6)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-6)
    assert len(ours[1]) == 8
