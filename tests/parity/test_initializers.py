import inspect

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from scipy import stats

from fjax import initializers

CASES = [
    ("Constant", {"value": 0.7}),
    ("Zeros", {}),
    ("Ones", {}),
    ("Identity", {"gain": 0.5}),
    ("GlorotNormal", {}),
    ("GlorotUniform", {}),
    ("GlorotUniform", {"input_axes": [1], "output_axes": [0]}),
    ("HeNormal", {}),
    ("HeUniform", {}),
    ("LecunNormal", {}),
    ("LecunUniform", {}),
    ("Orthogonal", {"gain": 1.5}),
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 2.0}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": 1.0, "maxval": 3.0}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 2.0}),
    ("VarianceScaling", {}),
    ("VarianceScaling", {"scale": 2.0, "mode": "fan_out", "distribution": "normal"}),
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "untruncated_normal"}),
    ("VarianceScaling", {"mode": "fan_out", "distribution": "uniform"}),
]
IDS = [f"{name}-{arguments}" for name, arguments in CASES]
UNSEEDED = {"Constant", "Zeros", "Ones", "Identity"}


def _keras(name, arguments, seed):
    seeds = {} if name in UNSEEDED else {"seed": seed}
    return getattr(keras.initializers, name)(**arguments, **seeds)


@pytest.mark.parametrize("shape", [(6, 4), (40, 60), (3, 3, 8, 16), (2, 5, 3)])
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_values_from_the_same_key(name, arguments, shape):
    if name == "Identity":
        shape = shape[:2]
    # The key of a seed is (seed, 0) in Keras, and (0, seed) in `jax.random.key`.
    key = jax.random.wrap_key_data(jnp.array([5, 0], "uint32"))
    ours = getattr(initializers, name)(**arguments)(shape, key=key)
    theirs = _keras(name, arguments, 5)(shape)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments"), [case for case in CASES if case[0] not in {*UNSEEDED, "Orthogonal"}]
)
def test_distributions_without_a_common_seed(name, arguments):
    shape = (300, 200)
    ours = np.ravel(getattr(initializers, name)(seed=1, **arguments)(shape))
    theirs = np.ravel(_keras(name, arguments, 2)(shape))
    assert stats.ks_2samp(ours, theirs).pvalue > 0.01
    np.testing.assert_allclose(ours.std(), theirs.std(), rtol=0.02)
    np.testing.assert_allclose(ours.min(), theirs.min(), rtol=0.25)
    np.testing.assert_allclose(ours.max(), theirs.max(), rtol=0.25)


@pytest.mark.parametrize("scaling", ["density", "spectrum", None])
@pytest.mark.parametrize("window", ["hann", "hamming", None, [0.1 * i for i in range(1, 17)]])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("side", ["real", "imag"])
def test_stft(side, window, scaling, periodic):
    ours = initializers.STFT(side, window, scaling, periodic)((16, 1, 9))
    theirs = keras.initializers.STFT(side, window, scaling, periodic)((16, 1, 9))
    # Keras computes the angles, up to 47 here, in float32: its values have errors up to 4e-6.
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=5e-6)


@pytest.mark.parametrize(
    "shape", [(), (5,), (3, 4), (3, 4, 5), (2, 3, 4, 5), (2, 3, 2, 4, 5)], ids=str
)
def test_fans(shape):
    from keras.src.initializers.random_initializers import compute_fans

    assert initializers.compute_fans(shape) == compute_fans(shape)


PUBLIC = [
    name
    for name, value in vars(keras.initializers).items()
    if inspect.isclass(value) and name != "Initializer"
]


@pytest.mark.parametrize("name", PUBLIC)
def test_constructor(name):
    ours = inspect.signature(getattr(initializers, name)).parameters.values()
    theirs = inspect.signature(getattr(keras.initializers, name)).parameters.values()
    taken = [(p.name, p.default) for p in theirs if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [(p.name, p.default) for p in ours] == taken


@pytest.mark.parametrize("name", PUBLIC)
def test_config(name):
    ours = getattr(initializers, name)().get_config()
    # Keras's configuration of `Identity` lacks the gain.
    theirs = {"gain": 1.0} if "dentity" in name else {}
    assert ours == theirs | getattr(keras.initializers, name)().get_config()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_draw_accepts_an_initializer_of_keras(dtype):
    theirs = keras.initializers.HeNormal(seed=1)
    values = initializers.draw(theirs, None, (3, 4), dtype)
    assert (values == theirs((3, 4), dtype)).all()


IDENTIFIERS = keras.src.initializers.ALL_OBJECTS_DICT


@pytest.mark.parametrize("name", sorted(IDENTIFIERS.keys() - {"Initializer", "initializer"}))
def test_identifier(name):
    # Keras's `get("constant")` fails, since its `from_config` requires a value.
    assert type(initializers.get(name)).__name__ == IDENTIFIERS[name].__name__


@pytest.mark.parametrize("name", ["GlorotUniform", "HeNormal", "RandomNormal", "TruncatedNormal"])
def test_values_from_the_same_seed_are_the_same_bits(name):
    theirs = getattr(keras.initializers, name)(seed=7)((5, 4))
    ours = getattr(initializers, name)(seed=7)((5, 4))
    np.testing.assert_array_equal(ours, theirs)
