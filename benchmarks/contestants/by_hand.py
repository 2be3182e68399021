"""The training step in plain `jax.numpy`, which the two hand-written contestants share."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.contestants import images_by_hand, reviews_by_hand
from benchmarks.jobs import Job

# Kernels and biases; of the networks for texts and images what their own modules say.
Params = Any
# Of each output the sum of the losses, and the sum of what is measured beside it.
Sums = list[Any]
# The params, and the sums of the epoch so far.
Carry = tuple[Params, Sums, Sums]


def first_carry(job: Job, params: Params) -> Carry:
    """Return what an epoch begins with."""
    losses = [np.float32(0) for _ in job.loss_weights]
    if job.classifies:
        return params, losses, [np.int32(0)]
    return params, losses, [np.float32(0) for _ in job.loss_weights if job.features]


def first_params(job: Job, generator: np.random.Generator) -> Params:
    """Return kernels uniform as in Keras (Glorot), and biases of zeros."""
    if job.vocabulary:
        return reviews_by_hand.first_trained(job, generator)
    if job.convolutions:
        return images_by_hand.first_trained(job, generator)
    return [
        (
            generator.uniform(-limit, limit, shape).astype("float32"),
            np.zeros(shape[1], "float32"),
        )
        for shape in job.kernels
        for limit in [np.sqrt(6 / sum(shape))]
    ]


def mean_loss(job: Job, losses: Sums) -> float:
    """Return the mean loss of an epoch, from the sums of the outputs' losses."""
    return job.weighted([float(value) for value in losses]) / job.rows


def training_step(job: Job) -> Callable[[Carry, Sequence[Any], Any], Carry]:
    """Return `step(carry, inputs, targets) -> carry`."""
    if job.vocabulary:
        return _reviews_step(job)
    if job.convolutions:
        return _images_step(job)

    def objective(params: Params, inputs: Sequence[Any], y: Any) -> tuple[Any, tuple[Sums, Sums]]:
        outputs = _outputs(job, params, inputs)
        losses = [_loss(job, values, y) for values in outputs]
        measured = [measure(values, y) for values in outputs for measure in _measures(job)]
        return job.weighted(losses), (losses, measured)

    def step(carry: Carry, inputs: Sequence[Any], y: Any) -> Carry:
        params, losses, measured = carry
        differentiate = jax.value_and_grad(objective, has_aux=True)
        (_, (new_losses, newly_measured)), grads = differentiate(params, inputs, y)
        params = jax.tree.map(lambda p, g: p - job.learning_rate * g, params, grads)
        losses = [sum_ + loss * len(y) for sum_, loss in zip(losses, new_losses, strict=True)]
        measured = [sum_ + new for sum_, new in zip(measured, newly_measured, strict=True)]
        return params, losses, measured

    return step


def _reviews_step(job: Job) -> Callable[[Carry, Sequence[Any], Any], Carry]:
    def step(carry: Carry, inputs: Sequence[Any], y: Any) -> Carry:
        trained, (total,), measured = carry
        loss, grads = jax.value_and_grad(
            lambda weights: reviews_by_hand.loss(reviews_by_hand.logits(weights, inputs[0]), y)
        )(trained[0])
        trained = reviews_by_hand.adam(trained, grads, job.learning_rate)
        return trained, [total + loss * len(y)], measured

    return step


def _images_step(job: Job) -> Callable[[Carry, Sequence[Any], Any], Carry]:
    def objective(weights: Any, images: Any, y: Any, key: Any) -> tuple[Any, Any]:
        logits = images_by_hand.logits(job, weights, images, key)
        return _loss(job, logits, y), jnp.sum(jnp.argmax(logits, axis=-1) == y)

    def step(carry: Carry, inputs: Sequence[Any], y: Any) -> Carry:
        trained, (total,), (right,) = carry
        key = jax.random.fold_in(jax.random.key(0), trained[-1])
        (loss, more), grads = jax.value_and_grad(objective, has_aux=True)(
            trained[0], inputs[0], y, key
        )
        trained = reviews_by_hand.adam(trained, grads, job.learning_rate)
        return trained, [total + loss * len(y)], [right + more]

    return step


def _outputs(job: Job, params: Params, inputs: Sequence[Any]) -> list[Any]:
    *around, through = inputs
    values = through.reshape(len(through), -1)
    count = len(job.loss_weights)
    for kernel, bias in params[:-count]:
        values = jax.nn.relu(values @ kernel + bias)
    before = [jnp.concatenate([*around, values], axis=1), values] if around else [values]
    heads = params[-count:]
    return [each @ kernel + bias for each, (kernel, bias) in zip(before, heads, strict=True)]


def _loss(job: Job, values: Any, y: Any) -> Any:
    if not job.classifies:
        return jnp.mean((values - y) ** 2)
    chosen = jax.nn.one_hot(y, job.units[-1]) * jax.nn.log_softmax(values)
    return -jnp.sum(chosen) / len(y)


def _measures(job: Job) -> list[Callable[[Any, Any], Any]]:
    """Return what is measured beside the loss of each output, each a sum over a batch."""
    if job.classifies:
        return [lambda values, y: jnp.sum(jnp.argmax(values, axis=-1) == y)]
    return [lambda values, y: jnp.sum(jnp.abs(values - y))] if job.features else []
