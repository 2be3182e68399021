"""Hidden widths: a padded network equals the narrow one; other widths run separately."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import Model, constraints, optimizers, regularizers
from fjax.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    Input,
    LayerNormalization,
    LeakyReLU,
)
from fjax.losses import MeanSquaredError
from fjax.population.program_groups import group_by_architecture
from fjax.population.widths import pad, unpad
from tests.population.alone import X, assert_as_alone, fit_alone, make_model, make_population

pytestmark = pytest.mark.sampled(3, whole=True)

EPOCHS = 2
NARROW, WIDE = 2, 4
# Whole batches, for which a model alone compiles in half the time; `test_population.py` has others.
WHOLE, HELD_OUT = np.arange(32, dtype=np.int32), np.arange(40, 56, dtype=np.int32)


def assert_padding_is_zero(population, index):
    """The padding of a member's arrays is exactly zero."""
    wide, narrow = population._read_padded(index), population.train_state(index)
    for name in ("params", "state", "opt_state"):
        leaves = getattr(wide, name)
        expected = pad(getattr(narrow, name), leaves)
        for one, other in zip(jax.tree.leaves(leaves), jax.tree.leaves(expected), strict=True):
            assert np.array_equal(one, other)
    shapes = [jax.tree.map(np.shape, tree.params) for tree in (wide, narrow)]
    assert shapes[0] != shapes[1]
    assert jax.tree.map(np.shape, unpad(wide.params, narrow.params)) == shapes[1]


def assert_narrow_as_alone(make, rtol=1e-5, held_out=None, **data):
    """A narrow and a wide network share a program, and the narrow one equals one trained alone."""
    kept = None if held_out is None else [held_out] * 2
    population = make_population([make(NARROW), make(WIDE)], [WHOLE] * 2, kept, **data)
    assert population.architectures == 1
    population.train(EPOCHS)
    population.end()
    narrow = make(NARROW)
    history = fit_alone(narrow, EPOCHS, WHOLE, held_out, **data)
    assert_as_alone(population, [narrow], [history], rtol)
    assert_padding_is_zero(population, 0)
    return population, narrow


OPTIMIZERS = {
    "SGD": {"momentum": 0.9, "nesterov": True, "clipvalue": 0.5},
    "RMSprop": {"momentum": 0.5, "centered": True},
    "Adam": {"amsgrad": True, "clipnorm": 0.1},
    "AdamW": {"weight_decay": 0.05, "global_clipnorm": 0.2},
    "Adagrad": {},
    "Adadelta": {"use_ema": True},
    "Adamax": {"weight_decay": 0.1},
    "Nadam": {"gradient_accumulation_steps": 2},
    "Lion": {"weight_decay": 0.1},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_entrywise_optimizer(name):
    def make(width):
        optimizer = getattr(optimizers, name)(0.05, **OPTIMIZERS[name])
        return make_model(Dense(width, "sigmoid"), optimizer=optimizer, seed=3)

    assert_narrow_as_alone(make)


def test_chains_with_dropout_regularizers_and_constraints():
    def make(width):
        return make_model(
            Dense(
                width + 1,
                "relu",
                kernel_regularizer=regularizers.L2(0.01),
                bias_regularizer=regularizers.L2(0.1),
                kernel_constraint=constraints.MaxNorm(0.8),
            ),
            Dropout(0.4),
            Dense(
                width,
                "softplus",
                kernel_regularizer=regularizers.L1L2(0.0, 0.1),
                kernel_constraint=constraints.UnitNorm(),
                bias_constraint=constraints.NonNeg(),
            ),
            Dropout(0.2, seed=5),
            Dense(3, "sigmoid", kernel_constraint=constraints.MinMaxNorm(0.5, 0.9, axis=1)),
            optimizer=optimizers.SGD(0.1),
            seed=width,
        )

    population, narrow = assert_narrow_as_alone(make)
    outputs = population.predict([np.arange(5)] * 2)[0]
    np.testing.assert_allclose(outputs, narrow.predict(X[:5], verbose=0), rtol=1e-5)


def test_batch_normalization_and_activations_as_layers():
    def make(width):
        return make_model(
            Dense(width, use_bias=False),
            BatchNormalization(gamma_regularizer="l2", gamma_constraint="non_neg"),
            LeakyReLU(0.1),
            Dense(width + 1),
            Activation("softplus"),
            BatchNormalization(scale=False, momentum=0.5),
            optimizer=optimizers.Adam(0.02),
            seed=1,
        )

    assert_narrow_as_alone(make, held_out=HELD_OUT)


def test_graphs_with_branches_and_a_head_of_classes():
    labels = (X[:, 0] > 0).astype("int32") + (X[:, 1] > 0)

    def make(width):
        inputs = Input((3,))
        hidden = Dense(width, "sigmoid")(inputs)
        dropped = Dropout(0.3)(hidden)
        inner = Dense(3, "relu")(Dense(width + 1, "tanh")(dropped))
        outputs = Dense(3, "softmax", kernel_regularizer="l2", activity_regularizer="l2")(
            Concatenate()([inner, Dense(2)(hidden)])
        )
        model = Model(inputs, outputs, seed=2)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    assert_narrow_as_alone(make, data=(X, labels))


def test_sequences_are_masked_in_their_last_axis():
    x = np.stack([X, -X], axis=1)

    def make(width):
        inputs = Input((2, 3))
        outputs = Dense(1)(Dropout(0.5)(Dense(width, "sigmoid")(inputs)))
        model = Model(inputs, outputs, seed=2)
        model.compile("sgd", "mse")
        return model

    assert_narrow_as_alone(make, data=(x, x[..., :1].copy()))


def shifted(weights):
    return weights - jnp.mean(weights, axis=-1, keepdims=True)


def squared(weights):
    return 0.1 * jnp.square(jnp.mean(weights))


def doubled(values):
    return 2 * values + 1


def concatenated(width):
    inputs = Input((3,))
    hidden = Concatenate()([Dense(width, "relu")(inputs), Dense(2)(inputs)])
    model = Model(inputs, Dense(1)(hidden), seed=0)
    model.compile("sgd", "mse")
    return model


def output_of(width):
    inputs = Input((3,))
    model = Model(inputs, Dense(width)(inputs), seed=0)
    model.compile("sgd", "mse")
    return model


SEPARATE = {
    "normalized": lambda width: make_model(Dense(width), LayerNormalization()),
    "softmax": lambda width: make_model(Dense(width, "softmax")),
    "softmax behind": lambda width: make_model(Dense(width), Activation("softmax")),
    "muon": lambda width: make_model(Dense(width), optimizer=optimizers.Muon(0.01)),
    "sparse": lambda width: make_model(Dense(width, kernel_regularizer="l1"), optimizer="adam"),
    "sparse in the next": lambda width: make_model(
        Dense(width), Dense(3, kernel_regularizer=regularizers.L1L2(0.1, 0.1))
    ),
    "sparse scales": lambda width: make_model(
        Dense(width), BatchNormalization(beta_regularizer="l1")
    ),
    "orthogonal": lambda width: make_model(
        Dense(width, kernel_regularizer=regularizers.OrthogonalRegularizer(0.1))
    ),
    "user regularizer": lambda width: make_model(Dense(width, kernel_regularizer=squared)),
    "user regularizer of the next": lambda width: make_model(
        Dense(width), Dense(3, kernel_regularizer=squared)
    ),
    "user constraint": lambda width: make_model(Dense(width, bias_constraint=shifted)),
    "user constraint of the next": lambda width: make_model(
        Dense(width), Dense(3, kernel_constraint=shifted)
    ),
    "user activation": lambda width: make_model(Dense(width, doubled)),
    "user function": lambda width: make_model(Dense(width), doubled),
    "activity": lambda width: make_model(Dense(width, activity_regularizer="l2")),
    "regularized scales": lambda width: make_model(
        Dense(width), BatchNormalization(gamma_regularizer=squared)
    ),
    "no epsilon": lambda width: make_model(Dense(width), BatchNormalization(epsilon=0.0)),
    "optimizer without epsilon": lambda width: make_model(
        Dense(width), optimizer=optimizers.Adam(0.01, epsilon=0.0)
    ),
    "shared draw": lambda width: make_model(Dense(width), Dropout(0.5, noise_shape=(None, 1))),
    "concatenated": concatenated,
    "outputs": output_of,
}


@pytest.mark.parametrize("name", SEPARATE)
def test_networks_that_cannot_be_padded_are_separate_architectures(name):
    members = []
    for width in (NARROW, WIDE):
        model = SEPARATE[name](width)
        optimizer = model.model_parts.require_config("fit").optimizer
        members.append((model.network, MeanSquaredError(), optimizer))
    assert [group.indices for group in group_by_architecture(members)] == [[0], [1]]


@pytest.mark.parametrize("name", ["normalized", "sparse"])
def test_separate_architectures_train_as_alone(name):
    population = make_population([SEPARATE[name](width) for width in (NARROW, WIDE)], [WHOLE] * 2)
    assert population.architectures == 2
    population.train(EPOCHS)
    single = [SEPARATE[name](width) for width in (NARROW, WIDE)]
    assert_as_alone(population, single, [fit_alone(model, EPOCHS, WHOLE) for model in single])


def test_each_architecture_has_its_members():
    population = make_population(
        [
            make_model(Dense(2, "relu")),
            make_model(Dense(2, "relu"), Dense(3)),
            make_model(Dense(4, "relu")),
            make_model(Dense(3, "tanh")),
        ]
    )
    assert [group.indices for group in population._groups] == [[0, 2], [1], [3]]


def test_dropout_masks_that_depend_on_the_width_are_separate_architectures():
    members = []
    for width in (NARROW, WIDE):
        model = make_model(Dense(width), Dropout(0.5))
        optimizer = model.model_parts.require_config("fit").optimizer
        members.append((model.network, MeanSquaredError(), optimizer))
    assert len(group_by_architecture(members)) == 1
    with jax.threefry_partitionable(False):
        assert len(group_by_architecture(members)) == 2
