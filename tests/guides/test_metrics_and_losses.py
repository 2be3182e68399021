"""Metrics and losses alone, as tutorials show them before a model is there."""

import numpy as np
import pytest

pytestmark = pytest.mark.sampled(3, whole=True)


def test_a_metric_is_updated_read_and_reset(compare):
    def program(library):
        metric = library.metrics.BinaryAccuracy(threshold=0.4)
        metric.update_state([1, 1, 0, 0], [0.98, 0.3, 0.45, 0.1])
        first = float(metric.result())
        metric.update_state([1, 1, 0, 0], [0.98, 1, 0, 0.6], sample_weight=[1, 0, 0, 1])
        second = float(metric.result())
        metric.reset_state()
        return first, second, float(metric.result()), len(metric.variables)

    assert compare(program)[:2] == (0.5, 0.5)


def test_a_subclass_of_mean(compare):
    def program(library):
        class Centered(library.metrics.Mean):
            def update_state(self, y_true, y_pred, sample_weight=None):
                values = library.ops.abs(y_true - y_pred) - 1.0
                return super().update_state(values, sample_weight=sample_weight)

        metric = Centered(name="centered")
        metric.update_state(np.arange(4.0), np.ones(4))
        metric.update_state(np.arange(4.0), np.zeros(4), sample_weight=np.arange(4.0))
        return metric.result(), metric.name

    compare(program)


def test_reductions_and_weights_of_a_loss(compare):
    y_true, y_pred = np.array([[0.0, 1], [1, 1]]), np.array([[0.4, 0.6], [0.3, 0.9]])

    def program(library):
        losses = library.losses
        values = [
            losses.BinaryCrossentropy(reduction=reduction)(y_true, y_pred)
            for reduction in ("sum_over_batch_size", "sum", None)
        ]
        weighted = losses.MeanSquaredError()(y_true, y_pred, sample_weight=[0.7, 0.3])
        return values, weighted, losses.mean_squared_error(y_true, y_pred)

    compare(program)


def test_a_stateless_metric(compare):
    def program(library):
        metric = library.metrics.MeanSquaredError()
        variables = [variable.value for variable in metric.variables]
        for scale in (1.0, 2.0):
            variables = metric.stateless_update_state(variables, [[1.0]], [[scale]])
        return metric.stateless_result(variables), metric.result()

    compare(program)


def test_configurations_of_losses_and_metrics(compare):
    def program(library):
        loss = library.losses.deserialize(
            library.losses.serialize(library.losses.BinaryCrossentropy(label_smoothing=0.2))
        )
        metric = library.metrics.get("mae")
        return loss([[0.0, 1.0]], [[0.2, 0.4]]), metric([[0.0, 5.0]], [[1.0, 1.0]])

    compare(program)
