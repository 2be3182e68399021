import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from fjax import initializers
from fjax.initializers import (
    STFT,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    compute_fans,
    get,
)

RANDOM = [
    GlorotNormal(),
    GlorotUniform(),
    HeNormal(),
    HeUniform(),
    LecunNormal(),
    LecunUniform(),
    Orthogonal(),
    RandomNormal(),
    RandomUniform(),
    TruncatedNormal(),
    VarianceScaling(distribution="untruncated_normal"),
]
FIXED = [Constant(0.5), Identity(), Ones(), Zeros()]
KEY = jax.random.key(7)


def case_id(value):
    # A repr with an address would differ between pytest's processes; None numbers the case.
    shown = repr(value)
    return None if " at 0x" in shown else shown


@pytest.mark.parametrize("initializer", RANDOM + FIXED, ids=case_id)
@pytest.mark.parametrize("dtype", [None, "float32", "bfloat16", jnp.float16])
def test_shape_and_dtype(initializer, dtype):
    values = initializer((6, 4), dtype, key=KEY)
    assert values.shape == (6, 4)
    assert values.dtype == jnp.dtype(dtype or "float32")
    assert np.isfinite(values.astype("float32")).all()


@pytest.mark.short
@pytest.mark.parametrize("initializer", RANDOM + FIXED, ids=case_id)
def test_under_jit_eval_shape_and_vmap(initializer):
    def values(key):
        return initializer((6, 4), key=key)

    expected = values(KEY)
    np.testing.assert_allclose(jax.jit(values)(KEY), expected, rtol=1e-5, atol=1e-6)
    assert jax.eval_shape(values, KEY) == jax.ShapeDtypeStruct((6, 4), jnp.float32)
    keys = jnp.stack([KEY, jax.random.key(8)])
    np.testing.assert_allclose(jax.vmap(values)(keys)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("initializer", RANDOM, ids=case_id)
def test_values_depend_on_seed_and_key_only(initializer):
    seeded = type(initializer)(**initializer.get_config() | {"seed": 3})
    other = jax.random.key(8)
    assert (initializer((3, 3), key=KEY) == initializer((3, 3), key=KEY)).all()
    assert (initializer((3, 3), key=KEY) != initializer((3, 3), key=other)).any()
    assert (initializer((3, 3)) == initializer((3, 3), key=jax.random.key(0))).all()
    assert (seeded((3, 3), key=KEY) == seeded((3, 3))).all()
    keras_key = jax.random.wrap_key_data(jnp.array([3, 0], jnp.uint32))
    assert (seeded((3, 3)) == initializer((3, 3), key=keras_key)).all()


@pytest.mark.parametrize(
    ("initializer", "distribution"),
    [
        (RandomNormal(0.5, 2.0), stats.norm(0.5, 2.0)),
        (RandomUniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
        (TruncatedNormal(0.5, 2.0), stats.truncnorm(-2, 2, 0.5, 2.0)),
        (GlorotUniform(), stats.uniform(-0.1, 0.2)),
        (HeUniform(), stats.uniform(-((6 / 400) ** 0.5), 2 * (6 / 400) ** 0.5)),
        (LecunUniform(), stats.uniform(-((3 / 400) ** 0.5), 2 * (3 / 400) ** 0.5)),
    ],
    ids=case_id,
)
def test_values_follow_the_distribution(initializer, distribution):
    values = np.asarray(initializer((400, 200), key=KEY), "float64").ravel()
    assert stats.kstest(values, distribution.cdf).pvalue > 0.01
    low, high = distribution.support()
    assert low <= values.min() and values.max() <= high


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize(("mode", "n"), [("fan_in", 400.0), ("fan_out", 200.0), ("fan_avg", 300.0)])
def test_variance_scaling_has_the_documented_variance(distribution, mode, n):
    values = VarianceScaling(3.0, mode, distribution)((400, 200), key=KEY)
    np.testing.assert_allclose(values.var(), 3.0 / n, rtol=0.02)
    np.testing.assert_allclose(values.mean(), 0.0, atol=4 * (3.0 / n / values.size) ** 0.5)


@pytest.mark.short
@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (2, 3, 4), (2, 2, 30)])
def test_orthogonal_matrices_are_orthogonal(shape):
    matrix = Orthogonal(gain=1.5)(shape, key=KEY).reshape(-1, shape[-1]) / 1.5
    gram = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
    np.testing.assert_allclose(gram, np.eye(min(matrix.shape)), atol=2e-6)


def test_orthogonal_matrices_are_uniformly_distributed():
    keys = jax.random.split(KEY, 4000)
    firsts = jax.vmap(lambda key: Orthogonal()((2, 2), key=key))(keys)[:, 0, :]
    angles = np.arctan2(firsts[:, 1], firsts[:, 0])
    assert stats.kstest(angles, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_compute_fans():
    assert compute_fans(()) == (1, 1)
    assert compute_fans((5,)) == (5, 5)
    assert compute_fans((3, 4, 5)) == (12, 15)
    assert compute_fans((5, 2, 4), (0,), (1, 2)) == (5, 8)
    with pytest.raises(ValueError, match=r"a weight of shape \(5, 2\) has no axis 3"):
        compute_fans((5, 2), (3,), (1,))


def test_input_axes_change_the_variance():
    shape = (50, 4, 100)
    plain = GlorotNormal()(shape, key=KEY)
    by_axes = GlorotNormal(input_axes=[0], output_axes=[1, 2])(shape, key=KEY)
    np.testing.assert_allclose(plain.var(), 2 / (4 * 50 + 100 * 50), rtol=0.05)
    np.testing.assert_allclose(by_axes.var(), 2 / (50 + 400), rtol=0.05)


@pytest.mark.parametrize("side", ["real", "imag"])
def test_stft_is_a_fourier_transform(side):
    signal = np.random.default_rng(0).normal(size=16)
    kernel = np.asarray(STFT(side, window=None)((16, 1, 9)))[:, 0, :]
    expected = getattr(np.fft.rfft(signal), side)
    np.testing.assert_allclose(signal @ kernel, expected, rtol=1e-5, atol=1e-5)


def test_stft_accepts_the_values_of_a_window():
    values = [0.5, 1.0, 1.0, 0.5]
    plain = STFT(window=None, scaling=None)((4, 1, 3))
    windowed = STFT(window=np.array(values), scaling="spectrum")((4, 1, 3))
    expected = plain * np.array(values)[:, None, None] / 3
    np.testing.assert_allclose(windowed, expected, rtol=1e-6, atol=1e-7)
    assert STFT(window=values).get_config()["window"] == values
    with pytest.raises(ValueError, match="4 values, but the requested frame length is 5"):
        STFT(window=values)((5, 1, 3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RandomNormal(stddev=-1.0), r"`RandomNormal`: `stddev` must be a number in \[0"),
        (lambda: RandomNormal(stddev="1"), r"`RandomNormal`: `stddev` must be a number"),
        (lambda: RandomNormal(mean=float("nan")), "`mean` must be one finite number"),
        (lambda: TruncatedNormal(stddev=float("inf")), "`TruncatedNormal`: `stddev`"),
        (lambda: TruncatedNormal(mean=np.ones(2)), r"received an array of shape \(2,\)"),
        (lambda: RandomUniform(1.0, 0.0), "`maxval` must not be below `minval`"),
        (lambda: VarianceScaling(0.0), r"`VarianceScaling`: `scale` must be a number in \(0"),
        (lambda: VarianceScaling(mode="fan_inn"), "Did you mean `fan_in`"),
        (lambda: VarianceScaling(distribution="unifrom"), "Did you mean `uniform`"),
        (lambda: VarianceScaling(distribution=None), "`distribution` must be one of"),
        (lambda: GlorotUniform(seed=1.5), r"`GlorotUniform`: `seed` must be an integer from 0"),
        (lambda: GlorotUniform(seed=2**32), "`seed`"),
        (lambda: GlorotUniform(seed=-1), "`seed`"),
        (lambda: GlorotUniform(seed=True), "`seed`"),
        (lambda: HeNormal(input_axes=[0]), "must be given together"),
        (lambda: HeNormal(input_axes=0, output_axes=1), "`input_axes` must be a list of integers"),
        (lambda: Orthogonal(gain="big"), "`Orthogonal`: `gain`"),
        (lambda: Identity(gain=None), "`Identity`: `gain`"),
        (
            lambda: Constant("1"),
            "`Constant`: `value` must be a number or an array of numbers, received '1'",
        ),
        (lambda: Constant(np.array(["a"])), r"received an array of shape \(1,\)"),
        (
            lambda: Constant(np.ones(3))((2, 2)),
            r"values of shape \(3,\), .* weight of shape \(2, 2\)",
        ),
        (lambda: STFT("reel"), "Did you mean `real`"),
        (lambda: STFT(scaling="densty"), "Did you mean `density`"),
        (lambda: STFT(window="hahn"), "`STFT`: `window` 'hahn'"),
        (lambda: STFT(window=[[1.0]]), "`window` must be the name of a window"),
        (lambda: STFT(periodic=2), "`periodic`"),
    ],
)
def test_invalid_arguments_raise(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_unknown_keywords_raise():
    with pytest.raises(TypeError, match=r"`HeNormal` takes no argument `sed`. Did you mean `seed`"):
        HeNormal(sed=1)
    with pytest.raises(TypeError, match="`HeNormal` takes no argument `scale`"):
        HeNormal(scale=1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Zeros()(3), "shape must be a tuple of integers, received 3"),
        (lambda: Zeros()((None, 3)), r"received \(None, 3\)"),
        (lambda: HeNormal()((3, 2.5)), r"`HeNormal`.*received \(3, 2.5\)"),
        (lambda: Ones()((-1,)), r"received \(-1,\)"),
        (lambda: RandomNormal()((3,), "int32"), "needs a floating dtype, received int32"),
        (lambda: Identity()((3,)), "`Identity` needs a shape with two axes"),
        (lambda: Orthogonal()((3,)), "at least two axes"),
        (lambda: Constant(0.5)((3,), "int32"), "is not an integer"),
        (lambda: STFT()((4, 2, 3)), r"\(frame_length, 1, bins\)"),
        (lambda: STFT()((4, 3)), r"received \(4, 3\)"),
    ],
)
def test_invalid_shapes_and_dtypes_raise(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_constants_may_have_any_dtype():
    assert Zeros()((2,), "int32").dtype == "int32"
    assert Ones()((2,), bool).all()
    assert (Constant(np.float32(3))((2,), "uint8") == 3).all()
    assert np.isneginf(Constant(float("-inf"))((2,))).all()


def test_scalar_and_empty_shapes():
    assert GlorotUniform()(()).shape == ()
    assert HeNormal()((0, 3)).shape == (0, 3)


@pytest.mark.parametrize(
    "initializer", [*RANDOM, *FIXED, STFT(), HeNormal(3, (0,), (1,))], ids=case_id
)
def test_from_config_returns_an_equal_initializer(initializer):
    assert type(initializer).from_config(initializer.get_config()) == initializer
    described = {"class_name": type(initializer).__name__, "config": initializer.get_config()}
    assert get(described) == initializer


def test_equality_compares_the_arguments():
    assert GlorotUniform() != GlorotNormal()
    assert HeNormal(1) != HeNormal(2)
    assert HeNormal(1, [0], [1]) == HeNormal(1, (0,), (1,))
    assert repr(VarianceScaling(2.0, distribution="Normal")) == "VarianceScaling(scale=2.0)"
    assert isinstance(HeNormal(), VarianceScaling)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("he_normal", HeNormal()),
        ("HeNormal", HeNormal()),
        ("zeros", Zeros()),
        ("Zeros", Zeros()),
        ("zero", Zeros()),
        ("one", Ones()),
        ("normal", RandomNormal()),
        ("uniform", RandomUniform()),
        ("stft", STFT()),
        ("IdentityInitializer", Identity()),
        (LecunNormal, LecunNormal()),
        (HeUniform(2), HeUniform(2)),
    ],
    ids=case_id,
)
def test_get(identifier, expected):
    assert get(identifier) == expected


def test_get_returns_functions_unchanged():
    function = jax.nn.initializers.ones
    assert get(function) is function


def test_get_raises_for_unknown_names_arrays_and_none():
    with pytest.raises(
        ValueError, match=r"Unknown initializer 'he_norml'. Did you mean `he_normal`"
    ):
        get("he_norml")
    with pytest.raises(TypeError, match=r"array of shape \(2,\).*f\(shape, dtype\)"):
        get(np.ones(2))
    with pytest.raises(TypeError, match=r"known initializer.*received None"):
        get(None)


@pytest.mark.parametrize(
    "name",
    [n for n in initializers.names.REGISTRY.names if n not in ("normal", "one", "uniform", "zero")],
)
def test_registered_names_are_importable(name):
    assert type(get(name)) is getattr(initializers, name)


def test_every_class_has_a_name_in_the_registry():
    classes = {
        value.__name__
        for value in vars(initializers).values()
        if inspect.isclass(value) and issubclass(value, Initializer) and value is not Initializer
    }
    assert classes <= set(initializers.names.REGISTRY.names)


def test_a_subclass_without_call_raises():
    class Empty(Initializer):
        pass

    with pytest.raises(NotImplementedError, match="`Empty` must define `__call__"):
        Empty()((2,))
