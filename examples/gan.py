"""A generative adversarial network: a custom training step with two optimizers, in `fit`.

The generator makes digits from noise; the discriminator distinguishes them from real ones. Each has
its own optimizer, and the logs hold the losses of both. Samples are saved as a picture.

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
    """An optimizer for the params of each network: a pair of `init` and `update` like any other."""

    generator: Any
    discriminator: Any

    def init(self, params):
        """Return the initial states of both optimizers."""
        return {name: getattr(self, name).init(params[name]) for name in self._fields}

    def update(self, grads, opt_state, params):
        """Return the updates of both networks, and the next states."""
        results = {
            name: getattr(self, name).update(grads[name], opt_state[name], params[name])
            for name in self._fields
        }
        return (
            {name: updates for name, (updates, _) in results.items()},
            {name: state for name, (_, state) in results.items()},
        )


class GAN(fjax.Model):
    """A generator, a discriminator, and a step that trains both."""

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
        """Return the discriminator's logits of images, and generated images."""
        return self.discriminator(images), self.generator(jnp.zeros((len(images), NOISE)))

    def train_step(self, train_state, batch):
        """Return the next train state, and the losses of both networks."""
        (images,) = batch.inputs
        noise_key, real_key, fake_key = jax.random.split(train_state.key, 3)
        noise = jax.random.normal(noise_key, (len(images), NOISE))
        generator, discriminator = self.generator.network, self.discriminator.network
        params, state = train_state.params, train_state.state

        def discriminate(params, images, key):
            return discriminator.apply(
                params, state["discriminator"], images, key=key, training=True
            )[0]

        def generator_loss(generator_params):
            fake, generator_state = generator.apply(
                generator_params, state["generator"], noise, training=True
            )
            logits = discriminate(params["discriminator"], fake, fake_key)
            return jax.nn.softplus(-logits).mean(), (fake, generator_state)

        def discriminator_loss(discriminator_params, fake):
            real_logits = discriminate(discriminator_params, images, real_key)
            fake_logits = discriminate(discriminator_params, fake, fake_key)
            # Label smoothing: the target of real images is 0.9.
            real_loss = 0.9 * jax.nn.softplus(-real_logits) + 0.1 * jax.nn.softplus(real_logits)
            return real_loss.mean() + jax.nn.softplus(fake_logits).mean()

        (loss, (fake, generator_state)), generator_grads = jax.value_and_grad(
            generator_loss, has_aux=True
        )(params["generator"])
        other_loss, discriminator_grads = jax.value_and_grad(discriminator_loss)(
            params["discriminator"], fake
        )
        grads = {"generator": generator_grads, "discriminator": discriminator_grads}
        optimizer = self.optimizer.optimizer
        updates, opt_state = optimizer.update(grads, train_state.opt_state, params)
        params = jax.tree.map(jnp.add, params, updates)
        train_state = train_state._replace(
            params=params, state={**state, "generator": generator_state}, opt_state=opt_state
        )
        return train_state, {"generator_loss": loss, "discriminator_loss": other_loss}


class PrintLosses(fjax.callbacks.Callback):
    """Print the losses every few epochs."""

    def __init__(self, every):
        super().__init__()
        self.every = every

    def on_epoch_end(self, epoch, logs=None):
        """Print both losses."""
        if (epoch + 1) % self.every == 0:
            values = ", ".join(f"{name} {value:.3f}" for name, value in logs.items())
            print(f"epoch {epoch + 1}: {values}")


def main(epochs: int = 300, picture: str = "gan.png") -> float:
    """Train and draw samples; return their mean distance to the nearest digit of the test set."""
    (images, _), (held_out, _) = fjax.datasets.digits.load_data()
    real, held_out = (a.reshape(-1, 64).astype("float32") / 8 - 1 for a in (images, held_out))
    model = GAN(seed=0)
    adam = fjax.optimizers.Adam(2e-4, beta_1=0.5)
    model.compile(TwoOptimizers(adam, adam))
    callback = PrintLosses(max(1, epochs // 6))
    model.fit(real, epochs=epochs, batch_size=64, verbose=0, callbacks=[callback])

    noise = np.random.default_rng(0).normal(size=(40, NOISE)).astype("float32")
    samples = model.generator.predict(noise, verbose=0)
    figure, axes = plt.subplots(4, 10, figsize=(7, 3))
    for axis, sample in zip(axes.flat, samples, strict=True):
        axis.imshow(sample.reshape(8, 8), cmap="gray_r", vmin=-1, vmax=1)
        axis.axis("off")
    figure.savefig(picture, dpi=120)
    plt.close(figure)

    def distance(rows):
        distances = np.square(rows[:, None] - held_out[None]).mean(axis=-1)
        return float(np.sqrt(distances.min(axis=1)).mean())

    random_images = np.random.default_rng(0).uniform(-1, 1, samples.shape)
    print(f"distance to the nearest digit of the test set: {distance(samples):.3f}")
    print(f"of training digits {distance(real[:40]):.3f}, of noise {distance(random_images):.3f}")
    return distance(samples)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--picture", default="gan.png")
    main(**vars(parser.parse_args()))
