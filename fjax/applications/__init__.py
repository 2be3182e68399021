"""Networks for images: graphs with the layers, names and order of weights of Keras's.

No weights are shipped, and none are downloaded: `weights` is None or the path of a file.
"""

from fjax.applications import efficientnet as efficientnet
from fjax.applications import imagenet_utils as imagenet_utils
from fjax.applications import mobilenet_v2 as mobilenet_v2
from fjax.applications import resnet as resnet
from fjax.applications import resnet50 as resnet50
from fjax.applications import vgg16 as vgg16
from fjax.applications import xception as xception
from fjax.applications.efficientnet import EfficientNetB0 as EfficientNetB0
from fjax.applications.mobilenet_v2 import MobileNetV2 as MobileNetV2
from fjax.applications.resnet import ResNet50 as ResNet50
from fjax.applications.vgg16 import VGG16 as VGG16
from fjax.applications.xception import Xception as Xception
