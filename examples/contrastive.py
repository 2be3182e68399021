"""Learning without labels: a contrastive loss in a custom step, then a linear probe.

An encoder is trained so that two noisy views of one digit agree, and views of different digits do
not. It never sees a label. A linear classifier on its features, trained on few labels, shows what
it has learned.

Source: Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations", 2020.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

import fjax
from fjax.layers import BatchNormalization, Dense, Layer


class Views(Layer):
    """Two noisy views of each picture: with pixels that are dark, and with noise."""

    def __init__(self, kept=0.7, noise=0.2, **kwargs):
        super().__init__(**kwargs)
        self.kept, self.noise = kept, noise

    def call(self, inputs, key=None):
        """Return the first views and the second ones."""
        return [self.view(inputs, own) for own in jax.random.split(key)]

    def view(self, inputs, key):
        """Return one view of each picture."""
        dark, grain = jax.random.split(key)
        views = inputs * jax.random.bernoulli(dark, self.kept, inputs.shape)
        return views + self.noise * jax.random.normal(grain, views.shape)


class Contrastive(fjax.Model):
    """An encoder, the head that its loss looks at, and the step that trains both."""

    def __init__(self, temperature=0.2, **kwargs):
        super().__init__(**kwargs)
        self.views = Views()
        self.encoder = fjax.Sequential(
            [fjax.layers.Flatten(), Dense(128, "relu"), BatchNormalization(), Dense(64, "relu")]
        )
        self.head = fjax.Sequential([Dense(64, "relu"), Dense(32)])
        self.temperature = temperature

    def call(self, inputs, training=False, key=None):
        """Return the features of pictures; in training the heads of two views of each."""
        if not training:
            features = self.encoder(inputs)
            self.head(features)
            return features
        one, other = self.views(inputs)
        heads = self.head(self.encoder(jnp.concatenate([one, other])))
        return heads / jnp.linalg.norm(heads, axis=-1, keepdims=True)

    def train_step(self, train_state, batch):
        """Return the train state after one step, its loss, and how often a view finds its twin."""
        count = len(batch.inputs[0])
        twins = jnp.roll(jnp.arange(2 * count), count)

        def objective(params):
            heads, state = self.network.apply(
                params, train_state.state, *batch.inputs, key=train_state.key, training=True
            )
            likeness = heads @ heads.T / self.temperature
            # No view is compared with itself.
            likeness = jnp.where(jnp.eye(2 * count, dtype=bool), -jnp.inf, likeness)
            loss = -jax.nn.log_softmax(likeness)[jnp.arange(2 * count), twins].mean()
            return loss, (state, (likeness.argmax(axis=-1) == twins).mean())

        (loss, (state, found)), grads = jax.value_and_grad(objective, has_aux=True)(
            train_state.params
        )
        optimizer = self.optimizer.optimizer
        updates, opt_state = optimizer.update(grads, train_state.opt_state, train_state.params)
        params = jax.tree.map(jnp.add, train_state.params, updates)
        train_state = train_state._replace(params=params, state=state, opt_state=opt_state)
        return train_state, {"loss": loss, "found": found}


class Tells(fjax.callbacks.Callback):
    """Prints the logs every so many epochs."""

    def __init__(self, every):
        super().__init__()
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        """Print the loss, and how often a view is nearest to its twin."""
        if (epoch + 1) % self.every == 0:
            print(f"epoch {epoch + 1}: loss {logs['loss']:.3f}, twins found {logs['found']:.3f}")


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
    """Train without labels, then probe with a few; return the test accuracy of the probe."""
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    x_train, x_test = (x.astype("float32") / 16 for x in (x_train, x_test))
    model = Contrastive(seed=0)
    model.compile(fjax.optimizers.Adam(1e-3))

    def accuracy(extract) -> float:
        return probe(extract(x_train[:labels]), y_train[:labels], extract(x_test), y_test)

    def features(x):
        return model.predict(x, verbose=0)

    drawn = accuracy(features)
    model.fit(
        x_train, epochs=epochs, batch_size=128, verbose=0, callbacks=[Tells(epochs // 6 or 1)]
    )
    learned = accuracy(features)
    pixels = accuracy(lambda x: np.reshape(x, (len(x), -1)))
    print(f"test accuracy of a linear probe on {labels} labels: {learned:.4f}")
    print(f"on pixels {pixels:.4f}, on the encoder as it was drawn {drawn:.4f}")
    return learned


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--labels", type=int, default=50)
    main(**vars(parser.parse_args()))
