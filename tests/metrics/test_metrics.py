"""Properties of all metrics, and of single ones."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import losses, metrics
from fjax.metrics.metric import Metric
from fjax.metrics.reduction import MeanOfValues

OPTIONS = {
    "MeanIoU": {"num_classes": 3, "sparse_y_true": False, "sparse_y_pred": False},
    "IoU": {
        "num_classes": 3,
        "target_class_ids": [0, 2],
        "sparse_y_true": False,
        "sparse_y_pred": False,
    },
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 3},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "AUC": {"multi_label": True},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2},
}
NAMES = sorted(
    name
    for name in dir(metrics)
    if isinstance(getattr(metrics, name), type)
    and name not in ("Metric", "FunctionMetric", "MeanMetricWrapper", "Mean", "Sum")
)


def make(name, /, **more):
    return getattr(metrics, name)(**OPTIONS.get(name, {}), **more)


def batch(name, seed=0, rows=8):
    """Return targets and predictions for a metric."""
    random = np.random.default_rng(seed)
    y_pred = random.dirichlet(np.ones(3), rows).astype(np.float32)
    labels = random.integers(0, 3, rows)
    return (labels if name.startswith("Sparse") else np.eye(3)[labels]), y_pred


def as_specs(arrays):
    return [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]


@pytest.mark.parametrize("name", NAMES)
class TestEveryMetric:
    def test_init_returns_numpy_zeros(self, name):
        accumulator = make(name).init(*as_specs(batch(name)))
        assert isinstance(accumulator, dict)
        for leaf in jax.tree.leaves(accumulator):
            assert isinstance(leaf, np.ndarray)
            assert leaf.dtype == np.float32
            assert not leaf.any()

    def test_a_compiled_loop_and_update_state_give_the_same_result(self, name):
        metric = make(name)
        batches = [batch(name, seed) for seed in range(3)]
        start = metric.init(*as_specs(batches[0]))
        stacked = tuple(np.stack(arrays) for arrays in zip(*batches, strict=True))

        @jax.jit
        def run(accumulator, stacked):
            def step(accumulator, pair):
                return metric.update(accumulator, *pair), None

            return jax.lax.scan(step, jax.tree.map(jnp.asarray, accumulator), stacked)[0]

        compiled = run(start, stacked)
        assert jax.tree.structure(compiled) == jax.tree.structure(start)
        for before, after in zip(jax.tree.leaves(start), jax.tree.leaves(compiled), strict=True):
            assert (before.shape, before.dtype) == (after.shape, after.dtype)
        value = jax.jit(lambda accumulator: metric.result(accumulator))(compiled)
        for y_true, y_pred in batches:
            metric.update_state(y_true, y_pred)
        np.testing.assert_allclose(metric.result(), value, rtol=1e-5, atol=1e-7)

    def test_accumulators_of_two_devices_can_be_added(self, name):
        metric = make(name)
        y_true, y_pred = batch(name)
        start = metric.init(y_true, y_pred)
        halves = [
            metric.update(start, y_true[half], y_pred[half]) for half in (slice(5), slice(5, 8))
        ]
        added = jax.tree.map(jnp.add, *halves)
        whole = metric.update(start, y_true, y_pred)
        np.testing.assert_allclose(metric.result(added), metric.result(whole), rtol=1e-5)

    def test_weights_of_1_change_nothing_and_weights_of_0_leave_samples_out(self, name):
        metric = make(name)
        y_true, y_pred = batch(name)
        start = metric.init(y_true, y_pred)
        plain = metric.result(metric.update(start, y_true, y_pred))
        ones = metric.result(metric.update(start, y_true, y_pred, np.ones(8)))
        np.testing.assert_allclose(ones, plain, rtol=1e-6)
        twice = tuple(np.concatenate([array, array[::-1]]) for array in (y_true, y_pred))
        half = np.repeat([1.0, 0.0], 8)
        weighted = metric.result(metric.update(start, *twice, half))
        np.testing.assert_allclose(weighted, plain, rtol=1e-6)

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
    def test_half_precision_is_accumulated_in_float32(self, name, dtype):
        metric = make(name)
        y_true, y_pred = batch(name)
        half = jnp.asarray(y_pred, dtype)
        start = metric.init(y_true, half)
        accumulator = metric.update(start, y_true, half)
        assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(accumulator))
        same = metric.update(start, y_true, half.astype(jnp.float32))
        np.testing.assert_allclose(metric.result(accumulator), metric.result(same), rtol=1e-6)

    def test_accumulators_are_float32_for_float64_data(self, name):
        metric = make(name)
        with jax.enable_x64(True):
            y_true, y_pred = batch(name)
            start = metric.init(y_true, y_pred)
            for weights in (None, np.ones(8)):
                accumulator = metric.update(start, y_true, y_pred.astype(np.float64), weights)
                assert {leaf.dtype.name for leaf in jax.tree.leaves(accumulator)} == {"float32"}

    def test_does_not_broadcast_targets_against_predictions(self, name):
        metric = make(name) if name != "AUC" else metrics.AUC()
        wide, narrow = np.ones((32, 3), np.float32), np.ones((32, 2), np.float32)
        start = metric.init(wide, wide)
        y_true, y_pred = (wide, wide) if name.startswith("Sparse") else (wide, narrow)
        if "IoU" in name and name != "BinaryIoU":
            y_true, y_pred = wide, np.ones((31, 3), np.float32)
        with pytest.raises(ValueError, match=r"does not fit y_pred of shape"):
            metric.update(start, y_true, y_pred)

    def test_weights_of_another_shape_raise(self, name):
        metric = make(name)
        y_true, y_pred = batch(name)
        with pytest.raises(ValueError, match=rf"`{name}`: sample_weight of shape \(5,\)"):
            metric.update(metric.init(y_true, y_pred), y_true, y_pred, np.ones(5))

    def test_variables_are_not_part_of_the_configuration(self, name):
        metric, fresh = make(name), make(name)
        before = (repr(metric), hash(metric), metric.get_config())
        metric.update_state(*batch(name))
        assert (repr(metric), hash(metric), metric.get_config()) == before
        assert metric == fresh
        assert type(metric).from_config(metric.get_config()) == metric
        assert copy.deepcopy(metric) == metric
        first = np.asarray(metric.result())
        metric.reset_state()
        np.testing.assert_array_equal(metric(*batch(name)), first)

    def test_update_state_raises_inside_a_trace(self, name):
        metric = make(name)
        with pytest.raises(TypeError, match=r"use the pure `init`, `update` and `result`"):
            jax.jit(metric.update_state)(*batch(name))
        assert metric == make(name)

    def test_a_misspelled_argument_raises(self, name):
        with pytest.raises(TypeError, match=f"`{name}` takes no argument `nmae`"):
            make(name, nmae="mine")
        with pytest.raises(TypeError, match="`name` must be a string"):
            make(name, name=3)


@pytest.mark.parametrize("name", ["F1Score", "FBetaScore", "R2Score", "AUC"])
def test_a_metric_with_a_sum_for_each_output_needs_predictions(name):
    metric = make(name)
    with pytest.raises(ValueError, match=f"`{name}` keeps a sum for each output"):
        metric.init()
    with pytest.raises(ValueError, match="call `update_state` first"):
        metric.result()
    with pytest.raises(ValueError, match=f"`{name}` needs predictions of shape"):
        metric.update_state(np.ones(4), np.ones(4))


@pytest.mark.short
def test_the_result_before_the_first_batch_is_0():
    assert metrics.Mean().result() == 0
    assert metrics.MeanSquaredError().result() == 0
    assert metrics.Precision().result() == 0
    assert metrics.AUC().result() == 0
    assert metrics.MeanIoU(2).result() == 0


@pytest.mark.short
def test_mean_and_sum_of_values():
    mean, total = metrics.Mean("loss"), metrics.Sum()
    for value in (1.0, 2.0, 6.0):
        mean.update_state(value)
        total.update_state(value)
    assert (mean.result(), total.result(), mean.name) == (3.0, 9.0, "loss")
    accumulator = mean.update(mean.init(), jnp.array([1.0, 3.0]), sample_weight=[3.0, 1.0])
    assert mean.result(accumulator) == 1.5


def test_a_weight_of_a_sample_weights_all_its_steps():
    y_true, y_pred = np.zeros((2, 2, 1)), np.array([[[1.0], [1.0]], [[3.0], [3.0]]])
    assert metrics.MeanAbsoluteError()(y_true, y_pred, [3.0, 1.0]) == 1.5
    assert metrics.BinaryAccuracy()([[0, 0], [1, 1]], [[1.0, 1.0], [1.0, 1.0]], [3.0, 1.0]) == 0.25


@pytest.mark.parametrize(
    ("make_metric", "message"),
    [
        (lambda: metrics.AUC(curve="RCO"), "`curve` must be one of.*Did you mean `ROC`"),
        (lambda: metrics.AUC(summation_method="middle"), "`summation_method` must be one of"),
        (
            lambda: metrics.AUC(num_thresholds=1),
            "`num_thresholds` must be an integer of at least 2",
        ),
        (lambda: metrics.AUC(thresholds=[0.5, 2.0]), "`thresholds` must be numbers from 0 to 1"),
        (lambda: metrics.AUC(num_labels=3), "`num_labels` belongs to `multi_label=True`"),
        (lambda: metrics.AUC(label_weights=[1.0, -1.0]), "`label_weights` must be numbers"),
        (lambda: metrics.Precision(thresholds=1.5), "`thresholds` must be numbers from 0 to 1"),
        (lambda: metrics.Precision(thresholds=[]), "`thresholds` must be numbers from 0 to 1"),
        (lambda: metrics.Recall(top_k=0), "`top_k` must be an integer of at least 1"),
        (lambda: metrics.Recall(class_id=-1), "`class_id` must be an integer of at least 0"),
        (lambda: metrics.TopKCategoricalAccuracy(0), "`k` must be an integer of at least 1"),
        (lambda: metrics.F1Score("mean"), "`average` must be one of"),
        (lambda: metrics.F1Score(threshold=0.0), r"`threshold` must be a number in \(0, 1\]"),
        (lambda: metrics.FBetaScore(beta=0.0), "`beta` must be a number in"),
        (lambda: metrics.R2Score("mean"), "`class_aggregation` must be one of"),
        (lambda: metrics.R2Score(num_regressors=-1), "`num_regressors` must be an integer"),
        (lambda: metrics.IoU(2, [2]), "`target_class_ids` must be a list of classes from 0 to 1"),
        (lambda: metrics.OneHotIoU(2, []), "`OneHotIoU`: `target_class_ids` must be a list of"),
        (lambda: metrics.BinaryIoU(1), "`BinaryIoU`: `target_class_ids` must be a list of"),
        (lambda: metrics.BinaryIoU(threshold="half"), "`threshold` must be a number"),
        (lambda: metrics.OneHotMeanIoU(0), "`num_classes` must be an integer of at least 1"),
        (lambda: metrics.PrecisionAtRecall(1.5), r"`recall` must be a number in \[0, 1\]"),
        (lambda: metrics.RecallAtPrecision(-1), "`precision` must be a number"),
        (lambda: metrics.SensitivityAtSpecificity(0.5, 0), "`num_thresholds` must be an integer"),
        (lambda: metrics.SpecificityAtSensitivity(0.5, class_id=-1), "`class_id` must be an"),
        (lambda: metrics.PearsonCorrelation(axis="last"), "`axis` must be one integer"),
        (lambda: metrics.MeanIoU(0), "`num_classes` must be an integer of at least 1"),
        (lambda: metrics.BinaryAccuracy(threshold="half"), "`threshold` must be a number"),
    ],
)
def test_invalid_arguments_raise(make_metric, message):
    with pytest.raises(ValueError, match=message):
        make_metric()


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (metrics.Precision(class_id=3), "`class_id` 3 needs predictions of shape"),
        (metrics.Recall(top_k=4), "`top_k` 4 needs predictions of shape"),
        (metrics.AUC(label_weights=[1.0, 2.0]), "`label_weights` has 2 weights"),
        (metrics.AUC(multi_label=True, num_labels=2), r"predictions of shape \(batch, 2\)"),
        (metrics.CategoricalAccuracy(), "sparse metric of the same name"),
        (metrics.PrecisionAtRecall(0.5, class_id=3), "`class_id` 3 needs predictions of shape"),
    ],
)
def test_data_that_do_not_fit_an_argument_raise(metric, message):
    y_true, y_pred = batch("")
    if isinstance(metric, metrics.CategoricalAccuracy):
        y_true = y_true.argmax(-1)
    with pytest.raises(ValueError, match=message):
        metric(y_true, y_pred)


def test_equal_arguments_in_other_forms_make_equal_metrics():
    assert metrics.AUC(curve="pr") == metrics.AUC(curve="PR")
    assert metrics.AUC(thresholds=[0.5, 0.2]) == metrics.AUC(thresholds=(0.2, 0.5))
    assert metrics.Precision(thresholds=[0.5]) == metrics.Precision(thresholds=np.array([0.5]))


def test_class_ids_that_half_precision_would_round_are_distinguished():
    scores = jnp.zeros((1, 400), "bfloat16").at[0, 257].set(1)
    assert metrics.SparseCategoricalAccuracy()([257], scores) == 1
    assert metrics.SparseCategoricalAccuracy()([256], scores) == 0


def test_the_adjusted_r2_of_too_few_samples_is_the_plain_r2():
    y_true, y_pred = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [2.0]])
    assert metrics.R2Score(num_regressors=2)(y_true, y_pred) == metrics.R2Score()(y_true, y_pred)


@pytest.mark.short
def test_weights_of_iou_are_not_rounded():
    assert metrics.MeanIoU(2)([0, 0, 1], [0, 1, 1], [0.5, 0.25, 0.5]) == pytest.approx(2 / 3, 1e-5)


def test_a_custom_metric_with_its_own_init():
    class HuberMetric(Metric):
        def __init__(self, threshold=1.0, **kwargs):
            super().__init__(**kwargs)
            self.threshold = threshold
            self.loss = losses.Huber(threshold, reduction="sum")

        def init(self, y_true=None, y_pred=None):
            return {"total": np.zeros((), np.float32), "count": np.zeros((), np.float32)}

        def update(self, accumulator, y_true, y_pred, sample_weight=None):
            return {
                "total": accumulator["total"] + self.loss(y_true, y_pred, sample_weight),
                "count": accumulator["count"] + y_true.shape[0],
            }

        def result(self, accumulator):
            return accumulator["total"] / accumulator["count"]

    metric = HuberMetric(2.0)
    assert metric.name == "huber_metric"
    assert metric([[2.0]], [[10.0]]) == 14.0
    assert metric([[0.0], [5.0]], [[1.0], [9.25]]) == 7.0
    assert metric.result({"total": 1.0, "count": 2.0}) == 0.5
    assert metric.result(accumulator={"total": 1.0, "count": 2.0}) == 0.5
    assert metric.get_config() == {"threshold": 2.0, "name": "huber_metric", "dtype": "float32"}
    metric.reset_state()
    assert metric([[2.0]], [[10.0]]) == 14.0


@pytest.mark.parametrize("method", ["init", "update", "result"])
def test_a_metric_without_one_of_its_functions_raises(method):
    arguments = {"init": (), "update": ({}, [1.0], [1.0]), "result": ({},)}[method]
    with pytest.raises(NotImplementedError, match=rf"`Metric` must override `{method}\("):
        getattr(Metric(), method)(*arguments)


def test_a_mean_of_values_without_values_raises():
    with pytest.raises(NotImplementedError, match=r"`MeanOfValues` must override `values\("):
        MeanOfValues()([1.0], [1.0])


def test_the_correlation_of_one_value_raises():
    y_true = np.arange(4.0)[:, None]
    with pytest.raises(ValueError, match=r"axis -1 of shape \(4, 1\) has one value.*`axis=0`"):
        metrics.PearsonCorrelation()(y_true, 2 * y_true)
    assert metrics.PearsonCorrelation(axis=0)(y_true, 2 * y_true) == pytest.approx(1)


def test_mean_metric_wrapper_may_be_subclassed():
    class Bias(metrics.MeanMetricWrapper):
        def __init__(self, name="bias"):
            super().__init__(lambda y_true, y_pred: y_pred - y_true, name=name)

    metric = Bias()
    assert metric([[0.0], [0.0]], [[1.0], [2.0]]) == 1.5
    assert metric.name == "bias"
