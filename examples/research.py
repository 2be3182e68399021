"""The pure functions of a model in training loops that `fit` cannot run.

`vmap` over seeds trains an ensemble; a Hessian-vector product is compared with finite differences;
MAML differentiates through an inner training loop; and the best member of the ensemble is put back
into the model and evaluated.

Source: Finn et al., "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks", 2017.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

import fjax
from fjax.layers import Dense, Flatten, Rescaling


def descend(params, grads, rate):
    """Return the params after one step of plain gradient descent."""
    return jax.tree.map(lambda param, grad: param - rate * grad, params, grads)


def dot(first, second):
    """Return the inner product of two trees."""
    return sum(jnp.vdot(a, b) for a, b in zip(*map(jax.tree.leaves, (first, second)), strict=True))


def train_ensemble(network, loss, x, y, members, epochs):
    """Return the params and states of several members, each with its own seed."""
    spec = jax.ShapeDtypeStruct(x.shape, x.dtype)
    orders = np.stack([np.random.default_rng(e).permutation(len(x)) for e in range(epochs)])
    orders = orders[:, : len(x) // 64 * 64].reshape(-1, 64)

    def step(weights, rows):
        params, state = weights

        def objective(params):
            outputs, new_state = network.apply(params, state, x[rows], training=True)
            return loss(y[rows], outputs), new_state

        grads, state = jax.grad(objective, has_aux=True)(params)
        return (descend(params, grads, 0.2), state), None

    def train(key):
        return jax.lax.scan(step, network.init(key, spec), orders)[0]

    return jax.jit(jax.vmap(train))(jax.random.split(jax.random.key(0), members))


def curvature(network, loss, params, state, x, y):
    """Return the curvature along the gradient, and the relative error of finite differences."""

    def objective(params):
        return loss(y, network.apply(params, state, x)[0])

    gradient = jax.jit(jax.grad(objective))
    direction = gradient(params)
    direction = jax.tree.map(lambda d: d / jnp.sqrt(dot(direction, direction)), direction)
    product = jax.jit(lambda p, v: jax.jvp(gradient, (p,), (v,))[1])(params, direction)
    ahead, behind = (gradient(descend(params, direction, rate)) for rate in (-1e-2, 1e-2))
    finite_difference = jax.tree.map(lambda a, b: (a - b) / 2e-2, ahead, behind)
    error = jax.tree.map(jnp.subtract, product, finite_difference)
    relative_error = jnp.sqrt(dot(error, error) / dot(product, product))
    return float(dot(direction, product)), float(relative_error)


def learn_to_learn(steps):
    """Return the errors on new sine waves after five steps on ten points.

    The first error is that of random initial weights, the second that of MAML's.
    """
    network = fjax.serial(Dense(40, "tanh"), Dense(40, "tanh"), Dense(1))
    optimizer = fjax.optimizers.Adam(3e-3)

    def waves(key, count):
        amplitude_key, phase_key, x_key = jax.random.split(key, 3)
        amplitudes = jax.random.uniform(amplitude_key, (count, 1, 1), minval=0.5, maxval=3.0)
        phases = jax.random.uniform(phase_key, (count, 1, 1), maxval=jnp.pi)
        x = jax.random.uniform(x_key, (count, 20, 1), minval=-3.0, maxval=3.0)
        return x, amplitudes * jnp.sin(x + phases)

    def error(params, x, y):
        return jnp.mean((network.apply(params, state, x)[0] - y) ** 2)

    def adapt(params, x, y, inner_steps):
        for _ in range(inner_steps):
            params = descend(params, jax.grad(error)(params, x, y), 0.03)
        return params

    def meta_error(params, x, y, inner_steps=1):
        # Ten points of each wave for training, ten others for the error.
        def wave_error(x, y):
            return error(adapt(params, x[:10], y[:10], inner_steps), x[10:], y[10:])

        return jax.vmap(wave_error)(x, y).mean()

    def step(carry, key):
        params, opt_state = carry
        grads = jax.grad(meta_error)(params, *waves(key, 16))
        updates, opt_state = optimizer.update(grads, opt_state, params)
        return (jax.tree.map(jnp.add, params, updates), opt_state), None

    params, state = network.init(jax.random.key(1), jax.ShapeDtypeStruct((20, 1), "float32"))
    keys = jax.random.split(jax.random.key(2), steps)
    learned = jax.jit(lambda carry: jax.lax.scan(step, carry, keys)[0])(
        (params, optimizer.init(params))
    )[0]
    test_waves = waves(jax.random.key(3), 100)
    test_error = jax.jit(lambda params: meta_error(params, *test_waves, inner_steps=5))
    return float(test_error(params)), float(test_error(learned))


def main(epochs: int = 30, meta_steps: int = 1000) -> float:
    """Run all experiments; return the test accuracy of the best member of the ensemble."""
    data = jax.tree.map(jnp.asarray, fjax.datasets.digits.load_data())
    (x_train, y_train), (x_test, y_test) = data
    loss = fjax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = fjax.Sequential(
        [fjax.Input((8, 8)), Flatten(), Rescaling(1 / 16), Dense(32, "tanh"), Dense(10)], seed=0
    )
    model.compile("sgd", loss, metrics=["accuracy"])

    network = model.network
    params, states = train_ensemble(network, loss, x_train, y_train, members=8, epochs=epochs)
    logits, _ = jax.vmap(lambda p, s: network.apply(p, s, x_test))(params, states)
    scores = (logits.argmax(-1) == y_test).mean(axis=-1)
    ensemble_score = float((jax.nn.softmax(logits).mean(axis=0).argmax(-1) == y_test).mean())
    print(f"test accuracy of 8 members: {scores.min():.4f} to {scores.max():.4f}")
    print(f"of the ensemble: {ensemble_score:.4f}")

    best = jax.tree.map(lambda leaf: leaf[int(scores.argmax())], (params, states))
    value, relative_error = curvature(network, loss, *best, x_train, y_train)
    print(f"curvature along the gradient: {value:.4f}")
    print(f"relative error of finite differences: {relative_error:.1%}")

    random_error, maml_error = learn_to_learn(meta_steps)
    print("error on a new sine wave after five steps:")
    print(f"{random_error:.3f} from random weights, {maml_error:.3f} from those of MAML")

    model.train_state = model.train_state._replace(params=best[0], state=best[1])
    accuracy = model.evaluate(np.asarray(x_test), np.asarray(y_test), verbose=0)[1]
    print(f"the best member, evaluated by the model: {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--meta-steps", type=int, default=1000)
    main(**vars(parser.parse_args()))
