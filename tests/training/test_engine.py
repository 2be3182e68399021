"""The compiled programs and the loop: chunks, order, compilations, synchronizations, memory."""

import os
import subprocess
import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fjax.data import ArraySource
from fjax.data.shuffling import order_of_pass
from fjax.training import create_train_state, programs_for, run_epoch, train_step
from fjax.training.batch import Batch
from fjax.training.initialization import initialize
from fjax.training.loop import ChunkScheduler

pytestmark = pytest.mark.short


class RecordingHooks:
    """Record the steps after which the loop calls."""

    shows_progress = False

    def __init__(self, needs_each_step=False, longest=None):
        self.needs_each_step = needs_each_step
        self.longest = longest
        self.steps = []

    def longest_chunk(self):
        return self.longest

    def on_step_begin(self, step):
        pass

    def on_step_end(self, step, logs):
        self.steps.append(step)
        return False


class Chunks:
    """Chunks of chosen lengths."""

    def __init__(self, *lengths):
        self.lengths = list(lengths)

    def chunk(self, left):
        return min(left, self.lengths.pop(0) if self.lengths else left)

    def record(self, steps, seconds):
        pass


def start(problem):
    return create_train_state(
        problem.network, problem.optimizer, jax.random.key(3), problem.spec,
        metrics=problem.metrics, targets=problem.targets,
    )  # fmt: skip


def compiled(problem):
    return programs_for(problem.network, problem.loss, problem.optimizer, problem.metrics)


def run(problem, chunks, epochs=2, hooks=None, seed=7):
    source = ArraySource(problem.data, 16, seed)
    holder = SimpleNamespace(train_state=start(problem))
    fresh = holder.train_state.accumulators
    for epoch in range(epochs):
        holder.train_state = holder.train_state._replace(
            batch=np.int32(0), accumulators=jax.tree.map(jnp.zeros_like, fresh)
        )
        logs = run_epoch(
            holder, compiled(problem), source, epoch, hooks or RecordingHooks(), chunks
        )
    return holder.train_state, logs


def assert_same_bits(one, other):
    def same(a, b):
        if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
            a, b = jax.random.key_data(a), jax.random.key_data(b)
        np.testing.assert_array_equal(a, b)

    jax.tree.map(same, one, other)


@pytest.mark.parametrize("lengths", [(1, 1, 1, 1, 1, 1, 1, 1), (2, 2, 3, 1), (3, 1, 1, 3)])
def test_the_length_of_chunks_does_not_change_a_bit(problem, lengths):
    assert_same_bits(run(problem, Chunks(*lengths)), run(problem, Chunks()))


def test_hooks_at_each_step_do_not_change_a_bit(problem):
    hooks = RecordingHooks(needs_each_step=True)
    each_step = run(problem, ChunkScheduler(hooks), hooks=hooks)
    assert_same_bits(each_step, run(problem, Chunks()))
    assert hooks.steps == [0, 1, 2, 3] * 2


def test_the_program_equals_a_plain_loop_of_steps(problem):
    step = jax.jit(train_step(problem.network, problem.loss, problem.optimizer, problem.metrics))
    expected = start(problem)
    order = order_of_pass(7, 0, 50)
    for rows in np.split(order, [16, 32, 48]):
        batch = jax.tree.map(lambda a, rows=rows: a[rows], problem.data)
        expected, logs = step(expected, batch)
    train_state, program_logs = run(problem, Chunks(), epochs=1)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        (train_state.params, train_state.state, program_logs),
        (expected.params, expected.state, logs),
    )
    assert int(train_state.step) == 4


def test_the_last_batch_is_weighted_by_its_size(problem):
    _, logs = run(problem, Chunks(), epochs=1)
    assert set(logs) == {"loss", "mae"}
    train_state, _ = run(problem, Chunks(), epochs=1)
    assert train_state.accumulators["loss"]["count"] == 50


def test_one_compilation_serves_any_chunk(problem, compilations):
    run(problem, Chunks(1, 2, 1), epochs=1)
    compilations.clear()
    run(problem, Chunks(2, 1, 1), epochs=1)
    run(problem, Chunks(), epochs=1)
    assert [name for name in compilations if "advance" in name] == []


def test_equal_models_with_different_learning_rates_share_programs(problem):
    same = programs_for(
        type(problem.network)(problem.network.layers),
        type(problem.loss)(),
        type(problem.optimizer)(0.5),
        problem.metrics,
    )
    assert same is compiled(problem)
    other = programs_for(problem.network, problem.loss, type(problem.optimizer)(beta_1=0.5), ())
    assert other is not compiled(problem)


def test_the_learning_rate_is_in_the_initial_state(problem):
    made = initialize(problem.network, type(problem.optimizer)(0.5), 0, problem.spec)
    assert made.opt_state.learning_rate == np.float32(0.5)


def test_the_initial_state_of_the_host_has_the_same_bits():
    program = """
import jax, numpy as np
from fjax import serial
from fjax.layers import BatchNormalization, Dense, Dropout
from fjax.optimizers import Adam
from fjax.training import create_train_state
from fjax.training.initialization import initialize
network = serial(Dense(4, "relu"), BatchNormalization(), Dropout(0.5), Dense(3))
spec = jax.ShapeDtypeStruct((1, 3), "float32")
made = initialize(network, Adam(), 3, spec)
pure = create_train_state(network, Adam(), jax.random.key(3), spec)
made, pure = (state._replace(key=jax.random.key_data(state.key)) for state in (made, pure))
jax.tree.map(np.testing.assert_array_equal, made, pure)
"""
    # As users compile: without LLVM's passes a program and its parts round differently.
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_nothing_is_fetched_within_an_epoch(problem, fetches):
    source = ArraySource(problem.data, 16, 7)
    holder = SimpleNamespace(train_state=start(problem)._replace(batch=np.int32(0)))
    fetches.clear()
    logs = run_epoch(
        holder, compiled(problem), source, 0, RecordingHooks(), ChunkScheduler(RecordingHooks())
    )
    assert fetches == []
    assert np.isfinite(float(logs["loss"]))
    assert fetches != []


def test_the_train_state_is_donated(problem):
    held = start(problem)
    holder = SimpleNamespace(train_state=held._replace(batch=np.int32(0)))
    kernel = held.params["dense"]["kernel"]
    run_epoch(
        holder, compiled(problem), ArraySource(problem.data, 16), 0, RecordingHooks(), Chunks()
    )
    assert kernel.is_deleted()
    assert not holder.train_state.params["dense"]["kernel"].is_deleted()


def test_vmap_and_scan_of_the_pure_step(problem):
    step = train_step(problem.network, problem.loss, problem.optimizer, problem.metrics)
    batches = jax.tree.map(lambda a: a[:48].reshape(3, 16, *a.shape[1:]), problem.data)
    rates = jnp.array([1e-3, 1e-1])

    def train(rate):
        first = start(problem)
        first = first._replace(opt_state=first.opt_state._replace(learning_rate=rate))
        return jax.lax.scan(lambda carry, batch: step(carry, Batch(*batch)), first, batches)

    last, logs = jax.vmap(train)(rates)
    assert logs["loss"].shape == (2, 3)
    alone, alone_logs = train(rates[1])
    np.testing.assert_allclose(logs["loss"][1], alone_logs["loss"], rtol=1e-4)
    np.testing.assert_allclose(
        last.params["dense"]["kernel"][1], alone.params["dense"]["kernel"], rtol=1e-3, atol=1e-4
    )


def test_a_progress_bar_is_called_ten_times_a_second():
    hooks = RecordingHooks()
    hooks.shows_progress = True
    chunks = ChunkScheduler(hooks)
    assert chunks.chunk(1000) == 1
    chunks.record(1, 5.0)  # compiled
    assert chunks.chunk(1000) == 1
    for _ in range(8):
        length = chunks.chunk(10**6)
        chunks.record(length, length * 1e-4)
    assert chunks.chunk(10**6) == pytest.approx(1000, abs=1)
    assert chunks.chunk(10) == 10


def test_invalid_arguments_of_the_step_raise(problem):
    with pytest.raises(TypeError, match="takes functions, not names"):
        train_step(problem.network, "mse", problem.optimizer)
    with pytest.raises(TypeError, match="takes functions, not names"):
        train_step(problem.network, problem.loss, "adam")
    step = train_step(problem.network, problem.loss, problem.optimizer, problem.metrics)
    with pytest.raises(TypeError, match=r"must be a tuple, also for one input"):
        step(start(problem), Batch(problem.data.inputs[0], problem.data.targets))


def test_hooks_limit_the_length_of_chunks():
    chunks = ChunkScheduler(RecordingHooks(longest=7))
    assert [chunks.chunk(left) for left in (100, 7, 3)] == [7, 7, 3]
