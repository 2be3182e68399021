"""`Embedding`: invalid arguments, initial weights, masks, and checks of a model's data."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fjax
from fjax.core import branch, serial
from fjax.core.masking import Masked
from fjax.layers import Dense, Embedding, Flatten, Input

pytestmark = pytest.mark.short

KEY = jax.random.key(0)
WORDS = np.array([[0, 1, 4], [2, 3, 3]])


def test_invalid_arguments():
    for config in ({"input_dim": 0, "output_dim": 2}, {"input_dim": 2, "output_dim": -1}):
        with pytest.raises(ValueError, match=r"`Embedding`: `.*_dim` must be an integer of at lea"):
            Embedding(**config)
    with pytest.raises(ValueError, match="`mask_zero` must be True or False, received 'yes'"):
        Embedding(2, 3, mask_zero="yes")
    with pytest.raises(ValueError, match=r"`weights` must have shape \(2, 3\), .* \(3, 2\)"):
        Embedding(2, 3, weights=[np.ones((3, 2))])
    with pytest.raises(ValueError, match="`weights` and an `embeddings_initializer`"):
        Embedding(2, 3, "ones", weights=np.ones((2, 3)))
    with pytest.raises(ValueError, match="received booleans"):
        Embedding(2, 3).apply({"embeddings": jnp.ones((2, 3))}, {}, WORDS > 2)


def test_weights_are_the_initial_ones_and_not_part_of_the_configuration():
    matrix = np.arange(6.0).reshape(2, 3)
    layer = Embedding(2, 3, weights=[matrix])
    params, _ = layer.init(KEY, WORDS)
    np.testing.assert_array_equal(params["embeddings"], matrix)
    assert layer == Embedding(2, 3, weights=matrix) != Embedding(2, 3, weights=matrix + 1)
    assert hash(layer) == hash(Embedding(2, 3, weights=matrix))
    assert Embedding.from_config(layer.get_config()) == Embedding(2, 3)


def test_mask_zero_masks_zeros():
    params = {"embeddings": jnp.arange(10.0).reshape(5, 2)}
    outputs, _ = Embedding(5, 2, mask_zero=True).apply(params, {}, jnp.asarray(WORDS))
    assert isinstance(outputs, Masked)
    np.testing.assert_array_equal(outputs.values, params["embeddings"][WORDS])
    np.testing.assert_array_equal(outputs.mask, WORDS != 0)


def sequential_model():
    return fjax.Sequential([Embedding(5, 2), Flatten(), Dense(1)])


def graph_model():
    words, other = Input((3,), name="words"), Input((3,), name="other")
    outputs = Dense(1)(Flatten()(Embedding(5, 2, name="vectors")(words))) + Dense(1)(other)
    return fjax.Model([words, other], outputs)


def branch_model():
    ways = branch(serial(Embedding(9, 2), Flatten()), serial(Embedding(5, 2), Flatten()))
    return fjax.Model(serial(ways, fjax.layers.Concatenate()), input_shape=(3,))


@pytest.mark.parametrize("bad", [5, -1, 0.5], ids=str)
@pytest.mark.parametrize("make", [sequential_model, graph_model, branch_model])
def test_a_model_rejects_numbers_outside_the_range(make, bad):
    model, words = make(), WORDS.astype("float32")
    words[1, 2] = bad
    x = [words, np.ones((2, 3), "float32")] if make is graph_model else words
    # In `branch_model` the first embedding, of 9 numbers, rejects some of them too.
    message = rf"whole numbers from 0 to [48], as `input_dim` is [59]; .* contains {bad}.* at \("
    with pytest.raises(ValueError, match=message) as caught:
        model.predict(x, verbose=0)
    assert "In layer '" in " ".join(caught.value.__notes__)
    model.compile("sgd", "mse")
    for data in (x, iter([(tuple(x) if isinstance(x, list) else x, np.ones((2, 1)))])):
        with pytest.raises(ValueError, match=message):
            model.fit(data, np.ones((2, 1)) if data is x else None, verbose=0)


def test_whole_numbers_may_be_floats():
    model = sequential_model()
    np.testing.assert_array_equal(
        model.predict(WORDS.astype("float32"), verbose=0), model.predict(WORDS, verbose=0)
    )
