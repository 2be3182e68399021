"""Metrics by name."""

import functools

import jax.numpy as jnp
import pytest

from fjax import losses, metrics


def bias(y_true, y_pred):
    return y_pred - y_true


def test_get_accepts_names_classes_objects_and_configurations():
    assert metrics.get(None) is None
    assert metrics.get("mae") == metrics.get("MAE") == metrics.MeanAbsoluteError()
    assert metrics.get("mean_absolute_error") == metrics.MeanAbsoluteError()
    assert metrics.get("accuracy") == metrics.Accuracy()
    assert metrics.get(metrics.AUC) == metrics.AUC()
    assert metrics.get(bias) is bias
    config = {"class_name": "AUC", "config": {"curve": "PR"}}
    assert metrics.get(config) == metrics.AUC(curve="PR")


def test_the_error_for_an_unknown_name_suggests_a_similar_one():
    with pytest.raises(ValueError, match="Did you mean `accuracy`"):
        metrics.get("acuracy")
    with pytest.raises(ValueError, match="Did you mean `accuracy`"):
        metrics.resolve("acuracy", (8,), (8, 3))
    with pytest.raises(TypeError, match="Expected the name of a known metric"):
        metrics.resolve(3, (8,), (8, 3))


@pytest.mark.parametrize("spelling", ["ce", "crossentropy"])
def test_the_shapes_and_the_loss_choose_the_crossentropy(spelling):
    resolve = metrics.resolve
    assert resolve(spelling, (8,), (8, 1)) == metrics.BinaryCrossentropy(spelling)
    assert resolve(spelling, (8,), (8, 3)) == metrics.SparseCategoricalCrossentropy(spelling)
    assert resolve(spelling, (8, 3), (8, 3)) == metrics.CategoricalCrossentropy(spelling)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    resolved = resolve(spelling, (8,), (8, 3), loss)
    assert resolved == metrics.SparseCategoricalCrossentropy(spelling, from_logits=True)


def test_predictions_without_a_last_axis_are_binary():
    assert metrics.resolve("acc", (8,), (8,)) == metrics.BinaryAccuracy("acc")


def test_a_function_becomes_a_mean():
    metric = metrics.resolve(bias, (8,), (8, 1))
    assert metric == metrics.FunctionMetric(bias)
    assert metric([1.0, 2.0], [[2.0], [4.0]]) == 1.5
    with pytest.raises(TypeError, match="needs a function"):
        metrics.FunctionMetric("bias")


def test_a_loss_among_the_metrics_is_averaged_over_batches():
    metric = metrics.resolve(losses.Huber(2.0), (8, 1), (8, 1))
    assert metric.name == "huber_loss"
    assert metric([[0.0]], [[1.0]]) == 0.5


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("acc", "acc"),
        ("MAE", "MAE"),
        (metrics.AUC(name="area"), "area"),
        (metrics.AUC, "auc"),
        (metrics.MeanIoU(2), "mean_io_u"),
        (bias, "bias"),
        (functools.partial(bias), "partial"),
        (losses.Huber(), "huber_loss"),
        (metrics.mean_squared_error, "mean_squared_error"),
        ({"class_name": "Recall", "config": {}}, "recall"),
    ],
)
def test_log_name(identifier, name):
    assert metrics.log_name(identifier) == name
    assert metrics.resolve(identifier, (8, 3), (8, 3)).name == name


def test_functions_of_metrics_and_losses_are_the_same():
    assert metrics.mean_squared_error is losses.mean_squared_error
    assert jnp.ndim(metrics.mean_squared_error([1.0], [1.0])) == 0
