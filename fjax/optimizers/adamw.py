"""AdamW."""

from fjax.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with weight decay apart from the gradient.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        weight_decay: Each update first takes `weight_decay * learning_rate` of each param away.
        beta_1: As in `Adam`.
        beta_2: As in `Adam`.
        epsilon: As in `Adam`.
        amsgrad: As in `Adam`.

    The keyword arguments common to all are told at `Optimizer`, as are the errors.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019); Keras, `AdamW`.

    >>> import jax.numpy as jnp
    >>> optimizer = AdamW(0.1, weight_decay=0.5)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.15, 0.2]
    """

    # Declared in the base between `learning_rate` and `beta_1`, and so second by position.
    weight_decay: float = 0.004

    def _check(self) -> None:
        super()._check()
        self._check_number("weight_decay", 0.0)
