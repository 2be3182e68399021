"""A layer that several authored layers have: its weights are once in the model, as in Keras."""

import jax
import numpy as np
import pytest

import fjax

pytestmark = pytest.mark.sampled(3, whole=True)

IDS = (np.arange(32 * 5).reshape(32, 5) * 7) % 11
NEXT = (IDS + 3) % 11


def tied_head(library):
    class TiedHead(library.Layer):
        def __init__(self, embedding, **kwargs):
            super().__init__(**kwargs)
            self.embedding = embedding

        def build(self, input_shape):
            self.bias = self.add_weight(shape=(11,), initializer="zeros", name="bias")

        def call(self, inputs):
            table = library.ops.transpose(self.embedding.embeddings)
            return library.ops.matmul(inputs, table) + self.bias

    return TiedHead


def language_model(library):
    layers, head = library.layers, tied_head(library)

    class LanguageModel(library.Model):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(11, 6, embeddings_regularizer="l2")
            self.hidden = layers.Dense(6, "tanh", name="hidden")
            self.decoder = head(self.embedding, name="decoder")

        def call(self, ids):
            return self.decoder(self.hidden(self.embedding(ids)))

    return LanguageModel()


def siblings(library):
    layers, head = library.layers, tied_head(library)

    class Encoder(library.Layer):
        def __init__(self, embedding):
            super().__init__()
            self.embedding = embedding
            self.hidden = layers.Dense(6, "tanh")

        def call(self, ids):
            return self.hidden(self.embedding(ids))

    class Siblings(library.Model):
        def __init__(self):
            super().__init__()
            embedding = layers.Embedding(11, 6)
            self.encoder = Encoder(embedding)
            self.decoder = head(embedding)

        def call(self, ids):
            return self.decoder(self.encoder(ids))

    return Siblings()


def called_in_both(library):
    layers = library.layers

    class Half(library.Layer):
        def __init__(self, shared, width):
            super().__init__()
            self.shared = shared
            self.out = layers.Dense(width)

        def call(self, inputs):
            return self.out(self.shared(inputs))

    class Twice(library.Model):
        def __init__(self):
            super().__init__()
            self.embed = layers.Embedding(11, 6)
            shared = layers.Dense(6, "tanh", kernel_regularizer="l2")
            self.halves = [Half(shared, 6), Half(shared, 11)]

        def call(self, ids):
            return self.halves[1](self.halves[0](self.embed(ids)))

    return Twice()


@pytest.mark.parametrize("make", [language_model, siblings, called_in_both])
def test_training_as_in_keras(compare, fill, make):
    def program(library):
        model = make(library)
        model(IDS[:1])
        fill(model)
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(library.optimizers.Adam(0.05), loss)
        options = {"batch_size": 16, "shuffle": False, "verbose": 0}
        history = model.fit(IDS, NEXT, epochs=3, **options).history["loss"]
        counts = len(model.weights), len(model.trainable_weights), model.count_params()
        return history, counts, model.get_weights(), model.predict(IDS, verbose=0)

    compare(program, rtol=1e-4, atol=1e-5)


def test_what_a_user_sees_as_in_keras(compare, fill):
    def program(library):
        model = language_model(library)
        model(IDS[:1])
        fill(model)
        decoder = model.decoder
        sizes = len(decoder.weights), decoder.count_params(), len(decoder.get_weights())
        outputs = np.asarray(decoder(np.ones((1, 6), "float32")))
        decoder.trainable = False
        return sizes, outputs, [weight.name for weight in model.trainable_weights]

    *_, trained = compare(program)
    assert trained == ["kernel", "bias"]


def test_files_have_the_weights_once(fill, tmp_path):
    model = language_model(fjax)
    model(IDS[:1])
    fill(model)
    model.save_weights(tmp_path / "weights")
    other = language_model(fjax)
    other(IDS[:1])
    other.load_weights(tmp_path / "weights")
    assert len(other.weights) == 4
    np.testing.assert_array_equal(other.predict(IDS, verbose=0), model.predict(IDS, verbose=0))
    assert other.decoder.embedding.embeddings is other.embedding.embeddings


def test_the_pair_has_one_weight_and_its_whole_gradient():
    pair = language_model(fjax).layer_tree
    params, state = pair.init(jax.random.key(0), IDS)
    assert [*params] == ["embedding", "hidden", "decoder"]
    assert [*params["decoder"]] == ["bias"]

    def loss(params):
        return (pair.apply(params, state, IDS)[0] ** 2).mean()

    step = 1e-3
    direction = jax.tree.map(lambda p: jax.random.normal(jax.random.key(1), p.shape), params)
    moved = [
        loss(jax.tree.map(lambda p, d, sign=sign: p + sign * step * d, params, direction))
        for sign in (1, -1)
    ]
    slope = sum(
        (grad * d).sum()
        for grad, d in zip(
            jax.tree.leaves(jax.jit(jax.grad(loss))(params)),
            jax.tree.leaves(direction),
            strict=True,
        )
    )
    np.testing.assert_allclose(slope, (moved[0] - moved[1]) / (2 * step), rtol=2e-2)


def test_a_state_that_two_layers_change_is_an_error():
    class Half(fjax.Layer):
        def __init__(self, shared):
            super().__init__()
            self.shared = shared

        def call(self, inputs, training=False):
            return self.shared(inputs, training=training)

    class Twice(fjax.Model):
        def __init__(self):
            super().__init__()
            shared = fjax.layers.BatchNormalization()
            self.halves = [Half(shared), Half(shared)]

        def call(self, inputs, training=False):
            return self.halves[1](self.halves[0](inputs, training=training), training=training)

    model = Twice()
    model.compile("sgd", "mse")
    x = np.ones((8, 3), "float32")
    with pytest.raises(ValueError, match=r"has state, and is called both as 'halves_0/shared' and"):
        model.fit(x, x, verbose=0)


def test_a_tied_head_in_a_graph_is_one_clear_error():
    ids = fjax.Input((5,), dtype="int32")
    embedding = fjax.layers.Embedding(11, 6)
    hidden = embedding(ids)
    with pytest.raises(
        AttributeError, match=r"has no attribute `embeddings`|has no `embeddings`"
    ) as e:
        tied_head(fjax)(embedding)(hidden)
    assert "in a class with `call` that has both as attributes" in "".join(e.value.__notes__)
