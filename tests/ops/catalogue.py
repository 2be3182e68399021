"""Arguments for each function of `keras.ops`, drawn once; the same for Keras and for fjax."""

from typing import Any

import numpy as np

RNG = np.random.default_rng(0)


class Case:
    """One call: its arguments by position and by name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs


def floats(*shape, low=-2.0, high=2.0):
    return RNG.uniform(low, high, shape).astype("float32")


def integers(*shape, low=-5, high=6, dtype="int32"):
    return RNG.integers(low, high, shape).astype(dtype)


def booleans(*shape):
    return RNG.integers(0, 2, shape).astype(bool)


def complexes(*shape):
    return (floats(*shape) + 1j * floats(*shape)).astype("complex64")


def positive_definite(*batch, size=3):
    root = floats(*batch, size, size)
    return root @ np.swapaxes(root, -1, -2) + np.eye(size, dtype="float32")


A, B, C, D = floats(3, 4), floats(3, 4), floats(4, 2), floats(2, 3, 4)
POSITIVE, UNIT, ABOVE_ONE = (
    floats(3, 4, low=0.1),
    floats(3, 4, low=-0.9, high=0.9),
    floats(3, low=1),
)
K, J = integers(3, 4), integers(3, 4, low=1)
NAN = np.where(booleans(3, 4), np.nan, A).astype("float32")
NAN[:, 0] = 1.0
SPECIAL = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.5], "float32")
VECTOR, SORTED = floats(6), np.sort(floats(6))
HALF = A.astype("float16")
IMAGES, GRAY = floats(2, 8, 10, 3, low=0.0, high=1.0), floats(2, 8, 10, 1, low=0.0, high=1.0)
VOLUMES = floats(2, 5, 6, 7, 2)
FIRST = np.moveaxis(IMAGES, -1, 1)
SIGNAL = floats(2, 40)

CASES: dict[str, list[Case]] = {}


def case(name, *args, **kwargs):
    CASES.setdefault(name, []).append(Case(*args, **kwargs))


# Functions of one array that take any numbers.
for name in (
    "abs absolute fabs negative sign square exp exp2 expm1 sin cos tan arctan sinh cosh tanh "
    "arcsinh sinc i0 deg2rad rad2deg floor ceil trunc isfinite isinf isnan isneginf isposinf "
    "isreal logical_not nan_to_num cbrt ravel flip fliplr flipud sum prod max min amax amin all "
    "any argmax argmin mean std var median ptp count_nonzero nansum nanprod nanmax nanmin nanmean "
    "nanmedian nanstd nanvar nanargmax nanargmin cumsum cumprod nancumsum nancumprod sort argsort "
    "nonzero unique zeros_like ones_like copy size ndim shape dtype round "
    "erf erfc relu relu6 sigmoid silu swish softplus softsign gelu elu selu celu leaky_relu "
    "log_sigmoid hard_sigmoid hard_silu hard_swish hard_tanh tanh_shrink hard_shrink soft_shrink "
    "squareplus sparse_plus sparse_sigmoid softmax log_softmax glu logsumexp real imag conj "
    "conjugate is_tensor convert_to_numpy convert_to_tensor array stop_gradient transpose squeeze "
    "signbit angle empty_like"
).split():
    case(name, D if name in ("transpose",) else A)
for name in (
    "abs negative sign square exp exp2 expm1 sin cos tanh floor ceil trunc sum prod max min mean "
    "std var median cumsum sort argmax sqrt log log10 log2 log1p reciprocal isfinite sinc round "
    "arctan i0 deg2rad fabs count_nonzero quantile average all any "
).split():
    args = (J, 0.3) if name == "quantile" else (J,)
    case(name, *args)
for name in "sum max min all any argmax mean cumsum logical_not floor exp sin sqrt std var".split():
    case(name, booleans(3, 4))
for name in "mean sum std var exp sin softmax relu max floor median".split():
    case(name, HALF)
for name in "sqrt log log2 log10 log1p reciprocal rsqrt".split():
    case(name, POSITIVE)
for name in "arcsin arccos arctanh erfinv".split():
    case(name, UNIT)
case("arccosh", ABOVE_ONE)
for name in "isnan isinf isfinite isneginf isposinf signbit nan_to_num sign".split():
    case(name, SPECIAL)
for name in ("nansum nanprod nanmax nanmin nanmean nanmedian nanstd nanvar nanargmax nanargmin"
             " nancumsum nancumprod").split():  # fmt: skip
    case(name, NAN)
    case(name, NAN, axis=1)
case("nan_to_num", SPECIAL, nan=1.0, posinf=9.0, neginf=-9.0)
for name in "angle real imag conj conjugate isreal abs".split():
    case(name, complexes(3, 2))

# Reductions along axes.
for name in ("sum prod max min amax amin all any mean std var median ptp nansum nanmax nanmin nanmean"
             " logsumexp").split():  # fmt: skip
    case(name, D, axis=1)
    case(name, D, axis=-1, keepdims=True)
    if name not in ("median",):
        case(name, D, axis=(0, 2))
case("max", A, axis=0, initial=1.0)
case("min", A, axis=0, initial=-1.0)
case("sum", D, axis=[0, 1])
case("prod", K, axis=0, dtype="float32")
for name in "argmax argmin".split():
    case(name, D, axis=1)
    case(name, D, axis=1, keepdims=True)
case("count_nonzero", K, axis=1)
case("cumsum", D, axis=1)
case("cumprod", D, axis=1, dtype="float32")
case("average", A, axis=1, weights=B[0] ** 2)
case("average", A)
for name in "quantile nanquantile".split():
    case(name, A, 0.3)
    case(name, A, np.array([0.1, 0.7], "float32"), axis=1, keepdims=True)
    case(name, A, 0.4, method="nearest")
for name in "percentile nanpercentile".split():
    case(name, A, 30.0)
    case(name, A, np.array([10.0, 70.0], "float32"), axis=0)
case("sort", D, axis=1)
case("argsort", D, axis=0)
case("argsort", A, axis=None)
case("argpartition", VECTOR, 2)
case("searchsorted", SORTED, A)
case("searchsorted", SORTED, SORTED[2], side="right")
case("digitize", A, SORTED)
case("histogram", VECTOR)
case("histogram", VECTOR, bins=4, range=(-1.0, 1.0))
case("bincount", np.array([1, 2, 2, 5]))
case(
    "bincount",
    np.array([1, 2, 2, 5]),
    weights=np.array([0.5, 1.0, 1.0, 2.0], "float32"),
    minlength=9,
)
case("bincount", np.array([[1, 2, 2], [3, 3, 0]]), minlength=4)
case("unique", K, return_counts=True, return_inverse=True, return_index=True)
case("unique", K, size=4, fill_value=-9)
case("isin", K, np.array([1, 2]))
case("isin", K, [1, 2], invert=True)
case("allclose", A, A + 1e-7)
case("isclose", A, A + np.array([0.0, 1e-3, 0.0, 1.0], "float32"), rtol=1e-2)
case("corrcoef", A)
for mode in ("valid", "same", "full"):
    case("correlate", VECTOR, VECTOR[:3], mode=mode)
case("diff", D)
case("diff", D, n=2, axis=1)
case("trapezoid", A)
case("trapezoid", A, dx=0.5, axis=0)
case("trapezoid", VECTOR, x=SORTED)

# Functions of two arrays.
for name in (
    "add subtract multiply divide true_divide maximum minimum fmax fmin arctan2 hypot logaddexp "
    "logaddexp2 equal not_equal greater greater_equal less less_equal logical_and logical_or "
    "logical_xor mod fmod floor_divide nextafter heaviside divide_no_nan"
).split():
    case(name, A, B)
    case(name, D, B)
    if name not in ("nextafter",):
        case(name, K, J)
    case(name, A, 2.0)
    if name not in ("arctan2", "hypot", "logaddexp", "logaddexp2", "nextafter", "heaviside"):
        case(name, K, 2)
        case(name, K, A)
case("divide_no_nan", A, np.where(A > 0, A, 0))
case("power", POSITIVE, B)
case("power", A, 2)
case("power", K, 2)
for name in "gcd lcm bitwise_and bitwise_or bitwise_xor".split():
    case(name, K, J)
    case(name, K, 6)
for name in "bitwise_left_shift left_shift bitwise_right_shift right_shift".split():
    case(name, J, np.array([0, 1, 2, 3]))
    case(name, K, 1)
case("bitwise_not", K)
case("bitwise_invert", K)
case("ldexp", A, J)
case("clip", A, -0.5, 0.5)
case("clip", K, 0, 2)
case("clip", booleans(3), 0, 1)
case("clip", A, B - 1, B)
case("round", A, 1)
case("round", A, decimals=2)
case("round", K * 37, decimals=-1)

# Creation.
case("zeros", (2, 3)), case("zeros", 3, dtype="int32")
case("ones", (2, 3)), case("ones", [2, 1], dtype="bool")
case("empty", (2, 0))
case("full", (2, 3), 7), case("full", (2,), 7, dtype="int32")
case("full_like", A, 2), case("full_like", K, 2.0, dtype="float32")
case("zeros_like", A, dtype="int32"), case("ones_like", K)
case("eye", 3), case("eye", 3, 4, k=1, dtype="int32"), case("identity", 3)
case("tri", 3), case("tri", 3, 4, k=-1)
case("arange", 5), case("arange", 1, 7, 2), case("arange", 0.0, 1.0, 0.25)
case("arange", 3, dtype="float32"), case("arange", 1.0, 4)
case("linspace", 0.0, 1.0, num=5), case("linspace", 0, 3, num=4, endpoint=False)
case("linspace", A[0], B[0], num=3, axis=1), case("linspace", 0.0, 1.0, num=5, retstep=True)
case("logspace", 0.0, 2.0, num=5), case("logspace", 0.0, 2.0, num=3, base=2)
case("geomspace", 1.0, 8.0, num=4)
case("vander", VECTOR), case("vander", VECTOR, N=3, increasing=True)
case("meshgrid", VECTOR, SORTED[:3]), case("meshgrid", VECTOR, SORTED[:3], indexing="ij")
for name in "bartlett blackman hamming hanning".split():
    case(name, 7)
case("kaiser", 7, 14.0)
case("array", [1, 2, 3]), case("array", [1.5], dtype="float16")

# Rearranging.
(
    case("reshape", D, (6, 4)),
    case("reshape", D, (-1, 2)),
    case("reshape", D, 24),
    case("reshape", D, -1),
)
case("transpose", D, axes=(1, 0, 2)), case("transpose", D, [2, 0, 1])
case("swapaxes", D, 0, 2), case("moveaxis", D, 0, -1), case("moveaxis", D, [0, 1], [1, 0])
case("expand_dims", A, 0), case("expand_dims", A, (0, -1)), case("squeeze", A[None, :, None])
case("squeeze", A[None, :, None], axis=0)
case("flip", D, axis=1), case("rot90", A), case("rot90", D, k=3, axes=(1, 2))
case("roll", A, 2), case("roll", D, 1, axis=1), case("roll", D, (1, 2), axis=(0, 2))
case("tile", A, 2), case("tile", A, (2, 3)), case("repeat", A, 2), case("repeat", A, 3, axis=1)
case("repeat", A, np.array([1, 2, 0]), axis=0)
case("concatenate", [A, B]), case("concatenate", [A, K], axis=-1), case("stack", [A, B])
case("stack", [A, B], axis=1), case("stack", [1.0, 2.0])
for name in "hstack vstack dstack".split():
    case(name, [A, B]), case(name, [VECTOR, SORTED])
case("append", A, B), case("append", A, B, axis=1)
case("split", D, 2, axis=2), case("split", D, [1, 3], axis=-1), case("array_split", VECTOR, 4)
case("hsplit", D, 3), case("vsplit", D, 2), case("dsplit", D, [1])
case("take", D, K % 2, axis=0), case("take", A, [0, -1], axis=1), case("take", A, 5)
case("take_along_axis", A, np.argsort(A, 1), axis=1)
case("take_along_axis", A, np.array([3, 1]), axis=None)
case("diag", VECTOR), case("diag", A, k=1), case("diagflat", A), case("diagonal", D)
case("diagonal", D, offset=1, axis1=1, axis2=2), case("tril", A), case("triu", A, k=1)
case("trace", D), case("trace", D, offset=1, axis1=1, axis2=2)
case("unravel_index", np.array([1, 5, 11]), (3, 4)), case("view", A, "int32")
case("broadcast_to", A, (2, 3, 4)), case("pad", A, 1), case("pad", A, ((1, 0), (2, 1)))
(
    case("pad", A, ((1, 1), (0, 0)), constant_values=3.0),
    case("pad", A, ((1, 1), (2, 2)), mode="reflect"),
)
case("where", A > 0, A, B), case("where", A > 0, 1.0, 0.0), case("where", A > 0)
case("select", [A > 0, B > 0], [A, B]), case("select", [A > 0, B > 0], [A, B], default=7.0)
case("get_item", D, (slice(None), 1)), case("get_item", D, 0), case("get_item", A, slice(1, 3))
case("rearrange", D, "a b c -> c (a b)"), case("rearrange", D, "a (b c) d -> a b c d", b=3)
case("rearrange", D, "a b c -> c a b")

# Products.
case("dot", A, C), case("dot", VECTOR, SORTED), case("vdot", A, B), case("inner", A, B)
case("outer", VECTOR, SORTED[:3]), case("kron", A[:2, :2], B[:2, :2])
case("cross", A[:, :3], B[:, :3]), case("cross", A[:3], B[:3], axis=0)
case("tensordot", A, C, axes=1), case("tensordot", D, D, axes=[[0, 1], [0, 1]])
(
    case("matmul", A, C),
    case("matmul", D, C),
    case("matmul", D, np.swapaxes(D, 1, 2)),
    case("matmul", K, J.T),
)
case("matmul", K.astype("int8"), J.T.astype("int8"))
case("einsum", "ij,jk->ik", A, C), case("einsum", "bij,bkj->bik", D, D), case("einsum", "ij->j", A)

# Core.
case("cast", A, "int32"), case("cast", K, "float16"), case("cast", A, "bool")
case("saturate_cast", A * 200, "uint8"), case("saturate_cast", A * 1e10, "int32")
case("saturate_cast", K * 100, "int8"), case("saturate_cast", A * 1e6, "float16")
case("saturate_cast", booleans(3), "float32"), case("saturate_cast", K, "uint8")
(
    case("convert_to_tensor", [[1, 2]]),
    case("convert_to_tensor", A, dtype="int32"),
    case("convert_to_tensor", 2.5),
)
case("slice", D, (0, 1, 1), (2, 1, 2)), case("slice", D, [0, 1, 1], (2, -1, 2))
case("slice", D, np.array([1, 1, 1]), (1, 1, 1))
case("slice_update", D, (0, 1, 1), D[:1, :2, :2])
case("scatter", np.array([[0, 1], [2, 0], [0, 1]]), VECTOR[:3], (3, 2))
case("scatter", np.array([[0], [2]]), A[:2], (3, 4))
for reduction in (None, "add", "max", "min", "mul"):
    case(
        "scatter_update", A, [[0, 1], [2, 3]], np.array([5.0, -5.0], "float32"), reduction=reduction
    )
case("scatter_update", A, [[0], [2]], A[:2])
case("unstack", D), case("unstack", D, axis=1), case("unstack", D, 4, 2)
case("cond", True, lambda: A, lambda: B), case("cond", np.array(False), lambda: A, lambda: B)
case("switch", 1, [lambda x: x, lambda x: x + 1], A)
case("while_loop", lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, A))
case("while_loop", lambda i: i < 3, lambda i: i + 1, 0)
case("while_loop", lambda i: i < 30, lambda i: [i + 1], [0], maximum_iterations=4)
case("fori_loop", 0, 3, lambda i, x: x + i, A)
(
    case("scan", lambda c, x: (c + x, c * x), A[0], B),
    case("scan", lambda c, x: (c + 1, c), 0, length=3),
)
case("scan", lambda c, x: (c + x, c * x), A[0], B, reverse=True, unroll=2)
(
    case("associative_scan", lambda a, b: a + b, A),
    case("associative_scan", lambda a, b: a * b, A, reverse=True, axis=1),
)
case("map", lambda x: x + 1, A), case("vectorized_map", lambda x: x.sum(), A)

# Mathematics.
SEGMENTS = np.array([0, 0, 2])
for name in "segment_sum segment_max segment_min segment_prod".split():
    case(name, A, SEGMENTS, num_segments=4), case(name, A, SEGMENTS, num_segments=3, sorted=True)
(
    case("logsumexp", D, axis=(0, 1)),
    case("top_k", A, 2),
    case("top_k", K, 3),
    case("top_k", A, 2, sorted=False),
)
case("in_top_k", np.array([1, 0, 3]), A, 2), case("cdist", A, B[:2]), case("cdist", D, D + 1)
case("view_as_complex", floats(3, 2)), case("view_as_real", complexes(3))
case("rsqrt", POSITIVE)
for name in "fft fft2 ifft2".split():
    case(name, (D, D + 1))
(
    case("rfft", D),
    case("rfft", D, fft_length=6),
    case("irfft", (D, D + 1)),
    case("irfft", (D, D), fft_length=5),
)
case("extract_sequences", SIGNAL, 7, 3), case("extract_sequences", VECTOR, 2, 2)
for options in (
    {},
    {"window": "hamming", "center": False},
    {"window": None},
    {"window": SORTED[:5] + 3},
):
    length = (
        5 if options.get("window") is not None and not isinstance(options["window"], str) else 8
    )
    case("stft", SIGNAL, length, 4 if length == 8 else 2, 16, **options)
SPECTRUM = (floats(2, 9, 9), floats(2, 9, 9))
case("istft", SPECTRUM, 16, 4, 16), case("istft", SPECTRUM, 12, 3, 16, window="hamming", length=20)
case("istft", SPECTRUM, 16, 8, 16, center=False, window=None)

# Linear algebra.
MATRIX, MATRICES = floats(3, 3), floats(2, 3, 3)
SPD = positive_definite(2)
case("cholesky", SPD), case("cholesky", SPD, upper=True)
(
    case("cholesky_inverse", np.linalg.cholesky(SPD[0])),
    case("cholesky_inverse", np.linalg.cholesky(SPD[0]).T, upper=True),
)
(
    case("det", MATRICES),
    case("inv", MATRICES),
    case("eig", MATRIX),
    case("eigh", SPD),
    case("lu_factor", MATRICES),
)
(
    case("logdet", SPD),
    case("slogdet", MATRICES),
    case("lstsq", A.T, B.T),
    case("matrix_rank", A),
    case("matrix_rank", A, tol=0.5),
)
case("pinv", A), case("pinv", D, rcond=0.1), case("qr", A), case("qr", A, mode="complete")
(
    case("solve", MATRICES, D[:, :, :2]),
    case("solve_triangular", np.tril(MATRIX), A[:, :2], lower=True),
)
(
    case("solve_triangular", np.triu(MATRIX), A[:, :2]),
    case("svd", A),
    case("svd", A, full_matrices=False),
)
case("svd", A, compute_uv=False)
(
    case("norm", A),
    case("norm", D, axis=-1),
    case("norm", A, ord=1),
    case("norm", A, ord="fro", keepdims=True),
)
case("norm", D, ord=2, axis=(1, 2)), case("norm", K), case("norm", VECTOR, ord=np.inf)
case("jvp", lambda x: x**2, (3.0,), (1.0,))

# Networks.
case("celu", A, alpha=0.5), case("elu", A, alpha=0.5), case("leaky_relu", A, negative_slope=0.1)
(
    case("gelu", A, approximate=False),
    case("glu", A, axis=1),
    case("softmax", D, axis=1),
    case("softmax", D, axis=(0, 1)),
)
(
    case("log_softmax", D, axis=0),
    case("hard_shrink", A, threshold=1.0),
    case("soft_shrink", A, threshold=1.0),
)
(
    case("squareplus", A, b=2),
    case("threshold", A, 0.5, -1.0),
    case("sparsemax", A * 10),
    case("polar", POSITIVE, B),
)
case("one_hot", np.array([0, 2, 5, -1]), 4), case("one_hot", K % 3, 3, axis=0, dtype="int32")
case("multi_hot", np.array([[0, 2], [1, 1]]), 4), case("multi_hot", np.array([0, 2]), 4)
(
    case("normalize", A),
    case("normalize", A, axis=0, order=3),
    case("normalize", D, axis=1, order=1),
    case("normalize", A * 0),
)
(
    case("moments", D, axes=[0, 1]),
    case("moments", D, axes=-1, keepdims=True),
    case("moments", HALF, axes=0),
)
(
    case("batch_normalization", D, A[0], B[0] ** 2, -1),
    case(
        "batch_normalization",
        D,
        VECTOR[:3],
        SORTED[:3] ** 2,
        1,
        offset=SORTED[:3],
        scale=VECTOR[:3],
        epsilon=0.1,
    ),
)
case("layer_normalization", D), case("layer_normalization", D, gamma=A[0], beta=B[0], epsilon=0.1)
case("layer_normalization", D, gamma=A, beta=B, axis=[1, 2]), case("layer_normalization", HALF)
case("layer_normalization", D, gamma=VECTOR[:3], axis=1)
(
    case("rms_normalization", D),
    case("rms_normalization", D, scale=A[0], epsilon=0.1),
    case("rms_normalization", HALF),
)
QUERY, KEY, VALUE = floats(2, 4, 3, 5), floats(2, 6, 3, 5), floats(2, 6, 3, 5)
(
    case("dot_product_attention", QUERY, KEY, VALUE),
    case("dot_product_attention", QUERY, KEY, VALUE, scale=0.2, is_causal=True),
)
case("dot_product_attention", QUERY, KEY, VALUE, bias=floats(1, 3, 4, 6), mask=booleans(2, 1, 4, 6))
ONE_HOT, PROBABILITIES = np.eye(4, dtype="float32")[[0, 3, 1]], floats(3, 4, low=0.05, high=0.95)
for logits in (False, True):
    outputs = A if logits else PROBABILITIES
    case("categorical_crossentropy", ONE_HOT, outputs, from_logits=logits)
    case("binary_crossentropy", ONE_HOT, outputs, from_logits=logits)
    case("sparse_categorical_crossentropy", np.array([0, 3, 1]), outputs, from_logits=logits)
case("categorical_crossentropy", ONE_HOT.T, PROBABILITIES.T, axis=0)
case("sparse_categorical_crossentropy", np.array([[0], [3], [1]]), PROBABILITIES)
case("psnr", IMAGES, GRAY + 0 * IMAGES, 1.0)
KERNEL = floats(3, 2, 3, 4)
(
    case("conv", IMAGES, KERNEL),
    case("conv", IMAGES, KERNEL, strides=(2, 1), padding="same"),
    case("conv", IMAGES, KERNEL, dilation_rate=2),
)
(
    case("conv", FIRST, KERNEL, data_format="channels_first"),
    case("conv", D, floats(2, 4, 3)),
    case("conv", VOLUMES, floats(2, 2, 2, 2, 3)),
)
case("conv", floats(2, 8, 8, 4), floats(3, 3, 2, 6))
(
    case("depthwise_conv", IMAGES, floats(3, 3, 3, 2)),
    case("depthwise_conv", IMAGES, floats(3, 3, 3, 2), strides=2, padding="same"),
)
case("depthwise_conv", D, floats(2, 4, 2))
(
    case("separable_conv", IMAGES, floats(3, 3, 3, 2), floats(1, 1, 6, 5)),
    case("separable_conv", D, floats(2, 4, 2), floats(1, 8, 5), padding="same"),
)
for options in (
    {},
    {"strides": 2},
    {"strides": 2, "padding": "same"},
    {"strides": 3, "output_padding": 1},
):
    case("conv_transpose", IMAGES, floats(3, 3, 4, 3), **options)
case("conv_transpose", FIRST, floats(3, 3, 4, 3), strides=2, data_format="channels_first")
for name in "max_pool average_pool".split():
    (
        case(name, IMAGES, 2, strides=2),
        case(name, IMAGES, (3, 2), strides=2, padding="same"),
        case(name, FIRST, 2, strides=3, data_format="channels_first"),
    )
    case(name, D, 2, strides=1), case(name, VOLUMES, 2, strides=(1, 2, 1))
for name in "adaptive_max_pool adaptive_average_pool".split():
    (
        case(name, IMAGES, 4),
        case(name, IMAGES, (3, 7)),
        case(name, FIRST, 5, data_format="channels_first"),
    )
    case(name, SIGNAL[..., None], 7), case(name, VOLUMES, (2, 3, 4))
(
    case("unfold", FIRST, 2),
    case("unfold", FIRST, (3, 2), dilation=(1, 2), padding=(1, 0), stride=(2, 1)),
)
(
    case("fold", floats(2, 12, 63), (8, 10), 2),
    case("fold", floats(2, 18, 20), (8, 9), (3, 2), padding=(1, 1), stride=2),
)
(
    case("depth_to_space", floats(2, 3, 4, 8), 2),
    case("depth_to_space", floats(2, 8, 3, 4), 2, data_format="channels_first"),
)
(
    case("space_to_depth", floats(2, 4, 6, 3), 2),
    case("space_to_depth", floats(2, 3, 4, 6), 2, data_format="channels_first"),
)
LOGITS = floats(3, 9, 5)
LABELS, LENGTHS = np.array([[1, 2, 2], [3, 0, 0], [4, 1, 0]]), np.array([3, 1, 2])
(
    case("ctc_loss", LABELS, LOGITS, LENGTHS, np.array([9, 5, 7])),
    case("ctc_loss", LABELS % 4, LOGITS, LENGTHS, np.array([9, 9, 9]), mask_index=4),
)
(
    case("ctc_decode", LOGITS * 3, np.array([9, 5, 7])),
    case("ctc_decode", LOGITS * 3, np.array([9, 5, 7]), merge_repeated=False, mask_index=4),
)
case("ctc_decode", LOGITS, np.array([9, 5, 7]), strategy="beam_search", beam_width=20, top_paths=3)
case(
    "ctc_decode",
    LOGITS,
    np.array([9, 5, 7]),
    strategy="beam_search",
    beam_width=40,
    top_paths=2,
    mask_index=4,
)

# Images.
for images, form in ((IMAGES, None), (IMAGES[0], None), (FIRST, "channels_first")):
    for name in "rgb_to_grayscale rgb_to_hsv hsv_to_rgb".split():
        case(f"image.{name}", images, data_format=form)
    case("image.resize", images, (5, 7), data_format=form)
    case("image.pad_images", images, 1, 2, 3, 4, data_format=form)
    case("image.crop_images", images, 1, 2, 3, 4, data_format=form)
    case("image.extract_patches", images, (3, 2), data_format=form)
    case(
        "image.gaussian_blur",
        images,
        kernel_size=(3, 5),
        sigma=(1.0, 2.0),
        data_format=form or "channels_last",
    )
case("image.rgb_to_grayscale", GRAY), case("image.rgb_to_grayscale", (IMAGES * 255).astype("uint8"))
for interpolation in ("nearest", "bicubic", "lanczos3", "lanczos5"):
    case("image.resize", IMAGES, (11, 6), interpolation=interpolation)
(
    case("image.resize", IMAGES, (4, 4), antialias=True),
    case("image.resize", IMAGES, (4, 9), crop_to_aspect_ratio=True),
)
(
    case("image.resize", IMAGES, (4, 9), pad_to_aspect_ratio=True, fill_value=0.5),
    case("image.resize", IMAGES, (9, 4), pad_to_aspect_ratio=True),
)
(
    case("image.pad_images", IMAGES, 1, None, None, 4, 12, 20),
    case("image.crop_images", IMAGES, 1, None, None, 4, 5, 5),
)
(
    case("image.extract_patches", IMAGES, 3, strides=1, padding="same"),
    case("image.extract_patches", VOLUMES, (2, 3, 2)),
)
case("image.extract_patches", IMAGES, 2, strides=1, dilation_rate=2)
(
    case("image.extract_patches_3d", VOLUMES, 2),
    case("image.extract_patches_3d", VOLUMES[0], (2, 3, 2), strides=1),
)
case("image.map_coordinates", A, np.stack([UNIT * 3, UNIT * 4]), 1)
for mode in ("nearest", "wrap", "mirror", "reflect", "constant"):
    case(
        "image.map_coordinates",
        A,
        np.stack([UNIT * 3, UNIT * 4]),
        0,
        fill_mode=mode,
        fill_value=2.0,
    )
    case(
        "image.affine_transform",
        IMAGES,
        np.array([[1.1, 0.2, -1.0, 0.1, 0.9, 2.0, 0.0, 0.0]] * 2, "float32"),
        fill_mode=mode,
    )
case(
    "image.affine_transform",
    IMAGES[0],
    np.array([1.0, 0.0, 1.5, 0.0, 1.0, 0.0, 0.0, 0.0], "float32"),
    interpolation="nearest",
)
case(
    "image.affine_transform",
    FIRST,
    floats(2, 8) * np.float32([1, 1, 1, 1, 1, 1, 0, 0]),
    data_format="channels_first",
    fill_value=1.0,
)
START = np.array([[0, 0], [9, 0], [0, 7], [9, 7]], "float32")
END = START + np.array([[1, 1], [-1, 0.5], [0, -1], [-2, 0]], "float32")
case("image.perspective_transform", IMAGES[0], START, END)
case(
    "image.perspective_transform",
    IMAGES,
    np.stack([START, START]),
    np.stack([END, START]),
    interpolation="nearest",
)
(
    case("image.elastic_transform", IMAGES, sigma=2.0, seed=3),
    case("image.elastic_transform", IMAGES, alpha=5.0, sigma=1.0, fill_mode="constant", seed=3),
)
case(
    "image.scale_and_translate",
    IMAGES,
    (2, 12, 9, 3),
    np.array([1.5, 0.9], "float32"),
    np.array([0.5, -1.0], "float32"),
    (1, 2),
    "linear",
)
case("image.sobel_edges", IMAGES), case("image.sobel_edges", FIRST, data_format="channels_first")
LARGE = floats(2, 14, 15, 3, low=0.0, high=1.0)
case("image.ssim", LARGE, LARGE[:, ::-1]), case("image.ssim", LARGE[0], LARGE[1], filter_size=7)
