"""`rearrange`: axes reordered, joined and split by a pattern, as in the package einops."""

import math
import re
from typing import Any

import jax.numpy as jnp

from fjax.ops.definition import OperationTable
from fjax.typing import Array

op = OperationTable(__name__)

# A pattern as a list of groups: each is the names of axes that are joined to one.
Groups = list[list[str]]


@op.define
def rearrange(tensor: Array, pattern: str, **axes_lengths: int) -> Array:
    """Return an array with its axes reordered, joined or split by a pattern.

    Args:
        tensor: The array.
        pattern: Such as "b (h w) c -> b h w c": names of axes before and after; parentheses join
            axes, "..." stands for any further axes, "1" for an axis of size 1.
        axes_lengths: The sizes of axes that cannot be derived.

    Raises:
        ValueError: The pattern does not fit the array.
    """
    left, right = _sides(pattern)
    before, after = _groups(left, tensor.ndim), _groups(right, tensor.ndim, left)
    if sorted(sum(before, [])) != sorted(sum(after, [])):  # noqa: RUF017
        raise _error(pattern, tensor, "both sides must have the same names")
    sizes = _axis_sizes(pattern, tensor, before, axes_lengths)
    names = sum(before, [])  # noqa: RUF017
    split = tensor.reshape([sizes[name] for name in names])
    moved = jnp.transpose(split, [names.index(name) for group in after for name in group])
    return moved.reshape([math.prod(sizes[name] for name in group) for group in after])


def _sides(pattern: str) -> tuple[str, str]:
    sides = pattern.split("->")
    if len(sides) != 2 or re.search(r"[^\w\s().]", "".join(sides)):
        raise ValueError(
            f"`rearrange`: the pattern must have the form 'a b -> b a', received {pattern!r}."
        )
    return sides[0], sides[1]


def _groups(side: str, rank: int, other: str | None = None) -> Groups:
    """Return the groups of one side of a pattern; an ellipsis becomes named axes."""
    known = side if other is None else other
    named = len(re.findall(r"\([^()]*\)|[^\s().]+", known))
    further = " ".join(f"...{i}" for i in range(max(rank - named, 0)))
    groups: Groups = []
    for joined, single in re.findall(r"\(([^()]*)\)|([^\s()]+)", side):
        entries = (joined or single).replace("...", further).split()
        if single and single != "...":
            groups.append([] if single == "1" else entries)
        elif single:
            groups += [[entry] for entry in entries]
        else:
            groups.append([entry for entry in entries if entry != "1"])
    return groups


def _axis_sizes(
    pattern: str, tensor: Array, before: Groups, known: dict[str, int]
) -> dict[str, int]:
    """Return the size of each named axis."""
    if len(before) != tensor.ndim:
        raise _error(pattern, tensor, f"the left side has {len(before)} axes")
    sizes = dict(known)
    for group, size in zip(before, tensor.shape, strict=True):
        missing = [name for name in group if name not in sizes]
        product = math.prod(sizes[name] for name in group if name in sizes)
        if len(missing) > 1:
            raise _error(pattern, tensor, f"give the size of `{missing[0]}` or `{missing[1]}`")
        if size % product or (not missing and product != size):
            raise _error(pattern, tensor, f"the axes {group} do not fit the size {size}")
        sizes |= dict.fromkeys(missing, size // product)
    return sizes


def _error(pattern: str, tensor: Any, reason: str) -> ValueError:
    return ValueError(
        f"`rearrange`: the pattern {pattern!r} does not fit an array of shape {tensor.shape}: "
        f"{reason}."
    )


__all__ = op.names
