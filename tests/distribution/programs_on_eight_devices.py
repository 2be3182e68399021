"""What the compiler makes of a step on eight devices is what its placement means."""

import importlib.util
from pathlib import Path

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

import fjax
from fjax import layers, losses, optimizers
from fjax.distribution import DeviceMesh, data_parallel, fsdp, sharded
from fjax.training import Batch, create_train_state, train_step
from fjax.training.memory_report import report_memory
from fjax.training.shardings import bytes_a_device

# The loss, sums of metrics, and the norm of gradients.
SCALARS = 64

FIRST, SECOND = 32 * 64 * 4, 64 * 8 * 4


def pure_run(placement):
    network = fjax.serial(layers.Dense(64, activation="relu"), layers.Dense(8))
    batch = Batch((np.ones((16, 32), "float32"),), np.ones((16, 8), "float32"))
    optimizer, loss = optimizers.Adam(0.01), losses.MeanSquaredError()
    train_state = create_train_state(network, optimizer, jax.random.key(0), *batch.inputs)
    return placement.step(train_step(network, loss, optimizer)), train_state, batch


def report(placement):
    step, train_state, batch = pure_run(placement)
    return report_memory(step, *placement.shard_shapes(train_state, batch))


def by_kind(collectives):
    sizes = {}
    for each in collectives:
        sizes[each.kind] = sizes.get(each.kind, 0) + each.size
    return sizes


def bytes_of(tree):
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


def test_data_parallelism_sums_each_gradient_once_and_gathers_nothing():
    _, train_state, _ = pure_run(data_parallel())
    (reduced,) = report(data_parallel()).collectives
    assert (reduced.kind, reduced.devices) == ("all-reduce", 8)
    gradients = bytes_of(train_state.params)
    assert gradients <= reduced.size <= gradients + SCALARS
    assert reduced.sent == reduced.size * 2 * 7 // 8


@pytest.mark.thorough
def test_convolutions_in_parts_gather_no_rows():
    model = fjax.Sequential(
        [layers.Input((28, 28, 16)), layers.Conv2D(8, 3), layers.GlobalAveragePooling2D()], seed=0
    )
    model.compile("sgd", "mse", placement=data_parallel())
    # More patches than a CPU computes at a time, on each device, too.
    for size in (64, 512):
        assert {each.kind for each in model.memory_report(size).collectives} == {"all-reduce"}
    x, y = np.ones((64, 28, 28, 16), "float32"), np.ones((64, 8), "float32")
    x *= np.linspace(-1, 1, 64, dtype="float32")[:, None, None, None]
    divided = model.predict(x, batch_size=64, verbose=0)
    losses = model.fit(x, y, batch_size=64, epochs=2, verbose=0).history["loss"]
    one = fjax.Sequential(
        [layers.Input((28, 28, 16)), layers.Conv2D(8, 3), layers.GlobalAveragePooling2D()], seed=0
    )
    one.compile("sgd", "mse")
    np.testing.assert_allclose(divided, one.predict(x, batch_size=64, verbose=0), atol=1e-5)
    expected = one.fit(x, y, batch_size=64, epochs=2, verbose=0).history["loss"]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


def test_fsdp_gathers_each_weight_once():
    placement = fsdp(min_size=256)
    _, train_state, _ = pure_run(placement)
    made = report(placement).collectives
    sizes = by_kind(made)
    # The second kernel, which the gradients need, too, is still there.
    assert sizes.pop("all-gather") == FIRST + SECOND
    assert sum(each.times for each in made if each.kind == "all-gather") == 2
    assert set(sizes) <= {"all-reduce", "reduce-scatter"}
    assert sum(sizes.values()) <= bytes_of(train_state.params) + SCALARS


def test_fsdp_divides_weights_and_optimizer_state():
    placement = fsdp(min_size=64)
    step, train_state, batch = pure_run(placement)
    shapes, _ = placement.shard_shapes(train_state, batch)
    for tree, whole in (
        (shapes.params, train_state.params),
        (shapes.opt_state.slots, train_state.opt_state.slots),
    ):
        assert bytes_a_device(tree) < bytes_of(whole) / 8 + 64
    one, divided = report(data_parallel()), report(placement)
    state = bytes_of((train_state.params, train_state.opt_state.slots))
    # What is left is the batch, the small bias, the step and the key.
    assert divided.arguments < one.arguments - state * 7 / 8 + 3 * 64
    after, _ = jax.jit(step)(placement.shard(train_state), placement.batch(batch))
    for leaf, expected in zip(
        jax.tree.leaves((after.params, after.opt_state.slots)),
        jax.tree.leaves((shapes.params, shapes.opt_state.slots)),
        strict=True,
    ):
        assert leaf.sharding.shard_shape(leaf.shape) == expected.sharding.shard_shape(leaf.shape)


def test_tensor_sharding_sums_hidden_values_once_a_pair_of_layers():
    mesh = DeviceMesh((2, 4), ["data", "model"])
    rules = {
        "dense/kernel": P(None, "model"), "dense/bias": P("model"), "dense_1/kernel": P("model"),
        ".*": P(),
    }  # fmt: skip
    sums = {each.devices: each.size for each in report(sharded(mesh, rules, "data")).collectives}
    hidden = 16 // 2 * 8 * 4
    divided = (32 * 64 + 64 + 64 * 8) // 4 * 4 + 8 * 4
    assert set(sums) == {2, 4}
    assert sums[4] == hidden and divided <= sums[2] <= divided + SCALARS


def test_rules_for_outputs_are_applied():
    mesh = DeviceMesh((2, 4), ["data", "model"])
    placement = sharded(mesh, {"dense/output": P(None, "model"), ".*": P()}, "data")
    step, train_state, batch = pure_run(placement)
    lowered = jax.jit(step).lower(*placement.shard_shapes(train_state, batch)).as_text()
    constraints = [line for line in lowered.splitlines() if "sharding_constraint" in line]
    assert any('[{}, {"model"}]' in line and "16x64" in line for line in constraints)
    assert any('[{"data"}, {?}]' in line and "16x8" in line for line in constraints)
    one, _ = jax.jit(pure_run(data_parallel())[0])(train_state, batch)
    other, _ = jax.jit(step)(placement.shard(train_state), placement.batch(batch))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        one.params, other.params,
    )  # fmt: skip


def test_a_model_reports_its_placement():
    model = fjax.Sequential([layers.Input((32,)), layers.Dense(64)], seed=0)
    model.compile("adam", "mse", placement=data_parallel())
    made = model.memory_report(16)
    assert [each.kind for each in made.collectives] == ["all-reduce"]
    assert "all-reduce of 8." in str(made) and "among 8 devices" in str(made)
    with pytest.raises(ValueError, match="cannot be divided among the 8 devices"):
        model.memory_report(20)
    model.compile("adam", "mse")
    assert not model.memory_report(16).collectives


def example():
    file = Path(__file__).parents[2] / "examples" / "gpt.py"
    spec = importlib.util.spec_from_file_location("gpt", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def gpt_report(name, depth=3, remat=False):
    module = example()
    model = module.gpt(16, 32, depth, 4, 0.1, remat)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, placement=module.PLACEMENTS[name]())
    return model, model.memory_report(64)


@pytest.mark.thorough
def test_the_gpt_is_divided_as_its_placements_say():
    model, made = gpt_report("data")
    embeddings = 256 * 32 * 4
    gradients = model.count_params() * 4
    (sums,) = made.collectives
    # The tied embedding has two gradients, of the head and of the lookup, each of which is summed.
    assert sums.kind == "all-reduce"
    assert gradients <= sums.size <= gradients + embeddings + SCALARS

    model, divided = gpt_report("fsdp")
    sizes = by_kind(divided.collectives)
    large = sum(np.size(weight) for weight in model.get_weights() if np.size(weight) >= 2**10) * 4
    # Each weight once forwards and once backwards; the embedding is used twice.
    assert large <= sizes.pop("all-gather") <= 2 * large + embeddings
    assert set(sizes) <= {"all-reduce", "reduce-scatter"}
    assert divided.arguments < made.arguments / 4

    depth, values = 3, 32 * 16 * 32 * 4
    _, parts = gpt_report("tensor", depth)
    of_values = {each.devices: each for each in parts.collectives}
    assert {each.kind for each in parts.collectives} == {"all-reduce"}
    # Two sums of hidden values a block forwards, two backwards (the three of query, key and value
    # count), and those of the embedding and its head.
    assert of_values[4].size < values * (6 * depth + 3)
    assert of_values[2].size < sums.size / 2


@pytest.mark.thorough
def test_the_gpt_trains_alike_by_each_placement(capsys):
    tiny = {
        "size": 3000, "length": 16, "width": 32, "depth": 2, "epochs": 2, "batch_size": 16,
        "count": 8,
    }  # fmt: skip
    expected = example().main(**tiny)
    for name in ("data", "fsdp", "tensor"):
        logs = example().main(placement=name, **tiny)
        for log, values in expected.items():
            np.testing.assert_allclose(logs[log], values, rtol=1e-5, atol=1e-6, err_msg=log)
    assert "bits a byte" in capsys.readouterr().out
