"""`Input`, the symbolic input of a model."""

from typing import Any

from fjax.core.inputs import InputLayer
from fjax.core.symbolic import SymbolicTensor, input_tensor


def Input(  # noqa: N802 (Keras's name)
    shape: Any = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> SymbolicTensor:
    """Return a symbolic tensor for the input of a model.

    As the first element of a `Sequential` it declares the model's input.

    Args:
        shape: The shape of one sample, without the batch axis.
        batch_size: The size of the batch axis, if it is fixed.
        dtype: The dtype that inputs are cast to, by default float32.
        sparse: False; arrays are dense.
        ragged: False, likewise.
        batch_shape: The shape with the batch axis, in place of `shape` and `batch_size`.
        name: The name of the input.
        tensor: A symbolic tensor that is returned itself, in place of all other arguments.
        optional: False; a model needs all of its inputs.

    Raises:
        ValueError: `shape` is missing; for samples that are numbers it is `()`.
        TypeError: `tensor` is no symbolic tensor.

    Source: Keras's page "Input object".

    >>> Input(shape=(28, 28), name="image")
    <SymbolicTensor (None, 28, 28) float32 of 'image'>
    """
    if tensor is not None:
        if not isinstance(tensor, SymbolicTensor):
            raise TypeError(f"`Input`: `tensor` must be a symbolic tensor, received {tensor!r}.")
        return tensor
    if shape is None and batch_shape is None:
        raise ValueError(
            "`Input` needs the shape of one sample, without the batch axis, as in "
            "`Input(shape=(28, 28))`."
        )
    given: dict[str, Any] = {"batch_shape": batch_shape} if shape is None else {"shape": shape}
    if shape is not None and batch_shape is not None:
        raise ValueError(
            f"`Input` takes `shape` or `batch_shape`, received both: {shape!r} and {batch_shape!r}."
        )
    given |= {"sparse": sparse, "ragged": ragged, "optional": optional}
    return input_tensor(InputLayer(**given, batch_size=batch_size, dtype=dtype, name=name))
