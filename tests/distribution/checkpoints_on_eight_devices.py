"""Checkpoints of weights that eight devices divide; `test_distribution.py` starts these tests."""

import json
import os
import shutil
import sys
import threading

import jax
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

import fjax
from fjax import callbacks, distribution, layers, optimizers
from fjax.distribution import data_parallel, fsdp, list_devices, sharded
from fjax.saving import ChangedRunError, ModelFileError
from fjax.storage import open_tensors, write_tensors
from fjax.storage.array_store import FileStore, open_arrays
from fjax.storage.folder_digests import list_files, sync_and_digest
from fjax.storage.sharded_folder import ShardedStore
from fjax.storage.versions import format_metadata
from fjax.training.placed_shapes import default_sharding
from fjax.training.transfers import put_on
from tests.distribution import networks

CLOSE = {"rtol": 1e-5, "atol": 1e-6}
ROWS = 84
# 84 rows in batches of 32: 3 steps an epoch, the last with 20 rows.
EPOCHS = 3


def divided(count=8):
    return fsdp(min_size=8, devices=list_devices()[:count])


def by_rules():
    mesh = distribution.DeviceMesh((2, 4), ["data", "model"])
    rules = {"dense/kernel": P(None, "model"), "dense/bias": P("model"), "batch.*": P()}
    return sharded(mesh, {**rules, "dense_1/.*": P()}, batch="data")


def make(placement, optimizer="adam", units=16):
    model = fjax.Sequential(
        [
            layers.Dense(units, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(1),
        ],
        seed=1,
    )
    model.compile(optimizer, "mse", metrics=["mae"], placement=placement)
    return model


def run(placement, *more, model=None, epochs=EPOCHS, x=None, **options):
    model = model or make(placement)
    x = networks.data(6) if x is None else x
    y = networks.data(1, seed=1)
    stopping = callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, callbacks=[stopping, *more], **options)
    return model


def backup(folder, **options):
    return callbacks.BackupAndRestore(folder, delete_checkpoint=False, **options)


def bits(model):
    state = model.train_state
    leaves = jax.tree.leaves(
        (state.params, state.state, state.opt_state, jax.random.key_data(state.key))
    )
    return [np.asarray(leaf).tobytes() for leaf in leaves]


def checkpoint_names(folder):
    return sorted(name for name in os.listdir(folder) if name != ".lock")


@pytest.fixture(scope="module")
def uninterrupted():
    return run(divided())


@pytest.fixture(scope="module")
def two_epochs(tmp_path_factory):
    """A folder with the checkpoints of a run of two epochs."""
    folder = tmp_path_factory.mktemp("run")
    run(divided(), epochs=2, resume=folder)
    return folder


@pytest.fixture
def folder(two_epochs, tmp_path):
    return shutil.copytree(two_epochs, tmp_path / "run")


class KilledError(Exception):
    pass


class Kill(callbacks.Callback):
    def __init__(self, batch):
        super().__init__()
        self.remaining = batch

    def on_train_batch_end(self, batch, logs=None):
        self.remaining -= 1
        if self.remaining == 0:
            raise KilledError


def test_a_run_killed_within_an_epoch_ends_with_the_same_bits(tmp_path, uninterrupted):
    for batch in (2, 3):
        with pytest.raises(KilledError):
            run(divided(), Kill(batch), backup(tmp_path, save_freq=1))
    model = run(divided(), backup(tmp_path, save_freq=1, keep=3))
    assert bits(model) == bits(uninterrupted)
    assert model.history.history == uninterrupted.history.history
    names = checkpoint_names(tmp_path)
    assert len(names) == 3 and all(name.endswith(".orbax") for name in names)


@pytest.mark.parametrize(
    "placement",
    [
        pytest.param(lambda: None, id="one device"),
        pytest.param(
            lambda: data_parallel(list_devices()[:2]), id="whole", marks=pytest.mark.thorough
        ),
        pytest.param(by_rules, id="two by four", marks=pytest.mark.thorough),
    ],
)
def test_a_run_resumes_on_another_mesh(folder, uninterrupted, placement):
    model = run(placement(), resume=folder)
    for name, values in uninterrupted.history.history.items():
        np.testing.assert_allclose(model.history.history[name], values, err_msg=name, **CLOSE)
    x = networks.data(6)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), uninterrupted.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


@pytest.mark.thorough
def test_a_run_of_one_device_resumes_divided(tmp_path, uninterrupted):
    run(None, epochs=2, resume=tmp_path)
    assert checkpoint_names(tmp_path)[-1] == "run-000000002.fjax"
    model = run(divided(), resume=tmp_path)
    np.testing.assert_allclose(
        model.history.history["loss"], uninterrupted.history.history["loss"], **CLOSE
    )
    # The next checkpoint is a folder, and both count as the newest two.
    assert checkpoint_names(tmp_path) == ["run-000000002.fjax", "run-000000003.orbax"]


@pytest.mark.parametrize("store", [FileStore, lambda: ShardedStore(divided(), "test")])
def test_no_device_gets_a_whole_divided_array(tmp_path, store):
    value = np.arange(6 * 1032, dtype="float32").reshape(6, 1032)
    whole = put_on(value, divided().mesh, P(None, "data"))
    store().start(tmp_path / "arrays", {"kernel": whole}, format_metadata("model"))()
    before = {id(each) for each in jax.live_arrays()}
    halves = NamedSharding(divided(4).mesh, P(None, "data"))
    spec = jax.ShapeDtypeStruct(value.shape, value.dtype, sharding=halves)
    with open_arrays(tmp_path / "arrays", "model") as reader:
        kernel = reader.read_placed({"kernel": spec})["kernel"]
        new = [each for each in jax.live_arrays() if id(each) not in before]
        assert max(shard.data.size for each in new for shard in each.addressable_shards) == 6 * 258
        np.testing.assert_array_equal(kernel, value)
        np.testing.assert_array_equal(reader.read("kernel"), value)
    assert kernel.sharding == halves


def test_training_goes_on_while_a_checkpoint_is_written(tmp_path, monkeypatch):
    events, stepped = [], threading.Event()

    def slow(folder, names):
        events.append("writing")
        assert stepped.wait(60)
        events.append("written")
        return sync_and_digest(folder, names)

    class Steps(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            events.append("step")
            stepped.set()

    monkeypatch.setattr("fjax.storage.sharded_folder.sync_and_digest", slow)
    run(divided(), Steps(), epochs=1, resume=tmp_path)
    assert events.index("step") < events.index("written")
    assert len(checkpoint_names(tmp_path)) == 2


def test_orbax_itself_reads_the_arrays(folder):
    import orbax.checkpoint

    model = run(None, epochs=2, resume=folder)
    arrays = folder / "run-000000002.orbax" / "arrays-0"
    with orbax.checkpoint.Checkpointer(orbax.checkpoint.PyTreeCheckpointHandler()) as reader:
        specs = {
            name: jax.ShapeDtypeStruct(found.shape, found.dtype, sharding=default_sharding())
            for name, found in reader.metadata(arrays).item_metadata.tree.items()
        }
        arguments = orbax.checkpoint.checkpoint_utils.construct_restore_args(specs)
        stored = reader.restore(
            arrays, args=orbax.checkpoint.args.PyTreeRestore(specs, restore_args=arguments)
        )
    kernel = model.train_state.params["dense"]["kernel"]
    np.testing.assert_array_equal(stored["params.dense.kernel"], kernel)


@pytest.mark.parametrize(
    "is_whole",
    [
        pytest.param(True, id="model"),
        pytest.param(False, id="weights", marks=pytest.mark.thorough),
    ],
)
def test_a_model_is_saved_to_a_folder(tmp_path, uninterrupted, is_whole):
    path = tmp_path / "model.orbax"
    model = make(divided(4))
    model.build_for(fjax.training.Batch((networks.data(6),), networks.data(1)))
    # Written twice: the folder is replaced.
    for each in (model, uninterrupted):
        each.save(path) if is_whole else each.save_weights(path)
        assert sorted(os.listdir(path))[-1] == "state.fjax" and len(os.listdir(path)) == 2
    if is_whole:
        distribution.set_distribution(None)
        loaded = fjax.models.load_model(path)
        assert loaded.model_parts.placement.mesh is None
        assert bits(loaded) == bits(uninterrupted)
    model.load_weights(path)
    kernel = model.train_state.params["dense"]["kernel"]
    assert kernel.sharding.shard_shape(kernel.shape) == (6, 4)
    np.testing.assert_array_equal(kernel, uninterrupted.train_state.params["dense"]["kernel"])
    with pytest.raises(ModelFileError, match=r"params.dense.kernel is float32 \(6, 16\), expected"):
        other = make(None, units=24)
        other.build_for(fjax.training.Batch((networks.data(6),), networks.data(1)))
        other.load_weights(path)


def test_a_model_on_one_device_is_saved_to_a_folder(tmp_path):
    model = fjax.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.save(tmp_path / "model.orbax")
    loaded = fjax.models.load_model(tmp_path / "model.orbax")
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    (tmp_path / "mine.orbax").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder"):
        model.save(tmp_path / "mine.orbax")
    with pytest.raises(ModelFileError, match=r"no file 'state\.fjax'"):
        fjax.models.load_model(tmp_path / "mine.orbax")


@pytest.mark.parametrize(
    "weights_only",
    [
        pytest.param(True, id="weights"),
        pytest.param(False, id="model", marks=pytest.mark.thorough),
    ],
)
def test_model_checkpoint_writes_folders_while_training_goes_on(
    tmp_path, monkeypatch, weights_only
):
    events, stepped = [], threading.Event()

    def slow(folder, names):
        # The second file is written while the third epoch trains.
        if folder.parent.name == "2.orbax":
            assert stepped.wait(60)
            events.append("written")
        return sync_and_digest(folder, names)

    class Epochs(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if (tmp_path / "2.orbax").exists():
                events.append("step")
                stepped.set()

        def on_epoch_end(self, epoch, logs=None):
            weights.append(self.model.get_weights())

    weights = []
    monkeypatch.setattr("fjax.storage.sharded_folder.sync_and_digest", slow)
    path = str(tmp_path / "{epoch}.orbax")
    saving = callbacks.ModelCheckpoint(path, save_weights_only=weights_only)
    # Without `restore_best_weights` the weights of the epochs are those of the files.
    make(divided()).fit(
        networks.data(6), networks.data(1, seed=1), batch_size=32, epochs=3, verbose=0,
        callbacks=[saving, Epochs()],
    )  # fmt: skip
    assert events[0] == "step" and "written" in events
    assert sorted(os.listdir(tmp_path)) == ["1.orbax", "2.orbax", "3.orbax"]
    model = make(divided())
    model.build_for(fjax.training.Batch((networks.data(6),), networks.data(1)))
    for number, expected in enumerate(weights):
        model.load_weights(tmp_path / f"{number + 1}.orbax")
        for loaded, saved in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(loaded, saved)


@pytest.mark.thorough
def test_small_weights_that_are_not_divided_are_one_file_without_orbax(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    run(fsdp(min_size=2**18), epochs=1, resume=tmp_path)
    assert checkpoint_names(tmp_path) == ["run-000000000.fjax", "run-000000001.fjax"]


def test_without_orbax_the_error_says_what_to_install(tmp_path, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "orbax.checkpoint", None)
    for placement, path in ((divided(), tmp_path / "new"), (None, folder)):
        with pytest.raises(ImportError, match=r"pip install fjax\[distributed\]"):
            run(placement, resume=path)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"units": 24}, r"another model: .*units` was 16, is 24.*params.dense.kernel is float32"),
        ({"optimizer": "sgd"}, "another model: .*compile.optimizer"),
        ({"optimizer": optimizers.Adam(0.5)}, "another model: .*learning_rate"),
    ],
    ids=["layers", "optimizer", "rate"],
)
def test_a_checkpoint_of_another_run_is_refused(folder, change, message):
    with pytest.raises(ChangedRunError, match=message):
        run(None, model=make(divided(), **change), resume=folder)
    with pytest.raises(ChangedRunError, match="other training data"):
        run(divided(), x=networks.data(6, seed=9), resume=folder)


def newest(folder):
    return folder / checkpoint_names(folder)[-1]


def truncate(path):
    largest = max(path.rglob("*/d/*"), key=lambda each: each.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])


def flip(path):
    largest = max(path.rglob("*/d/*"), key=lambda each: each.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)


def delete_one(path):
    next(path.rglob("*/d/*")).unlink()


def delete_arrays(path):
    shutil.rmtree(path / "arrays-0")


def add_one(path):
    (path / "arrays-0" / "another").touch()


def add_link(path):
    (path / "arrays-0" / "another").symlink_to("/etc/passwd")


def damage_state(path):
    content = (path / "state.fjax").read_bytes()
    (path / "state.fjax").write_bytes(content[:-1])


DAMAGES = {
    truncate: "do not match the digest",
    flip: "do not match the digest",
    delete_one: "misses the file",
    delete_arrays: "'arrays-0' is missing",
    add_one: "another file 'another'",
    add_link: "'another' is a link",
    damage_state: "do not match the digest|have .* bytes",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_checkpoint_is_refused(folder, damage):
    damage(newest(folder))
    with pytest.raises(ModelFileError, match=DAMAGES[damage]), open_arrays(newest(folder), "run"):
        pass


def test_the_checkpoint_before_a_damaged_one_is_restored(folder, uninterrupted):
    flip(newest(folder))
    with pytest.warns(UserWarning, match="(?s)digest.*Training resumes from the checkpoint before"):
        model = run(divided(), resume=folder)
    assert bits(model) == bits(uninterrupted)


def test_if_all_are_damaged_it_is_an_error(folder):
    for name in checkpoint_names(folder):
        flip(folder / name)
    with (
        pytest.warns(UserWarning, match="the checkpoint before it"),
        pytest.raises(ModelFileError, match="all checkpoints in this folder are damaged"),
    ):
        run(divided(), resume=folder)


def forge(path, change_arrays=lambda arrays: None, change_table=lambda table: None, **metadata):
    """Change a checkpoint, and give it the digests that fit."""
    with open_tensors(path / "state.fjax", "run") as file:
        tensors = {name: file.read(name) for name in file.entries}
        strings = {**file.metadata, **metadata}
    arrays = path / "arrays-0"
    change_arrays(arrays)
    table = json.loads(strings["arrays"])
    table["files"] = sync_and_digest(arrays, list_files(arrays))
    change_table(table)
    write_tensors(path / "state.fjax", tensors, {**strings, "arrays": json.dumps(table)})


def huge_chunks(arrays):
    import tensorstore

    values = tensorstore.KvStore.open({"driver": "ocdbt", "base": f"file://{arrays}/"}).result()
    key = "params.dense.kernel/.zarray"
    described = json.loads(values.read(key).result().value)
    described["chunks"] = [2**20, 2**20]
    values.write(key, json.dumps(described)).result()


def no_metadata(arrays):
    (arrays / "_METADATA").unlink()


def other_entries(table):
    table["entries"]["params.dense.kernel"]["shape"] = [16, 6]


def outside(table):
    table["folder"] = "../run-000000001.orbax/arrays-0"


FORGERIES = {
    "chunks": ({"change_arrays": huge_chunks}, "in chunks of"),
    "no metadata": ({"change_arrays": no_metadata}, "Orbax cannot read the arrays"),
    "entries": ({"change_table": other_entries}, "'params.dense.kernel' is float32 .*expected"),
    "another folder": ({"change_table": outside}, "it names the folder"),
    "no table": ({"arrays": "[]"}, "table of arrays cannot be read"),
    "newer": ({"version": "99", "fjax": "99.0"}, "written by fjax 99.0.*install the newer"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_checkpoint_is_refused(folder, name):
    arguments, message = FORGERIES[name]
    if name == "no table":
        path = newest(folder) / "state.fjax"
        with open_tensors(path, "run") as file:
            tensors = {each: file.read(each) for each in file.entries}
            strings = {**file.metadata, **arguments}
        write_tensors(path, tensors, strings)
    else:
        forge(newest(folder), **arguments)
    with pytest.raises(ModelFileError, match=message), open_arrays(newest(folder), "run"):
        pass


def test_a_folder_that_is_no_checkpoint_is_removed_as_an_incomplete_one(folder):
    killed = folder / "run-000000003.orbax" / "arrays-0.orbax-checkpoint-tmp"
    killed.mkdir(parents=True)
    run(divided(), epochs=2, resume=folder)
    assert not killed.exists()


def test_a_path_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        run(divided(), resume=tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        run(divided(), resume=tmp_path / "file" / "run")


def test_a_failed_write_is_an_error_that_names_the_checkpoint(tmp_path, monkeypatch):
    def fail(folder, names):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fjax.storage.sharded_folder.sync_and_digest", fail)
    with pytest.raises(OSError, match=r"run-000000000.orbax' was not written.*No space left"):
        run(divided(), epochs=1, resume=tmp_path)
    monkeypatch.undo()
    assert len(run(divided(), epochs=1, resume=tmp_path).history.epoch) == 1
