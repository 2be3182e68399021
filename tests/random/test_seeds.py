"""Seeds: what they may be, and where a generator may draw."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Layer, Sequential, StatelessScope, layers, random

pytestmark = pytest.mark.short

X = np.ones((4, 3), "float32")


class Noise(Layer):
    def __init__(self, seed=1, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs):
        first = random.normal(inputs.shape, seed=self.seed_generator)
        return inputs + first + random.normal(inputs.shape, seed=self.seed_generator)


class Dropped(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generators = [random.SeedGenerator(1), random.SeedGenerator(1)]

    def call(self, inputs, training=False):
        if not training:
            return inputs
        one, other = self.seed_generators
        return jnp.stack(
            [random.dropout(inputs, 0.5, seed=one), random.dropout(inputs, 0.5, seed=other)]
        )


def apply(layer, key, **options):
    return layer.apply({}, {}, X, key=key, **options)[0]


def test_a_generator_of_an_authored_layer_follows_the_key_of_the_pass():
    layer, key = Noise(), jax.random.key(0)
    assert layer.init(key, X) == ({}, {})
    found = apply(layer, key)
    np.testing.assert_array_equal(found, apply(layer, key))
    assert (found != apply(layer, jax.random.key(1))).all()
    assert (found != apply(Noise(seed=2), key)).all()
    assert layer.seed_generator.state.numpy().tolist() == [1, 0]


def test_two_draws_and_two_generators_differ():
    one, other = apply(Dropped(), jax.random.key(0), training=True)
    assert (one != other).any()

    class Twice(Noise):
        def call(self, inputs):
            draws = [random.normal((50,), seed=self.seed_generator) for _ in range(2)]
            return inputs + jnp.sum(draws[0] == draws[1])

    np.testing.assert_array_equal(apply(Twice(), jax.random.key(0)), X)


def test_passes_without_a_key_are_refused():
    with pytest.raises(ValueError, match=r"`SeedGenerator` 'seed_generator' draws.*needs a key"):
        apply(Noise(), None)


def test_a_model_draws_anew_in_each_prediction_and_epoch():
    model = Sequential([layers.Input((3,)), Noise(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], epochs=2, verbose=0, validation_split=0.25)
    assert (model.predict(X, verbose=0) != model.predict(X, verbose=0)).all()


@pytest.mark.parametrize("transform", [jax.jit, jax.grad, jax.vmap])
def test_a_generator_outside_of_a_layer_cannot_be_traced(transform):
    generator = random.SeedGenerator(1)

    def function(x):
        return x * random.normal((), seed=generator)

    if transform is jax.jit:
        with pytest.raises(
            RuntimeError, match=r"state of the `SeedGenerator`.*cannot change while"
        ):
            transform(function)(1.0)
        with pytest.raises(RuntimeError, match=r"`normal` has no seed, while JAX traces"):
            transform(lambda x: x * random.normal(()))(1.0)
    assert generator.state.numpy().tolist()[0] == 1


def test_a_scope_makes_a_generator_pure():
    generator = random.SeedGenerator(1)

    @jax.jit
    def draw(state):
        with StatelessScope([(generator.state, state)]) as scope:
            value = random.normal((2,), seed=generator)
            return value, scope.get_current_value(generator.state)

    first, state = draw(jnp.array([1, 0], "uint32"))
    second, _ = draw(state)
    np.testing.assert_array_equal(first, random.normal((2,), seed=generator))
    np.testing.assert_array_equal(second, random.normal((2,), seed=generator))


def test_an_integer_seed_is_a_constant_of_a_program():
    np.testing.assert_array_equal(
        jax.jit(lambda: random.normal((3,), seed=5))(), random.normal((3,), seed=5)
    )


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "a", True])
def test_invalid_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="`seed` must be an integer"):
        random.normal((2,), seed=seed)


def test_configuration():
    generator = random.SeedGenerator(5, name="mine")
    again = random.SeedGenerator.from_config(generator.get_config())
    assert again.get_config() == {"seed": 5, "name": "mine"}


def test_errors_name_the_function():
    with pytest.raises(ValueError, match=r"`dropout`: `rate` must be a number in"):
        random.dropout(X, 1.5, seed=1)
    with pytest.raises(ValueError, match=r"`normal`: the shape .* has an axis of unknown size"):
        random.normal((None, 2), seed=1)
    with pytest.raises(ValueError, match="`categorical`: the logits must have the shape"):
        random.categorical([0.5, 0.5], 1, seed=1)
