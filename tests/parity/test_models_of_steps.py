"""Models with a `train_step` and no `call`, such as VAEs and GANs, compared with Keras."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

X = np.random.default_rng(0).random((40, 6)).astype("float32")


def parts(library):
    """Return an encoder and a decoder, the same in both libraries."""
    layers = library.layers
    inputs = library.Input((6,))
    hidden = layers.Dense(5, activation="relu")(inputs)
    encoder = library.Model(inputs, [layers.Dense(2)(hidden), layers.Dense(2)(hidden)])
    decoder = library.Sequential(
        [library.Input((2,)), layers.Dense(5, activation="relu"), layers.BatchNormalization(),
         layers.Dense(6, activation="sigmoid")]
    )  # fmt: skip
    random = np.random.default_rng(1)
    for model in (encoder, decoder):
        model.set_weights([random.random(w.shape).astype("float32") for w in model.get_weights()])
    return encoder, decoder


def vae(library):
    """Return a VAE whose steps call its two models; the code is the same for both libraries."""

    class Autoencoder(library.Model):
        def __init__(self, encoder, decoder, **kwargs):
            super().__init__(**kwargs)
            self.encoder, self.decoder = encoder, decoder
            self.total = library.metrics.Mean(name="total_loss")
            self.divergence = library.metrics.Mean(name="kl_loss")
            self.built = True

        @property
        def metrics(self):
            return [self.total, self.divergence]

        def losses_of(self, trainable, others, data, training):
            count = len(self.encoder.trainable_variables)
            (mean, log_variance), _ = self.encoder.stateless_call(trainable[:count], [], data)
            outputs, others = self.decoder.stateless_call(
                trainable[count:], others, mean, training=training
            )
            terms = 1 + log_variance - mean**2 - jnp.exp(log_variance)
            divergence = jnp.mean(jnp.sum(-0.5 * terms, axis=1))
            return jnp.mean((data - outputs) ** 2) + divergence, (divergence, others)

        def logs_of(self, values, total, divergence):
            count = len(self.total.variables)
            of_total = self.total.stateless_update_state(values[:count], total)
            of_divergence = self.divergence.stateless_update_state(values[count:], divergence)
            logs = {
                "total_loss": self.total.stateless_result(of_total),
                "kl_loss": self.divergence.stateless_result(of_divergence),
            }
            return logs, of_total + of_divergence

        def train_step(self, state, data):
            trainable, others, optimizer_variables, values = state
            differentiate = jax.value_and_grad(self.losses_of, has_aux=True)
            (total, (divergence, others)), grads = differentiate(trainable, others, data, True)
            trainable, optimizer_variables = self.optimizer.stateless_apply(
                optimizer_variables, grads, trainable
            )
            logs, values = self.logs_of(values, total, divergence)
            return logs, (trainable, others, optimizer_variables, values)

        def test_step(self, state, data):
            trainable, others, values = state
            total, (divergence, _) = self.losses_of(trainable, others, data, False)
            logs, values = self.logs_of(values, total, divergence)
            return logs, (trainable, others, values)

    return Autoencoder(*parts(library), name="vae")


def trained(library):
    model = vae(library)
    model.compile(optimizer="adam")
    history = model.fit(X, epochs=2, batch_size=16, shuffle=False, verbose=0).history
    logs = model.evaluate(X, batch_size=16, verbose=0, return_dict=True)
    return model, history, logs


def test_a_vae_of_two_models_trains_as_in_keras():
    (ours, history, logs), (theirs, keras_history, keras_logs) = map(trained, (fjax, keras))
    assert [*history] == [*keras_history]
    for name, values in history.items():
        np.testing.assert_allclose(values, keras_history[name], rtol=1e-5)
        np.testing.assert_allclose(logs[name], keras_logs[name], rtol=1e-5)
    shapes = [tuple(variable.shape) for variable in ours.trainable_variables]
    assert shapes == [tuple(variable.shape) for variable in theirs.trainable_variables]
    assert len(ours.layers) == 2
    # The models share their weights with the model of steps.
    codes = np.ones((3, 2), "float32")
    np.testing.assert_allclose(
        ours.decoder.predict(codes, verbose=0), theirs.decoder.predict(codes, verbose=0), rtol=1e-5
    )


class Gan(fjax.Model):
    """Two models, and a step in fjax's own form that trains both."""

    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator

    def train_step(self, train_state, batch):
        params, state = train_state.params, train_state.state
        noise = jax.random.normal(jax.random.fold_in(train_state.key, train_state.step), (16, 2))

        def loss(params):
            fake, _ = self.generator.network.apply(params["generator"], state["generator"], noise)
            scores, _ = self.discriminator.network.apply(
                params["discriminator"], state["discriminator"], fake
            )
            return jnp.mean(scores**2)

        value, grads = jax.value_and_grad(loss)(params)
        params = jax.tree.map(lambda weight, grad: weight - 0.1 * grad, params, grads)
        next_state = train_state._replace(params=params, state=state, step=train_state.step + 1)
        return next_state, {"loss": value}


def gan():
    layers = fjax.layers
    generator = fjax.Sequential([fjax.Input((2,)), layers.Dense(6)], seed=0)
    return Gan(generator, fjax.Sequential([fjax.Input((6,)), layers.Dense(1)], seed=1))


def test_the_models_of_a_gan_learn_from_its_step():
    model = gan()
    model.compile("sgd")
    before = model.generator.get_weights()[0]
    losses = model.fit(X, batch_size=16, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert (model.generator.get_weights()[0] != before).all()
    np.testing.assert_array_equal(
        model.generator.get_weights()[0], model.train_state.params["generator"]["dense"]["kernel"]
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.predict(X, verbose=0),
        lambda model: model(X),
        lambda model: model(fjax.Input((6,))),
        lambda model: model.stateless_call([], [], X),
    ],
)
def test_a_model_without_call_has_no_outputs(use):
    with pytest.raises(NotImplementedError, match="`Gan` has a `train_step` and no `call`"):
        use(gan())


def test_a_sublayer_of_unknown_inputs_raises():
    model = Gan(fjax.layers.Dense(6), fjax.layers.Dense(1))
    model.compile("sgd")
    with pytest.raises(ValueError, match="the inputs of its layer 'generator' are unknown"):
        model.fit(X, verbose=0)


def test_a_model_without_steps_and_call_raises():
    class Nothing(fjax.Model):
        """Neither."""

    with pytest.raises(TypeError, match="a subclass that defines `call` or `train_step`"):
        Nothing()
