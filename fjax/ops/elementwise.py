"""Operations of `keras.ops.numpy` on each entry: arithmetic, comparisons, logic, bits."""

# ruff: noqa: E501

import jax.numpy as jnp

from fjax.ops.definition import BINARY, UNARY, OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

# Each line is an operation: the function, its parameters, its docstring.
# fmt: off
absolute = op.entrywise(jnp.abs, UNARY, "Absolute value.", "absolute")
abs = op.alias("abs", absolute)
fabs = op.entrywise(jnp.fabs, UNARY, "Absolute value as a floating-point number.")
negative = op.entrywise(jnp.negative, UNARY, "The negative entries, `-x`.")
sign = op.entrywise(jnp.sign, UNARY, "-1, 0 or 1 for negative entries, zeros and positive entries.")
signbit = op.entrywise(jnp.signbit, UNARY, "Whether the sign bit is set; True for -0.0, too.")
square = op.entrywise(jnp.square, UNARY, "`x * x`.")
sqrt = op.entrywise(jnp.sqrt, UNARY, "Square root; NaN for negative entries.")
cbrt = op.entrywise(jnp.cbrt, UNARY, "Cube root.")
reciprocal = op.entrywise(jnp.reciprocal, UNARY, "`1 / x`.")
exp = op.entrywise(jnp.exp, UNARY, "Exponential function, `e**x`.")
exp2 = op.entrywise(jnp.exp2, UNARY, "Power of 2, `2**x`.")
expm1 = op.entrywise(jnp.expm1, UNARY, "`exp(x) - 1`, exact for small entries.")
log = op.entrywise(jnp.log, UNARY, "Natural logarithm.")
log2 = op.entrywise(jnp.log2, UNARY, "Logarithm to base 2.")
log10 = op.entrywise(jnp.log10, UNARY, "Logarithm to base 10.")
log1p = op.entrywise(jnp.log1p, UNARY, "`log(1 + x)`, exact for small entries.")
sin = op.entrywise(jnp.sin, UNARY, "Sine of angles in radians.")
cos = op.entrywise(jnp.cos, UNARY, "Cosine of angles in radians.")
tan = op.entrywise(jnp.tan, UNARY, "Tangent of angles in radians.")
arcsin = op.entrywise(jnp.arcsin, UNARY, "Inverse sine, in radians.")
arccos = op.entrywise(jnp.arccos, UNARY, "Inverse cosine, in radians.")
arctan = op.entrywise(jnp.arctan, UNARY, "Inverse tangent, in radians.")
sinh = op.entrywise(jnp.sinh, UNARY, "Hyperbolic sine.")
cosh = op.entrywise(jnp.cosh, UNARY, "Hyperbolic cosine.")
tanh = op.entrywise(jnp.tanh, UNARY, "Hyperbolic tangent.")
arcsinh = op.entrywise(jnp.arcsinh, UNARY, "Inverse hyperbolic sine.")
arccosh = op.entrywise(jnp.arccosh, UNARY, "Inverse hyperbolic cosine.")
arctanh = op.entrywise(jnp.arctanh, UNARY, "Inverse hyperbolic tangent.")
sinc = op.entrywise(jnp.sinc, UNARY, "`sin(pi * x) / (pi * x)`, and 1 at 0.")
i0 = op.entrywise(jnp.i0, UNARY, "Modified Bessel function of the first kind, of order 0.")
deg2rad = op.entrywise(jnp.deg2rad, UNARY, "Radians of angles in degrees.")
rad2deg = op.entrywise(jnp.rad2deg, UNARY, "Degrees of angles in radians.")
floor = op.entrywise(lambda x: jnp.floor(_inexact(x)), UNARY, "Largest integer that is not above, as a floating-point number.", "floor")
ceil = op.entrywise(lambda x: jnp.ceil(_inexact(x)), UNARY, "Smallest integer that is not below, as a floating-point number.", "ceil")
trunc = op.entrywise(jnp.trunc, UNARY, "The integer part, in the dtype of `x`.")
real = op.entrywise(jnp.real, UNARY, "Real part.")
imag = op.entrywise(jnp.imag, UNARY, "Imaginary part.")
conjugate = op.entrywise(jnp.conjugate, UNARY, "Complex conjugate.", "conjugate")
conj = op.alias("conj", conjugate)
angle = op.entrywise(jnp.angle, UNARY, "Angle of complex numbers, in radians.")
copy = op.entrywise(jnp.copy, UNARY, "A copy of the array.")
isfinite = op.entrywise(jnp.isfinite, UNARY, "Whether an entry is neither infinite nor NaN.")
isinf = op.entrywise(jnp.isinf, UNARY, "Whether an entry is infinite.")
isnan = op.entrywise(jnp.isnan, UNARY, "Whether an entry is NaN.")
isneginf = op.entrywise(jnp.isneginf, UNARY, "Whether an entry is negative infinity.")
isposinf = op.entrywise(jnp.isposinf, UNARY, "Whether an entry is positive infinity.")
isreal = op.entrywise(jnp.isreal, UNARY, "Whether the imaginary part of an entry is 0.")
logical_not = op.entrywise(jnp.logical_not, UNARY, "Whether an entry is 0 or False.")
bitwise_invert = op.entrywise(jnp.invert, UNARY, "Inverted bits of integers.", "bitwise_invert")
bitwise_not = op.alias("bitwise_not", bitwise_invert)
nan_to_num = op.entrywise(jnp.nan_to_num, "x: Array, nan=0.0, posinf=None, neginf=None", "Replace NaN and infinities by numbers; None is the largest or smallest finite number.")

add = op.entrywise(jnp.add, BINARY, "`x1 + x2`.")
subtract = op.entrywise(jnp.subtract, BINARY, "`x1 - x2`.")
multiply = op.entrywise(jnp.multiply, BINARY, "`x1 * x2`.")
divide = op.entrywise(jnp.divide, BINARY, "`x1 / x2`.", "divide")
true_divide = op.alias("true_divide", divide)
floor_divide = op.entrywise(jnp.floor_divide, BINARY, "`x1 // x2`.")
mod = op.entrywise(jnp.mod, BINARY, "Remainder with the sign of `x2`.", "mod")
fmod = op.entrywise(jnp.fmod, BINARY, "Remainder with the sign of `x1`.")
power = op.entrywise(jnp.power, BINARY, "`x1 ** x2`.")
maximum = op.entrywise(jnp.maximum, BINARY, "The larger entry; NaN if one of the two is NaN.")
minimum = op.entrywise(jnp.minimum, BINARY, "The smaller entry; NaN if one of the two is NaN.")
fmax = op.entrywise(jnp.fmax, BINARY, "The larger entry; a NaN is ignored.")
fmin = op.entrywise(jnp.fmin, BINARY, "The smaller entry; a NaN is ignored.")
arctan2 = op.entrywise(jnp.arctan2, BINARY, "Angle of the points `(x2, x1)`, in radians.")
hypot = op.entrywise(jnp.hypot, BINARY, "`sqrt(x1**2 + x2**2)`.")
logaddexp = op.entrywise(jnp.logaddexp, BINARY, "`log(exp(x1) + exp(x2))`, without overflow.")
logaddexp2 = op.entrywise(jnp.logaddexp2, BINARY, "`log2(2**x1 + 2**x2)`, without overflow.")
heaviside = op.entrywise(jnp.heaviside, BINARY, "0 for negative `x1`, 1 for positive, `x2` at 0.")
nextafter = op.entrywise(jnp.nextafter, BINARY, "The next number after `x1` in the direction of `x2`.")
gcd = op.entrywise(jnp.gcd, BINARY, "Greatest common divisor of integers.")
lcm = op.entrywise(jnp.lcm, BINARY, "Least common multiple of integers.")
equal = op.entrywise(jnp.equal, BINARY, "Whether `x1 == x2`.")
not_equal = op.entrywise(jnp.not_equal, BINARY, "Whether `x1 != x2`.")
greater = op.entrywise(jnp.greater, BINARY, "Whether `x1 > x2`.")
greater_equal = op.entrywise(jnp.greater_equal, BINARY, "Whether `x1 >= x2`.")
less = op.entrywise(jnp.less, BINARY, "Whether `x1 < x2`.")
less_equal = op.entrywise(jnp.less_equal, BINARY, "Whether `x1 <= x2`.")
logical_and = op.entrywise(jnp.logical_and, BINARY, "Whether both entries are not 0.")
logical_or = op.entrywise(jnp.logical_or, BINARY, "Whether one of the entries is not 0.")
logical_xor = op.entrywise(jnp.logical_xor, BINARY, "Whether exactly one of the entries is not 0.")
isclose = op.entrywise(jnp.isclose, "x1: Array, x2: Array, rtol=1e-5, atol=1e-8, equal_nan=False", "Whether `|x1 - x2| <= atol + rtol * |x2|`.")
bitwise_and = op.entrywise(jnp.bitwise_and, "x: Array, y: Array", "Bits that are set in both integers.")
bitwise_or = op.entrywise(jnp.bitwise_or, "x: Array, y: Array", "Bits that are set in one of the integers.")
bitwise_xor = op.entrywise(jnp.bitwise_xor, "x: Array, y: Array", "Bits that are set in exactly one of the integers.")
bitwise_left_shift = op.entrywise(jnp.left_shift, "x: Array, y: Array", "Bits of `x` shifted left by `y` places.", "bitwise_left_shift")
left_shift = op.alias("left_shift", bitwise_left_shift)
bitwise_right_shift = op.entrywise(jnp.right_shift, "x: Array, y: Array", "Bits of `x` shifted right by `y` places.", "bitwise_right_shift")
right_shift = op.alias("right_shift", bitwise_right_shift)
# fmt: on


def _inexact(x: Array) -> Array:
    """Return integers and booleans as float32, which a plain `jnp.floor` leaves as they are."""
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype("float32")


@op.define
def clip(x: Array, x_min: Array | None, x_max: Array | None) -> Array:
    """Limit entries to the range from `x_min` to `x_max`; None is no limit."""
    return jnp.clip(x.astype("int32") if x.dtype.kind == "b" else x, x_min, x_max)


@op.define
def divide_no_nan(x1: Array, x2: Array) -> Array:
    """`x1 / x2`, and 0 where `x2` is 0."""
    return jnp.where(x2 == 0, 0, x1 / jnp.where(x2 == 0, 1, x2))


@op.define
def ldexp(x1: Array, x2: Array) -> Array:
    """Return `x1 * 2**x2` for integers `x2`.

    Raises:
        TypeError: `x2` is not made of integers.
    """
    if not jnp.issubdtype(x2.dtype, jnp.integer):
        raise TypeError(f"`ldexp`: `x2` must be integers, received {x2.dtype}.")
    return jnp.ldexp(x1, x2)


@op.define
def round(x: Array, decimals: int = 0) -> Array:
    """Round to a number of decimals, in the dtype of `x`; halves go to the even neighbor.

    A negative number of decimals rounds to tens, hundreds and so on.
    """
    if jnp.issubdtype(x.dtype, jnp.integer) and decimals < 0:
        factor = 10.0**decimals
        return (jnp.round(x.astype("float32") * factor) / factor).astype(x.dtype)
    return jnp.round(x, decimals)


__all__ = op.names
