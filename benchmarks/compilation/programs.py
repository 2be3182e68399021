"""What is compiled. Each program is one function `prepare(size)`, which returns what is timed.

Each measurement is a process of its own, so that nothing compiled is there from before.
"""

from benchmarks.contestants import Contestant

# From building a network of so many layers to the end of its first step: of each form ours, theirs.
FIRST_STEPS = {
    "`Sequential`": (
        Contestant("fjax", "fjax_networks:sequential", "fjax"),
        Contestant(
            "Keras on JAX",
            "keras_networks:sequential",
            "keras",
            ("keras",),
            {"KERAS_BACKEND": "jax"},
        ),
    ),
    "`Model(inputs, outputs)`": (
        Contestant("fjax", "fjax_networks:graph", "fjax"),
        Contestant(
            "Keras on JAX", "keras_networks:graph", "keras", ("keras",), {"KERAS_BACKEND": "jax"}
        ),
    ),
}

# One training step of so many blocks, traced and compiled.
BLOCKS = {
    "repeat": Contestant("`fjax.repeat`", "fjax_blocks:repeated", "fjax"),
    "serial": Contestant("`fjax.serial`", "fjax_blocks:in_a_row", "fjax"),
}
