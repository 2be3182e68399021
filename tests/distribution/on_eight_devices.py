"""Tests that run in a process with eight devices, which `test_distribution.py` starts."""

import copy
import pickle

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

import fjax
from fjax import callbacks, distribution, layers, losses, optimizers
from fjax.distribution import data_parallel, fsdp, list_devices, sharded
from fjax.models.learning_rate_range import range_test_of_model
from fjax.training import Batch, create_train_state, programs_for
from tests.distribution import networks

CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def devices(count):
    return data_parallel(list_devices()[:count])


def history(make, placement, **options):
    """Return the logs of three epochs, and the model."""
    model, x, y, arguments = make(placement=placement)
    logs = model.fit(x, y, batch_size=32, epochs=3, verbose=0, **arguments, **options).history
    return logs, model


def assert_same(logs, expected):
    assert set(logs) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(logs[name], values, err_msg=name, **CLOSE)


def bits(model):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(model.train_state.params)]


def test_there_are_eight_devices():
    assert jax.device_count() == 8


@pytest.mark.parametrize("make", [networks.dense], ids=lambda make: make.__name__)
def test_eight_devices_train_like_one(make):
    expected, model = history(make, None)
    logs, divided = history(make, devices(8))
    assert_same(logs, expected)
    _, x, y, _ = make()
    np.testing.assert_allclose(
        divided.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        divided.evaluate(x, y, verbose=0), model.evaluate(x, y, verbose=0), **CLOSE
    )


@pytest.mark.thorough
@pytest.mark.parametrize("make", networks.ALL, ids=lambda make: make.__name__)
def test_any_number_of_devices_trains_like_one(make):
    expected, model = history(make, None)
    _, x, y, _ = make()
    outputs, scores = model.predict(x, verbose=0), model.evaluate(x, y, verbose=0)
    for placement in (*map(devices, (1, 2, 4, 8)), fsdp(min_size=8)):
        logs, divided = history(make, placement)
        assert_same(logs, expected)
        assert_close(divided.predict(x, verbose=0), outputs, rtol=1e-4, atol=1e-5)
        assert_close(divided.evaluate(x, y, verbose=0), scores, **CLOSE)
    again, same = history(make, fsdp(min_size=8))
    assert again == logs and bits(same) == bits(divided)


def assert_close(tree, expected, **tolerance):
    jax.tree.map(
        lambda one, other: np.testing.assert_allclose(one, other, **tolerance), tree, expected
    )


@pytest.mark.thorough
def test_callbacks_write_the_files_of_one_device(tmp_path):
    tables = []
    for name, placement in (("one", None), ("eight", fsdp(min_size=8))):
        folder = tmp_path / name
        listed = [
            callbacks.TensorBoard(folder / "logs", histogram_freq=1),
            callbacks.CSVLogger(folder / "table.csv"),
            callbacks.ModelCheckpoint(folder / "{epoch}.fjax"),
            callbacks.EarlyStopping("loss", restore_best_weights=True),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
        ]
        folder.mkdir()
        _, model = history(networks.dense, placement, callbacks=listed)
        assert list((folder / "logs").rglob("events*"))
        tables.append(np.genfromtxt(folder / "table.csv", delimiter=",", names=True))
        loaded = fjax.models.load_model(folder / "3.fjax")
        _, x, _, _ = networks.dense()
        assert_close(loaded.predict(x, verbose=0), model.predict(x, verbose=0), **CLOSE)
    for column in tables[0].dtype.names:
        np.testing.assert_allclose(tables[1][column], tables[0][column], **CLOSE)


def test_a_mesh_gives_the_same_bits_twice():
    first, second = (history(networks.dense, devices(8)) for _ in range(2))
    assert first[0] == second[0] and bits(first[1]) == bits(second[1])


def test_a_mesh_of_one_device_gives_the_bits_of_no_mesh():
    (one, model), (none, plain) = (history(networks.dense, each) for each in (devices(1), None))
    assert one == none and bits(model) == bits(plain)


def test_programs_of_a_placement_run_the_loop():
    placement = data_parallel()
    network, loss, optimizer = layers.Dense(1), losses.MeanSquaredError(), optimizers.SGD(0.1)
    x, y = networks.data(4), networks.data(1)
    source = fjax.data.source(x, y, batch_size=16, placement=placement)
    sums = fjax.training.init_accumulators(loss=loss)
    state = create_train_state(network, optimizer, jax.random.key(0), *source.spec.inputs)
    programs = programs_for(network, loss, optimizer, (), placement=placement)
    state = placement.shard(state._replace(accumulators=sums))
    window = next(iter(source.windows(0)))
    assert window.data.inputs[0].sharding.spec == P(None, "data")
    lowered = jax.jit(lambda *values: programs.advance(values[0], (), *values[1:]))
    text = lowered.lower(state, window.data, window.bounds(0, window.last)).compile().as_text()
    assert "all-reduce" in text and "all-gather" not in text
    state, logs = programs.advance(state, (), window.data, window.bounds(0, window.last))
    assert int(state.step) == window.last and np.isfinite(logs["loss"])


def test_rows_are_taken_from_arrays_on_all_devices(monkeypatch):
    expected, _ = history(networks.dense, None)
    monkeypatch.setattr(fjax.training.placement.Placement, "is_cpu", False)
    monkeypatch.setattr("fjax.training.batch.WINDOW_BYTES", 2**10)
    assert_same(history(networks.dense, data_parallel())[0], expected)


def test_compiled_initial_weights_are_those_of_one_device():
    def large(placement):
        model = fjax.Sequential([layers.Input((1024,)), layers.Dense(1032)], seed=3)
        model.compile("adam", "mse", placement=placement)
        return model.train_state

    one, divided = large(None), large(fsdp(min_size=1024))
    kernel = divided.params["dense"]["kernel"]
    assert kernel.addressable_shards[0].data.nbytes == kernel.nbytes // 8
    np.testing.assert_array_equal(kernel, one.params["dense"]["kernel"])


def test_callbacks_and_streams(tmp_path):
    seen = []

    class Steps(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, float(logs["loss"])))

        def on_epoch_begin(self, epoch, logs=None):
            weights = self.model.get_weights()
            self.model.set_weights(weights)

    def batches():
        _, x, y, _ = networks.dense()
        for _ in range(2):
            for first in range(0, len(x), 32):
                yield x[first : first + 32], y[first : first + 32]

    results = []
    for placement in (None, data_parallel()):
        seen.clear()
        model = networks.dense(placement=placement)[0]
        logs = model.fit(
            batches(), epochs=2, steps_per_epoch=3, verbose=0,
            callbacks=[Steps(), callbacks.TerminateOnNaN(), callbacks.ReduceLROnPlateau("loss")],
        )  # fmt: skip
        results.append((logs.history["loss"], [loss for _, loss in seen]))
    np.testing.assert_allclose(results[1][0], results[0][0], **CLOSE)
    np.testing.assert_allclose(results[1][1], results[0][1], **CLOSE)


def test_terminate_on_nan_explains_the_step(capsys):
    x = np.ones((32, 1), "float32")
    x[20] = -1.0
    model = fjax.Sequential([layers.Dense(1, name="first", kernel_initializer="ones"), log])
    model.compile("sgd", "mse", placement=data_parallel())
    model.fit(x, x, batch_size=8, verbose=0, callbacks=[callbacks.TerminateOnNaN()])
    assert "the loss is nan" in capsys.readouterr().out


def log(x):
    return jax.numpy.log(x)


def test_single_batches_and_calls():
    one, many = (networks.several_outputs(placement=each) for each in (None, data_parallel()))
    for use in (
        lambda model, x, y: model.train_on_batch([a[:16] for a in x], first_rows(y, 16)),
        lambda model, x, y: model.test_on_batch([a[:16] for a in x], first_rows(y, 16)),
        lambda model, x, y: model.predict_on_batch([a[:5] for a in x])["a"],
        lambda model, x, y: model([a[:16] for a in x])["b"],
        lambda model, x, y: model([a[:5] for a in x], training=True)["b"],
    ):
        np.testing.assert_allclose(use(*many[:3]), use(*one[:3]), rtol=1e-4, atol=1e-6)


def first_rows(targets, count):
    return {name: array[:count] for name, array in targets.items()}


def test_frozen_layers_do_not_change():
    model, x, y, _ = networks.dense(placement=fsdp(min_size=8))
    model.layers[0].trainable = False
    model.compile("adam", "mse", placement=fsdp(min_size=8))
    model.build_for(Batch((x,), y))
    before = model.layers[0].get_weights()
    model.fit(x, y, batch_size=32, verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], before[0])


@pytest.mark.thorough
def test_files_and_copies(tmp_path):
    placement = fsdp(min_size=8)
    _, model = history(networks.dense, placement)
    _, x, _, _ = networks.dense()
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.fjax")
    loaded = fjax.models.load_model(tmp_path / "model.fjax")
    assert loaded.model_parts.placement.mesh is None
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, **CLOSE)
    for each in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert each.model_parts.placement == model.model_parts.placement
        np.testing.assert_array_equal(each.predict(x, verbose=0), expected)
    model.compile("adam", "mse")
    assert len(model.layers[0].kernel.value.devices()) == 1
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, **CLOSE)


@pytest.mark.thorough
def test_a_run_resumes_on_another_mesh(tmp_path):
    expected, _ = history(networks.dense, None)
    model, x, y, _ = networks.dense(placement=fsdp(min_size=8))
    model.fit(x, y, batch_size=32, epochs=2, verbose=0, resume=tmp_path)
    model, x, y, _ = networks.dense(placement=devices(4))
    logs = model.fit(x, y, batch_size=32, epochs=3, verbose=0, resume=tmp_path)
    np.testing.assert_allclose(logs.history["loss"], expected["loss"], **CLOSE)


@pytest.mark.thorough
def test_eager_steps():
    results = []
    for placement in (None, devices(2)):
        model, x, y, _ = networks.dense(placement=placement)
        model.compile("sgd", "mse", run_eagerly=True, placement=placement)
        logs = model.fit(x[:16], y[:16], batch_size=8, verbose=0, shuffle=False)
        results.append(logs.history["loss"])
    np.testing.assert_allclose(results[1], results[0], **CLOSE)


@pytest.mark.thorough
def test_the_learning_rate_range_test():
    rates = []
    for placement in (None, data_parallel()):
        model, x, y, _ = networks.dense(placement=placement)
        rates.append(
            range_test_of_model("test", model, x, y, None, None, 16, np.geomspace(1e-4, 0.1, 6))
        )
    np.testing.assert_allclose(rates[1], rates[0], rtol=1e-4)


def fit(placement, batch_size=32, **options):
    model, x, y, _ = networks.dense(placement=placement)
    return model.fit(x, y, batch_size=batch_size, verbose=0, **options)


def rules(**by_name):
    mesh = distribution.DeviceMesh((2, 4), ["data", "model"])
    return sharded(mesh, by_name, batch="data")


MESH = ["data", "model"]

BAD = [
    ("cannot be divided among the 8 devices", lambda: fit(data_parallel(), 20)),
    ("such as 33", lambda: fit(devices(3))),
    ("The rule 'no_layer' matches no weight", lambda: fit(rules(**{"no_layer": P(), ".*": P()}))),
    ("No rule matches the weight 'dense/bias'", lambda: fit(rules(**{"dense.*/kernel": P()}))),
    (
        "'dense/kernel' matches several rules: 'dense/.*', '.*/kernel'",
        lambda: fit(rules(**{"dense/.*": P(), ".*/kernel": P(), ".*": P()})),
    ),
    (
        "'dense_1/kernel' of shape (16, 1) cannot be divided",
        lambda: fit(rules(**{"dense.*/kernel": P(None, "model"), ".*": P()})),
    ),
    ("has 2 axes, and the weight 1", lambda: fit(rules(**{".*": P(None, "model")}))),
    ("no device 'cpu:8'", lambda: data_parallel(["cpu:0", "cpu:8"])),
    ("named twice", lambda: fsdp(devices=["cpu:0", "cpu:0"])),
    ("is for 16 devices, but there are 8", lambda: distribution.DeviceMesh((4, 4), MESH)),
    ("different axes of the mesh", lambda: rules(**{".*": P("modell")})),
    ("takes a placement", lambda: fit("data_parallel")),
    ("divides weights: use `fjax.distribution.data_parallel()`", lambda: fit(fsdp(), replicas=2)),
    (
        "The rule 'no_layer/output' matches the outputs of no layer. The outputs are 'input_layer/",
        lambda: fit(rules(**{"no_layer/output": P("data"), ".*": P()})),
    ),
    (
        "'dense' match several rules: 'dense/.*output', 'den.*output'",
        lambda: fit(rules(**{"dense/.*output": P(), "den.*output": P(), ".*": P()})),
    ),
    (
        "layer 'dense_1', of shape (32, 1), cannot be divided by P(None, 'model')",
        lambda: fit(rules(**{"dense_1/output": P(None, "model"), ".*": P()})),
    ),
    ("must be called before JAX", lambda: distribution.initialize("host:1", 2, 0)),
]


@pytest.mark.parametrize(("message", "call"), BAD, ids=[message for message, _ in BAD])
def test_mistakes_are_errors_before_training(message, call, monkeypatch):
    steps = []
    monkeypatch.setattr(callbacks.CallbackList, "call", lambda self, hook, *_: steps.append(hook))
    with pytest.raises((ValueError, TypeError, RuntimeError)) as raised:
        call()
    assert message in str(raised.value) and not steps


@pytest.mark.thorough
def test_rules_divide_weights():
    placement = rules(**{"dense/kernel": P(None, "model"), ".*": P()})
    expected, _ = history(networks.dense, None)
    logs, model = history(networks.dense, placement)
    assert_same(logs, expected)
    train_state = model.train_state
    for tree in (train_state.params, *train_state.opt_state.slots.values()):
        assert tree["dense"]["kernel"].sharding.spec == P(None, "model")
        assert tree["dense"]["bias"].sharding.is_fully_replicated


@pytest.mark.thorough
def test_the_guide_of_keras():
    keras = fjax
    mesh = keras.distribution.DeviceMesh(
        shape=(8,), axis_names=["data"], devices=keras.distribution.list_devices()
    )
    keras.distribution.set_distribution(keras.distribution.DataParallel(device_mesh=mesh))
    x, y = networks.data(4, 4, 1), networks.data(8)

    def build():
        inputs = keras.layers.Input(shape=(4, 4, 1))
        hidden = keras.layers.Flatten()(inputs)
        hidden = keras.layers.Dense(units=16, use_bias=True, activation="relu", name="d1")(hidden)
        hidden = keras.layers.Dropout(0.4)(hidden)
        outputs = keras.layers.Dense(units=8, activation="softmax", name="d2")(hidden)
        return keras.Model(inputs=inputs, outputs=outputs, seed=0)

    try:
        model = build()
        model.compile(loss="mse")
        model.fit(x, y, epochs=1, batch_size=16, verbose=0)
        model.evaluate(x, y, batch_size=16, verbose=0)
        assert len(model.get_layer("d1").kernel.value.devices()) == 8

        mesh = keras.distribution.DeviceMesh(shape=(2, 4), axis_names=["data", "model"])
        layout_map = keras.distribution.LayoutMap(mesh)
        layout_map["d1/kernel"] = (None, "model")
        layout_map["d1/bias"] = ("model",)
        layout_map["d2/output"] = ("data", None)
        parallel = keras.distribution.ModelParallel(layout_map=layout_map, batch_dim_name="data")
        assert parallel.get_tensor_layout("d2/output").axes == ("data", None)
        keras.distribution.set_distribution(parallel)
        model = build()
        model.compile(loss="mse")
        model.fit(x, y, epochs=1, batch_size=16, verbose=0)
        assert model.get_layer("d1").kernel.value.sharding.spec == P(None, "model")
        variable = model.get_layer("d1").kernel
        assert parallel.get_variable_layout(variable).axes == (None, "model")
        assert keras.distribution.distribution() is parallel
    finally:
        keras.utils.clear_session()
    assert keras.distribution.distribution() is None


def test_a_tensor_is_distributed():
    mesh = distribution.DeviceMesh((8,), ["data"])
    layout = distribution.TensorLayout(("data", None), mesh)
    value = distribution.distribute_tensor(np.ones((16, 2), "float32"), layout)
    assert value.sharding == layout.backend_layout
    doubled = jax.jit(lambda x: distribution.distribute_tensor(2 * x, layout))(value)
    assert doubled.sharding.spec == P("data") or doubled.sharding.spec == P("data", None)
