"""AdamW."""

from fjax.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled weight decay.

    Args:
        learning_rate: A number, a schedule, or a function of the step.
        weight_decay: Each update first subtracts `weight_decay * learning_rate * param`.
        beta_1: As in `Adam`.
        beta_2: As in `Adam`.
        epsilon: As in `Adam`.
        amsgrad: As in `Adam`.

    For further keyword arguments and the errors see `Optimizer`.

    Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019); Keras, `AdamW`.

    >>> import jax.numpy as jnp
    >>> optimizer = AdamW(0.1, weight_decay=0.5)
    >>> params = {"w": jnp.array([1.0, -2.0])}
    >>> updates, _ = optimizer.update(params, optimizer.init(params), params)
    >>> [round(update, 4) for update in updates["w"].tolist()]
    [-0.15, 0.2]
    """

    # `Optimizer` declares it after `learning_rate`, so that it is the second argument by position.
    weight_decay: float = 0.004

    def _check(self) -> None:
        super()._check()
        self._check_number("weight_decay", 0.0)
