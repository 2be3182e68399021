"""Padded batches: rows that are not valid do not change a step."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax import branch, losses, metrics, serial
from fjax.core.masking import Masked
from fjax.layers import BatchNormalization, Dense, Dropout, Embedding
from fjax.losses import Loss, MeanAbsoluteError, MeanSquaredError
from fjax.losses.loss import FunctionLoss
from fjax.metrics import AUC, FunctionMetric, Metric
from fjax.optimizers import SGD
from fjax.training import (
    Batch,
    NamedMetric,
    OutputLosses,
    create_train_state,
    train_step,
)
from fjax.training import test_step as evaluation_step
from fjax.training.accumulators import init_accumulators, results
from fjax.training.filled_batches import REDUCTIONS, can_be_filled
from tests.losses.test_losses import CLASSES, WITHOUT_SAMPLE_LOSSES
from tests.losses.test_losses import sample as sample_of_loss
from tests.metrics.test_metrics import NAMES, as_specs, make
from tests.metrics.test_metrics import batch as batch_of_metric

ROWS, FILLED = 5, 8
VALID = (np.arange(FILLED) < ROWS).astype("float32")
NETWORK = serial(Dense(3, "tanh", kernel_regularizer="l2"), Dropout(0.4), Dense(2, "sigmoid"))


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def filled(tree):
    """Return the arrays with large values as rows of padding."""
    return jax.tree.map(
        lambda leaf: np.concatenate(
            [leaf, np.full((FILLED - ROWS, *leaf.shape[1:]), 1e3, leaf.dtype)]
        ),
        tree,
    )


def both(batch):
    """Return a batch of valid rows, and the same batch with padding."""
    return batch, Batch(*map(filled, batch[:3]), VALID)


def assert_same_step(network, loss, batch, named=(), rtol=1e-5):
    """Assert that the steps of both batches are equal."""
    optimizer = SGD(0.1, momentum=0.5)
    state = create_train_state(network, optimizer, jax.random.key(0), *batch.inputs)
    outputs, _ = network.apply(state.params, state.state, *batch.inputs)
    sums = init_accumulators(named, batch.targets, outputs, loss)
    state = state._replace(accumulators=sums)
    advance = train_step(network, loss, optimizer, named)
    measure = evaluation_step(network, loss, named)

    @jax.jit
    def steps(state, one):
        total = measure(sums, state.params, state.state, one)
        return advance(state, one), results(named, total)

    trained, measured = zip(*(steps(state, one) for one in both(batch)), strict=True)
    for alone, full in (trained, measured):
        for wanted, found in zip(jax.tree.leaves(alone), jax.tree.leaves(full), strict=True):
            if jnp.issubdtype(wanted.dtype, jax.dtypes.prng_key):
                continue
            np.testing.assert_allclose(found, wanted, rtol=rtol, atol=1e-6)
    assert np.isfinite(trained[0][1]["loss"])


BATCH = Batch((drawn(ROWS, 4),), (drawn(ROWS, 2) > 0).astype("float32"))
WEIGHTS = np.array([0.5, 2.0, 0.0, 1.0, 3.0], "float32")


@pytest.mark.parametrize(
    ("reduction", "weights"),
    [*((reduction, WEIGHTS) for reduction in REDUCTIONS), (REDUCTIONS[0], None)],
)
def test_every_reduction_with_and_without_weights(reduction, weights):
    measured = (
        NamedMetric("mae", metrics.MeanAbsoluteError()),
        NamedMetric("weighted_mae", metrics.MeanAbsoluteError(), weighted=True),
        NamedMetric("auc", AUC(num_thresholds=5)),
        NamedMetric("weighted_accuracy", metrics.BinaryAccuracy(), weighted=True),
    )
    batch = BATCH._replace(sample_weight=weights)
    assert can_be_filled(NETWORK, MeanSquaredError(reduction=reduction), measured)
    assert_same_step(NETWORK, MeanSquaredError(reduction=reduction), batch, measured)


def test_several_outputs_with_different_losses_and_weights():
    network = serial(Dense(3, "tanh"), branch(Dense(2, "sigmoid"), Dense(1)))
    loss = OutputLosses(
        [MeanSquaredError(), MeanAbsoluteError(reduction="sum")], weights=[1.0, 0.3]
    )
    measured = (
        NamedMetric("first", metrics.MeanAbsoluteError(), weighted=True, output=0),
        NamedMetric("second", metrics.RootMeanSquaredError(), output=1),
    )
    targets = [BATCH.targets, drawn(ROWS, 1, seed=3)]
    assert can_be_filled(network, loss, measured)
    weights = [WEIGHTS, WEIGHTS[:, None]]
    assert_same_step(network, loss, Batch(BATCH.inputs, targets, weights), measured)


@pytest.mark.parametrize(
    ("reduction", "weights"),
    [
        *((reduction, WEIGHTS) for reduction in REDUCTIONS),
        (REDUCTIONS[0], None),
        (REDUCTIONS[0], drawn(ROWS, 3) ** 2),
    ],
)
@pytest.mark.parametrize("masked", [True, False])
def test_padding_of_sequences(reduction, weights, masked):
    network = serial(Embedding(9, 2, mask_zero=masked), Dense(1))
    words = np.array([[1, 2, 0], [3, 0, 0], [4, 5, 6], [7, 8, 1], [2, 0, 0]])

    def harmless(tree):
        return jax.tree.map(lambda leaf: np.concatenate([leaf, leaf[:3]]), tree)

    loss = MeanSquaredError(reduction=reduction)
    assert can_be_filled(network, loss, ())
    batch = Batch((words,), drawn(ROWS, 3, 1), weights)
    state = create_train_state(network, SGD(0.1), jax.random.key(0), words)
    outputs, _ = network.apply(state.params, state.state, words)
    assert isinstance(outputs, Masked) == masked
    named = (NamedMetric("mae", metrics.MeanAbsoluteError(), weighted=True),)
    state = state._replace(accumulators=init_accumulators(named))
    step = jax.jit(train_step(network, loss, SGD(0.1), named))
    alone, logs = step(state, batch)
    full, own = step(state, Batch(*map(harmless, batch[:3]), VALID))
    for name in logs:
        np.testing.assert_allclose(own[name], logs[name], rtol=1e-5)
    for wanted, found in zip(
        jax.tree.leaves(alone.params), jax.tree.leaves(full.params), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", CLASSES)
def test_every_loss_with_independent_rows(name):
    y_true, y_pred = sample_of_loss(name, rows=FILLED)
    made = [getattr(losses, name)(reduction=reduction) for reduction in REDUCTIONS]
    taken = [loss for loss in made if can_be_filled(serial(), loss, ())]
    assert len(taken) == (0 if name in WITHOUT_SAMPLE_LOSSES else len(REDUCTIONS))

    @jax.jit
    def pairs(y_true, y_pred):
        short = Batch((y_pred[:ROWS],), y_true[:ROWS])
        full = Batch((y_pred,), y_true, None, VALID)
        steps = [evaluation_step(serial(), loss) for loss in taken]
        return [[step(init_accumulators(), {}, {}, one) for one in (short, full)] for step in steps]

    for alone, full in pairs(y_true, y_pred):
        np.testing.assert_allclose(full["loss"]["total"], alone["loss"]["total"], rtol=1e-5)
        np.testing.assert_allclose(full["loss"]["count"], alone["loss"]["count"])


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_with_independent_rows(name):
    metric = make(name)
    assert can_be_filled(serial(), MeanSquaredError(), (NamedMetric("metric", metric),))
    y_true, y_pred = batch_of_metric(name, rows=FILLED)
    start = metric.init(*as_specs((y_true, y_pred)))
    weights = np.linspace(0.5, 2.0, FILLED).astype("float32")

    @jax.jit
    def results_of(y_true, y_pred):
        given = [
            (y_true[:ROWS], y_pred[:ROWS]),
            (y_true, y_pred, VALID),
            (y_true[:ROWS], y_pred[:ROWS], weights[:ROWS]),
            (y_true, y_pred, VALID * weights),
        ]
        return [metric.result(metric.update(start, *one)) for one in given]

    alone, full, weighted, weighted_full = results_of(y_true, y_pred)
    np.testing.assert_allclose(full, alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(weighted_full, weighted, rtol=1e-5, atol=1e-6)


class CustomLoss(Loss):
    def call(self, y_true, y_pred):
        return jnp.mean(jnp.square(y_true - y_pred))


class CustomMetric(Metric):
    pass


def of_the_batch(y_true, y_pred):
    return jnp.mean(jnp.abs(y_true - y_pred))


@pytest.mark.parametrize(
    "loss",
    [
        CustomLoss(),
        FunctionLoss(of_the_batch),
        of_the_batch,
        MeanSquaredError(reduction="none"),
        losses.SparseCategoricalCrossentropy(ignore_class=0),
        losses.CategoricalCrossentropy(axis=0),
        OutputLosses([MeanSquaredError(), FunctionLoss(of_the_batch)]),
        FunctionLoss(losses.dice),
    ],
    ids=lambda loss: getattr(loss, "__name__", repr(loss)),
)
def test_a_loss_that_may_mix_rows_gets_no_padding(loss):
    assert not can_be_filled(serial(Dense(1)), loss, ())


@pytest.mark.parametrize(
    "metric",
    [
        FunctionMetric(of_the_batch),
        FunctionMetric(MeanSquaredError()),
        CustomMetric(),
        metrics.PearsonCorrelation(axis=0),
        metrics.R2Score(num_regressors=1),
    ],
    ids=repr,
)
def test_a_metric_that_may_mix_rows_gets_no_padding(metric):
    assert not can_be_filled(serial(Dense(1)), MeanSquaredError(), (NamedMetric("metric", metric),))


def test_another_generator_gets_no_padding():
    network = serial(Dropout(0.5), Dense(1))
    assert can_be_filled(network, MeanSquaredError(), ())
    with jax.threefry_partitionable(False):
        assert not can_be_filled(network, MeanSquaredError(), ())


def test_a_network_that_mixes_rows_gets_no_padding():
    assert can_be_filled(serial(Dense(1)), MeanSquaredError(), ())
    assert not can_be_filled(serial(BatchNormalization(), Dense(1)), MeanSquaredError(), ())
