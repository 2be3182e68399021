"""Training loops and steps as Keras's JAX guides write them, compared with Keras."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5)).astype("float32")
Y = RNG.normal(size=(40, 1)).astype("float32")
SHAPES = [(5, 4), (4,), (4,), (4,), (4,), (4,), (4, 1), (1,)]
WEIGHTS = [np.abs(RNG.normal(size=shape)).astype("float32") for shape in SHAPES]
MODULES = {"fjax": fjax, "keras": keras}


def make_model(module, cls=None, regularizer=None, constraint=None):
    """Return a model with a batch normalization, and the same weights in both libraries."""
    inputs = module.Input((5,))
    hidden = module.layers.Dense(
        4, activation="tanh", kernel_regularizer=regularizer, kernel_constraint=constraint
    )(inputs)
    hidden = module.layers.BatchNormalization()(hidden)
    model = (cls or module.Model)(inputs, module.layers.Dense(1)(hidden))
    model.set_weights(WEIGHTS)
    return model


def values(variables):
    return [jnp.asarray(variable.value) for variable in variables]


def run_loop(module, optimizer, constraint=None):
    """Train by a loop of pure functions, and return losses, metric and weights."""
    model = make_model(module, constraint=constraint)
    metric = module.metrics.MeanAbsoluteError()
    optimizer.build(model.trainable_variables)

    def compute_loss(trainable, others, x, y):
        outputs, others = model.stateless_call(trainable, others, x, training=True)
        return jnp.mean((outputs - y) ** 2), (outputs, others)

    @jax.jit
    def train_step(state, x, y):
        trainable, others, optimizer_variables, metric_variables = state
        differentiate = jax.value_and_grad(compute_loss, has_aux=True)
        (loss, (outputs, others)), grads = differentiate(trainable, others, x, y)
        trainable, optimizer_variables = optimizer.stateless_apply(
            optimizer_variables, grads, trainable
        )
        metric_variables = metric.stateless_update_state(metric_variables, y, outputs)
        return loss, (trainable, others, optimizer_variables, metric_variables)

    state = tuple(map(values, (model.trainable_variables, model.non_trainable_variables,
                               optimizer.variables, metric.variables)))  # fmt: skip
    losses = []
    for step in range(20):
        rows = slice(8 * (step % 5), 8 * (step % 5) + 8)
        loss, state = train_step(state, X[rows], Y[rows])
        losses.append(float(loss))
    for variables, arrays in zip(
        (model.trainable_variables, model.non_trainable_variables), state[:2], strict=True
    ):
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
    return losses, float(metric.stateless_result(state[3])), model.get_weights()


@pytest.mark.parametrize("constraint", [None, "unit_norm"])
@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_a_whole_loop_gives_keras_numbers(name, constraint):
    ours, theirs = (
        run_loop(module, getattr(module.optimizers, name)(0.05), constraint)
        for module in (fjax, keras)
    )
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4)
    for one, other in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


class TestStatelessCall:
    def test_variables_are_arguments_of_compiled_functions(self):
        model = make_model(fjax)

        @jax.jit
        def loss(trainable, others):
            outputs, _ = model.stateless_call(trainable, others, X)
            return jnp.mean(outputs**2)

        value, grads = jax.value_and_grad(loss)(
            model.trainable_variables, model.non_trainable_variables
        )
        assert float(value) == pytest.approx(float(np.mean(model.predict(X, verbose=0) ** 2)))
        assert [grad.shape for grad in grads] == [v.shape for v in model.trainable_variables]

    def test_it_maps_over_several_sets_of_weights(self):
        model = make_model(fjax)
        many = [jnp.stack([v.value, 2 * v.value]) for v in model.trainable_variables]
        others = model.non_trainable_variables
        outputs = jax.vmap(lambda trainable: model.stateless_call(trainable, others, X)[0])(many)
        np.testing.assert_allclose(outputs[0], model.predict(X, verbose=0), rtol=1e-5, atol=1e-6)

    def test_dropout_draws_anew_at_each_call(self):
        model = fjax.Sequential([fjax.Input((5,)), fjax.layers.Dropout(0.5)], seed=0)
        others = model.non_trainable_variables
        assert [variable.name for variable in others] == ["seed_generator_state"]
        first, others = model.stateless_call([], others, X, training=True)
        second, _ = model.stateless_call([], others, X, training=True)
        assert not np.array_equal(first, second)
        again, _ = model.stateless_call([], model.non_trainable_variables, X, training=True)
        np.testing.assert_array_equal(first, again)

    def test_it_returns_the_losses_of_regularizers(self):
        results = []
        for module in (fjax, keras):
            model = make_model(module, regularizer="l2")
            _, _, losses = model.stateless_call(
                values(model.trainable_variables), values(model.non_trainable_variables), X,
                return_losses=True,
            )  # fmt: skip
            results.append([float(loss) for loss in losses])
            np.testing.assert_allclose([float(loss) for loss in model.losses], results[-1])
        np.testing.assert_allclose(*results, rtol=1e-6)

    def test_a_stateful_recurrent_layer_carries_its_state(self):
        model = fjax.Sequential(
            [fjax.Input((3, 2), batch_size=4), fjax.layers.LSTM(2, stateful=True)]
        )
        x = np.ones((4, 3, 2), "float32")
        trainable = model.trainable_variables
        first, others = model.stateless_call(trainable, model.non_trainable_variables, x)
        second, _ = model.stateless_call(trainable, others, x)
        long = fjax.Sequential([fjax.Input((6, 2), batch_size=4), fjax.layers.LSTM(2)])
        long.set_weights(model.get_weights())
        np.testing.assert_allclose(second, long.predict(np.ones((4, 6, 2)), verbose=0), rtol=1e-5)
        assert not np.array_equal(first, second)

    def test_lists_that_do_not_fit_raise(self):
        model = make_model(fjax)
        trainable, others = model.trainable_variables, model.non_trainable_variables
        with pytest.raises(ValueError, match="list of 6 arrays as `trainable_variables`"):
            model.stateless_call(trainable[:2], others, X)
        with pytest.raises(ValueError, match=r"dense.*/kernel has the shape \(5, 4\)"):
            model.stateless_call(trainable[::-1], others, X)


class TestVariables:
    def test_they_have_keras_order_and_names(self):
        for attribute in (
            "weights", "trainable_weights", "non_trainable_weights", "trainable_variables",
            "non_trainable_variables",
        ):  # fmt: skip
            ours, theirs = (
                [(v.name, tuple(v.shape), v.dtype) for v in getattr(make_model(module), attribute)]
                for module in (fjax, keras)
            )
            assert ours == theirs, attribute

    def test_they_are_linked_to_the_model(self):
        model = make_model(fjax)
        kernel = model.weights[0]
        assert kernel is model.trainable_variables[0]
        kernel.assign(np.zeros((5, 4)))
        assert not model.get_weights()[0].any()
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        np.testing.assert_array_equal(kernel.numpy(), model.get_weights()[0])
        with pytest.raises(ValueError, match=r"has the shape \(5, 4\), received .*\(2,\)"):
            kernel.assign(np.zeros(2))

    def test_an_assigned_array_survives_training(self):
        model = make_model(fjax)
        array = jnp.ones((5, 4))
        model.weights[0].assign(array)
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
        assert float(array.sum()) == 20.0

    def test_frozen_layers_are_not_trainable(self):
        model = make_model(fjax)
        model.layers[1].trainable = False
        assert len(model.trainable_variables) == 4
        assert len(model.non_trainable_variables) == 4


def keras_step(module):
    """Return a class with the training and evaluation steps of the guide."""

    class Guided(module.Model):
        def loss_and_updates(self, trainable, others, x, y, training=False):
            outputs, others = self.stateless_call(trainable, others, x, training=training)
            return self.compute_loss(x, y, outputs), (outputs, others)

        def train_step(self, state, data):
            trainable, others, optimizer_variables, metrics_variables = state
            x, y = data
            differentiate = jax.value_and_grad(self.loss_and_updates, has_aux=True)
            (loss, (outputs, others)), grads = differentiate(trainable, others, x, y, training=True)
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            logs, metrics_variables = self.measured(metrics_variables, loss, y, outputs)
            return logs, (trainable, others, optimizer_variables, metrics_variables)

        def test_step(self, state, data):
            trainable, others, metrics_variables = state
            x, y = data
            loss, (outputs, others) = self.loss_and_updates(trainable, others, x, y)
            logs, metrics_variables = self.measured(metrics_variables, loss, y, outputs)
            return logs, (trainable, others, metrics_variables)

        def measured(self, metrics_variables, loss, y, outputs):
            logs, new = {}, []
            for metric in self.metrics:
                current = metrics_variables[len(new) : len(new) + len(metric.variables)]
                measured = (loss,) if metric.name == "loss" else (y, outputs)
                current = metric.stateless_update_state(current, *measured)
                logs[metric.name] = metric.stateless_result(current)
                new += current
            return logs, new

    return Guided


def own_metrics(module):
    """Return a class that computes its loss and lists its own metrics."""

    class Own(keras_step(module)):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = module.metrics.Mean(name="loss")
            self.mae = module.metrics.MeanAbsoluteError(name="mae")

        def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
            return jnp.mean((y - y_pred) ** 2)

        @property
        def metrics(self):
            return [self.loss_tracker, self.mae]

    return Own


def own_loss(module):
    """Return a class that overrides `compute_loss` and `compute_metrics` alone."""

    class Weighed(module.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 3 * jnp.mean((y_pred - y) ** 2) + sum(self.losses)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**results, "twice": 2 * results["mae"]}

    return Weighed


class TestSteps:
    @pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
    @pytest.mark.parametrize(
        ("make_class", "regularizer", "compiled"),
        [
            (keras_step, None, {"loss": "mse", "metrics": ["mae"]}),
            (own_metrics, None, {}),
            (own_loss, "l2", {"loss": "mse", "metrics": ["mae"]}),
        ],
    )
    def test_fit_and_evaluate_give_keras_numbers(
        self, make_class, regularizer, compiled, optimizer
    ):
        runs = []
        for module in (fjax, keras):
            model = make_model(module, make_class(module), regularizer)
            model.compile(optimizer=getattr(module.optimizers, optimizer)(0.05), **compiled)
            history = model.fit(
                X, Y, batch_size=8, epochs=4, shuffle=False, verbose=0, validation_data=(X, Y)
            )
            logs = model.evaluate(X, Y, verbose=0, return_dict=True)
            runs.append((history.history, logs, model.get_weights()))
        (history, logs, weights), (their_history, their_logs, their_weights) = runs
        assert history.keys() == their_history.keys()
        assert logs.keys() == their_logs.keys()
        for name in history:
            np.testing.assert_allclose(history[name], their_history[name], rtol=1e-3)
        for name in logs:
            np.testing.assert_allclose(logs[name], float(their_logs[name]), rtol=1e-3)
        for one, other in zip(weights, their_weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)

    def test_metrics_have_their_values_after_fit(self):
        model = make_model(fjax, own_metrics(fjax))
        model.compile("sgd")
        logs = model.fit(X, Y, verbose=0, epochs=2).history
        assert float(model.mae.result()) == pytest.approx(logs["mae"][-1], rel=1e-6)
        assert model.metrics_names == ["loss", "mae"]
        model.reset_metrics()
        assert float(model.mae.result()) == 0.0

    def test_the_result_does_not_depend_on_a_batch_hook(self):
        class Hook(fjax.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                assert np.isfinite(float(logs["loss"]))

        runs = []
        for callbacks in ([], [Hook()]):
            model = make_model(fjax, keras_step(fjax))
            model.compile("adam", "mse", metrics=["mae"])
            model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
            runs.append(model.get_weights())
        for one, other in zip(*runs, strict=True):
            np.testing.assert_array_equal(one, other)

    def test_add_loss_needs_no_compiled_loss(self):
        runs = []
        for module in (fjax, keras):

            class Penalized(module.layers.Layer):
                def call(self, inputs):
                    self.add_loss(jnp.mean(inputs**2))
                    return inputs

            inputs = module.Input((5,))
            outputs = Penalized()(module.layers.Dense(4)(inputs))
            model = module.Model(inputs, outputs)
            model.set_weights(WEIGHTS[:2])
            model.compile(optimizer=module.optimizers.SGD(0.1))
            runs.append(model.fit(X, batch_size=8, epochs=3, shuffle=False, verbose=0).history)
        np.testing.assert_allclose(runs[0]["loss"], runs[1]["loss"], rtol=1e-5)

    def test_a_step_of_the_wrong_form_is_explained(self):
        class Wrong(fjax.Model):
            def train_step(self, data):
                return {}

        model = make_model(fjax, Wrong)
        model.compile("sgd", "mse")
        with pytest.raises(TypeError, match=r"write `train_step\(self, state, data\)` and return"):
            model.fit(X, Y)

    def test_a_step_that_returns_no_state_is_explained(self):
        class Wrong(fjax.Model):
            def train_step(self, state, data):
                return {"loss": 0.0}

        model = make_model(fjax, Wrong)
        model.compile("sgd", "mse")
        with pytest.raises(TypeError, match=r"must return the pair `\(logs, state\)`.*a dict"):
            model.fit(X, Y)

    def test_without_any_loss_the_error_says_so(self):
        model = make_model(fjax)
        model.compile("sgd")
        with pytest.raises(ValueError, match="Training needs a loss"):
            model.fit(X, Y)

    def test_a_change_of_trainable_needs_compile(self):
        model = make_model(fjax, keras_step(fjax))
        model.compile("sgd", "mse")
        model.layers[1].trainable = False
        with pytest.raises(RuntimeError, match="changed after `compile`"):
            model.fit(X, Y, verbose=0)

    def test_a_predict_step_computes_the_predictions(self):
        def predictions(library):
            class Own(library.Model):
                def predict_step(self, state, data):
                    outputs, others = super().predict_step(state, data)
                    return {"outputs": outputs, "positive": outputs > 0}, others

            return make_model(library, Own).predict(X, batch_size=5, verbose=0)

        ours, theirs = predictions(fjax), predictions(keras)
        np.testing.assert_allclose(ours["outputs"], theirs["outputs"], rtol=1e-5)
        np.testing.assert_array_equal(ours["positive"], theirs["positive"])

    def test_a_predict_step_of_another_form_raises(self):
        class Own(fjax.Model):
            def predict_step(self, data):
                return data

        with pytest.raises(TypeError, match=r"write `predict_step\(self, state, data\)`"):
            make_model(fjax, Own).predict(X)

        class Bare(fjax.Model):
            def predict_step(self, state, data):
                return data

        with pytest.raises(TypeError, match=r"must return the pair `\(outputs, non_trainable"):
            make_model(fjax, Bare).predict(X)


class TestCompiledOptimizer:
    def test_apply_trains_the_model(self):
        model = make_model(fjax)
        model.compile(fjax.optimizers.SGD(0.5), "mse")
        bias = model.trainable_variables[-1]
        before = float(bias[0])
        model.optimizer.apply_gradients([(jnp.ones(1), bias)])
        assert float(bias[0]) == pytest.approx(before - 0.5)
        assert int(model.optimizer.iterations) == 1

    def test_the_object_of_the_user_shows_the_state_of_the_model(self):
        optimizer = fjax.optimizers.Adam(0.1)
        optimizer.learning_rate = 0.25
        model = make_model(fjax)
        model.compile(optimizer, "mse")
        assert model.optimizer.learning_rate == 0.25
        optimizer.learning_rate.assign(0.5)
        assert model.optimizer.learning_rate == 0.5
        model.fit(X, Y, batch_size=8, verbose=0)
        assert int(optimizer.iterations) == 5
        assert float(jnp.abs(optimizer.variables[2].value).sum()) > 0

    def test_a_callback_assigns_the_rate(self):
        class Halve(fjax.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                rate = self.model.optimizer.learning_rate
                rate.assign(rate * 0.5)

        model = make_model(fjax)
        model.compile(fjax.optimizers.SGD(0.5), "mse")
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[Halve()])
        assert model.optimizer.learning_rate.numpy() == 0.0625

    def test_an_optimizer_of_optax_has_variables_too(self):
        import optax

        model = make_model(fjax)
        model.compile(optax.adam(0.1), "mse")
        assert len(model.optimizer.variables) == 1 + 2 * len(model.trainable_variables)
        grads = [jnp.ones(v.shape) for v in model.trainable_variables]
        params, _ = model.optimizer.stateless_apply(
            model.optimizer.variables, grads, model.trainable_variables
        )
        np.testing.assert_allclose(params[-1], WEIGHTS[-1] - 0.1, rtol=1e-4)


def test_compute_output_shape_is_keras():
    for module in (fjax, keras):
        assert make_model(module).compute_output_shape((None, 5)) == (None, 1)
        assert make_model(module).compute_output_shape((7, 5)) == (7, 1)


def test_a_step_in_keras_form_trains_a_sequential_inside_of_a_model():
    class Outer(fjax.Model):
        def __init__(self):
            super().__init__()
            self.inner = fjax.Sequential([fjax.Input((3,)), fjax.layers.Dense(1)])

        def call(self, inputs):
            return self.inner(inputs)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ((y - y_pred) ** 2).mean()

    model = Outer()
    model.compile("adam")
    x = np.ones((8, 3), "float32")
    losses = model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"]
    assert losses[2] < losses[1] < losses[0]
