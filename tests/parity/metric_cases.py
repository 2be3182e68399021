"""Data for metrics, and the arguments to compare each of them with."""

import numpy as np


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
