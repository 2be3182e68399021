"""Data sets of Grain: the same batches as Grain's, and runs that resume at the exact batch."""

import json
import threading

import jax
import numpy as np
import pytest

import fjax
from fjax.callbacks import BackupAndRestore, Callback
from fjax.data import IterDatasetSource, MapDatasetSource
from fjax.layers import Dense, Dropout, Input

grain = pytest.importorskip("grain")

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(90, 4)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Samples:
    """A source of Grain with neither `__repr__` nor anything beyond random access."""

    def __len__(self):
        return len(X)

    def __getitem__(self, index):
        return X[index], Y[index]


def samples(shuffled=True):
    dataset = grain.MapDataset.source(Samples()).seed(1)
    return dataset.shuffle() if shuffled else dataset


def loader(num_epochs, source=None):
    sampler = grain.samplers.IndexSampler(
        len(X), grain.sharding.NoSharding(), shuffle=True, num_epochs=num_epochs, seed=3
    )
    return grain.DataLoader(
        data_source=source or Samples(),
        sampler=sampler,
        operations=[grain.transforms.Batch(8)],
    )


def window_shuffled():
    dataset = samples(False).to_iter_dataset()
    return grain.experimental.WindowShuffleIterDataset(dataset, window_size=20, seed=1).batch(8)


STEPS = {"steps_per_epoch": 7}
# Each returns new objects, as another process would.
CASES = {
    "map": (lambda: samples().batch(8), {}),
    "map-samples": (samples, {"batch_size": 8}),
    "map-steps": (lambda: samples().batch(8), STEPS),
    "map-endless": (lambda: samples().batch(8).repeat(), STEPS),
    "iter": (lambda: samples().to_iter_dataset().batch(8), {}),
    "iter-steps": (lambda: samples().to_iter_dataset().batch(8), STEPS),
    "iter-endless": (lambda: samples().repeat().to_iter_dataset().batch(8), STEPS),
    "iter-window": (window_shuffled, STEPS),
    "iterator": (lambda: iter(samples().repeat().to_iter_dataset().batch(8)), STEPS),
    "loader": (lambda: loader(1), {}),
    "loader-steps": (lambda: loader(1), STEPS),
    "loader-endless": (lambda: loader(None), STEPS),
    "loader-iterator": (lambda: iter(loader(None)), STEPS),
}


def model_of():
    model = fjax.Sequential([Input((4,)), Dense(8, "relu"), Dropout(0.2), Dense(1)], seed=0)
    model.compile("adam", "mse")
    return model


class Steps(Callback):
    """Count the steps, and stop by an error after some."""

    def __init__(self, fail_after=None):
        super().__init__()
        self.fail_after, self.count = fail_after, 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        if self.count == self.fail_after:
            raise KeyboardInterrupt


def batches_of(source, epoch, **options):
    """Return the first column of each batch of an epoch."""
    for window in source.windows(epoch, **options):
        values = np.asarray(window.data.inputs[0])
        for index in range(window.first, window.last):
            last = min((index + 1) * window.batch_size, window.rows) - index * window.batch_size
            yield values[index, :last, 0].tolist()


def columns(elements):
    return [element[0][:, 0].tolist() for element in elements]


@pytest.mark.short
def test_epochs_of_a_map_dataset_are_those_of_grain():
    dataset = samples().batch(8)
    source = MapDatasetSource(dataset)
    assert source.steps == 12
    for epoch in (0, 2):
        wanted = columns(dataset[epoch * 12 + index] for index in range(12))
        assert list(batches_of(source, epoch)) == wanted
        assert list(batches_of(source, epoch, step=5)) == wanted[5:]
    assert columns([dataset[0]]) != columns([dataset[12]])


@pytest.mark.short
@pytest.mark.parametrize("steps", [None, 5, 20])
def test_samples_of_a_map_dataset_become_the_same_batches(steps):
    one = MapDatasetSource(samples().batch(8), steps_per_epoch=steps)
    other = MapDatasetSource(samples(), 8, steps)
    for epoch in range(3):
        assert list(batches_of(one, epoch)) == list(batches_of(other, epoch))


@pytest.mark.short
def test_epochs_of_an_iter_dataset_are_its_passes():
    dataset = samples().to_iter_dataset().batch(8)
    source = IterDatasetSource(dataset)
    for epoch in range(2):
        assert list(batches_of(source, epoch)) == columns(dataset)
    source = IterDatasetSource(dataset, steps_per_epoch=5)
    passes = [*columns(dataset), *columns(dataset)]
    assert [list(batches_of(source, epoch)) for epoch in range(3)] == [
        passes[0:5], passes[5:10], passes[10:15]
    ]  # fmt: skip


def test_training_is_that_of_the_arrays():
    one, other = model_of(), model_of()
    one.fit(X, Y, batch_size=8, shuffle=False, epochs=2, verbose=0)
    other.fit(samples(False).batch(8), epochs=2, verbose=0)
    jax.tree.map(np.testing.assert_array_equal, one.get_weights(), other.get_weights())
    loss = one.evaluate(X, Y, batch_size=8, verbose=0)
    for dataset in (samples(False).batch(8), samples(False).to_iter_dataset().batch(8)):
        assert other.evaluate(dataset, verbose=0) == loss
        np.testing.assert_array_equal(other.predict(dataset, verbose=0), one.predict(X, verbose=0))
    assert other.evaluate(samples(False), batch_size=8, verbose=0) == loss


@pytest.mark.parametrize("form", ["(x, y, sample_weight)", "dict"])
def test_forms_of_elements(form):
    weights = GENERATOR.random(len(X)).astype("float32")
    if form == "dict":
        rows = [{"a": x, "b": x[:2]} for x in X]
        inputs = [Input((4,), name="a"), Input((2,), name="b")]
        model = fjax.Model(inputs, Dense(1)(fjax.layers.Concatenate()(inputs)), seed=0)
        wanted = model.predict({"a": X, "b": X[:, :2]}, verbose=0)
        found = model.predict(grain.MapDataset.source(rows).batch(8), verbose=0)
        np.testing.assert_array_equal(found, wanted)
        return
    rows = list(zip(X, Y, weights, strict=True))
    one, other = model_of(), model_of()
    one.fit(X, Y, sample_weight=weights, batch_size=8, shuffle=False, verbose=0)
    other.fit(grain.MapDataset.source(rows).batch(8), verbose=0)
    jax.tree.map(np.testing.assert_array_equal, one.get_weights(), other.get_weights())


@pytest.mark.sampled(12, name=r"map|iter|loader")
@pytest.mark.parametrize("fail_after", [1, 17, 20])
@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_resumes_at_the_exact_batch(case, fail_after, tmp_path):
    make, options = CASES[case]
    # Where an epoch has no known number of steps, there are no checkpoints within it.
    save_freq = "epoch" if case in ("iter", "loader") else 3
    options = {"epochs": 4, "verbose": 0, **options}

    def backup():
        return BackupAndRestore(tmp_path / "run", save_freq=save_freq, delete_checkpoint=False)

    whole, counter = model_of(), Steps()
    whole.fit(make(), callbacks=[counter], **options)
    with pytest.raises(KeyboardInterrupt):
        model_of().fit(make(), callbacks=[Steps(fail_after), backup()], **options)
    resumed, again = model_of(), Steps()
    resumed.fit(make(), callbacks=[again, backup()], **options)
    assert again.count < counter.count or fail_after == 1
    jax.tree.map(np.testing.assert_array_equal, resumed.get_weights(), whole.get_weights())


def test_a_map_dataset_resumes_without_reading_what_it_has_used(tmp_path):
    read = []

    def dataset():
        return samples().batch(8).map_with_index(lambda index, item: (read.append(index), item)[1])

    with pytest.raises(KeyboardInterrupt):
        model_of().fit(
            dataset(), epochs=3, verbose=0,
            callbacks=[Steps(30), BackupAndRestore(tmp_path, save_freq=2)],
        )  # fmt: skip
    read.clear()
    model_of().fit(dataset(), epochs=3, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    # The first one is read for the shapes.
    assert sorted(read) == [0, *range(28, 36)]


def test_the_state_in_a_checkpoint_is_plain_data():
    source = IterDatasetSource(window_shuffled(), steps_per_epoch=20)
    windows = source.windows(0, most=1)
    for _ in range(18):
        next(windows)
    state = json.loads(json.dumps(source.state()))
    assert 0 < state["batch"] <= 17
    other = IterDatasetSource(window_shuffled(), steps_per_epoch=20)
    other.restore({**state, "steps": 18, "epoch": 0, "shuffle_seed": 0})
    assert list(batches_of(other, 0, step=18)) == list(batches_of(source, 0, step=18))


class WithoutState(grain.IterDataset):
    """An `IterDataset` whose iterator has no state."""

    def __init__(self, state=None):
        super().__init__()
        self.state = state

    def __iter__(self):
        return IteratorWithoutState(self.state)


class IteratorWithoutState(grain.DatasetIterator):
    def __init__(self, state):
        super().__init__()
        self.state, self.left = state, 3

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return X[:8], Y[:8]

    def get_state(self):
        if self.state is None:
            raise NotImplementedError("no state here")
        return self.state

    def set_state(self, state):
        raise AssertionError


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "has no state: `get_state` raised NotImplementedError: no state here"),
        ({"array": X}, "is not plain data: Object of type ndarray"),
    ],
    ids=["none", "array"],
)
def test_a_run_that_could_not_resume_raises_before_training(state, message, tmp_path):
    model_of().fit(WithoutState(state), verbose=0)
    counter = Steps()
    with pytest.raises(ValueError, match=message):
        model_of().fit(WithoutState(state), verbose=0, resume=tmp_path, callbacks=[counter])
    assert counter.count == 0


@pytest.mark.short
@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (samples, {}, r"`x` has 4 samples and `y` has 1.*make batches of them: `dataset.batch"),
        (
            lambda: samples().to_iter_dataset(), {},
            r"`x` has 4 samples and `y` has 1.*make batches of them: `dataset.batch",
        ),
        (lambda: samples().repeat().batch(8), {}, r"endless \(`repeat\(\)`\).*`steps_per_epoch`"),
        (
            lambda: samples().filter(lambda item: item[0][0] > 0), {"batch_size": 8},
            r"has no element \d+: a `filter` has removed it.*`dataset.to_iter_dataset\(\)`",
        ),
        (lambda: grain.MapDataset.source([]).batch(8), {}, "the data set of Grain is empty"),
        (
            lambda: samples().map(lambda item: (item[0][:3], item[1])).batch(8), {},
            r"samples of shape \(3,\)",
        ),
        (
            lambda: samples(False).map_with_index(
                lambda index, item: (item[0][: 4 - index // 3], item[1])
            ),
            {"batch_size": 8},
            r"cannot be stacked .*shapes \(\(4,\), \(1,\)\), \(\(3,\), \(1,\)\)",
        ),
        (
            lambda: samples().map(lambda item: (item[0] * np.nan, item[1])).batch(8), {},
            "`x` has 32 entries that are NaN",
        ),
        (
            lambda: samples().map(lambda item: (str(item[0]), item[1])).batch(8), {},
            "`x` must hold numbers, received text",
        ),
    ],
)  # fmt: skip
def test_bad_data_raises_before_training(make, options, message):
    counter = Steps()
    with pytest.raises(ValueError, match=message):
        model_of().fit(make(), verbose=0, callbacks=[counter], **options)
    assert counter.count == 0


def test_a_batch_of_another_shape_raises_in_its_turn():
    def change(index, item):
        return (item[0][:, :3], item[1]) if index == 5 else item

    counter = Steps()
    with pytest.raises(ValueError, match=r"samples of shape \(3,\)"):
        model_of().fit(samples().batch(8).map_with_index(change), verbose=0, callbacks=[counter])
    assert counter.count == 5


def test_an_error_in_the_pipeline_has_its_own_traceback():
    def break_at_five(index, item):
        if index == 5:
            raise LookupError("the sixth batch")
        return item

    counter = Steps()
    with pytest.raises(LookupError, match="the sixth batch") as caught:
        model_of().fit(
            samples().batch(8).map_with_index(break_at_five), verbose=0, callbacks=[counter]
        )
    assert counter.count == 5
    assert caught.traceback[-1].name == "break_at_five"


def test_a_batch_size_beside_batches_has_no_effect():
    with pytest.warns(UserWarning, match="yields whole batches, so that `batch_size=4`"):
        model_of().fit(samples().batch(8).map(lambda item: item), batch_size=4, verbose=0)
    with pytest.raises(ValueError, match="`x` yields whole batches"):
        model_of().fit(samples().batch(8), Y, verbose=0)


def test_more_steps_than_batches():
    model = model_of()
    with pytest.warns(UserWarning, match="20 steps were requested, but `x` has 12"):
        model.evaluate(samples().batch(8), steps=20, verbose=0)


def test_threads_end_with_the_training():
    before = set(threading.enumerate())
    for make in (lambda: samples().batch(8), lambda: loader(1)):
        model_of().fit(make(), verbose=0)
    left = [each.name for each in set(threading.enumerate()) - before if each.is_alive()]
    assert not [name for name in left if name == "fjax-read-ahead"]


def test_records_in_an_array_record_file(tmp_path):
    writers = pytest.importorskip("array_record.python.array_record_module")
    path = str(tmp_path / "samples.array_record")
    writer = writers.ArrayRecordWriter(path, "group_size:1")
    for row in np.concatenate([X, Y], axis=1):
        writer.write(row.tobytes())
    writer.close()

    def decode(record):
        row = np.frombuffer(record, np.float32)
        return row[:4], row[4:]

    dataset = grain.MapDataset.source(grain.sources.ArrayRecordDataSource([path])).map(decode)
    one, other = model_of(), model_of()
    one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    other.fit(dataset, batch_size=8, verbose=0)
    jax.tree.map(np.testing.assert_array_equal, one.get_weights(), other.get_weights())


def test_rows_in_a_parquet_file(tmp_path):
    parquet, arrow = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    path = str(tmp_path / "samples.parquet")
    parquet.write_table(arrow.table({"x": list(X), "y": list(Y)}), path)
    dataset = grain.experimental.ParquetIterDataset(path).map(
        lambda row: (np.float32(row["x"]), np.float32(row["y"]))
    )
    one, other = model_of(), model_of()
    one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    other.fit(dataset.batch(8), verbose=0)
    jax.tree.map(np.testing.assert_array_equal, one.get_weights(), other.get_weights())


@pytest.mark.slow
def test_worker_processes_resume_at_the_exact_batch(tmp_path):
    def dataset():
        options = grain.MultiprocessingOptions(num_workers=2)
        return samples().to_iter_dataset().batch(8).mp_prefetch(options)

    whole, resumed = model_of(), model_of()
    whole.fit(dataset(), epochs=3, **STEPS, verbose=0)
    with pytest.raises(KeyboardInterrupt):
        model_of().fit(
            dataset(), epochs=3, **STEPS, verbose=0,
            callbacks=[Steps(10), BackupAndRestore(tmp_path, save_freq=3)],
        )  # fmt: skip
    resumed.fit(
        dataset(), epochs=3, **STEPS, verbose=0, callbacks=[BackupAndRestore(tmp_path, save_freq=3)]
    )
    jax.tree.map(np.testing.assert_array_equal, resumed.get_weights(), whole.get_weights())
