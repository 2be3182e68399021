"""Layer normalization."""

from fjax.configuration import field
from fjax.layers.normalization.base import AffineNormalization, standardize
from fjax.typing import Array, Identifier


class LayerNormalization(AffineNormalization):
    """Normalize each sample by its own mean and variance along the features.

    `outputs = gamma * (inputs - mean) / sqrt(variance + epsilon) + beta`, in training and at
    inference: no sample depends on another, and the layer has no state.

    Args:
        axis: The axis, or a list of axes, to compute the statistics along; not the batch axis.
        epsilon: Added to the variance.
        center: Whether to add `beta`.
        scale: Whether to multiply by `gamma`.
        rms_scaling: Whether to divide by the deviation without subtracting the mean; then there is
            a `gamma` and no `beta`, whatever `scale` and `center` are.
        beta_initializer: Initializer of `beta`.
        gamma_initializer: Initializer of `gamma`.
        beta_regularizer: Regularizer of `beta`; None means no penalty.
        gamma_regularizer: Regularizer of `gamma`.
        beta_constraint: Applied to `beta` after each training step; None means no constraint.
        gamma_constraint: Applied to `gamma` after each training step.

    Shapes: `(batch, …)`, unchanged; `gamma` and `beta` have the sizes of the axes, in order.

    Raises:
        ValueError: An argument is out of range, or the inputs have no such axis.

    Source: Ba, Kiros and Hinton, "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450;
    Keras's page "LayerNormalization layer".

    >>> import jax, jax.numpy as jnp
    >>> layer = LayerNormalization()
    >>> inputs = jnp.array([[1.0, 3.0], [10.0, 30.0]])
    >>> params, state = layer.init(jax.random.key(0), inputs)
    >>> layer.apply(params, state, inputs)[0].round(2).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]
    """

    fields_beyond_keras = frozenset({"rms_scaling"})

    axis: int | tuple[int, ...] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    rms_scaling: bool = field(default=False, kw_only=True)
    beta_initializer: Identifier = "zeros"
    gamma_initializer: Identifier = "ones"
    beta_regularizer: Identifier = None
    gamma_regularizer: Identifier = None
    beta_constraint: Identifier = None
    gamma_constraint: Identifier = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rms_scaling:
            self.scale, self.center = True, False

    def normalize(self, values: Array, axes: tuple[int, ...]) -> Array:
        """Return the values with mean 0 and variance 1 along the axes."""
        return standardize(values, axes, self.epsilon, self.rms_scaling)
