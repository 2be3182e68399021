"""Every metric beside Keras's own, on its JAX backend, over several updates."""

import inspect

import keras
import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    fbeta_score,
    jaccard_score,
    r2_score,
    roc_auc_score,
)

from fjax import metrics

NAMES_OF_OUR_OWN = {"FunctionMetric", "log_name", "resolve"}
KERAS_ONLY = {"deserialize", "serialize"}


def numbers(random, shape):
    return random.normal(size=shape), random.normal(size=shape) * 2


def positive(random, shape):
    return random.uniform(0.1, 5, shape), random.uniform(0.1, 5, shape)


def binary(random, shape):
    y_pred = random.uniform(size=shape)
    # Ties, ends, and values that lie on a threshold.
    y_pred.flat[:5] = [0.0, 1.0, 0.5, 0.25, 0.5]
    return random.integers(0, 2, shape), y_pred


def binary_logits(random, shape):
    return random.integers(0, 2, shape), random.normal(size=shape) * 3


def signs(random, shape):
    return random.integers(0, 2, shape) * 2 - 1, random.normal(size=shape)


def one_hot(random, shape):
    y_true = np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
    return y_true, random.dirichlet(np.ones(shape[-1]), shape[:-1])


def one_hot_logits(random, shape):
    return one_hot(random, shape)[0], random.normal(size=shape) * 5


def multi_hot(random, shape):
    return random.integers(0, 2, shape), random.uniform(size=shape)


def labels(random, shape):
    return random.integers(0, shape[-1], shape[:-1]), one_hot(random, shape)[1]


def labels_column(random, shape):
    y_true, y_pred = labels(random, shape)
    return y_true[..., None], y_pred


def sorted_ids(random, shape):
    y_true = random.integers(0, shape[-1], shape[:-1])
    return y_true, random.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)


def ids(random, shape):
    return random.integers(-1, 5, shape), random.integers(0, 5, shape)


def flat_beside_column(random, shape):
    y_true, y_pred = binary(random, shape)
    return y_true[:, 0], y_pred


SHAPES = [(9,), (9, 1), (9, 4), (9, 3, 4)]
WIDE = [(9, 4), (9, 3, 4)]
ROWS = [(9, 4)]
COLUMN = [(9, 1)]

CASES = {
    "Accuracy": [(ids, SHAPES, {})],
    "BinaryAccuracy": [(binary, SHAPES, {}), (binary, SHAPES, {"threshold": 0.25})],
    "CategoricalAccuracy": [(one_hot, WIDE, {})],
    "SparseCategoricalAccuracy": [(labels, WIDE, {}), (labels_column, WIDE, {})],
    "TopKCategoricalAccuracy": [(one_hot, WIDE, {"k": 2}), (one_hot, WIDE, {})],
    "SparseTopKCategoricalAccuracy": [
        (labels, WIDE, {"k": 2}),
        (labels_column, WIDE, {"k": 1}),
        (sorted_ids, ROWS, {"k": 2, "from_sorted_ids": True}),
    ],
    "MeanSquaredError": [(numbers, SHAPES, {})],
    "RootMeanSquaredError": [(numbers, SHAPES, {})],
    "MeanAbsoluteError": [(numbers, SHAPES, {})],
    "MeanAbsolutePercentageError": [(positive, SHAPES, {})],
    "MeanSquaredLogarithmicError": [(positive, SHAPES, {})],
    "LogCoshError": [(numbers, SHAPES, {})],
    "CosineSimilarity": [(numbers, SHAPES, {}), (numbers, [(9, 3, 4)], {"axis": 1})],
    "KLDivergence": [(one_hot, WIDE, {})],
    "Poisson": [(positive, SHAPES, {})],
    "Hinge": [(signs, SHAPES, {}), (binary_logits, SHAPES, {})],
    "SquaredHinge": [(signs, SHAPES, {}), (binary_logits, SHAPES, {})],
    "CategoricalHinge": [(one_hot_logits, WIDE, {})],
    "BinaryCrossentropy": [
        (binary, SHAPES, {}),
        (binary_logits, SHAPES, {"from_logits": True, "label_smoothing": 0.1}),
    ],
    "CategoricalCrossentropy": [
        (one_hot, WIDE, {}),
        (one_hot_logits, WIDE, {"from_logits": True, "label_smoothing": 0.1}),
        (one_hot_logits, [(9, 3, 4)], {"from_logits": True, "axis": 1}),
    ],
    "SparseCategoricalCrossentropy": [
        (labels, WIDE, {}),
        (labels_column, WIDE, {"from_logits": True}),
        (labels, WIDE, {"ignore_class": 1}),
    ],
    "R2Score": [
        (numbers, ROWS + COLUMN, {}),
        (numbers, ROWS, {"class_aggregation": None}),
        (numbers, ROWS, {"class_aggregation": "variance_weighted_average"}),
        (numbers, ROWS, {"num_regressors": 3}),
    ],
    "F1Score": [
        (one_hot, ROWS, {}),
        (multi_hot, ROWS, {"threshold": 0.4}),
        *((multi_hot, ROWS, {"average": average}) for average in ("micro", "macro", "weighted")),
        (multi_hot, COLUMN, {"threshold": 0.5}),
    ],
    "FBetaScore": [
        (one_hot, ROWS, {"beta": 2.0}),
        (multi_hot, ROWS, {"beta": 0.5, "threshold": 0.4, "average": "micro"}),
        (multi_hot, ROWS, {"beta": 0.5, "average": "weighted"}),
    ],
    "IoU": [
        (ids, SHAPES, {"num_classes": 4, "target_class_ids": [1, 3]}),
        (ids, ROWS, {"num_classes": 5, "target_class_ids": (0, 2), "ignore_class": 2}),
        (labels, ROWS, {"num_classes": 4, "target_class_ids": [0], "sparse_y_pred": False}),
    ],
    "OneHotIoU": [
        (one_hot, ROWS, {"num_classes": 4, "target_class_ids": [0, 3]}),
        (one_hot, ROWS, {"num_classes": 4, "target_class_ids": [1], "ignore_class": 2}),
    ],
    "OneHotMeanIoU": [(one_hot, WIDE, {"num_classes": 4})],
    "BinaryIoU": [
        (binary, SHAPES, {}),
        (binary, COLUMN, {"target_class_ids": [1], "threshold": 0.25}),
    ],
    "PearsonCorrelation": [(numbers, WIDE, {}), (numbers, [(9,), (9, 3, 4)], {"axis": 0})],
    "ConcordanceCorrelation": [(numbers, WIDE, {}), (numbers, [(9,), (9, 3, 4)], {"axis": 0})],
    **{
        name: [
            (binary, ROWS, {rate: 0.5}),
            (binary, ROWS, {rate: 0.8, "num_thresholds": few}),
            (one_hot, WIDE[:1], {rate: 0.4, "class_id": 2}),
        ]
        for name, rate, few in (
            ("PrecisionAtRecall", "recall", 1),
            ("RecallAtPrecision", "precision", 2),
            ("SensitivityAtSpecificity", "specificity", 3),
            ("SpecificityAtSensitivity", "sensitivity", 5),
        )
    },
    "MeanIoU": [
        (ids, SHAPES, {"num_classes": 4}),
        (ids, SHAPES, {"num_classes": 5, "ignore_class": 2}),
        (labels, ROWS, {"num_classes": 4, "sparse_y_pred": False}),
        (one_hot, ROWS, {"num_classes": 4, "sparse_y_pred": False, "sparse_y_true": False}),
    ],
    **{
        name: [
            (binary, SHAPES, {}),
            (flat_beside_column, COLUMN, {}),
            (binary, COLUMN, {"thresholds": 0.25}),
            (binary, ROWS, {"thresholds": [0.7, 0.25, 0.5]}),
            (binary, ROWS, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}),
        ]
        for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")
    },
    **{
        name: [
            (binary, SHAPES, {}),
            (flat_beside_column, COLUMN, {}),
            (binary, ROWS, {"thresholds": [0.7, 0.25]}),
            (binary, COLUMN, {"thresholds": list(np.linspace(0, 1, 11))}),
            (one_hot, WIDE, {"class_id": 2}),
            (one_hot, WIDE, {"top_k": 2}),
            (one_hot_logits, WIDE, {"top_k": 2, "class_id": 1}),
            (one_hot, WIDE, {"top_k": 2, "thresholds": 0.4}),
        ]
        for name in ("Precision", "Recall")
    },
    "AUC": [
        (binary, SHAPES, {}),
        (flat_beside_column, COLUMN, {}),
        *(
            (binary, COLUMN, {"curve": curve, "summation_method": method})
            for curve in ("ROC", "PR", "PRGAIN")
            for method in ("interpolation", "minoring", "majoring")
        ),
        (binary, COLUMN, {"num_thresholds": 5}),
        (binary, COLUMN, {"num_thresholds": 2}),
        (binary, COLUMN, {"thresholds": [0.8, 0.25, 0.5]}),
        (binary, COLUMN, {"thresholds": [0.25, 0.5, 0.75]}),
        (binary_logits, COLUMN, {"from_logits": True}),
        (binary, ROWS, {"label_weights": [0.1, 0.2, 0.3, 0.4]}),
        (binary, ROWS, {"multi_label": True}),
        (binary, ROWS, {"multi_label": True, "num_labels": 4, "curve": "PR"}),
        (binary, ROWS, {"multi_label": True, "label_weights": [0.1, 0.2, 0.3, 0.4]}),
        (binary, ROWS, {"multi_label": True, "thresholds": [0.8, 0.25]}),
    ],
}
FUNCTIONS = {
    "pearson_correlation": (numbers, {}),
    "concordance_correlation": (numbers, {"axis": 0}),
    "binary_accuracy": (binary, {"threshold": 0.3}),
    "categorical_accuracy": (one_hot, {}),
    "sparse_categorical_accuracy": (labels, {}),
    "top_k_categorical_accuracy": (one_hot, {"k": 2}),
    "sparse_top_k_categorical_accuracy": (labels_column, {"k": 2}),
    "binary_crossentropy": (binary, {}),
    "binary_focal_crossentropy": (binary, {}),
    "categorical_crossentropy": (one_hot, {}),
    "categorical_focal_crossentropy": (one_hot, {}),
    "sparse_categorical_crossentropy": (labels, {}),
    "categorical_hinge": (one_hot, {}),
    "hinge": (signs, {}),
    "squared_hinge": (signs, {}),
    "huber": (numbers, {"delta": 0.5}),
    "kl_divergence": (one_hot, {}),
    "log_cosh": (numbers, {}),
    "mean_absolute_error": (numbers, {}),
    "mean_absolute_percentage_error": (positive, {}),
    "mean_squared_error": (numbers, {}),
    "mean_squared_logarithmic_error": (positive, {}),
    "poisson": (positive, {}),
}
# Of arrays of one axis these take the mean over the batch: nothing is left to weight.
SCALAR_WITHOUT_COLUMN = {
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "LogCoshError",
    "CosineSimilarity",
    "Poisson",
    "Hinge",
    "SquaredHinge",
    "BinaryCrossentropy",
}
MATRIX_WEIGHTS = {
    "Accuracy",
    "BinaryAccuracy",
    "RootMeanSquaredError",
    "AUC",
    "Precision",
    "Recall",
}
# Correlations over the batch are no values of samples.
UNWEIGHTED = {"PearsonCorrelation", "ConcordanceCorrelation"}

FLAT = [
    pytest.param(name, data, shape, options, id=f"{name}-{data.__name__}-{shape}-{i}")
    for name, cases in CASES.items()
    for i, (data, shapes, options) in enumerate(cases)
    for shape in shapes
]


def batches(data, shape):
    """Two batches of different size."""
    for seed, size in ((0, shape[0]), (1, shape[0] - 2)):
        y_true, y_pred = data(np.random.default_rng(seed), (size, *shape[1:]))
        yield y_true, y_pred.astype(np.float32) if y_pred.dtype.kind == "f" else y_pred


def weights_for(name, shape, size):
    """None, one weight per sample, and one per element where Keras takes these."""
    random = np.random.default_rng(7)
    yield None
    if name in UNWEIGHTED:
        return
    if name in SCALAR_WITHOUT_COLUMN and len(shape) == 1:
        return
    per_sample = random.uniform(0, 2, size).astype(np.float32)
    if "IoU" in name:
        if len(shape) == 1:
            yield random.integers(0, 3, size)
        return
    if name == "SparseCategoricalCrossentropy":
        yield random.uniform(0, 2, (size, *shape[1:-1])).astype(np.float32)
        return
    if len(shape) == 3 and name in MATRIX_WEIGHTS | set(CONFUSION):
        yield random.uniform(0, 2, (size, *shape[1:])).astype(np.float32)
        return
    yield per_sample


CONFUSION = ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives")


def close(ours, theirs, rtol=2e-6, atol=1e-6):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def test_every_public_name_is_compared():
    listed = set(CASES) | set(FUNCTIONS) | {"Mean", "MeanMetricWrapper", "Sum", "Metric", "get"}
    assert set(metrics.__all__) - NAMES_OF_OUR_OWN == listed
    public = {name for name in dir(keras.metrics) if not name.startswith("_")}
    assert public - KERAS_ONLY == listed


# Keras subtracts the rest from the total: its count of nothing is the rounding of the total.
ROUNDING = {"TrueNegatives": 1e-5, "FalseNegatives": 1e-5}


@pytest.mark.sampled(4)
@pytest.mark.parametrize(("name", "data", "shape", "options"), FLAT)
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64:UserWarning")
def test_metric(name, data, shape, options):
    weight_lists = [list(weights_for(name, shape, len(b[1]))) for b in batches(data, shape)]
    for choice in range(len(weight_lists[0])):
        ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
        for (y_true, y_pred), weights in zip(batches(data, shape), weight_lists, strict=True):
            weight = weights[choice]
            if weight is not None and weight.ndim > 1 and "class_id" in options:
                continue  # Keras takes no weights per element here.
            ours.update_state(y_true, y_pred, weight)
            theirs.update_state(y_true, y_pred, sample_weight=weight)
            close(ours.result(), theirs.result(), atol=ROUNDING.get(name, 1e-6))
        assert ours.name == theirs.name or theirs.name.startswith(ours.name + "_")


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
@pytest.mark.parametrize("shape", WIDE)
def test_function(name, shape):
    data, options = FUNCTIONS[name]
    y_true, y_pred = next(batches(data, shape))
    theirs = getattr(keras.metrics, name)(y_true, y_pred, **options)
    close(getattr(metrics, name)(y_true, y_pred, **options), theirs)


@pytest.mark.parametrize("name", ["Mean", "Sum"])
@pytest.mark.parametrize("shape", [(), (9,), (9, 4)])
@pytest.mark.parametrize("weighted", [None, "scalar", "samples", "elements"])
def test_reduction(name, shape, weighted):
    ours, theirs = getattr(metrics, name)(), getattr(keras.metrics, name)()
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        values = random.normal(size=shape).astype(np.float32)
        weight = {
            None: None,
            "scalar": np.float32(random.uniform()),
            "samples": random.uniform(size=shape[:1]).astype(np.float32),
            "elements": random.uniform(size=shape).astype(np.float32),
        }[weighted]
        close(ours(values, weight), theirs(values, weight))


@pytest.mark.parametrize("name", sorted({*CASES, "Mean", "Sum"}))
def test_arguments_are_those_of_keras(name):
    ours = inspect.signature(getattr(metrics, name)).parameters
    theirs = inspect.signature(getattr(keras.metrics, name)).parameters
    expected = {key: value.default for key, value in theirs.items() if key not in ("dtype", "name")}
    assert {key: value.default for key, value in ours.items() if key != "name"} == expected
    first = next(iter(theirs))
    assert next(iter(ours)) == first, "the argument that is given by position"


STRINGS = ["accuracy", "acc", "Accuracy", "mae", "MSE", "mse", "bce", "AUC", "auc", "precision"]


@pytest.mark.parametrize("identifier", STRINGS)
@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ((8,), (8, 1)),
        ((8, 1), (8, 1)),
        ((8,), (8, 3)),
        ((8, 1), (8, 3)),
        ((8, 3), (8, 3)),
        ((8, 5), (8, 5, 3)),
        ((8, 5, 1), (8, 5, 3)),
        ((8, 5, 3), (8, 5, 3)),
        ((8, 5), (8, 5, 1)),
    ],
)
def test_resolve(identifier, y_true, y_pred):
    from keras.src.trainers.compile_utils import get_metric

    theirs = get_metric(identifier, np.zeros(y_true), np.zeros(y_pred))
    ours = metrics.resolve(identifier, y_true, y_pred)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)
    assert ours.name == metrics.log_name(identifier)


def test_resolve_of_functions_and_objects():
    from keras.src.trainers.compile_utils import get_metric

    def root_error(y_true, y_pred):
        return abs(y_true - y_pred) ** 0.5

    random = np.random.default_rng(0)
    y_true, y_pred = random.normal(size=(8, 2)), random.normal(size=(8, 2))
    theirs = get_metric(root_error, y_true, y_pred)
    ours = metrics.resolve(root_error, y_true.shape, y_pred.shape)
    close(ours(y_true, y_pred), theirs(y_true, y_pred))
    assert ours.name == theirs.name == metrics.log_name(root_error) == "root_error"
    for theirs_given, ours_given in (
        (keras.metrics.AUC, metrics.AUC),
        (keras.metrics.Mean(name="loss"), metrics.Mean("loss")),
        (keras.losses.mean_squared_error, metrics.mean_squared_error),
    ):
        expected = get_metric(theirs_given, y_true, y_pred).name
        # Keras counts how often a name was given in the process; we do not.
        assert expected.rstrip("_0123456789") == metrics.log_name(ours_given)


def test_auc_beside_scikit_learn():
    random = np.random.default_rng(0)
    y_true = random.integers(0, 2, 4000)
    y_pred = np.clip(0.4 * y_true + random.uniform(0, 0.6, 4000), 0, 1).astype(np.float32)
    weights = random.uniform(0, 2, 4000)
    for weight in (None, weights):
        area = roc_auc_score(y_true, y_pred, sample_weight=weight)
        assert abs(float(metrics.AUC(2000)(y_true, y_pred, weight)) - area) < 1e-4
        area = average_precision_score(y_true, y_pred, sample_weight=weight)
        assert abs(float(metrics.AUC(2000, curve="PR")(y_true, y_pred, weight)) - area) < 1e-3


@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("weighted", [False, True])
def test_f_scores_beside_scikit_learn(average, weighted):
    random = np.random.default_rng(0)
    y_true, y_pred = multi_hot(random, (200, 4))
    weights = random.uniform(0, 2, 200) if weighted else None
    expected = f1_score(y_true, y_pred > 0.5, average=average, sample_weight=weights)
    close(metrics.F1Score(average, threshold=0.5)(y_true, y_pred, weights), expected, 1e-5)
    expected = fbeta_score(y_true, y_pred > 0.5, average=average, sample_weight=weights, beta=2.0)
    ours = metrics.FBetaScore(average, beta=2.0, threshold=0.5)(y_true, y_pred, weights)
    close(ours, expected, 1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (None, "raw_values"),
        ("uniform_average", "uniform_average"),
        ("variance_weighted_average", "variance_weighted"),
    ],
)
def test_r2_beside_scikit_learn(ours, theirs, weighted):
    random = np.random.default_rng(0)
    y_true = random.normal(size=(500, 3)) * [1, 2, 3] + 1
    y_pred = y_true + random.normal(size=(500, 3))
    weights = random.uniform(0, 2, 500) if weighted else None
    expected = r2_score(y_true, y_pred, multioutput=theirs, sample_weight=weights)
    close(metrics.R2Score(ours)(y_true, y_pred, weights), expected, 1e-5)


def test_iou_beside_scikit_learn():
    random = np.random.default_rng(0)
    y_true, y_pred, weights = random.integers(0, 4, 300), random.integers(0, 4, 300), None
    expected = jaccard_score(y_true, y_pred, average="macro")
    close(metrics.MeanIoU(4)(y_true, y_pred), expected, 1e-5)
    weights = random.uniform(0, 2, 300)
    expected = jaccard_score(y_true, y_pred, average="macro", sample_weight=weights)
    close(metrics.MeanIoU(4)(y_true, y_pred, weights), expected, 1e-5)
