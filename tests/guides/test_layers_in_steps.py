"""Layers and models that `compute_loss` or a step calls: a teacher, a head for training alone."""

import jax
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

STEP = {"batch_size": 16, "shuffle": False, "verbose": 0}


def distiller(library):
    """Return the model of Keras's example "Knowledge distillation"."""

    class Distiller(library.Model):
        def __init__(self, student, teacher):
            super().__init__()
            self.teacher = teacher
            self.student = student

        def compile(self, optimizer, metrics, student_loss, distillation_loss, alpha=0.1):
            super().compile(optimizer=optimizer, metrics=metrics)
            self.student_loss_fn = student_loss
            self.distillation_loss_fn = distillation_loss
            self.alpha = alpha

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            teacher_pred = self.teacher(x, training=False)
            distillation = self.distillation_loss_fn(
                library.ops.softmax(teacher_pred / 3, axis=1),
                library.ops.softmax(y_pred / 3, axis=1),
            )
            loss = self.student_loss_fn(y, y_pred)
            return self.alpha * loss + (1 - self.alpha) * distillation * 9

        def call(self, x):
            return self.student(x)

    return Distiller


def network(library, fill, units):
    layers = [library.layers.Dense(units, "relu"), library.layers.Dense(3)]
    return fill(library.Sequential([library.Input((8,)), *layers]))


def test_a_teacher_is_an_input_of_the_program(compare, fill, data):
    x, y = data

    def program(library):
        teacher, student = network(library, fill, 6), network(library, fill, 4)
        model = distiller(library)(student, teacher)
        model.compile(
            library.optimizers.SGD(0.1),
            [library.metrics.SparseCategoricalAccuracy()],
            library.losses.SparseCategoricalCrossentropy(from_logits=True),
            library.losses.KLDivergence(),
        )
        first = model.fit(x, y, epochs=2, **STEP).history
        teacher.set_weights([2 * w for w in teacher.get_weights()])
        second = model.fit(x, y, epochs=2, **STEP).history
        scores = model.evaluate(x, y, verbose=0, return_dict=True)
        counts = len(model.weights), len(model.trainable_weights)
        return first, second, scores, student.get_weights(), teacher.get_weights(), counts

    *_, counts = compare(program)
    assert counts == (8, 8)


def head_model(library, **options):
    layers = library.layers

    class WithHead(library.Model):
        def __init__(self):
            super().__init__()
            self.encoder = layers.Dense(5, use_bias=False)
            self.head = library.Sequential(
                [library.Input((5,)), layers.BatchNormalization(), layers.Dense(3, **options)]
            )

        def call(self, x):
            return self.encoder(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            outputs = self.head(y_pred, training=training)
            squares = library.ops.mean(library.ops.square(self.encoder.kernel))
            loss = library.ops.mean(library.ops.square(outputs - library.ops.one_hot(y, 3)))
            return loss + 0.3 * squares + sum(self.losses)

    return WithHead()


@pytest.mark.parametrize("options", [{}, {"kernel_regularizer": "l2"}])
def test_a_head_that_only_the_loss_calls_is_trained(compare, fill, data, options):
    x, y = data

    def program(library):
        model = head_model(library, **options)
        model(x[:1])
        fill(model)
        model.compile(library.optimizers.Adam(0.05))
        history = model.fit(x, y, epochs=3, **STEP).history
        return history["loss"], model.get_weights(), model.evaluate(x, y, verbose=0)

    loss, weights, _ = compare(program, rtol=1e-4, atol=1e-5)
    assert loss[2] < loss[0]
    # The moving mean of the head's `BatchNormalization`, which `compute_loss` alone moves.
    assert abs(weights[3] - 0.3).max() > 0.01


def test_the_model_itself_in_its_loss(compare, fill, data):
    x, _ = data

    def program(library):
        class Consistent(library.Model):
            def __init__(self):
                super().__init__()
                self.hidden = library.layers.Dense(4, "tanh")

            def call(self, x):
                return self.hidden(x)

            def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
                return library.ops.mean((self(2 * x) - 1 - y_pred) ** 2)

        model = Consistent()
        model(x[:1])
        fill(model)
        model.compile(library.optimizers.SGD(0.5))
        return model.fit(x, x, epochs=2, **STEP).history["loss"], model.get_weights()

    compare(program)


class Noisy(fjax.Model):
    def __init__(self):
        super().__init__()
        self.noise = fjax.random.SeedGenerator(3)
        self.dropout = fjax.layers.Dropout(0.5)
        self.dense = fjax.layers.Dense(1)

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        drawn = fjax.random.uniform((), seed=self.noise)
        kept = self.dropout(fjax.ops.ones((64,)), training=True)
        return fjax.ops.mean(0 * y_pred) + drawn + fjax.ops.sum(kept)


def test_draws_in_the_loss_differ_from_step_to_step(data):
    x, y = data
    losses = []
    for _ in range(2):
        model = Noisy()
        model.set_seed(1)
        model.compile("sgd")
        losses.append(model.fit(x[:8], y[:8], batch_size=8, epochs=4, verbose=0).history["loss"])
    assert len(set(losses[0])) == 4
    assert losses[0] == losses[1]


def own_step(calls, is_frozen=True):
    class Step(fjax.Model):
        def __init__(self, student, teacher):
            super().__init__()
            teacher.trainable = not is_frozen
            self.student, self.teacher = student, teacher

        def call(self, x):
            return self.student(x)

        def objective(self, trainable, others, x):
            outputs, others = self.stateless_call(trainable, others, x, training=True)
            return fjax.ops.mean((calls(self)(x) - outputs) ** 2), others

        def train_step(self, state, data):
            trainable, others, optimizer, metrics = state
            gradient = jax.value_and_grad(self.objective, has_aux=True)
            (loss, others), grads = gradient(trainable, others, data[0])
            trainable, optimizer = self.optimizer.stateless_apply(optimizer, grads, trainable)
            return {"loss": loss}, (trainable, others, optimizer, metrics)

    return Step


def test_a_frozen_teacher_in_a_step_is_an_input_of_the_program(fill, data):
    x, y = data
    teacher, student = network(fjax, fill, 6), network(fjax, fill, 4)
    model = own_step(lambda model: model.teacher)(student, teacher)
    model.compile(fjax.optimizers.SGD(0.0))
    expected = []
    for _ in range(2):
        (loss,) = model.fit(x, y, batch_size=64, verbose=0).history["loss"]
        expected.append(
            np.mean((teacher.predict(x, verbose=0) - student.predict(x, verbose=0)) ** 2)
        )
        np.testing.assert_allclose(loss, expected[-1], rtol=1e-5)
        teacher.set_weights([2 * w for w in teacher.get_weights()])
    assert expected[0] != expected[1]


@pytest.mark.parametrize("calls", [lambda m: m.student, lambda m: m.teacher])
def test_a_trained_layer_in_a_step_is_an_error(fill, data, calls):
    x, y = data
    step = own_step(calls, is_frozen=False)
    model = step(network(fjax, fill, 4), network(fjax, fill, 4))
    model.compile("sgd")
    with pytest.raises(TypeError, match=r"Step.train_step` used the weight .* outside of"):
        model.fit(x, y, verbose=0)


def test_what_a_step_assigns_is_an_error(fill, data):
    x, y = data

    class Step(own_step(lambda model: model.teacher)):
        def objective(self, trainable, others, x):
            self.seen.update_state(x)
            return super().objective(trainable, others, x)

    model = Step(network(fjax, fill, 4), network(fjax, fill, 4))
    model.seen = fjax.metrics.Mean(name="seen")
    model.compile("sgd")
    with pytest.raises(RuntimeError, match=r"`Step.train_step` assigned the variable .*total"):
        model.fit(x, y, verbose=0)


def test_a_layer_in_a_predict_step(fill, data):
    x, _ = data

    class Ensemble(own_step(lambda model: model.teacher)):
        def predict_step(self, state, data):
            trainable, others = state
            outputs, others = self.stateless_call(trainable, others, data, training=False)
            return outputs + self.teacher(data), others

    teacher, student = network(fjax, fill, 6), network(fjax, fill, 4)
    model = Ensemble(student, teacher)
    for _ in range(2):
        expected = student.predict(x, verbose=0) + teacher.predict(x, verbose=0)
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
        teacher.set_weights([2 * w for w in teacher.get_weights()])


def test_a_hidden_teacher_is_an_error(fill, data):
    x, y = data
    teacher = network(fjax, fill, 6)

    class Hidden(fjax.Model):
        def __init__(self):
            super().__init__()
            self.dense = fjax.layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return fjax.ops.mean((teacher(x) - y_pred) ** 2)

    model = Hidden()
    model.compile("sgd")
    with pytest.raises(TypeError, match="make the layer an attribute of the model"):
        model.fit(x, y, verbose=0)
