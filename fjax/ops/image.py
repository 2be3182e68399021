"""The operations of `keras.ops.image`."""

from fjax.ops import colors, images, warping
from fjax.ops.colors import *
from fjax.ops.images import *
from fjax.ops.warping import *

__all__ = [*colors.__all__, *images.__all__, *warping.__all__]
