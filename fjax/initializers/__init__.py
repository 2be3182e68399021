"""Initializers: the initial values of weights, with Keras's names and arguments.

    values = initializer(shape, dtype, key=key)

`dtype` None means float32. A random initializer uses its `seed` if that is set, and then draws the
same numbers as Keras with that seed. Otherwise it uses `key`, and without a key seed 0. So the
values depend on the arguments only: two draws from one key are equal.

Layers call `draw`, which accepts an initializer of this package, one of `jax.nn.initializers`, or
any function of a shape and a dtype.
"""

from fjax.initializers.constants import Constant as Constant
from fjax.initializers.constants import Identity as Identity
from fjax.initializers.constants import Ones as Ones
from fjax.initializers.constants import Zeros as Zeros
from fjax.initializers.distributions import RandomNormal as RandomNormal
from fjax.initializers.distributions import RandomUniform as RandomUniform
from fjax.initializers.distributions import TruncatedNormal as TruncatedNormal
from fjax.initializers.drawing import draw as draw
from fjax.initializers.fans import GlorotNormal as GlorotNormal
from fjax.initializers.fans import GlorotUniform as GlorotUniform
from fjax.initializers.fans import HeNormal as HeNormal
from fjax.initializers.fans import HeUniform as HeUniform
from fjax.initializers.fans import LecunNormal as LecunNormal
from fjax.initializers.fans import LecunUniform as LecunUniform
from fjax.initializers.fans import VarianceScaling as VarianceScaling
from fjax.initializers.fans import compute_fans as compute_fans
from fjax.initializers.fourier import STFT as STFT
from fjax.initializers.initializer import Initializer as Initializer
from fjax.initializers.names import deserialize as deserialize
from fjax.initializers.names import get as get
from fjax.initializers.names import serialize as serialize
from fjax.initializers.orthogonality import Orthogonal as Orthogonal

# Keras's snake-case names of the classes.
IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros
