"""Two networks against each other: a custom training step with two optimizers, in `fit`.

The generator makes digits from noise, the discriminator tells them from real ones. Each has its
own optimizer, and the losses of both are in the logs. Samples are drawn to a picture.

Source: Goodfellow et al., "Generative Adversarial Networks", 2014 (the non-saturating losses).
"""

import argparse
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import fjax
from fjax.layers import BatchNormalization, Dense, Dropout

NOISE = 24


class TwoOptimizers(NamedTuple):
    """One optimizer for the params of each network: a pair `init`, `update` like any other."""

    generator: Any
    discriminator: Any

    def init(self, params):
        """Return the first states of both."""
        return {name: getattr(self, name).init(params[name]) for name in self._fields}

    def update(self, grads, opt_state, params):
        """Return the updates of both, and their next states."""
        made = {
            name: getattr(self, name).update(grads[name], opt_state[name], params[name])
            for name in self._fields
        }
        return (
            {name: updates for name, (updates, _) in made.items()},
            {name: state for name, (_, state) in made.items()},
        )


class GAN(fjax.Model):
    """A generator, a discriminator, and a step that trains both at once."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.generator = fjax.Sequential(
            [
                Dense(128, "leaky_relu"),
                BatchNormalization(momentum=0.9),
                Dense(128, "leaky_relu"),
                BatchNormalization(momentum=0.9),
                Dense(64, "tanh"),
            ]
        )
        self.discriminator = fjax.Sequential(
            [
                Dense(128, "leaky_relu"),
                Dropout(0.3),
                Dense(64, "leaky_relu"),
                Dropout(0.3),
                Dense(1),
            ]
        )

    def call(self, images):
        """Return how real images look, and one that the generator makes."""
        return self.discriminator(images), self.generator(jnp.zeros((len(images), NOISE)))

    def train_step(self, train_state, batch):
        """Return the train state after one step of both networks, and their losses."""
        (images,) = batch.inputs
        draws, real_key, made_key = jax.random.split(train_state.key, 3)
        noise = jax.random.normal(draws, (len(images), NOISE))
        generator, discriminator = self.generator.network, self.discriminator.network
        params, state = train_state.params, train_state.state

        def judged(params, images, key):
            return discriminator.apply(
                params, state["discriminator"], images, key=key, training=True
            )[0]

        def generator_loss(own):
            made, after = generator.apply(own, state["generator"], noise, training=True)
            logits = judged(params["discriminator"], made, made_key)
            return jax.nn.softplus(-logits).mean(), (made, after)

        def discriminator_loss(own, made):
            real, fake = judged(own, images, real_key), judged(own, made, made_key)
            # Real images count as 0.9, so that the discriminator is never quite sure.
            sure = 0.9 * jax.nn.softplus(-real) + 0.1 * jax.nn.softplus(real)
            return sure.mean() + jax.nn.softplus(fake).mean()

        (made_loss, (made, after)), upwards = jax.value_and_grad(generator_loss, has_aux=True)(
            params["generator"]
        )
        judge_loss, downwards = jax.value_and_grad(discriminator_loss)(
            params["discriminator"], made
        )
        grads = {"generator": upwards, "discriminator": downwards}
        optimizer = self.optimizer.optimizer
        updates, opt_state = optimizer.update(grads, train_state.opt_state, params)
        params = jax.tree.map(jnp.add, params, updates)
        train_state = train_state._replace(
            params=params, state={**state, "generator": after}, opt_state=opt_state
        )
        return train_state, {"generator_loss": made_loss, "discriminator_loss": judge_loss}


class Tells(fjax.callbacks.Callback):
    """Prints the losses every so many epochs."""

    def __init__(self, every):
        super().__init__()
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        """Print both losses."""
        if (epoch + 1) % self.every == 0:
            values = ", ".join(f"{name} {value:.3f}" for name, value in logs.items())
            print(f"epoch {epoch + 1}: {values}")


def main(epochs: int = 300, picture: str = "gan.png") -> float:
    """Train, draw samples, and return how far a sample is from the nearest digit of the test."""
    (images, _), (held_out, _) = fjax.datasets.digits.load_data()
    real, held_out = (a.reshape(-1, 64).astype("float32") / 8 - 1 for a in (images, held_out))
    model = GAN(seed=0)
    adam = fjax.optimizers.Adam(2e-4, beta_1=0.5)
    model.compile(TwoOptimizers(adam, adam))
    model.fit(real, epochs=epochs, batch_size=64, verbose=0, callbacks=[Tells(max(1, epochs // 6))])

    noise = np.random.default_rng(0).normal(size=(40, NOISE)).astype("float32")
    samples = model.generator.predict(noise, verbose=0)
    figure, axes = plt.subplots(4, 10, figsize=(7, 3))
    for axis, sample in zip(axes.flat, samples, strict=True):
        axis.imshow(sample.reshape(8, 8), cmap="gray_r", vmin=-1, vmax=1)
        axis.axis("off")
    figure.savefig(picture, dpi=120)
    plt.close(figure)

    def nearest(rows):
        distances = np.square(rows[:, None] - held_out[None]).mean(axis=-1)
        return float(np.sqrt(distances.min(axis=1)).mean())

    noisy = np.random.default_rng(0).uniform(-1, 1, samples.shape)
    print(f"distance to the nearest digit of the test set: {nearest(samples):.3f}")
    print(f"of training digits {nearest(real[:40]):.3f}, of noise {nearest(noisy):.3f}")
    return nearest(samples)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--picture", default="gan.png")
    main(**vars(parser.parse_args()))
