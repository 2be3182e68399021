"""The declaration of a model's input."""

from typing import Any

from fjax.core.inputs import InputLayer
from fjax.core.symbolic import SymbolicTensor, input_tensor


def Input(  # noqa: N802 (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    name: str | None = None,
) -> SymbolicTensor:
    """Return a symbolic tensor, where a graph begins; the arguments are those of `InputLayer`.

    As the first of a `Sequential`'s layers it declares the model's input.

    Raises:
        ValueError: There is no shape; `()` is that of samples which are numbers.

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
