"""A training loop of one's own: stateless calls of model, optimizer and metrics in `jax.jit`."""

import jax
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def test_a_loop_of_stateless_calls(compare, fill, data):
    x, y = data

    def program(library):
        inputs = library.Input((8,))
        hidden = library.layers.Dense(6, "relu", use_bias=False)(inputs)
        hidden = library.layers.BatchNormalization()(hidden)
        model = fill(library.Model(inputs, library.layers.Dense(3)(hidden)))
        loss_fn = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = library.optimizers.Adam(learning_rate=1e-2)
        metric = library.metrics.SparseCategoricalAccuracy()
        optimizer.build(model.trainable_variables)

        def loss_and_updates(trainable, non_trainable, metric_variables, x, y):
            y_pred, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
            metric_variables = metric.stateless_update_state(metric_variables, y, y_pred)
            return loss_fn(y, y_pred), (non_trainable, metric_variables)

        gradient = jax.value_and_grad(loss_and_updates, has_aux=True)

        @jax.jit
        def train_step(state, x, y):
            trainable, non_trainable, optimizer_variables, metric_variables = state
            (loss, (non_trainable, metric_variables)), grads = gradient(
                trainable, non_trainable, metric_variables, x, y
            )
            trainable, optimizer_variables = optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            return loss, (trainable, non_trainable, optimizer_variables, metric_variables)

        parts = (model.trainable_variables, model.non_trainable_variables)
        parts += (optimizer.variables, metric.variables)
        state = tuple([variable.value for variable in part] for part in parts)
        losses = []
        for _ in range(2):
            for start in range(0, 64, 16):
                loss, state = train_step(state, x[start : start + 16], y[start : start + 16])
                losses.append(loss)
        for part, values in zip(parts, state, strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)
        return losses, metric.result(), model.get_weights(), model.predict(x, verbose=0)

    losses, accuracy, *_ = compare(program, rtol=1e-4, atol=1e-5)
    assert losses[-1] < losses[0] and 0 < accuracy <= 1


def test_the_losses_of_layers(compare, fill, data):
    x, _ = data

    def program(library):
        class Activity(library.layers.Layer):
            def call(self, inputs):
                self.add_loss(1e-2 * library.ops.sum(library.ops.abs(inputs)))
                return inputs

        inputs = library.Input((8,))
        outputs = library.layers.Dense(2, kernel_regularizer="l2")(Activity()(inputs))
        model = fill(library.Model(inputs, outputs))
        trainable = [v.value for v in model.trainable_variables]

        @jax.jit
        def penalties(trainable, x):
            _, _, losses = model.stateless_call(trainable, [], x, return_losses=True)
            return sum(losses)

        return penalties(trainable, x), jax.grad(penalties)(trainable, x)

    compare(program)


def test_gradients_are_applied_to_the_variables(compare, fill, data):
    x, _ = data

    def program(library):
        model = fill(library.Sequential([library.Input((8,)), library.layers.Dense(1)]))
        optimizer = library.optimizers.SGD(0.1, momentum=0.9)

        def loss(trainable):
            y_pred, _ = model.stateless_call(trainable, [], x)
            return library.ops.mean(library.ops.square(y_pred - 1))

        values = []
        for _ in range(3):
            trainable = [v.value for v in model.trainable_variables]
            value, grads = jax.value_and_grad(loss)(trainable)
            optimizer.apply(grads, model.trainable_variables)
            values.append(value)
        return values, model.get_weights(), optimizer.iterations.numpy()

    values, *_ = compare(program)
    assert values[2] < values[0]
