"""The operations of `keras.ops.nn`."""

from fjax.ops import activations, ctc, networks, windows
from fjax.ops.activations import *
from fjax.ops.ctc import *
from fjax.ops.networks import *
from fjax.ops.windows import *

__all__ = [*activations.__all__, *ctc.__all__, *networks.__all__, *windows.__all__]
