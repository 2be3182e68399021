"""The optimizers that the tests run, and helpers of these tests."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from fjax.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    Optimizer,
    RMSprop,
    ScheduleFreeAdamW,
)


class Momentum(Optimizer):
    """An optimizer with its own `__init__`, as in code written for Keras."""

    def __init__(self, learning_rate=0.01, momentum=0.9, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def init_one(self, param):
        return {"velocity": jnp.zeros_like(param)}

    def update_one(self, grad, slots, param, learning_rate, step):
        velocity = self.momentum * slots["velocity"] - learning_rate * grad
        return velocity, {"velocity": velocity}


class SignDescent(Optimizer):
    """An optimizer with fields, whose rule depends on the param and the step."""

    learning_rate: float = 0.01
    attraction: float = 0.1

    def update_one(self, grad, slots, param, learning_rate, step):
        return -learning_rate * (jnp.sign(grad) + self.attraction * param) / jnp.sqrt(step), slots


# The class, its arguments, and the learning rates to minimize a parabola and Rosenbrock's function.
OPTIMIZERS = {
    "SGD": (SGD, {}, 0.1, 2e-3),
    "SGD momentum": (SGD, {"momentum": 0.9}, 0.02, 5e-4),
    "SGD nesterov": (SGD, {"momentum": 0.9, "nesterov": True}, 0.02, 5e-4),
    "RMSprop": (RMSprop, {}, 1e-3, 1e-3),
    "RMSprop full": (RMSprop, {"momentum": 0.5, "centered": True}, 5e-4, 1e-4),
    "Adam": (Adam, {}, 0.02, 0.01),
    "Adam amsgrad": (Adam, {"amsgrad": True}, 0.02, 0.01),
    "AdamW": (AdamW, {"weight_decay": 1e-4}, 0.02, 0.01),
    "Adam clipped": (Adam, {"global_clipnorm": 1.0}, 0.02, 0.01),
    "Nadam": (Nadam, {}, 0.02, 0.01),
    "Adamax": (Adamax, {}, 0.02, 0.01),
    "Adagrad": (Adagrad, {}, 0.5, 0.5),
    "Adadelta": (Adadelta, {}, 0.5, 0.05),
    "Adafactor": (Adafactor, {}, 0.05, 0.05),
    "Ftrl": (Ftrl, {}, 0.5, 0.5),
    "Lamb": (Lamb, {}, 0.002, 0.003),
    "Lion": (Lion, {}, 2e-3, 1e-3),
    "Muon": (Muon, {"weight_decay": 0.0, "adam_weight_decay": 0.0}, 0.01, 0.01),
    "ScheduleFreeAdamW": (ScheduleFreeAdamW, {"warmup_steps": 10}, 0.05, 0.02),
    "averaged": (
        SGD,
        {
            "momentum": 0.9,
            "use_ema": True,
            "ema_overwrite_frequency": 10,
            "ema_momentum": 0.5,
            "gradient_accumulation_steps": 2,
            "loss_scale_factor": 4.0,
            "exclude_from_weight_decay": ["bias"],
        },
        0.1,
        2e-3,
    ),
    "authored": (Momentum, {}, 0.02, 5e-4),
    "fields": (SignDescent, {"attraction": 0.0}, 0.05, 0.01),
}
every_optimizer = pytest.mark.parametrize("case", OPTIMIZERS)


def make(case, **changes):
    cls, arguments, *_ = OPTIMIZERS[case]
    return cls(**{"learning_rate": 0.1, **arguments, **changes})


def draw(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"dense": {"bias": (3,), "kernel": (4, 3)}, "scale": ()}
    return jax.tree.map(
        lambda shape: jnp.asarray(rng.normal(size=shape), jnp.float32),
        shapes,
        is_leaf=lambda node: isinstance(node, tuple),
    )


def descend(optimizer, loss, params, steps):
    def body(_, carry):
        params, opt_state = carry
        updates, opt_state = optimizer.update(jax.grad(loss)(params), opt_state, params)
        return jax.tree.map(jnp.add, params, updates), opt_state

    run = jax.jit(lambda carry: lax.fori_loop(0, steps, body, carry)[0])
    return run((params, optimizer.init(params)))


def check_close(left, right, rtol=1e-6, atol=1e-7):
    assert jax.tree.structure(left) == jax.tree.structure(right)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=rtol, atol=atol), left, right)
