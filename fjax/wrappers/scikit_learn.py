"""The estimators under the names that older versions of Keras have."""

from fjax.wrappers import KerasClassifier as KerasClassifier
from fjax.wrappers import KerasRegressor as KerasRegressor
