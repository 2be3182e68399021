"""`Function`: the computation between symbolic tensors."""

from typing import Any

from fjax.core.symbolic import SymbolicTensor
from fjax.models.model import Model
from fjax.typing import PyTree


class Function:
    """The computation from some symbolic tensors to others, which can be called on arrays.

    Its layers keep the weights that they have in models.

    Args:
        inputs: The symbolic tensors to begin with: one, or a list, tuple or dict.
        outputs: The symbolic tensors to return, in the same forms.
        name: Its name.

    Source: Keras's page "Function".

    >>> import numpy as np
    >>> from fjax.layers import Input, Rescaling
    >>> inputs = Input((2,))
    >>> Function(inputs, Rescaling(3.0)(inputs) + 1.0)(np.ones((1, 2))).tolist()
    [[4.0, 4.0]]
    """

    def __init__(self, inputs: PyTree, outputs: PyTree, name: str | None = None) -> None:
        self._model = Model(inputs, outputs, name=name)

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that it begins with."""
        return self._model.inputs

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that it returns."""
        return self._model.outputs

    @property
    def name(self) -> str:
        """Its name."""
        return self._model.name

    def __call__(self, inputs: Any) -> PyTree:
        """Return the outputs for arrays, or for symbolic tensors."""
        return self._model(inputs)

    def __repr__(self) -> str:
        return f"Function({self.inputs}, {self.outputs})"
