"""What is compiled. Each program is one function `prepare(size)`, which returns what is timed.

Each measurement is a process of its own, so that nothing compiled is there from before.
"""

import dataclasses

from benchmarks.contestants import CONTESTANTS, Contestant


def _keras(function: str) -> Contestant:
    return dataclasses.replace(CONTESTANTS["keras_jax"], entry=f"keras_networks:{function}")


# The call of a bidirectional LSTM on a symbolic tensor of so many positions.
SYMBOLIC_CALL = {
    "fjax": Contestant("fjax", "fjax_networks:bidirectional_call", "fjax"),
    "keras_jax": _keras("bidirectional_call"),
}

# From building a network of so many layers to the end of its first step: of each form ours, theirs.
FIRST_STEPS = {
    "`Sequential`": (
        Contestant("fjax", "fjax_networks:sequential", "fjax"),
        _keras("sequential"),
    ),
    "`Model(inputs, outputs)`": (
        Contestant("fjax", "fjax_networks:graph", "fjax"),
        _keras("graph"),
    ),
}

# One training step of so many blocks, traced and compiled.
BLOCKS = {
    "repeat": Contestant("`fjax.repeat`", "fjax_blocks:repeated", "fjax"),
    "serial": Contestant("`fjax.serial`", "fjax_blocks:in_a_row", "fjax"),
}
