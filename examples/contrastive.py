"""Learning without labels: a contrastive loss in a custom step, then a linear probe.

The encoder is trained without labels so that two noisy views of one digit have similar features,
and views of different digits have different ones. A linear classifier on these features, trained on
few labels, shows how good they are.

Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

import fjax
from fjax.layers import BatchNormalization, Dense, Layer


class Views(Layer):
    """Two views of each image, with random pixels set to zero and with noise."""

    def __init__(self, keep_rate=0.7, noise=0.2, **kwargs):
        super().__init__(**kwargs)
        self.keep_rate, self.noise = keep_rate, noise

    def call(self, inputs, key=None):
        """Return the first view of all images, and the second."""
        return [self.view(inputs, view_key) for view_key in jax.random.split(key)]

    def view(self, inputs, key):
        """Return one view of each image."""
        mask_key, noise_key = jax.random.split(key)
        views = inputs * jax.random.bernoulli(mask_key, self.keep_rate, inputs.shape)
        return views + self.noise * jax.random.normal(noise_key, views.shape)


class Contrastive(fjax.Model):
    """An encoder, a projection head for the loss, and the step that trains both."""

    def __init__(self, temperature=0.2, **kwargs):
        super().__init__(**kwargs)
        self.views = Views()
        self.encoder = fjax.Sequential(
            [fjax.layers.Flatten(), Dense(128, "relu"), BatchNormalization(), Dense(64, "relu")]
        )
        self.head = fjax.Sequential([Dense(64, "relu"), Dense(32)])
        self.temperature = temperature

    def call(self, inputs, training=False, key=None):
        """Return the features of images; in training, the projections of two views of each."""
        if not training:
            features = self.encoder(inputs)
            self.head(features)
            return features
        first, second = self.views(inputs)
        projections = self.head(self.encoder(jnp.concatenate([first, second])))
        return projections / jnp.linalg.norm(projections, axis=-1, keepdims=True)

    def train_step(self, train_state, batch):
        """Return the next train state, the loss, and how often a view is nearest to its partner.

        The partner of a view is the other view of the same image.
        """
        count = len(batch.inputs[0])
        partners = jnp.roll(jnp.arange(2 * count), count)

        def objective(params):
            projections, state = self.network.apply(
                params, train_state.state, *batch.inputs, key=train_state.key, training=True
            )
            similarity = projections @ projections.T / self.temperature
            # A view is not compared with itself.
            similarity = jnp.where(jnp.eye(2 * count, dtype=bool), -jnp.inf, similarity)
            loss = -jax.nn.log_softmax(similarity)[jnp.arange(2 * count), partners].mean()
            return loss, (state, (similarity.argmax(axis=-1) == partners).mean())

        (loss, (state, found)), grads = jax.value_and_grad(objective, has_aux=True)(
            train_state.params
        )
        optimizer = self.optimizer.optimizer
        updates, opt_state = optimizer.update(grads, train_state.opt_state, train_state.params)
        params = jax.tree.map(jnp.add, train_state.params, updates)
        train_state = train_state._replace(params=params, state=state, opt_state=opt_state)
        return train_state, {"loss": loss, "found": found}


class PrintLogs(fjax.callbacks.Callback):
    """Print the logs every few epochs."""

    def __init__(self, every):
        super().__init__()
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        """Print the loss, and how often a view is nearest to its partner."""
        if (epoch + 1) % self.every == 0:
            print(f"epoch {epoch + 1}: loss {logs['loss']:.3f}, partners found {logs['found']:.3f}")


def probe(features, labels, test_features, test_labels) -> float:
    """Return the test accuracy of a linear classifier on these features."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-3
    features, test_features = ((a - mean) / deviation for a in (features, test_features))
    model = fjax.Sequential([Dense(10, kernel_regularizer=fjax.regularizers.L2(1e-3))], seed=0)
    loss = fjax.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(fjax.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    model.fit(features, labels, epochs=60, verbose=0)
    return model.evaluate(test_features, test_labels, verbose=0)[1]


def main(epochs: int = 60, labels: int = 50) -> float:
    """Train without labels, then a probe with a few; return the test accuracy of the probe."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    x_train, x_test = (x.astype("float32") / 16 for x in (x_train, x_test))
    model = Contrastive(seed=0)
    model.compile(fjax.optimizers.Adam(1e-3))

    def accuracy(extract) -> float:
        return probe(extract(x_train[:labels]), y_train[:labels], extract(x_test), y_test)

    def features(x):
        return model.predict(x, verbose=0)

    untrained = accuracy(features)
    model.fit(
        x_train, epochs=epochs, batch_size=128, verbose=0, callbacks=[PrintLogs(epochs // 6 or 1)]
    )
    trained = accuracy(features)
    pixels = accuracy(lambda x: np.reshape(x, (len(x), -1)))
    print(f"test accuracy of a linear probe on {labels} labels: {trained:.4f}")
    print(f"on pixels {pixels:.4f}, on the untrained encoder {untrained:.4f}")
    return trained


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--labels", type=int, default=50)
    main(**vars(parser.parse_args()))
