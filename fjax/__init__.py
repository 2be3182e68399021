"""fjax: a functional training framework on JAX.

Models are pure init/apply pairs; `Model` and `Sequential` put Keras's words around them, so that
`import fjax as keras` runs a Keras tutorial.
"""

import importlib
from typing import TYPE_CHECKING, Any

from fjax.importing import paused_garbage_collection

with paused_garbage_collection():
    from fjax import activations as activations
    from fjax import callbacks as callbacks
    from fjax import config as config
    from fjax import constraints as constraints
    from fjax import core as core
    from fjax import data as data
    from fjax import distribution as distribution
    from fjax import dtype_policies as dtype_policies
    from fjax import initializers as initializers
    from fjax import layers as layers
    from fjax import losses as losses
    from fjax import lowering as lowering
    from fjax import metrics as metrics
    from fjax import mixed_precision as mixed_precision
    from fjax import models as models
    from fjax import optimizers as optimizers
    from fjax import random as random
    from fjax import regularizers as regularizers
    from fjax import saving as saving
    from fjax import training as training
    from fjax import tree as tree
    from fjax.absent_names import install_advice
    from fjax.core import Layer as Layer
    from fjax.core import SymbolicTensor
    from fjax.core import branch as branch
    from fjax.core import parallel as parallel
    from fjax.core import remat as remat
    from fjax.core import repeat as repeat
    from fjax.core import residual as residual
    from fjax.core import serial as serial
    from fjax.core.symbolic import register_operations
    from fjax.dtype_policies import DTypePolicy as DTypePolicy
    from fjax.initializers import Initializer as Initializer
    from fjax.jax_release import warn_if_faulty
    from fjax.languages import use_environment
    from fjax.layers import Input as Input
    from fjax.layers import InputSpec as InputSpec
    from fjax.losses import Loss as Loss
    from fjax.metrics import Metric as Metric
    from fjax.models import Model as Model
    from fjax.models import Sequential as Sequential
    from fjax.models.function import Function as Function
    from fjax.optimizers import Optimizer as Optimizer
    from fjax.public_names import list_public_names
    from fjax.regularizers import Regularizer as Regularizer
    from fjax.scopes import name_scope as name_scope
    from fjax.training.default_device import device as device
    from fjax.variable import StatelessScope as StatelessScope
    from fjax.variable import Variable as Variable
    from fjax.version import VERSION

if TYPE_CHECKING:
    from fjax import applications as applications
    from fjax import backend as backend
    from fjax import dashboard as dashboard
    from fjax import datasets as datasets
    from fjax import ops as ops
    from fjax import playground as playground
    from fjax import preprocessing as preprocessing
    from fjax import search as search
    from fjax import utils as utils
    from fjax import visualization as visualization
    from fjax import wrappers as wrappers

# Imported when they are used, so that `import fjax` is fast.
_LAZY = (
    "applications",
    "backend",
    "dashboard",
    "datasets",
    "ops",
    "playground",
    "preprocessing",
    "search",
    "utils",
    "visualization",
    "wrappers",
)

__version__ = VERSION

# Keras's name of the same class.
KerasTensor = SymbolicTensor

# Keras's name of what layers and operations have in common, which are layers here.
Operation = Layer


def version() -> str:
    """Return the version of the package; `fjax.keras.version()` is that of Keras's API."""
    return VERSION


warn_if_faulty()
use_environment()
# Imported when a tensor's method needs it.
register_operations(lambda: importlib.import_module("fjax.ops"))
list_public_names("fjax")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        with paused_garbage_collection():
            module = importlib.import_module(f"fjax.{name}")
        list_public_names("fjax")
        install_advice()
        return module
    raise AttributeError(f"module 'fjax' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})


install_advice()
