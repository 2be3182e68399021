"""Normalization layers: by statistics of the inputs, or by the spectral norm of a kernel."""

from fjax.layers.normalization.batch import BatchNormalization as BatchNormalization
from fjax.layers.normalization.group import GroupNormalization as GroupNormalization
from fjax.layers.normalization.layer import LayerNormalization as LayerNormalization
from fjax.layers.normalization.rms import RMSNormalization as RMSNormalization
from fjax.layers.normalization.spectral import SpectralNormalization as SpectralNormalization
from fjax.layers.normalization.unit import UnitNormalization as UnitNormalization
