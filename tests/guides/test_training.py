"""`compile`, `fit`, `evaluate`, `predict`: weights of samples and classes, data, own metrics."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def classifier(library, fill, **compiled):
    model = library.Sequential(
        [
            library.Input((8,)),
            library.layers.Dense(6, activation="relu", kernel_regularizer="l2"),
            library.layers.Dense(3, name="predictions"),
        ]
    )
    fill(model)
    model.compile(
        **{
            "optimizer": library.optimizers.RMSprop(learning_rate=1e-2),
            "loss": library.losses.SparseCategoricalCrossentropy(from_logits=True),
            "metrics": [library.metrics.SparseCategoricalAccuracy()],
            **compiled,
        }
    )
    return model


@pytest.mark.parametrize("weighting", ["none", "classes", "samples"])
def test_weights_of_classes_and_samples(compare, fill, data, weighting):
    x, y = data
    sample_weight = np.where(y == 1, 2.0, 0.5).astype("float32")
    options = {
        "none": {"validation_data": (x[:8], y[:8])},
        "classes": {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
        "samples": {"sample_weight": sample_weight, "validation_split": 0.25},
    }[weighting]

    def program(library):
        model = classifier(library, fill, weighted_metrics=["accuracy"])
        fit = model.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0, **options)
        scores = model.evaluate(x, y, sample_weight=sample_weight, verbose=0, return_dict=True)
        return fit.history, scores, model.predict(x[:5], verbose=0)

    compare(program)


def test_the_batch_size_of_whole_batches_is_not_used(compare, fill, data):
    """The guide gives `batch_size=64` beside a `PyDataset` of batches of 32."""
    x, y = data

    def program(library):
        class Batches(library.utils.PyDataset):
            def __len__(self):
                return 4

            def __getitem__(self, index):
                rows = slice(16 * index, 16 * index + 16)
                return x[rows], y[rows]

        model = classifier(library, fill)
        fit = model.fit(
            Batches(), batch_size=64, validation_data=Batches(), shuffle=False, verbose=0
        )
        return fit.history

    with pytest.warns(UserWarning, match="`batch_size=64` has no effect"):
        compare(program)


def test_a_generator_and_single_batches(compare, fill, data):
    x, y = data

    def batches():
        for start in range(0, 64, 16):
            yield x[start : start + 16], y[start : start + 16]

    def program(library):
        model = classifier(library, fill)
        history = model.fit(batches(), shuffle=False, steps_per_epoch=4, verbose=0).history
        logs = model.train_on_batch(x[:16], y[:16], return_dict=True)
        return history, logs, model.test_on_batch(x[:16], y[:16]), model.predict_on_batch(x[:4])

    compare(program)


def test_a_loss_that_is_a_function_or_a_class(compare, fill, data):
    x, _ = data

    def program(library):
        def squared(y_true, y_pred):
            return library.ops.mean(library.ops.square(y_true - y_pred), axis=-1)

        class Regularized(library.losses.Loss):
            def __init__(self, factor=0.1, name="regularized"):
                super().__init__(name=name)
                self.factor = factor

            def call(self, y_true, y_pred):
                mse = library.ops.mean(library.ops.square(y_true - y_pred), axis=-1)
                penalty = library.ops.mean(library.ops.square(0.5 - y_pred), axis=-1)
                return mse + self.factor * penalty

        losses = []
        for loss in (squared, Regularized(), Regularized(0.5)):
            model = classifier(library, fill, loss=loss, metrics=None)
            losses += model.fit(x, x[:, :3], epochs=2, shuffle=False, verbose=0).history["loss"]
        return losses

    compare(program)


def test_a_metric_with_weights_of_its_own(compare, fill, data):
    x, y = data

    def program(library):
        class TruePositives(library.metrics.Metric):
            def __init__(self, name="true_positives", **kwargs):
                super().__init__(name=name, **kwargs)
                self.count = self.add_variable(shape=(), name="count", initializer="zeros")

            def update_state(self, y_true, y_pred, sample_weight=None):
                predicted = library.ops.reshape(library.ops.argmax(y_pred, axis=1), (-1, 1))
                correct = library.ops.equal(
                    library.ops.cast(y_true, "int32"), library.ops.cast(predicted, "int32")
                )
                correct = library.ops.cast(correct, "float32")
                if sample_weight is not None:
                    correct = correct * library.ops.cast(sample_weight, "float32")
                self.count.assign_add(library.ops.sum(correct))

            def result(self):
                return self.count.value

            def reset_state(self):
                self.count.assign(0)

        model = classifier(library, fill, metrics=[TruePositives()])
        fit = model.fit(x, y[:, None], batch_size=16, epochs=2, shuffle=False, verbose=0)
        alone = TruePositives()
        alone.update_state(y[:4, None], x[:4, :3])
        return fit.history, alone.result(), model.evaluate(x, y[:, None], verbose=0)

    counts = compare(program)[0]["true_positives"]
    assert counts[0] != counts[1]


def test_a_schedule_of_the_learning_rate(compare, fill, data):
    x, y = data

    def program(library):
        schedule = library.optimizers.schedules.ExponentialDecay(
            0.1, decay_steps=4, decay_rate=0.5, staircase=True
        )
        model = classifier(library, fill, optimizer=library.optimizers.SGD(schedule))
        fit = model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
        return fit.history, schedule(9)

    compare(program)


def test_losses_by_output_with_weights(compare, fill, data):
    x, y = data

    def program(library):
        layers = library.layers
        inputs = library.Input((8,))
        score = layers.Dense(1, name="score")(inputs)
        kind = layers.Dense(3, activation="softmax", name="kind")(inputs)
        model = fill(library.Model(inputs, [score, kind]))
        model.compile(
            library.optimizers.RMSprop(1e-3),
            loss=["mse", library.losses.SparseCategoricalCrossentropy()],
            metrics=[["mae"], ["accuracy"]],
            loss_weights=[2.0, 1.0],
        )
        fit = model.fit(x, [x[:, :1], y], batch_size=16, epochs=2, shuffle=False, verbose=0)
        return fit.history, model.evaluate(x, [x[:, :1], y], verbose=0)

    compare(program)
