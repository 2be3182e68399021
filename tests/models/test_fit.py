"""`fit`, `evaluate`, `predict` and the steps of one batch."""

from dataclasses import dataclass

import jax
import numpy as np
import optax
import pandas as pd
import pytest

import fjax as keras
from fjax.layers import Dense, Dropout, Flatten, Input, Rescaling


def test_training_lowers_the_loss_and_records_it(model, digits):
    x, y = digits
    history = model.fit(x, y, epochs=20, validation_split=0.1, verbose=0)
    assert history is model.history
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == list(range(20))
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
    frame = pd.DataFrame(history.history)
    assert frame.shape == (20, 4)
    assert (frame.dtypes == "float64").all()


def test_evaluate_returns_a_number_a_list_or_a_dict(model, digits, regression):
    x, y = digits
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y, verbose=0, return_dict=True) == {"accuracy": accuracy, "loss": loss}
    line, x, y = regression
    assert isinstance(line.evaluate(x, y, verbose=0), float)


@pytest.mark.parametrize("batch_size", [None, 1, 7, 50, 1000])
def test_the_batch_size_does_not_change_predictions_and_metrics(regression, batch_size):
    model, x, y = regression
    expected = model.predict(x, batch_size=50, verbose=0)
    np.testing.assert_allclose(
        model.predict(x, batch_size=batch_size, verbose=0), expected, rtol=1e-6, atol=1e-7
    )
    whole = np.mean((expected[:, 0] - y) ** 2)
    np.testing.assert_allclose(model.evaluate(x, y, batch_size, verbose=0), whole, rtol=1e-5)


def test_predictions_are_writable_numpy_arrays(regression):
    model, x, _ = regression
    outputs = model.predict(x, verbose=0)
    assert type(outputs) is np.ndarray
    outputs[:] = 0
    assert model.predict_on_batch(x).any()
    assert isinstance(model(x), jax.Array)


def test_the_same_seed_gives_the_same_run(digits):
    x, y = digits

    def train():
        keras.utils.set_random_seed(5)
        model = keras.Sequential(
            [Input((8, 8)), Flatten(), Rescaling(1 / 16), Dense(8, "relu"), Dropout(0.5), Dense(10)]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        return model.fit(x, y, epochs=2, verbose=0).history["loss"], model.get_weights()

    (one, weights), (other, others) = train(), train()
    assert one == other
    for a, b in zip(weights, others, strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizers_of_optax(digits):
    x, y = digits
    losses = []
    for optimizer in (
        optax.adam(1e-2),
        optax.chain(optax.clip_by_global_norm(1.0), optax.sgd(0.1, momentum=0.9)),
        optax.MultiSteps(optax.adamw(1e-2), 2),
        keras.optimizers.Adam(1e-2, epsilon=1e-8),
    ):
        model = keras.Sequential(
            [Input((8, 8)), Flatten(), Rescaling(1 / 16), Dense(10, "softmax")], seed=1
        )
        model.compile(optimizer, "sparse_categorical_crossentropy")
        losses.append(model.fit(x, y, epochs=5, verbose=0, shuffle=False).history["loss"])
    assert all(loss[-1] < loss[0] for loss in losses)
    np.testing.assert_allclose(losses[0], losses[3], rtol=1e-5)
    with pytest.raises(TypeError, match="has no learning rate in its state"):
        model.compile(optax.sgd(0.1), "sparse_categorical_crossentropy")
        model.optimizer.learning_rate  # noqa: B018


def test_compile_resets_the_optimizer_and_keeps_the_weights(regression):
    model, x, y = regression
    model.fit(x, y, verbose=0)
    weights = model.get_weights()
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9), "mae")
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    assert model.optimizer.learning_rate == 0.5
    assert int(model.train_state.opt_state.step) == 0


def test_a_sample_weight_of_zero_removes_the_sample(regression):
    model, x, y = regression
    weights = np.ones(50)
    weights[30:] = 0
    model.fit(x, y, batch_size=50, sample_weight=weights, verbose=0)
    other = keras.Sequential([Input((1,)), Dense(1)], seed=0)
    other.compile(keras.optimizers.SGD(0.01 * 30 / 50), "mse")
    other.fit(x[:30], y[:30], batch_size=30, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_class_weight_is_sample_weight(digits):
    x, y = digits
    results = []
    for arguments in (
        {"class_weight": {0: 5.0, 3: 0.0}},
        {"sample_weight": np.where(y == 0, 5.0, np.where(y == 3, 0.0, 1.0))},
        {"class_weight": {0: 5.0}, "sample_weight": np.where(y == 3, 0.0, 1.0)},
    ):
        model = keras.Sequential([Input((8, 8)), Flatten(), Dense(10, "softmax")], seed=2)
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x / 16, y, verbose=0, **arguments)
        results.append(model.get_weights()[0])
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_weighted_metrics(regression):
    model, x, y = regression
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    logs = model.evaluate(x, y, sample_weight=np.linspace(0, 1, 50), verbose=0, return_dict=True)
    assert set(logs) == {"loss", "mae", "weighted_mae"}
    assert logs["mae"] != logs["weighted_mae"]


def test_metrics_with_the_same_name_are_numbered(regression):
    model, x, y = regression
    model.compile("sgd", "mse", metrics=["mae", keras.metrics.MeanAbsoluteError(name="mae")])
    assert list(model.evaluate(x, y, verbose=0, return_dict=True)) == ["loss", "mae", "mae_1"]


def test_custom_losses_and_metrics(regression):
    model, x, y = regression

    def huber(y_true, y_pred):
        error = y_true - y_pred
        return jax.numpy.where(abs(error) < 1, error**2 / 2, abs(error) - 0.5)

    class Huber(keras.losses.Loss):
        def __init__(self, threshold=1.0, **kwargs):
            self.threshold = threshold
            super().__init__(**kwargs)

        def call(self, y_true, y_pred):
            return huber(y_true, y_pred)

    values = []
    for loss in (huber, Huber(), keras.losses.Huber(), "huber"):
        model.compile("sgd", loss, metrics=[huber])
        values.append(model.evaluate(x, y, verbose=0))
    np.testing.assert_allclose(np.array(values), values[0][0], rtol=1e-6)


def test_generators_iterables_and_sequences(regression):
    model, x, y = regression
    whole = [(x[i : i + 10], y[i : i + 10]) for i in range(0, 50, 10)]
    batches = dict(enumerate(whole)).values()  # an iterable that begins anew each epoch

    def forever():
        while True:
            yield from batches

    history = model.fit(batches, epochs=2, verbose=0, validation_data=batches)
    assert len(history.history["val_loss"]) == 2
    history = model.fit(forever(), steps_per_epoch=5, epochs=2, verbose=0)
    assert len(history.epoch) == 2
    np.testing.assert_allclose(
        model.evaluate(batches, verbose=0), model.evaluate(x, y, verbose=0), rtol=1e-5
    )
    outputs = model.predict((a for a, _ in batches), verbose=0)
    np.testing.assert_allclose(outputs, model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


def test_pandas_data(regression):
    model, x, y = regression
    frame = pd.DataFrame(x, columns=["x"])
    model.fit(frame, pd.Series(y), epochs=1, verbose=0)
    assert model.predict(frame, verbose=0).shape == (50, 1)


def test_validation_options(regression):
    model, x, y = regression
    history = model.fit(x, y, epochs=4, verbose=0, validation_split=0.2, validation_freq=2)
    assert len(history.history["val_loss"]) == 2
    history = model.fit(x, y, epochs=4, verbose=0, validation_split=0.2, validation_freq=[1, 4])
    assert len(history.history["val_loss"]) == 2
    model.fit(
        x, y, verbose=0, validation_data=(x, y, np.ones(50)), validation_steps=2,
        validation_batch_size=5,
    )  # fmt: skip
    # The data wins over a split, as in Keras: all rows are trained on.
    before = int(model.train_state.step)
    model.fit(x, y, batch_size=10, verbose=0, validation_split=0.5, validation_data=(x, y))
    assert int(model.train_state.step) == before + 5


def test_epochs_are_counted_from_the_initial_epoch(regression):
    model, x, y = regression
    history = model.fit(x, y, initial_epoch=3, epochs=5, verbose=0)
    assert history.epoch == [3, 4]
    assert model.fit(x, y, epochs=0, verbose=0).history == {}


def test_two_fits_use_different_orders_of_the_rows(regression):
    model, x, y = regression
    seen = []

    class Weights(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    model.compile(keras.optimizers.SGD(0.0), "mse")
    for _ in range(2):
        model.fit(x, y, batch_size=25, verbose=0, callbacks=[Weights()])
    assert seen[0] != seen[2]


def test_one_batch_at_a_time(regression):
    model, x, y = regression
    first = model.train_on_batch(x, y)
    assert first == pytest.approx(float(np.mean((y - 0) ** 2)), rel=2)
    later = [model.train_on_batch(x, y) for _ in range(5)][-1]
    assert later < first
    assert model.train_on_batch(x, y, return_dict=True)["loss"] < later
    assert int(model.train_state.step) == 7
    # What is returned is this batch's loss alone.
    now = model.evaluate(x[:10], y[:10], verbose=0)
    assert model.train_on_batch(x[:10], y[:10]) == pytest.approx(now, rel=1e-5)
    assert model.test_on_batch(x, y) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-5)


def test_calls_in_training_mode_draw_new_numbers():
    model = keras.Sequential([Input((4,)), Dropout(0.5)])
    x = np.ones((1, 4), "float32")
    draws = {tuple(model(x, training=True)[0].tolist()) for _ in range(20)}
    assert len(draws) > 3
    assert model(x).tolist() == x.tolist()


def test_running_eagerly_gives_the_same_results(regression):
    model, x, y = regression
    other = keras.Sequential([Input((1,)), Dense(1)], seed=0)
    other.compile("sgd", "mse", run_eagerly=True)
    seen = []
    loss = other.loss

    one = model.fit(x, y, batch_size=25, epochs=2, verbose=0).history["loss"]
    two = other.fit(x, y, batch_size=25, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(one, two, rtol=1e-6)

    def concrete(y_true, y_pred):
        seen.append(float(y_true[0, 0]))
        return loss.call(y_true, y_pred)

    other.compile("sgd", concrete, jit_compile=False)
    other.fit(x, y, batch_size=25, verbose=0)
    assert len(seen) >= 2


def test_predict_classes_works_with_a_warning(model, digits):
    x, _ = digits
    with pytest.warns(DeprecationWarning, match="older spelling"):
        classes = model.predict_classes(x)
    np.testing.assert_array_equal(classes, model.predict(x, verbose=0).argmax(-1))


def test_older_spellings_of_optimizers():
    with pytest.warns(DeprecationWarning, match="older spelling of `learning_rate="):
        assert keras.optimizers.SGD(lr=0.1) == keras.optimizers.SGD(0.1)


def test_crossentropy_is_resolved_by_the_shapes(digits):
    x, y = digits
    one_hot = keras.utils.to_categorical(y, 10)
    results = []
    for targets in (y, one_hot):
        model = keras.Sequential([Input((8, 8)), Flatten(), Dense(10, "softmax")], seed=0)
        model.compile("sgd", "crossentropy", metrics=["accuracy"])
        results.append(model.evaluate(x / 16, targets, verbose=0))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)


def test_clear_session_discards_programs_and_keeps_models(regression, compilations):
    model, x, y = regression
    model.fit(x, y, verbose=0)
    compilations.clear()
    keras.backend.clear_session()
    model.fit(x, y, verbose=0)
    assert len([name for name in compilations if "advance" in name]) == 1


def test_more_steps_than_batches_warn_and_use_the_data_once(regression):
    model, x, y = regression
    whole = model.evaluate(x, y, verbose=0)
    for call in (
        lambda: model.evaluate(x, y, batch_size=10, steps=20, verbose=0),
        lambda: model.evaluate(dict(enumerate([(x, y)])).values(), steps=3, verbose=0),
    ):
        with pytest.warns(UserWarning, match="steps were requested, but"):
            assert call() == pytest.approx(whole, rel=1e-5)
    with pytest.warns(UserWarning, match="20 steps were requested, but the data has 5"):
        assert model.predict(x, batch_size=10, steps=20, verbose=0).shape == (50, 1)
    # Steps without a batch size are one pass, as in Keras.
    assert model.predict(x, steps=7, verbose=0).shape == (50, 1)


def test_evaluation_without_a_loss(regression):
    model, x, y = regression
    model.compile("sgd", metrics=["mae"])
    loss, error = model.evaluate(x, y, verbose=0)
    assert (loss, error > 0) == (0.0, True)
    for method in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="needs a loss"):
            method(x, y)


def test_running_eagerly_applies_to_every_method(regression):
    _, x, y = regression
    seen = []

    def watch(inputs):
        seen.append(isinstance(inputs, jax.core.Tracer))
        return inputs

    model = keras.Sequential([Input((1,)), watch, Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.predict(x, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.train_on_batch(x, y)
    assert not all(seen)
    seen.clear()
    model.predict(x, verbose=0)
    assert seen == [False, False]


def endless(x, y):
    while True:
        for i in range(0, 50, 10):
            yield x[i : i + 10], y[i : i + 10]


class Batches:
    """Five batches, which can be iterated again."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return self.x[10 * index : 10 * index + 10], self.y[10 * index : 10 * index + 10]


def test_evaluation_of_generators(regression):
    model, x, y = regression
    whole = model.evaluate(x, y, verbose=0)
    once = ((x[i : i + 10], y[i : i + 10]) for i in range(0, 50, 10))
    assert model.evaluate(once, verbose=0) == pytest.approx(whole, rel=1e-5)
    history = model.fit(
        x, y, validation_data=endless(x, y), validation_steps=5, epochs=3, verbose=0
    )
    assert history.history["val_loss"][-1] == pytest.approx(
        model.evaluate(x, y, verbose=0), rel=1e-5
    )


def test_an_epoch_is_one_iteration_of_an_iterable(regression):
    model, x, y = regression
    history = model.fit(Batches(x, y), steps_per_epoch=5, epochs=3, verbose=0)
    assert len(history.epoch) == 3


def test_a_generator_can_be_used_again(regression):
    model, x, y = regression
    batches = endless(x, y)
    for _ in range(2):
        model.fit(batches, steps_per_epoch=5, verbose=0)
    assert int(model.train_state.step) == 10


def test_axes_of_any_size():
    model = keras.Sequential([Input((None, 3)), Dense(2)])
    model.compile("sgd", "mse")
    assert model.output_shape[-1] == 2
    for length in (7, 5):
        x = np.ones((6, length, 3))
        assert model.predict(x, verbose=0).shape == (6, length, 2)
        weights = np.ones((6, length))
        model.fit(x, np.ones((6, length, 2)), sample_weight=weights, verbose=0)
    with pytest.raises(ValueError, match="or for each time step of `y`"):
        model.fit(x, np.ones((6, 5, 2)), sample_weight=np.ones((6, 4)))


def test_a_model_of_any_pair_checks_widths_and_keeps_dtypes():
    model = keras.Model(jax.nn.relu, input_shape=(4,))
    for width in (2, 7):
        with pytest.raises(ValueError, match=r"expects \(4,\)"):
            model.predict(np.ones((2, width)), verbose=0)
    model = keras.Model(Flatten())
    model.predict(np.ones((2, 2), "uint8"), verbose=0)
    assert model.predict(np.array([[1.5, 2.5]]), verbose=0).tolist() == [[1.5, 2.5]]


def test_compile_traces_a_users_function_again(regression):
    model, x, y = regression
    factor = [1.0]

    def loss(y_true, y_pred):
        return factor[0] * (y_true - y_pred) ** 2

    values = []
    for factor[0] in (1.0, 10.0):
        model.compile("sgd", loss)
        values.append(model.evaluate(x, y, verbose=0))
    assert values[1] == pytest.approx(10 * values[0], rel=1e-5)


def test_objects_without_a_hash(regression):
    _, x, y = regression

    @dataclass
    class Loss:
        factor: float = 2.0

        def __call__(self, y_true, y_pred):
            return self.factor * (y_true - y_pred) ** 2

    @dataclass
    class Layer:
        shift: np.ndarray

        def init(self, key, spec):
            return {}, {}

        def apply(self, params, state, inputs, *, key=None, training=False):
            return inputs + self.shift, state

    @dataclass
    class Optimizer:
        rate: float = 0.01

        def init(self, params):
            return ()

        def update(self, grads, opt_state, params):
            return jax.tree.map(lambda g: -self.rate * g, grads), opt_state

    model = keras.Sequential([Input((1,)), Layer(np.ones(1, "float32")), Dense(1)])
    model.compile(Optimizer(), Loss())
    history = model.fit(x, y, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]


def test_a_column_may_come_without_its_axis(regression):
    model, x, y = regression
    np.testing.assert_array_equal(model.predict(x[:, 0], verbose=0), model.predict(x, verbose=0))
    model.fit(pd.Series(x[:, 0]), y, verbose=0)


@pytest.mark.parametrize(
    "inside",
    [
        lambda layer: layer,
        lambda layer: keras.serial(keras.residual(layer)),
        lambda layer: keras.repeat(layer, 2),
    ],
)
def test_adapting_after_the_first_use_raises(inside):
    layer = keras.layers.Normalization()
    model = keras.Sequential([Input((2,)), inside(layer)])
    layer.adapt(np.ones((3, 2)))
    model.predict(np.ones((3, 2)), verbose=0)
    layer.adapt(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="was adapted again after the model was used"):
        model.predict(np.ones((3, 2)), verbose=0)


def test_a_call_inside_a_traced_function_points_to_the_network(regression):
    model, x, _ = regression
    with pytest.raises(TypeError, match=r"model.stateless_call\(trainable_variables"):
        jax.jit(model)(x)


def test_set_weights_copies_the_arrays(regression):
    model, _, _ = regression
    weights = [np.full((1, 1), 2.0, "float32"), np.zeros(1, "float32")]
    model.set_weights(weights)
    weights[0][:] = 0
    assert model.get_weights()[0] == 2


def test_adding_a_layer_keeps_the_counters(digits):
    x, y = digits
    model = keras.Sequential([Input((8, 8)), Flatten(), Dense(10, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=3, verbose=0)
    model.add(Dense(10, "softmax"))
    assert int(model.train_state.epoch) == 3
