"""ResNet50, by the name of its module in Keras; see `fjax.applications.resnet`."""

from fjax.applications.resnet import ResNet50 as ResNet50
from fjax.applications.resnet import decode_predictions as decode_predictions
from fjax.applications.resnet import preprocess_input as preprocess_input
