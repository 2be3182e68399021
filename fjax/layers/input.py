"""`Input`, the symbolic input of a model."""

from typing import Any

from fjax.core.inputs import InputLayer
from fjax.core.symbolic import SymbolicTensor, input_tensor


def Input(  # noqa: N802 (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
) -> SymbolicTensor:
    """Return a symbolic tensor for the input of a model; the arguments are those of `InputLayer`.

    As the first element of a `Sequential` it declares the model's input.

    Raises:
        ValueError: `shape` is missing; for samples that are numbers it is `()`.

    Source: Keras's page "Input object".

    >>> Input(shape=(28, 28), name="image")
    <SymbolicTensor (None, 28, 28) float32 of 'image'>
    """
    if shape is None:
        raise ValueError(
            "`Input` needs the shape of one sample, without the batch axis, as in "
            "`Input(shape=(28, 28))`."
        )
    return input_tensor(InputLayer(shape, batch_size, dtype, name=name))
