"""The device memory and the communication of a training step, as the compiler plans it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from fjax.compiler import compiled_program
from fjax.training.collectives import Collective, collectives, readable_size
from fjax.typing import PyTree


class MemoryReport(NamedTuple):
    """What one training step needs on each device, in bytes; `print` shows it in readable units.

    Attributes:
        arguments: The train state and the batch.
        outputs: The next train state and the logs.
        reused: The part of the outputs that takes the place of arguments.
        temporaries: The values in between, such as the activations that the gradients need.
        collectives: The collective operations, if the step runs on several devices.

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
    collectives: tuple[Collective, ...] = ()

    @property
    def total(self) -> int:
        """The memory that the step needs in all."""
        return self.arguments + self.outputs - self.reused + self.temporaries

    def __str__(self) -> str:
        memory = (
            f"arguments {readable_size(self.arguments)}, outputs {readable_size(self.outputs)} "
            f"({readable_size(self.reused)} in place), temporaries "
            f"{readable_size(self.temporaries)}, total {readable_size(self.total)}"
        )
        return "\n".join([memory, *map(str, self.collectives)])


def report_memory(step: Callable[..., Any], train_state: PyTree, batch: PyTree) -> MemoryReport:
    """Return the memory and the collective operations of a training step, without running it.

    Args:
        step: A pure step, `step(train_state, batch)`; its train state is donated. For several
            devices, `placement.step(step)`.
        train_state: The train state or its shapes; for several devices, those that
            `placement.shard_shapes(train_state, batch)` returns.
        batch: The batch or its shapes.

    >>> import jax, jax.numpy as jnp
    >>> spec = jax.ShapeDtypeStruct((1000,), "float32")
    >>> report_memory(lambda state, batch: state + batch, spec, spec).arguments
    8000
    """
    program = compiled_program(step, train_state, batch, donate_argnums=0)
    sizes = program.memory_analysis()
    return MemoryReport(
        arguments=int(sizes.argument_size_in_bytes),
        outputs=int(sizes.output_size_in_bytes),
        reused=int(sizes.alias_size_in_bytes),
        temporaries=int(sizes.temp_size_in_bytes),
        collectives=collectives(program.as_text()),
    )
