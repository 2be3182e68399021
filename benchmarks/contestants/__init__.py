"""Who takes part. Each has one function, `train(job, inputs, targets, epochs, turns)`, here."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Contestant:
    """One row of the tables.

    Attributes:
        label: What the row is called.
        entry: `module:function` in this package.
        package: The distribution whose version counts.
        needs: The modules without which there is nothing to run.
        environment: What its process finds in the environment, beside everybody's.
        python: The environment variable that names the Python of its process; unset, it is the
            Python of this process.
    """

    label: str
    entry: str
    package: str
    needs: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


# TensorFlow needs an environment of its own: `peers.txt` says why and how it is made.
TENSORFLOW_PYTHON = "BENCHMARKS_TENSORFLOW_PYTHON"


CONTESTANTS = {
    "fjax": Contestant("fjax", "fit:train_fjax", "fjax"),
    "jax_loop": Contestant("JAX, bare `fori_loop`", "jax_loop:train", "jax"),
    "jax_step": Contestant("JAX, hand-jitted step", "jax_step:train", "jax"),
    "keras_jax": Contestant(
        "Keras on JAX", "fit:train_keras", "keras", ("keras",), {"KERAS_BACKEND": "jax"}
    ),
    "keras_tensorflow": Contestant(
        "Keras on TensorFlow", "fit:train_keras", "tensorflow",
        ("keras", "tensorflow"), {"KERAS_BACKEND": "tensorflow"}, TENSORFLOW_PYTHON,
    ),
    "torch_loader": Contestant(
        "PyTorch, `DataLoader`", "torch_loop:train_from_loader", "torch", ("torch",)
    ),
    "torch_indexed": Contestant(
        "PyTorch, rows by index", "torch_loop:train_by_index", "torch", ("torch",)
    ),
}  # fmt: skip
