"""Arguments that are ranges: factors to draw from, and the values of images."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from fjax.errors import is_number, plain
from fjax.typing import Array, Key, Shape

# The lowest and the highest value.
Range = tuple[float, float]

# A number or two of them, as a user gives it.
Factor = Any


def factor_range(owner: str, argument: str, value: Any, low: float, high: float) -> Range:
    """Return the range of a factor: two numbers in order; one number is a range around 0.

    As in Keras, one number must be in the bounds, and the range around 0 ends at the lower bound; a
    range of two numbers must only overlap the bounds.

    >>> factor_range("RandomRotation", "factor", 0.2, -1.0, 1.0)
    (-0.2, 0.2)
    >>> factor_range("RandomContrast", "factor", 0.2, 0.0, 1.0)
    (0.0, 0.2)
    >>> factor_range("RandomContrast", "factor", 2, 0.0, 1.0)
    Traceback (most recent call last):
        ...
    ValueError: `RandomContrast`: `factor` must be a number in [0, 1], or a range (lowest, highest)
    that overlaps it, received 2.
    """
    if is_number(value) and low <= value <= high:
        return max(-abs(float(value)), low), abs(float(value))
    pair = _pair_of_numbers(value)
    if pair is not None and pair[0] <= high and pair[1] >= low:
        return pair
    raise ValueError(
        f"`{owner}`: `{argument}` must be a number in [{low:g}, {high:g}], or a range (lowest, "
        f"highest) that overlaps it, received {plain(value)!r}."
    )


def strict_range(
    owner: str, argument: str, value: Any, low: float, high: float, *, open_low: bool = False
) -> Range:
    """Return the range of a factor whose ends are all in the bounds; one number is around 0.

    >>> strict_range("RandomZoom", "height_factor", (0.3, -0.2), -1.0, 1.0)
    (-0.2, 0.3)
    """
    pair = _pair_of_numbers(value)
    numbers = [value] if is_number(value) else list(pair or ())
    if numbers and all(low <= n <= high and not (open_low and n == low) for n in numbers):
        return pair or (-abs(float(value)), abs(float(value)))
    left = "(" if open_low else "["
    raise ValueError(
        f"`{owner}`: `{argument}` must be a number in {left}{low:g}, {high:g}], or a range of two "
        f"of them, received {plain(value)!r}."
    )


def value_range(owner: str, value: Any) -> Range:
    """Return the lowest and the highest value of images, in order.

    >>> value_range("RandomBrightness", [0, 255])
    (0.0, 255.0)
    """
    pair = _pair_of_numbers(value)
    if pair is None or pair[0] == pair[1]:
        raise ValueError(
            f"`{owner}`: `value_range` must be two different numbers, the lowest and the highest "
            f"value of the images, received {value!r}."
        )
    return pair


def stored_factor(value: Any) -> Any:
    """Return a factor as a layer stores it: a list becomes a tuple."""
    return tuple(value) if isinstance(value, list) else value


def draw_uniform(key: Key, shape: Shape, bounds: Sequence[float]) -> Array:
    """Return numbers from a range, all equal to its ends if these are equal."""
    return jax.random.uniform(key, shape, minval=bounds[0], maxval=bounds[1])


def draw_event(key: Key, count: int, probability: Range) -> Array:
    """Return whether something happens, `(count,)`, each with a probability from a range."""
    keys = jax.random.split(key)
    return jax.random.uniform(keys[0], (count,)) < draw_uniform(keys[1], (count,), probability)


def where_chosen(chosen: Any, changed: Array, images: Array) -> Array:
    """Return the changed image where it is chosen, `(batch,)`, and else the one before."""
    return jnp.where(jnp.asarray(chosen)[:, None, None, None], changed, images)


def rescale(images: Array, source: Range, target: Range) -> Array:
    """Return images with values mapped from one range to another.

    >>> rescale(jax.numpy.array([0.0, 0.5]), (0.0, 1.0), (0.0, 255.0)).tolist()
    [0.0, 127.5]
    """
    if source == target:
        return images
    shares = (images - source[0]) / (source[1] - source[0])
    return shares * (target[1] - target[0]) + target[0]


def _pair_of_numbers(value: Any) -> Range | None:
    """Return two numbers in order, or None if the value is not a pair of them."""
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(is_number, value)):
        return None
    low, high = sorted(map(float, value))
    return low, high
