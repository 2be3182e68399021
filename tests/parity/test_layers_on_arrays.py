"""Layers on arrays and layers of models, as tutorials use them: the numbers are those of Keras."""

import keras
import numpy as np
import pytest

import fjax

RANDOM = np.random.default_rng(0)
SEQUENCES = RANDOM.normal(size=(4, 6, 3)).astype("float32")
IMAGES = RANDOM.normal(size=(2, 8, 8, 3)).astype("float32")
IDS = RANDOM.integers(0, 10, size=(4, 6))
MASK = np.arange(6) < np.array([[6], [4], [2], [1]])

LAYERS = {
    "dense": (lambda library: library.layers.Dense(2, activation="tanh"), (SEQUENCES,), {}),
    "inputs by name": (lambda library: library.layers.Dense(2), (), {"inputs": SEQUENCES}),
    "conv": (lambda library: library.layers.Conv2D(4, 3), (IMAGES,), {}),
    "embedding": (lambda library: library.layers.Embedding(10, 4), (IDS,), {}),
    "lstm": (lambda library: library.layers.LSTM(4), (), {"sequences": SEQUENCES, "mask": MASK}),
    "bidirectional": (
        lambda library: library.layers.Bidirectional(library.layers.GRU(4)),
        (SEQUENCES,),
        {},
    ),
    "attention": (
        lambda library: library.layers.MultiHeadAttention(2, 4),
        (),
        {"query": SEQUENCES, "value": SEQUENCES},
    ),
    "batch normalization": (lambda library: library.layers.BatchNormalization(), (IMAGES,), {}),
    "in training": (
        lambda library: library.layers.BatchNormalization(),
        (IMAGES,),
        {"training": True},
    ),
    "mask by position": (
        lambda library: library.layers.GlobalAveragePooling1D(),
        (SEQUENCES, MASK),
        {},
    ),
    "flatten": (lambda library: library.layers.Flatten(), (IMAGES,), {}),
    "model": (
        lambda library: library.Sequential(
            [library.Input((6, 3)), library.layers.Flatten(), library.layers.Dense(2)]
        ),
        (SEQUENCES,),
        {},
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_weights_and_state_are_those_of_keras(name):
    make, inputs, options = LAYERS[name]
    theirs, ours = make(keras), make(fjax)
    theirs(*inputs, **{**options, "training": None})
    ours(*inputs, **{**options, "training": None})
    weights = [RANDOM.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in theirs.get_weights()]
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in weights]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    for _ in range(2):
        expected, received = theirs(*inputs, **options), ours(*inputs, **options)
        np.testing.assert_allclose(received, expected, rtol=2e-5, atol=2e-6)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


NAMED = ["dense", "conv", "embedding", "batch normalization", "flatten"]


@pytest.mark.parametrize("name", NAMED)
def test_variables_are_those_of_keras(name):
    make, inputs, _ = LAYERS[name]
    theirs, ours = make(keras), make(fjax)
    assert ours.built is False
    assert ours.weights == []
    theirs(*inputs), ours(*inputs)
    assert ours.built
    for kind in ("weights", "trainable_weights", "non_trainable_weights", "trainable_variables"):
        expected, received = getattr(theirs, kind), getattr(ours, kind)
        assert [(v.name, v.shape, v.dtype) for v in received] == [
            (v.name, v.shape, v.dtype) for v in expected
        ]
        assert [v.path.partition("/")[2] for v in received] == [v.name for v in expected]
    assert ours.count_params() == theirs.count_params()
    for variable in ours.weights:
        assert getattr(ours, variable.name) is variable
    theirs.trainable = ours.trainable = False
    assert [v.name for v in ours.trainable_weights] == []
    assert [v.name for v in ours.non_trainable_weights] == [
        v.name for v in theirs.non_trainable_weights
    ]


SHAPES = {
    "dense": (lambda library: library.layers.Dense(2), (None, 6, 3)),
    "conv": (lambda library: library.layers.Conv2D(4, 3, strides=2), (None, 9, 9, 3)),
    "unknown": (lambda library: library.layers.Conv1D(4, 3, padding="same"), (None, None, 3)),
    "several": (lambda library: library.layers.Concatenate(), [(None, 3), (None, 5)]),
    "batch": (lambda library: library.layers.Flatten(), (7, 2, 3)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_output_shapes_are_those_of_keras(name):
    make, shape = SHAPES[name]
    assert make(fjax).compute_output_shape(shape) == make(keras).compute_output_shape(shape)


def test_build_makes_the_weights():
    theirs, ours = keras.layers.Dense(2), fjax.layers.Dense(2)
    for layer in (theirs, ours):
        layer.build((None, 3))
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(SEQUENCES), theirs(SEQUENCES), rtol=1e-5, atol=1e-6)


def block(library):
    class Block(library.layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.inner = library.layers.Dense(units)

        def build(self, input_shape):
            self.width = input_shape[-1]
            self.scale = self.add_weight(shape=(self.width,), initializer="ones", name="factor")
            self.inner.build(input_shape)
            self.built = True

        def call(self, inputs):
            self.rows = inputs.shape[0]
            return self.inner(inputs * self.scale)

    return Block(2)


def test_an_authored_layer_on_arrays():
    theirs, ours = block(keras), block(fjax)
    theirs(SEQUENCES), ours(SEQUENCES)
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours(SEQUENCES), theirs(SEQUENCES), rtol=1e-5, atol=1e-6)
    assert (ours.width, ours.rows, ours.built) == (theirs.width, theirs.rows, theirs.built)
    assert ours.scale.shape == tuple(theirs.scale.shape)
    np.testing.assert_array_equal(ours.inner.kernel, theirs.inner.kernel)
    built = block(fjax)
    built.build((None, 6, 3))
    assert [w.shape for w in built.get_weights()] == [w.shape for w in theirs.get_weights()]


def counting(library):
    class Counting(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight(
                shape=(3,), initializer="zeros", trainable=False, name="total"
            )

        def build(self, input_shape):
            self.passes = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="passes"
            )

        def call(self, inputs):
            self.passes.assign(self.passes + 1)
            self.total.assign_add(inputs[0] * self.passes)
            return inputs + self.total

    return Counting()


def test_state_that_call_assigns_is_that_of_keras():
    theirs, ours = counting(keras), counting(fjax)
    for _ in range(3):
        np.testing.assert_allclose(ours(SEQUENCES[0]), theirs(SEQUENCES[0]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours.total.numpy(), theirs.total.numpy(), rtol=1e-5, atol=1e-6)
    assert float(ours.passes) == float(theirs.passes) == 3
    weights = []
    for library, layer in ((keras, theirs), (fjax, ours)):
        model = library.Sequential([library.Input((3,)), layer, library.layers.Dense(1)])
        model.layers[1].set_weights([np.ones((3, 1)), np.zeros(1)])
        model.compile(library.optimizers.SGD(0.01), "mse")
        model.fit(SEQUENCES[0], np.ones((6, 1)), epochs=2, batch_size=3, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    for other, mine in zip(*weights, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_losses_are_those_of_keras():
    def make(library):
        return library.layers.Dense(2, kernel_regularizer="l2", activity_regularizer="l1")

    theirs, ours = make(keras), make(fjax)
    theirs(SEQUENCES), ours(SEQUENCES)
    ours.set_weights(theirs.get_weights())
    theirs(SEQUENCES), ours(SEQUENCES)
    expected = sorted(float(loss) for loss in theirs.losses[:2])
    np.testing.assert_allclose(sorted(map(float, ours.losses)), expected, rtol=1e-5)


def outer(library):
    class Inner(library.layers.Layer):
        def call(self, inputs):
            self.add_loss(0.1 * inputs.mean())
            return inputs

    class Outer(library.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def call(self, inputs):
            return self.inner(inputs)

    return Outer()


def test_the_losses_of_a_layer_are_those_of_the_last_call():
    theirs, ours = outer(keras), outer(fjax)
    for inputs in (None, np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")):
        if inputs is not None:
            theirs(inputs), ours(inputs)
        assert [float(loss) for loss in ours.losses] == [float(loss) for loss in theirs.losses]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_stateful_layers_remember_and_forget(kind):
    theirs, ours = (getattr(library.layers, kind)(4, stateful=True) for library in (keras, fjax))
    theirs(SEQUENCES), ours(SEQUENCES)
    ours.set_weights(theirs.get_weights())
    for layer in (theirs, ours):
        layer.reset_state()
    for _ in range(3):
        np.testing.assert_allclose(ours(SEQUENCES), theirs(SEQUENCES), rtol=1e-4, atol=1e-5)
    for mine, other in zip(ours.states, theirs.states, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)
    outputs = []
    for library, layer in ((keras, theirs), (fjax, ours)):
        fresh = getattr(library.layers, kind)(4)
        fresh(SEQUENCES)
        fresh.set_weights(theirs.get_weights())
        outputs.append(np.asarray(fresh(SEQUENCES, initial_state=layer.states)))
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "inputs"),
    [
        (lambda library: library.layers.Embedding(10, 4, mask_zero=True), IDS * (IDS > 3)),
        (lambda library: library.layers.Embedding(10, 4), IDS),
        (lambda library: library.layers.Masking(0.0), SEQUENCES * MASK[..., None]),
    ],
)
def test_masks_are_those_of_keras(make, inputs):
    theirs, ours = make(keras).compute_mask(inputs), make(fjax).compute_mask(inputs)
    assert (ours is None) == (theirs is None)
    if ours is not None:
        np.testing.assert_array_equal(ours, theirs)


def halves(library):
    class Halves(library.layers.Layer):
        def call(self, inputs):
            middle = inputs.shape[1] // 2
            return [inputs[:, :middle], inputs[:, middle:]]

        def compute_mask(self, inputs, mask=None):
            if mask is None:
                return None
            middle = mask.shape[1] // 2
            return [mask[:, :middle], mask[:, middle:]]

    embedding = library.layers.Embedding(10, 4, mask_zero=True)
    return [part._keras_mask for part in Halves()(embedding(IDS * (IDS > 3)))]


def test_an_author_gives_each_output_its_mask():
    for mine, other in zip(halves(fjax), halves(keras), strict=True):
        np.testing.assert_array_equal(mine, other)


def small(library):
    layers = library.layers
    model = library.Sequential(
        [library.Input((3,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    return model


def test_monte_carlo_dropout_by_rebuilding():
    def rebuilt(library, model):
        class Always(library.layers.Dropout):
            def call(self, inputs, training=None):
                return super().call(inputs, training=True)

        layers = [
            Always(layer.rate) if isinstance(layer, library.layers.Dropout) else layer
            for layer in model.layers
        ]
        again = library.Sequential([library.Input((3,)), *layers])
        again.set_weights(model.get_weights())
        return again

    x = SEQUENCES[:, 0]
    for library in (keras, fjax):
        model = small(library)
        again = rebuilt(library, model)
        assert [type(layer).__name__ for layer in again.layers] == ["Dense", "Always", "Dense"]
        draws = np.stack([again.predict(x, verbose=0) for _ in range(3)])
        assert draws.std(axis=0).max() > 0
        assert model.predict(x, verbose=0).std() >= 0


def test_transfer_by_layers():
    results = []
    for library in (keras, fjax):
        inputs = library.Input((3,))
        hidden = library.layers.Dense(8, "relu", name="hidden")(inputs)
        base = library.Model(inputs, library.layers.Dense(1)(hidden))
        for number, layer in enumerate(base.layers):
            layer.trainable = False
            layer.set_weights([np.full(w.shape, 0.1 * (number + 1)) for w in layer.get_weights()])
        features = library.Model(base.input, base.get_layer("hidden").output)
        head = library.layers.Dense(1, kernel_initializer="ones")
        model = library.Sequential([features, head])
        model.compile(library.optimizers.SGD(0.1), "mse")
        model.fit(SEQUENCES[:, 0], np.ones((4, 1)), epochs=3, batch_size=4, verbose=0)
        assert features.layers[-1] is base.layers[1]
        results.append([*base.get_weights(), *head.get_weights()])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_the_models_of_a_model_are_themselves():
    results = []
    for library in (keras, fjax):
        layers = library.layers
        first = library.Sequential([library.Input((2,)), layers.Dense(3, "tanh")])
        second = library.Sequential([library.Input((3,)), layers.Dense(1, "sigmoid")])
        for model in (first, second):
            model.set_weights([np.full(w.shape, 0.3) for w in model.get_weights()])
        second.compile(library.optimizers.SGD(0.5), "binary_crossentropy")
        second.trainable = False
        gan = library.Sequential([first, second])
        gan.compile(library.optimizers.SGD(0.5), "binary_crossentropy")
        generator, discriminator = gan.layers
        assert generator is first
        assert discriminator is second
        noise = SEQUENCES[:, 0, :2]
        for _ in range(2):
            discriminator.trainable = True
            discriminator.train_on_batch(np.asarray(generator(noise)), np.zeros((4, 1)))
            discriminator.trainable = False
            gan.train_on_batch(noise, np.ones((4, 1)))
        results.append(gan.get_weights())
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_normalization_before_and_after_adapt():
    theirs, ours = keras.layers.Normalization(), fjax.layers.Normalization()
    np.testing.assert_array_equal(ours(SEQUENCES), theirs(SEQUENCES))
    theirs.adapt(SEQUENCES), ours.adapt(SEQUENCES)
    np.testing.assert_allclose(ours(SEQUENCES), theirs(SEQUENCES), rtol=1e-5, atol=1e-6)


def test_one_text_gives_one_row():
    # Keras's layer needs TensorFlow; its documentation has these shapes.
    layer = fjax.layers.TextVectorization(output_sequence_length=5, vocabulary=["a", "b"])
    np.testing.assert_array_equal(layer("a b"), [2, 3, 0, 0, 0])
    np.testing.assert_array_equal(layer(["b", "c a"]), [[3, 0, 0, 0, 0], [1, 2, 0, 0, 0]])
