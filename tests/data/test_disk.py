"""Arrays on disk give the batches of the same arrays in memory, without being read as a whole."""

import itertools

import jax
import numpy as np
import pytest

import fjax
from fjax.callbacks import BackupAndRestore, Callback
from fjax.data import ArraySource, DiskSource, NpyFiles, to_batch
from fjax.data.disk import read_rows
from fjax.data.rows_on_disk import mapped_rows
from fjax.data.shuffling import PassOrder, order_of_pass
from fjax.layers import Dense, Dropout, Input
from fjax.training.placement import Placement

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(203, 8)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")
WEIGHTS = GENERATOR.random((203, 1))


@pytest.fixture(autouse=True)
def small_arrays_stay_on_disk(monkeypatch):
    monkeypatch.setattr("fjax.data.rows_on_disk.SMALLEST_ON_DISK", 0)


@pytest.fixture
def mapped(tmp_path):
    """A function that saves an array and maps it."""
    numbers = itertools.count()

    def save_and_map(array, mode="r"):
        path = tmp_path / f"{next(numbers)}.npy"
        np.save(path, array)
        return np.load(path, mmap_mode=mode)

    return save_and_map


@pytest.fixture
def shards(tmp_path):
    """The paths of three files that have the rows of X."""
    paths = [tmp_path / f"shard-{number}.npy" for number in range(3)]
    for path, part in zip(paths, np.split(X, [50, 51]), strict=True):
        np.save(path, part)
    return paths


def model_of():
    layers = [Input((8,)), Dense(16, "relu"), Dropout(0.2), Dense(2, "softmax")]
    model = fjax.Sequential(layers, seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def trained(x, y, weights=None, **options):
    model = model_of()
    options = {"epochs": 3, "batch_size": 32, "verbose": 0, **options}
    history = model.fit(x, y, sample_weight=weights, **options).history
    return model, history


def assert_same_run(found, wanted):
    assert found[1] == wanted[1]
    pairs = zip(found[0].get_weights(), wanted[0].get_weights(), strict=True)
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def windows_of(source, epoch, **options):
    for window in source.windows(epoch, **options):
        data = jax.tree.map(np.asarray, window.data)
        # Rows past the last batch have no meaning.
        used = jax.tree.map(lambda leaf: leaf[: window.last], data)  # noqa: B023
        yield used, window._replace(data=())


def assert_same_windows(found, wanted, epoch, **options):
    pairs = zip(
        windows_of(found, epoch, **options), windows_of(wanted, epoch, **options), strict=True
    )
    for (one, about_one), (other, about_other) in pairs:
        assert about_one == about_other
        jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.mark.short
@pytest.mark.parametrize("options", [{}, {"fill": True}, {"step": 3}], ids=str)
@pytest.mark.parametrize("seed", [None, 5])
def test_the_windows_are_those_of_arrays_in_memory(monkeypatch, mapped, seed, options):
    monkeypatch.setattr("fjax.training.batch.WINDOW_BYTES", 3 * 32 * 40)
    batch = to_batch(X, Y, WEIGHTS)
    on_disk = to_batch(mapped(X), mapped(Y), mapped(WEIGHTS), on_disk=True)
    assert_same_windows(
        DiskSource(on_disk, 32, seed), ArraySource(batch, 32, seed), epoch=2, **options
    )
    with_steps = DiskSource(on_disk, 32, seed, 5), ArraySource(batch, 32, seed, 5)
    for epoch in range(3):
        assert_same_windows(*with_steps, epoch)


@pytest.mark.parametrize("count", [1, 5, 1000, 1001, 5000])
def test_orders_in_parts_are_the_orders_of_all_rows(monkeypatch, count):
    monkeypatch.setattr("fjax.data.shuffling.PART_ROWS", 1000)
    monkeypatch.setattr("fjax.data.shuffling._CHUNK", 300)
    order, parts = order_of_pass(3, 4, count), PassOrder(3, 4, count)
    taken = [parts.take(first, min(count, first + 77)) for first in range(0, count, 77)]
    np.testing.assert_array_equal(np.concatenate(taken), order)
    # Any positions, in any order.
    np.testing.assert_array_equal(parts.take(0, count), order)


def test_no_part_of_an_order_is_larger_than_its_memory(monkeypatch):
    monkeypatch.setattr("fjax.data.shuffling.PART_ROWS", 1000)
    sizes, sort = [], PassOrder._sorted

    def recorded(order, part):
        rows = sort(order, part)
        sizes.append(len(rows))
        return rows

    monkeypatch.setattr(PassOrder, "_sorted", recorded)
    order = PassOrder(3, 4, 16_000)
    order.take(0, 16_000)
    assert len(sizes) == 16 and max(sizes) < 1150


@pytest.mark.parametrize(
    "options",
    [{}, {"validation_split": 0.2}, {"class_weight": {0: 2.0}}, {"steps_per_epoch": 5}],
    ids=str,
)
def test_training_is_the_same_to_the_bit(mapped, shards, options):
    wanted = trained(X, Y, WEIGHTS, **options)
    assert_same_run(trained(mapped(X), mapped(Y), mapped(WEIGHTS), **options), wanted)
    assert_same_run(trained(NpyFiles(shards), Y, WEIGHTS, **options), wanted)


def test_evaluate_and_predict_and_validation_data(mapped, shards):
    one, other = (trained(x, Y, epochs=1, validation_data=(x, Y)) for x in (X, NpyFiles(shards)))
    assert_same_run(one, other)
    model = one[0]
    assert model.evaluate(NpyFiles(shards), mapped(Y), verbose=0) == model.evaluate(X, Y, verbose=0)
    np.testing.assert_array_equal(
        model.predict(NpyFiles(shards), verbose=0), model.predict(X, verbose=0)
    )


def test_several_inputs_of_which_one_is_on_disk(mapped):
    weights = []
    for x in (X, mapped(X)):
        inputs = [Input((8,), name="a"), Input((1,), name="b")]
        model = fjax.Model(inputs, Dense(1)(fjax.layers.Concatenate()(inputs)), seed=0)
        model.compile("sgd", "mse")
        model.fit({"a": x, "b": WEIGHTS}, Y, verbose=0)
        weights.append(model.get_weights())
    jax.tree.map(np.testing.assert_array_equal, *weights)


def test_wide_numbers_become_narrow_when_they_are_read(mapped):
    rows = mapped_rows("x", mapped(X.astype("float64")))
    assert (rows.shape, rows.dtype) == (X.shape, np.float64)
    batch = to_batch(mapped(X.astype("float64")), mapped(Y), on_disk=True)
    assert (batch.inputs[0].dtype, batch.targets.dtype) == (np.float32, np.int32)
    read = batch.inputs[0].read(np.array([7, 3]))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, X[[7, 3]])


def test_replicas_take_arrays_on_disk_into_memory(mapped):
    histories = [
        model_of().fit(x, Y, replicas=2, epochs=2, verbose=0).history for x in (X, mapped(X))
    ]
    jax.tree.map(np.testing.assert_array_equal, *histories)


@pytest.mark.parametrize("view", [lambda x: x[40:], lambda x: x[:, 2:5], lambda x: x[::-2]])
def test_views_of_mapped_arrays(mapped, view):
    rows = mapped_rows("x", view(mapped(X)))
    chosen = GENERATOR.permutation(len(view(X)))
    np.testing.assert_array_equal(rows.read(chosen), view(X)[chosen])
    np.testing.assert_array_equal(rows.read(slice(3, 50)), view(X)[3:50])


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_changes_of_a_mapped_array_are_read(mapped, mode):
    array = mapped(X, mode)
    rows = mapped_rows("x", array)
    rows.read(slice(0, 203))
    array[5] = 7
    assert rows.read(np.array([5])).tolist() == [[7] * 8]
    assert rows.read(np.array([5])).tolist() == [[7] * 8]


def test_rows_are_read_region_by_region(monkeypatch, mapped):
    monkeypatch.setattr("fjax.data.rows_on_disk.RESIDENT_BYTES", 320)
    rows, chosen = mapped_rows("x", mapped(X)), GENERATOR.permutation(203)
    np.testing.assert_array_equal(rows.read(chosen), X[chosen])
    np.testing.assert_array_equal(rows.read(slice(5, 190)), X[5:190])


@pytest.mark.short
def test_files_as_one_array(shards):
    files = NpyFiles(shards)
    assert (files.shape, files.dtype, files.ndim, len(files)) == (X.shape, X.dtype, 2, 203)
    np.testing.assert_array_equal(np.asarray(files), X)
    np.testing.assert_array_equal(files[-1], X[-1])
    np.testing.assert_array_equal(files[[60, 3, 50, -203]], X[[60, 3, 50, -203]])
    part = files[49:180]
    assert part.shape == (131, 8)
    np.testing.assert_array_equal(part[[0, 1, 2]], X[[49, 50, 51]])
    np.testing.assert_array_equal(np.asarray(part[100:]), X[149:180])
    assert np.asarray(files, dtype="float64").dtype == np.float64
    for key in (203, -204, [0, 203]):
        with pytest.raises(IndexError, match="There are 203 rows"):
            files[key]
    with pytest.raises(ValueError, match="sliced with a step of 1, received 2"):
        files[::2]
    with pytest.raises(TypeError, match="an integer, a slice or an array of integers"):
        files[0.5]


def write_truncated(path):
    np.save(path, X)
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.short
@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (lambda path: None, FileNotFoundError, "there is no file .*bad.npy"),
        (write_truncated, ValueError, "bad.npy' cannot be memory-mapped"),
        (
            lambda path: np.save(path, np.array([{"a": 1}], object), allow_pickle=True),
            ValueError,
            "cannot be memory-mapped .*not with Python objects, which are never loaded",
        ),
        (lambda path: path.write_bytes(b"not an array"), ValueError, "cannot be memory-mapped"),
        (lambda path: path.write_bytes(b""), ValueError, "cannot be memory-mapped"),
        (
            lambda path: (
                np.savez(path.with_suffix(".npz"), X),
                path.with_suffix(".npz").rename(path),
            ),
            ValueError,
            "must hold one array, found an archive",
        ),
        (lambda path: np.save(path, np.float32(3)), ValueError, r"found the shape \(\)"),
        (lambda path: np.save(path, X[:0]), ValueError, r"found the shape \(0, 8\)"),
        (lambda path: np.save(path, np.asfortranarray(X)), ValueError, "stored column by column"),
        (
            lambda path: np.save(path, X[:, :3]),
            ValueError,
            r"rows of one shape and dtype: .*shape \(8,\) and dtype float32.* shape \(3,\)",
        ),
        (lambda path: np.save(path, X.astype("float64")), ValueError, "dtype float64"),
    ],
)
def test_a_bad_file_raises_when_it_is_opened(shards, tmp_path, write, error, message):
    bad = tmp_path / "bad.npy"
    write(bad)
    with pytest.raises(error, match=message):
        NpyFiles([*shards, bad])


def test_no_files():
    with pytest.raises(ValueError, match="`paths` is empty"):
        NpyFiles([])


def test_unequal_numbers_of_rows_raise_before_training(mapped, shards):
    with pytest.raises(ValueError, match="`x` has 203 samples and `y` has 202"):
        model_of().fit(mapped(X), mapped(Y[:-1]), verbose=0)
    with pytest.raises(ValueError, match="`x` has 203 samples and `sample_weight` has 200"):
        model_of().fit(NpyFiles(shards), Y, sample_weight=mapped(WEIGHTS[:200]), verbose=0)


def test_wrong_kinds_and_shapes_raise_before_training(mapped):
    with pytest.raises(ValueError, match="`x` must hold numbers, received complex numbers"):
        model_of().fit(mapped(X.astype("complex64")), Y, verbose=0)
    with pytest.raises(ValueError, match=r"samples of shape \(3,\)"):
        model_of().fit(mapped(X[:, :3]), Y, verbose=0)


class Steps(Callback):
    """Count the steps, and stop by an error after some."""

    def __init__(self, fail_after=None):
        super().__init__()
        self.fail_after, self.count = fail_after, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        if self.count == self.fail_after:
            raise KeyboardInterrupt


def test_a_number_that_is_not_finite_is_named_by_its_row(monkeypatch, mapped):
    monkeypatch.setattr("fjax.training.batch.WINDOW_BYTES", 1)
    bad = X.copy()
    bad[150, 3] = np.nan
    counter = Steps()
    with pytest.raises(ValueError, match="first is nan at row 150, column 3") as caught:
        model_of().fit(mapped(bad), Y, batch_size=32, shuffle=False, verbose=0, callbacks=[counter])
    assert counter.count == 4
    # The traceback is that of the thread which reads.
    assert "read_rows" in [entry.name for entry in caught.traceback]
    with pytest.raises(ValueError, match="row 150, column 3"):
        model_of().fit(mapped(bad), Y, batch_size=32, verbose=0)
    with pytest.raises(ValueError, match=r"`sample_weight` has 1 entries .* at row 150"):
        model_of().fit(X, Y, sample_weight=mapped(bad[:, 3]), verbose=0)


def test_a_file_that_is_truncated_while_it_is_used(shards):
    files = NpyFiles(shards)
    with shards[2].open("r+b") as file:
        file.truncate(200)
    with pytest.raises(OSError, match=r"shard-2.npy' had \d+ bytes .* now has 200: .*truncated"):
        model_of().fit(files, Y, verbose=0)


def test_an_array_that_is_stored_by_columns_is_read_into_memory(tmp_path):
    np.save(tmp_path / "x.npy", np.asfortranarray(X))
    columns = np.load(tmp_path / "x.npy", mmap_mode="r")
    with pytest.warns(UserWarning, match="`x` is memory-mapped, but stored column by column"):
        found = trained(columns, Y, epochs=1)
    assert_same_run(found, trained(X, Y, epochs=1))


def test_small_arrays_are_read_into_memory(monkeypatch, mapped):
    monkeypatch.setattr("fjax.data.rows_on_disk.SMALLEST_ON_DISK", X.nbytes + 1)
    assert mapped_rows("x", mapped(X)) is None
    assert mapped_rows("x", X) is None


@pytest.mark.parametrize("fail_after", [1, 9, 17])
def test_a_killed_run_resumes_at_the_exact_batch(mapped, tmp_path, fail_after):
    def backup():
        return BackupAndRestore(tmp_path / "run", save_freq=2, delete_checkpoint=False)

    x = mapped(X)
    with pytest.raises(KeyboardInterrupt):
        trained(x, Y, callbacks=[Steps(fail_after), backup()])
    counter = Steps()
    assert_same_run(trained(x, Y, callbacks=[counter, backup()]), trained(x, Y))
    assert 21 - fail_after <= counter.count <= 22 - fail_after + 1
    changed = X.copy()
    changed[100] += 1
    with pytest.raises(fjax.saving.ChangedRunError, match="sha256_of_some_rows"):
        trained(mapped(changed), Y, callbacks=[backup()])


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("processes", [2, 4])
def test_each_process_reads_its_own_rows(monkeypatch, mapped, processes, fill):
    monkeypatch.setattr("fjax.training.batch.WINDOW_BYTES", 3 * 32 * 40)
    on_disk = to_batch(mapped(X), mapped(Y), on_disk=True)
    whole = list(windows_of(DiskSource(on_disk, 32, 5), 1, fill=fill))
    parts, counts = [], []

    def counted(batch, taken):
        rows = read_rows(batch, taken)
        counts.append(len(rows.inputs[0]))
        return rows

    monkeypatch.setattr(Placement, "put_own_window", lambda placement, tree: tree)
    for process in range(processes):

        def own_rows(placement, size, process=process):
            return None if size % 32 else np.split(np.arange(size), processes)[process]

        monkeypatch.setattr(Placement, "own_rows", own_rows)
        source = DiskSource(on_disk, 32, 5)
        monkeypatch.setattr("fjax.data.disk.read_rows", counted)
        parts.append(list(windows_of(source, 1, fill=fill)))
        monkeypatch.setattr("fjax.data.disk.read_rows", read_rows)
        assert sum(counts) == 192 // processes + (32 // processes if fill else 11)
        counts.clear()
    for index, (data, about) in enumerate(whole):
        assert [part[index][1] for part in parts] == [about] * processes
        own = [part[index][0] for part in parts]
        joined = own[0] if data.inputs[0].shape[1] % 32 else jax.tree.map(joined_rows, *own)
        jax.tree.map(np.testing.assert_array_equal, joined, data)


def joined_rows(*parts):
    return np.concatenate(parts, axis=1)
