"""The estimators at the place where older code of Keras has them."""

from fjax.wrappers import KerasClassifier as KerasClassifier
from fjax.wrappers import KerasRegressor as KerasRegressor
