"""Losses with Keras's names: functions of `(y_true, y_pred)` and classes that reduce them."""

from fjax.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from fjax.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from fjax.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
from fjax.losses.crossentropy import binary_crossentropy as binary_crossentropy
from fjax.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
from fjax.losses.crossentropy import (
    sparse_categorical_crossentropy as sparse_categorical_crossentropy,
)
from fjax.losses.divergence import KLDivergence as KLDivergence
from fjax.losses.divergence import Poisson as Poisson
from fjax.losses.divergence import kl_divergence as kl_divergence
from fjax.losses.divergence import poisson as poisson
from fjax.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
from fjax.losses.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
from fjax.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
from fjax.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
from fjax.losses.generalized import (
    CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy,
)
from fjax.losses.generalized import (
    categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
)
from fjax.losses.loss import FunctionLoss as FunctionLoss
from fjax.losses.loss import Loss as Loss
from fjax.losses.loss import LossFunctionWrapper as LossFunctionWrapper
from fjax.losses.margins import CategoricalHinge as CategoricalHinge
from fjax.losses.margins import Hinge as Hinge
from fjax.losses.margins import SquaredHinge as SquaredHinge
from fjax.losses.margins import categorical_hinge as categorical_hinge
from fjax.losses.margins import hinge as hinge
from fjax.losses.margins import squared_hinge as squared_hinge
from fjax.losses.names import as_loss as as_loss
from fjax.losses.names import deserialize as deserialize
from fjax.losses.names import get as get
from fjax.losses.names import resolve as resolve
from fjax.losses.names import serialize as serialize
from fjax.losses.overlap import Dice as Dice
from fjax.losses.overlap import Tversky as Tversky
from fjax.losses.overlap import dice as dice
from fjax.losses.overlap import tversky as tversky
from fjax.losses.regression import CosineSimilarity as CosineSimilarity
from fjax.losses.regression import Huber as Huber
from fjax.losses.regression import LogCosh as LogCosh
from fjax.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from fjax.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from fjax.losses.regression import MeanSquaredError as MeanSquaredError
from fjax.losses.regression import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
from fjax.losses.regression import cosine_similarity as cosine_similarity
from fjax.losses.regression import huber as huber
from fjax.losses.regression import log_cosh as log_cosh
from fjax.losses.regression import mean_absolute_error as mean_absolute_error
from fjax.losses.regression import mean_absolute_percentage_error as mean_absolute_percentage_error
from fjax.losses.regression import mean_squared_error as mean_squared_error
from fjax.losses.regression import mean_squared_logarithmic_error as mean_squared_logarithmic_error
from fjax.losses.similarity import Circle as Circle
from fjax.losses.similarity import circle as circle
from fjax.losses.temporal import CTC as CTC
from fjax.losses.temporal import ctc as ctc
