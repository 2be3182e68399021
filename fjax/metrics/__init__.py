"""Metrics with Keras's names: pure functions of accumulators, and Keras's stateful methods."""

from fjax.losses.crossentropy import binary_crossentropy as binary_crossentropy
from fjax.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from fjax.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from fjax.losses.divergence import kl_divergence as kl_divergence
from fjax.losses.divergence import poisson as poisson
from fjax.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from fjax.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from fjax.losses.margins import categorical_hinge as categorical_hinge
from fjax.losses.margins import hinge as hinge
from fjax.losses.margins import squared_hinge as squared_hinge
from fjax.losses.regression import huber as huber
from fjax.losses.regression import log_cosh as log_cosh
from fjax.losses.regression import mean_absolute_error as mean_absolute_error
from fjax.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from fjax.losses.regression import mean_squared_error as mean_squared_error
from fjax.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from fjax.metrics.accuracy import Accuracy as Accuracy
from fjax.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
from fjax.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
from fjax.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
from fjax.metrics.accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
from fjax.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
from fjax.metrics.accuracy import binary_accuracy as binary_accuracy
from fjax.metrics.accuracy import categorical_accuracy as categorical_accuracy
from fjax.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
from fjax.metrics.accuracy import (
    sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy,
)
from fjax.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
from fjax.metrics.auc import AUC as AUC
from fjax.metrics.confusion import FalseNegatives as FalseNegatives
from fjax.metrics.confusion import FalsePositives as FalsePositives
from fjax.metrics.confusion import Precision as Precision
from fjax.metrics.confusion import Recall as Recall
from fjax.metrics.confusion import TrueNegatives as TrueNegatives
from fjax.metrics.confusion import TruePositives as TruePositives
from fjax.metrics.correlation import ConcordanceCorrelation as ConcordanceCorrelation
from fjax.metrics.correlation import PearsonCorrelation as PearsonCorrelation
from fjax.metrics.correlation import concordance_correlation as concordance_correlation
from fjax.metrics.correlation import pearson_correlation as pearson_correlation
from fjax.metrics.f_score import F1Score as F1Score
from fjax.metrics.f_score import FBetaScore as FBetaScore
from fjax.metrics.iou import BinaryIoU as BinaryIoU
from fjax.metrics.iou import IoU as IoU
from fjax.metrics.iou import MeanIoU as MeanIoU
from fjax.metrics.iou import OneHotIoU as OneHotIoU
from fjax.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
from fjax.metrics.metric import Metric as Metric
from fjax.metrics.names import REGISTRY
from fjax.metrics.names import deserialize as deserialize
from fjax.metrics.names import get as get
from fjax.metrics.names import log_name as log_name
from fjax.metrics.names import resolve as resolve
from fjax.metrics.names import serialize as serialize
from fjax.metrics.operating_point import PrecisionAtRecall as PrecisionAtRecall
from fjax.metrics.operating_point import RecallAtPrecision as RecallAtPrecision
from fjax.metrics.operating_point import SensitivityAtSpecificity as SensitivityAtSpecificity
from fjax.metrics.operating_point import SpecificityAtSensitivity as SpecificityAtSensitivity
from fjax.metrics.probabilistic import BinaryCrossentropy as BinaryCrossentropy
from fjax.metrics.probabilistic import CategoricalCrossentropy as CategoricalCrossentropy
from fjax.metrics.probabilistic import CategoricalHinge as CategoricalHinge
from fjax.metrics.probabilistic import Hinge as Hinge
from fjax.metrics.probabilistic import KLDivergence as KLDivergence
from fjax.metrics.probabilistic import Poisson as Poisson
from fjax.metrics.probabilistic import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from fjax.metrics.probabilistic import SquaredHinge as SquaredHinge
from fjax.metrics.reduction import FunctionMetric as FunctionMetric
from fjax.metrics.reduction import Mean as Mean
from fjax.metrics.reduction import MeanMetricWrapper as MeanMetricWrapper
from fjax.metrics.reduction import Sum as Sum
from fjax.metrics.regression import CosineSimilarity as CosineSimilarity
from fjax.metrics.regression import LogCoshError as LogCoshError
from fjax.metrics.regression import MeanAbsoluteError as MeanAbsoluteError
from fjax.metrics.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from fjax.metrics.regression import MeanSquaredError as MeanSquaredError
from fjax.metrics.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from fjax.metrics.regression import R2Score as R2Score
from fjax.metrics.regression import RootMeanSquaredError as RootMeanSquaredError

# What a name may stand for: all of the above but the base class and the functions of names.
_UNNAMED = {"Metric", "deserialize", "get", "log_name", "resolve", "serialize"}
REGISTRY.extend(
    member for name, member in list(globals().items()) if callable(member) and name not in _UNNAMED
)
