"""The initial train state: the same bits from numpy, one compiled program, or weight by weight."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np

from fjax.layers import Dense
from fjax.optimizers import Adam
from fjax.training import create_train_state, initialization, initialize, numpy_eval
from fjax.training.numpy_eval import evaluate_on_host

SPEC = jax.ShapeDtypeStruct((1, 2), "float32")

EVERY_WAY = """
import jax, numpy as np
from fjax import serial
from fjax.layers import *
from fjax.optimizers import Adam
from fjax.training import initialization, initialize

networks = [
    (serial(Dense(30, "relu"), BatchNormalization(), Dropout(0.5), Dense(1)), (3,), "float32"),
    (Dense(5, kernel_initializer="he_normal"), (3,), "float32"),
    (Dense(5, kernel_initializer="random_uniform"), (3,), "float32"),
    (serial(Embedding(9, 4), Bidirectional(LSTM(4))), (6,), "int32"),
]
for network, shape, dtype in networks:
    made = []
    for initialization.MAX_HOST_VALUES in (2**20, 0):
        first = initialize(network, Adam(), 3, jax.ShapeDtypeStruct((1, *shape), dtype))
        made.append(first._replace(key=jax.random.key_data(first.key)))
    jax.tree.map(np.testing.assert_array_equal, *made)
"""


def test_the_host_draws_what_a_compiled_program_draws():
    # As users compile: without LLVM's passes a program and its parts round differently.
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    subprocess.run([sys.executable, "-c", EVERY_WAY], env=environment, check=True)


def test_many_weights_are_drawn_one_by_one(monkeypatch):
    network, spec = Dense(3), SPEC
    made = initialize(network, Adam(), 3, spec)
    monkeypatch.setattr(initialization, "MAX_HOST_VALUES", 0)
    monkeypatch.setattr(initialization, "MAX_COMPILED_DRAWS", 0)
    again = initialize(network, Adam(), 3, spec)
    np.testing.assert_allclose(made.params["kernel"], again.params["kernel"], atol=1e-6)


def test_normal_numbers_equal_those_of_jax_up_to_rounding():
    network = Dense(300, kernel_initializer="random_normal")
    made = initialize(network, Adam(), 3, SPEC)
    pure = create_train_state(network, Adam(), jax.random.key(3), SPEC)
    np.testing.assert_allclose(made.params["kernel"], pure.params["kernel"], rtol=1e-5, atol=1e-8)


def test_jax_evaluates_another_generator(monkeypatch):
    network, spec = Dense(3), SPEC
    monkeypatch.setattr(initialization, "can_evaluate", lambda: False)
    pure = create_train_state(network, Adam(), jax.random.key(3), spec)
    made = initialize(network, Adam(), 3, spec)
    np.testing.assert_allclose(made.params["kernel"], pure.params["kernel"], atol=1e-6)
    with jax.default_prng_impl("rbg"):
        assert not numpy_eval.can_evaluate()
    assert numpy_eval.can_evaluate()


def test_keys_and_missing_primitives_are_evaluated_by_jax():
    def function(seed):
        key = jax.random.fold_in(jax.random.key(seed), 5)
        keys = jax.random.split(key, (2, 3))
        return {
            "keys": keys,
            "words": jax.random.bits(keys[1, 2], (7,)),
            "short": jax.random.bits(key, (4,), jnp.uint16),
            "of each": jax.vmap(lambda key: jax.random.uniform(key, (2,)))(keys[0]),
            "split each": jax.random.key_data(jax.vmap(jax.random.split)(keys[:, 0])),
            "folded each": jax.random.key_data(
                jax.vmap(jax.random.fold_in)(keys[0], jnp.arange(3))
            ),
            "permutation": jax.random.permutation(key, 5),
            "sorted": jnp.sort(jax.random.normal(key, (5, 2)), axis=0).T,
            "counted": jnp.concatenate([jnp.arange(3.0), jnp.ones(2)]),
        }

    made, expected = evaluate_on_host(function, np.uint32(9)), function(9)
    for tree in (made, expected):
        tree["keys"] = jax.random.key_data(tree["keys"])
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), made, expected)
