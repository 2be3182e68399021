"""The device memory that a training step needs, as the compiler plans it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fjax.compiler import planned_memory
from fjax.typing import PyTree

_UNITS = ("bytes", "KB", "MB", "GB", "TB")


class MemoryReport(NamedTuple):
    """The device memory of one training step, in bytes; `print` shows it in readable units.

    Attributes:
        arguments: The train state and the batch.
        outputs: The next train state and the logs.
        reused: The part of the outputs that takes the place of arguments.
        temporaries: The values in between, such as the activations that the gradients need.

    >>> report = MemoryReport(4_000_000, 3_000_000, 3_000_000, 12_500_000)
    >>> report.total
    16500000
    >>> print(report)
    arguments 4.0 MB, outputs 3.0 MB (3.0 MB in place), temporaries 12.5 MB, total 16.5 MB
    """

    arguments: int
    outputs: int
    reused: int
    temporaries: int

    @property
    def total(self) -> int:
        """What the step needs in all."""
        return self.arguments + self.outputs - self.reused + self.temporaries

    def __str__(self) -> str:
        return (
            f"arguments {_readable(self.arguments)}, outputs {_readable(self.outputs)} "
            f"({_readable(self.reused)} in place), temporaries {_readable(self.temporaries)}, "
            f"total {_readable(self.total)}"
        )


def report_memory(step: Callable[..., Any], train_state: PyTree, batch: PyTree) -> MemoryReport:
    """Return the memory of a training step, without running it.

    Args:
        step: A pure step, `step(train_state, batch)`; its train state is donated.
        train_state: The train state or its shapes.
        batch: The batch or its shapes.

    >>> import jax, jax.numpy as jnp
    >>> spec = jax.ShapeDtypeStruct((1000,), "float32")
    >>> report_memory(lambda state, batch: state + batch, spec, spec).arguments
    8000
    """
    sizes = planned_memory(step, train_state, batch, donate_argnums=0)
    return MemoryReport(
        arguments=int(sizes.argument_size_in_bytes),
        outputs=int(sizes.output_size_in_bytes),
        reused=int(sizes.alias_size_in_bytes),
        temporaries=int(sizes.temp_size_in_bytes),
    )


def _readable(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {_UNITS[unit]}" if unit else f"{count} {_UNITS[unit]}"
