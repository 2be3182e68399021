"""How large the networks are, and what a program returns to be timed."""

from collections.abc import Callable
from dataclasses import dataclass

# What is timed; it returns a number, of the network's weights or of a layer's outputs, that shows
# whether equals are compared.
Timed = Callable[[], int]

BATCH_SIZE = 32
UNITS = 32


@dataclass(frozen=True)
class Sizes:
    """How deep the networks are.

    Attributes:
        layers: Of a network that makes its first step.
        blocks: Of a step that is compiled, for each program.
    """

    layers: int
    blocks: dict[str, tuple[int, ...]]


FULL = Sizes(200, {"repeat": (6, 12, 24, 48), "serial": (6, 12, 24)})
QUICK = Sizes(20, {"repeat": (6, 12, 24, 48), "serial": (6, 12)})
