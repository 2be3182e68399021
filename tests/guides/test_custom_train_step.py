"""`train_step(state, data)` and `test_step(state, data)` of a subclass, in Keras's form for JAX."""

import jax
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def own_step_model(library):
    class OwnSteps(library.Model):
        def _loss_and_state(self, trainable, non_trainable, x, y, sample_weight, training):
            y_pred, non_trainable = self.stateless_call(
                trainable, non_trainable, x, training=training
            )
            loss = self.compute_loss(x, y, y_pred, sample_weight=sample_weight)
            return loss, (y_pred, non_trainable)

        def train_step(self, state, data):
            trainable, non_trainable, optimizer_variables, metrics_variables = state
            x, y, sample_weight = library.utils.unpack_x_y_sample_weight(data)
            gradient = jax.value_and_grad(self._loss_and_state, has_aux=True)
            (loss, (y_pred, non_trainable)), grads = gradient(
                trainable, non_trainable, x, y, sample_weight, True
            )
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            logs, updated = self._measure(metrics_variables, loss, y, y_pred, sample_weight)
            return logs, (trainable, non_trainable, optimizer_variables, updated)

        def test_step(self, state, data):
            trainable, non_trainable, metrics_variables = state
            x, y, sample_weight = library.utils.unpack_x_y_sample_weight(data)
            loss, (y_pred, non_trainable) = self._loss_and_state(
                trainable, non_trainable, x, y, sample_weight, False
            )
            logs, updated = self._measure(metrics_variables, loss, y, y_pred, sample_weight)
            return logs, (trainable, non_trainable, updated)

        def _measure(self, metrics_variables, loss, y, y_pred, sample_weight):
            logs, updated = {}, []
            for metric in self.metrics:
                count = len(metric.variables)
                mine, metrics_variables = metrics_variables[:count], metrics_variables[count:]
                if metric.name == "loss":
                    mine = metric.stateless_update_state(mine, loss)
                else:
                    mine = metric.stateless_update_state(mine, y, y_pred, sample_weight)
                logs[metric.name] = metric.stateless_result(mine)
                updated += mine
            return logs, updated

    return OwnSteps


def made(library, fill):
    inputs = library.Input((8,))
    hidden = library.layers.Dense(6, "tanh", use_bias=False)(inputs)
    hidden = library.layers.BatchNormalization()(hidden)
    model = own_step_model(library)(inputs, library.layers.Dense(1)(hidden))
    fill(model)
    model.compile(library.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return model


def test_fit_and_evaluate_use_the_steps(compare, fill, data):
    x, _ = data

    def program(library):
        model = made(library, fill)
        fit = model.fit(x, x[:, :1], batch_size=16, epochs=2, shuffle=False, verbose=0)
        scores = model.evaluate(x, x[:, :1], batch_size=16, verbose=0, return_dict=True)
        return fit.history, scores, model.get_weights()

    history, *_ = compare(program, rtol=1e-4, atol=1e-5)
    assert history["loss"][1] < history["loss"][0]


def test_the_weights_of_samples_reach_the_steps(compare, fill, data):
    x, _ = data
    weights = abs(x[:, 1])

    def program(library):
        model = made(library, fill)
        return model.fit(
            x, x[:, :1], sample_weight=weights, batch_size=16, shuffle=False, verbose=0
        ).history

    compare(program, rtol=1e-4, atol=1e-5)


def test_compute_loss_of_a_subclass(compare, fill, data):
    x, _ = data

    def program(library):
        class OwnLoss(library.Model):
            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
                return library.ops.mean(library.ops.square(y - y_pred)) + 0.5

        inputs = library.Input((8,))
        model = fill(OwnLoss(inputs, library.layers.Dense(1)(inputs)))
        model.compile("sgd")
        fit = model.fit(x, x[:, :1], batch_size=16, epochs=2, shuffle=False, verbose=0)
        return fit.history, model.get_weights()

    assert compare(program)[0]["loss"][0] > 0.5


def test_a_trainer_of_another_model(compare, fill, data):
    x, _ = data

    def program(library):
        inputs = library.Input((8, 1))
        hidden = library.layers.Dropout(0.0)(library.layers.Flatten()(inputs))
        wrapped = library.Model(inputs, library.layers.Dense(1)(hidden))

        class Trainer(own_step_model(library)):
            def __init__(self):
                super().__init__()
                self.wrapped = wrapped

            def call(self, x, training=False):
                return self.wrapped(x, training=training)

        trainer = Trainer()
        fill(wrapped)
        trainer.compile(library.optimizers.Adam(0.01), "mse")
        fit = trainer.fit(x, x[:, :1], batch_size=16, epochs=2, shuffle=False, verbose=0)
        return fit.history, wrapped.get_weights()

    compare(program)


def test_the_loss_of_given_variables(compare, fill, data):
    """The step of the guide calls `stateless_compute_loss`, and so may any loop."""
    x, _ = data

    def program(library):
        class OwnStep(library.Model):
            def loss_and_updates(self, trainable, others, metrics, x, y, training):
                y_pred, others = self.stateless_call(trainable, others, x, training=training)
                loss, (_, others, metrics) = self.stateless_compute_loss(
                    trainable, others, metrics, x=x, y=y, y_pred=y_pred, training=training
                )
                return loss, (others, metrics)

            def compute_loss(self, inputs, targets, outputs, weights):
                return super().compute_loss(inputs, targets, outputs, weights) + 0.5

            def train_step(self, state, data):
                trainable, others, optimizer_variables, metrics = state
                differentiate = jax.value_and_grad(self.loss_and_updates, has_aux=True)
                (loss, (others, metrics)), grads = differentiate(
                    trainable, others, metrics, *data, training=True
                )
                trainable, optimizer_variables = self.optimizer.stateless_apply(
                    optimizer_variables, grads, trainable
                )
                metrics = self.metrics[0].stateless_update_state(metrics, loss)
                logs = {"loss": self.metrics[0].stateless_result(metrics)}
                return logs, (trainable, others, optimizer_variables, metrics)

        inputs = library.Input((8,))
        hidden = library.layers.Dense(6, "tanh", kernel_regularizer=library.regularizers.L2(0.1))
        model = fill(OwnStep(inputs, library.layers.Dense(1)(hidden(inputs))))
        model.compile(library.optimizers.Adam(0.01), "mse")

        kinds = model.trainable_variables, model.non_trainable_variables, model.metrics_variables
        arrays = [[variable.value for variable in variables] for variables in kinds]
        _, grads = jax.value_and_grad(model.loss_and_updates, has_aux=True)(
            *arrays, x, x[:, :1], training=False
        )
        fit = model.fit(x, x[:, :1], batch_size=16, epochs=2, shuffle=False, verbose=0)
        return fit.history, grads, model.get_weights()

    compare(program)
