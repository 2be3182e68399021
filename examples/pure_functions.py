"""Training by pure functions, without a model: `init`, `apply` and the training step.

It trains eight networks with different learning rates at once, by `vmap` over the step, and puts
the best one into a model.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

from fjax import Model, datasets, losses, optimizers, serial, training
from fjax.layers import Dense, Flatten, Rescaling


def main(epochs: int = 20) -> float:
    """Train, select and evaluate; return the test accuracy of the best network."""
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    network = serial(Flatten(), Rescaling(1 / 16), Dense(64), jax.nn.relu, Dense(10))
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = optimizers.Adam()
    step = training.train_step(network, loss, optimizer)

    rates = jnp.geomspace(1e-4, 1e-1, 8)
    batch_size = 32
    steps = len(x_train) // batch_size
    spec = jax.ShapeDtypeStruct((batch_size, 8, 8), "float32")

    def start(rate: jax.Array) -> training.TrainState:
        train_state = training.create_train_state(network, optimizer, jax.random.key(0), spec)
        opt_state = train_state.opt_state._replace(learning_rate=rate)
        return train_state._replace(opt_state=opt_state)

    def epoch(train_state: training.TrainState, order: jax.Array) -> training.TrainState:
        def train_on_rows(train_state: training.TrainState, rows: jax.Array):
            batch = training.Batch((jnp.asarray(x_train)[rows],), jnp.asarray(y_train)[rows])
            return step(train_state, batch)

        return jax.lax.scan(train_on_rows, train_state, order)[0]

    train_all = jax.jit(jax.vmap(epoch, in_axes=(0, None)))
    states = jax.vmap(start)(rates)
    random = np.random.default_rng(0)
    for _ in range(epochs):
        order = random.permutation(len(x_train))[: steps * batch_size].reshape(steps, batch_size)
        states = train_all(states, order)

    def accuracy(train_state: training.TrainState) -> jax.Array:
        logits, _ = network.apply(train_state.params, train_state.state, jnp.asarray(x_test))
        return jnp.mean(jnp.argmax(logits, -1) == jnp.asarray(y_test))

    scores = jax.vmap(accuracy)(states)
    for rate, score in zip(rates, scores, strict=True):
        print(f"learning rate {rate:.1e}: test accuracy {score:.4f}")

    best = jax.tree.map(lambda leaf: leaf[int(scores.argmax())], states)
    model = Model(network, input_shape=(8, 8))
    model.compile(optimizer, loss, metrics=["accuracy"])
    model.train_state = best
    logs = model.evaluate(x_test, y_test, return_dict=True, verbose=0)
    print(f"the best network, in a model: {logs['accuracy']:.4f}")
    return logs["accuracy"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    main(**vars(parser.parse_args()))
