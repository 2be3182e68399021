"""TensorBoard: the event files, and what the real server reads from them."""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import urllib.parse
import urllib.request
import zlib
from collections import defaultdict

import numpy as np
import pytest

import fjax
from fjax.callbacks import CallbackList, TensorBoard
from fjax.callbacks.event_writer import encode_png, weight_images
from fjax.layers import BatchNormalization, Dense, Input

pytest.importorskip("tensorboard")

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = X.sum(axis=1)


def make_model(learning_rate=0.01):
    inputs = Input((3,), name="features")
    hidden = Dense(4, "relu", name="hidden")(inputs)
    hidden = BatchNormalization(name="normal")(hidden)
    outputs = Dense(1, name="last")(hidden) + Dense(1, name="jump")(inputs)
    model = fjax.Model(inputs, outputs, seed=0)
    model.compile(fjax.optimizers.SGD(learning_rate), "mse", metrics=["mae"])
    return model


@pytest.fixture(scope="module")
def model():
    """One model for tests that only read the files."""
    model = make_model()
    model.fit(X, Y, batch_size=10, verbose=0)
    return model


def scalars(folder):
    """Return the (step, value) pairs of each tag in a folder."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util import tensor_util

    points = defaultdict(list)
    for path in sorted(folder.glob("events.out.tfevents.*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                array = tensor_util.make_ndarray(value.tensor)
                points[value.tag].append((event.step, array.item() if array.ndim == 0 else array))
    return dict(points)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the folder of two runs, and their histories."""
    folder = tmp_path_factory.mktemp("runs")
    histories = {}
    for name, rate in (("slow", 0.001), ("fast", 0.02)):
        callback = TensorBoard(folder / name, histogram_freq=2, write_images=True)
        histories[name] = make_model(rate).fit(
            X, Y, batch_size=10, epochs=3, validation_split=0.25, verbose=0, callbacks=[callback]
        ).history  # fmt: skip
    return folder, histories


@pytest.fixture(scope="module")
def server(runs):
    """Return a function that queries a real TensorBoard on the loopback interface."""
    folder, _ = runs
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tensorboard.main", "--logdir", folder,
         "--host", "127.0.0.1", "--port", "0", "--load_fast", "false"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = None
        for line in process.stderr:
            address = re.search(r"at (http://127\.0\.0\.1:\d+/)", line)
            if address:
                break
        assert address, "TensorBoard did not start"

        # Bypass any proxy of the machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask(path, **query):
            url = f"{address[1]}data/{path}"
            if query:
                url += f"?{urllib.parse.urlencode(query)}"
            with opener.open(url, timeout=60) as answer:
                body = answer.read()
                text = answer.headers["Content-Type"].startswith("application/json")
            return json.loads(body) if text else body

        yield ask
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_server_finds_both_runs(server, runs):
    names = server("runs")
    assert sorted(names) == ["fast/train", "fast/validation", "slow/train", "slow/validation"]
    tags = server("plugin/scalars/tags")
    assert set(tags["fast/train"]) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(tags["slow/validation"]) == {
        "epoch_loss", "epoch_mae", "evaluation_loss_vs_iterations", "evaluation_mae_vs_iterations",
    }  # fmt: skip


def test_server_shows_scalars_of_both_runs(server, runs):
    _, histories = runs
    for name, history in histories.items():
        for part, prefix in (("train", ""), ("validation", "val_")):
            for log in ("loss", "mae"):
                points = server("plugin/scalars/scalars", run=f"{name}/{part}", tag=f"epoch_{log}")
                assert [step for _, step, _ in points] == [0, 1, 2]
                np.testing.assert_allclose(
                    [value for *_, value in points], history[prefix + log], rtol=1e-6
                )
    rates = {
        name: server("plugin/scalars/scalars", run=f"{name}/train", tag="epoch_learning_rate")
        for name in histories
    }
    assert rates["fast"][0][2] == pytest.approx(0.02)
    assert rates["slow"][2][2] == pytest.approx(0.001)
    ends = {
        name: server("plugin/scalars/scalars", run=f"{name}/train", tag="epoch_loss")[-1][2]
        for name in histories
    }
    assert ends["fast"] < ends["slow"]


def test_server_shows_histograms(server):
    tags = server("plugin/histograms/tags")["fast/train"]
    assert {
        "hidden/kernel/histogram", "last/bias/histogram", "normal/moving_mean/histogram"
    } <= set(tags)  # fmt: skip
    shown = server("plugin/histograms/histograms", run="fast/train", tag="hidden/kernel/histogram")
    assert [step for _, step, _ in shown] == [0, 2]
    assert sum(count for *_, count in shown[0][2]) == 3 * 4


def test_server_shows_images_of_weights(server):
    assert "hidden/kernel/image" in server("plugin/images/tags")["fast/train"]
    query = {"run": "fast/train", "tag": "hidden/kernel/image", "sample": 0}
    (first, last) = server("plugin/images/images", **query)
    assert (first["step"], last["step"]) == (0, 2)
    picture = server(f"plugin/images/individualImage?{last['query']}")
    assert struct.unpack(">8xI4xII", picture[:24]) == (13, 4, 3)


def test_server_shows_the_graph(server):
    assert server("plugin/graphs/info")["fast/train"]["run_graph"]
    drawn = server("plugin/graphs/graph", run="fast/train", conceptual="false").decode()
    nodes = {}
    for block in drawn.split("node {")[1:]:
        name = re.search(r'name: "(.*)"', block)[1]
        nodes[name] = (re.search(r'op: "(.*)"', block)[1], re.findall(r'input: "(.*)"', block))
    assert nodes == {
        "features": ("InputLayer", []),
        "hidden": ("Dense", ["features"]),
        "normal": ("BatchNormalization", ["hidden"]),
        "last": ("Dense", ["normal"]),
        "jump": ("Dense", ["features"]),
        "add": ("Add", ["last", "jump"]),
    }


def test_batch_logs_are_written_at_their_step(tmp_path):
    model = make_model()
    model.fit(X, Y, batch_size=10, verbose=0)
    losses = []

    class Recorder(TensorBoard):
        def on_train_batch_end(self, batch, logs=None):
            losses.append(logs["loss"])

    callback = Recorder(tmp_path, update_freq=3, write_graph=False, write_steps_per_second=True)
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0, callbacks=[callback])
    points = scalars(tmp_path / "train")
    assert [step for step, _ in points["batch_loss"]] == [6, 9, 12]
    np.testing.assert_allclose(
        [value for _, value in points["batch_loss"]], [losses[1], losses[4], losses[7]]
    )
    assert all(value > 0 for _, value in points["batch_steps_per_second"])
    assert [step for step, _ in points["epoch_steps_per_second"]] == [0, 1]
    assert not (tmp_path / "validation").exists()


def test_arguments_that_need_each_step(model, tmp_path):
    def needs_each_step(**arguments):
        return (
            CallbackList([TensorBoard(tmp_path, **arguments)], model).steps("train").needs_each_step
        )

    assert not needs_each_step(histogram_freq=1, write_images=True, write_steps_per_second=True)
    assert needs_each_step(update_freq="batch")
    assert needs_each_step(profile_batch=2)


def test_profile_is_in_the_folder_that_tensorboard_reads(model, tmp_path):
    callback = TensorBoard(tmp_path, profile_batch=(2, 3), write_graph=False)
    model.fit(X, Y, batch_size=10, verbose=0, callbacks=[callback])
    (profile,) = (tmp_path / "train" / "plugins" / "profile").glob("*/*.xplane.pb")
    assert profile.stat().st_size > 1000
    assert not any(tag.startswith("batch_") for tag in scalars(tmp_path / "train"))


def test_training_ends_before_the_profile(model, tmp_path):
    callback = TensorBoard(tmp_path, profile_batch=(4, 9), write_graph=False)
    for _ in range(2):
        model.fit(X, Y, batch_size=10, verbose=0, callbacks=[callback])
    assert list((tmp_path / "train" / "plugins" / "profile").glob("*/*.xplane.pb"))


def test_evaluation_is_written_at_the_number_of_updates(model, tmp_path):
    step = model.optimizer.iterations
    logs = model.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)], return_dict=True)
    assert scalars(tmp_path / "validation") == {
        f"evaluation_{name}_vs_iterations": [(step, pytest.approx(value))]
        for name, value in logs.items()
    }
    assert not (tmp_path / "train").exists()


def test_second_fit_continues_the_run(model, tmp_path):
    callback = TensorBoard(tmp_path)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[callback])
    model.fit(X, Y, initial_epoch=2, epochs=4, verbose=0, callbacks=[callback])
    assert sorted(step for step, _ in scalars(tmp_path / "train")["epoch_loss"]) == [0, 1, 2, 3]


def test_killed_run_leaves_complete_files(tmp_path):
    program = f"""
import os, signal
import numpy as np
import fjax

class Kills(fjax.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)

model = fjax.Sequential([fjax.layers.Dense(1, input_shape=(3,))])
model.compile("sgd", "mse")
board = fjax.callbacks.TensorBoard({str(tmp_path)!r}, update_freq="batch")
x = np.ones((40, 3))
model.fit(x, x.sum(1), epochs=5, verbose=0, validation_split=0.2, callbacks=[board, Kills()])
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=120, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert [step for step, _ in scalars(tmp_path / "train")["epoch_loss"]] == [0, 1, 2]
    assert [step for step, _ in scalars(tmp_path / "train")["batch_loss"]] == [1, 2, 3]
    assert [step for step, _ in scalars(tmp_path / "validation")["epoch_loss"]] == [0, 1, 2]


def test_failed_run_leaves_complete_files(model, tmp_path):
    class Fails(fjax.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("in the middle")

    callback = TensorBoard(tmp_path, profile_batch=(5, 99), write_graph=False)
    with pytest.raises(RuntimeError, match="in the middle"):
        model.fit(X, Y, batch_size=10, epochs=5, verbose=0, callbacks=[callback, Fails()])
    assert [step for step, _ in scalars(tmp_path / "train")["epoch_loss"]] == [0, 1]
    # The profiler that was still running does not break the next training.
    model.fit(X, Y, batch_size=10, epochs=2, verbose=0, callbacks=[callback])
    assert len(scalars(tmp_path / "train")["epoch_loss"]) == 4


def test_metric_with_values_per_class(tmp_path):
    model = fjax.Sequential([Input((3,)), Dense(2, "softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[fjax.metrics.F1Score()])
    targets = np.eye(2)[(Y > 0).astype(int)]
    model.fit(X, targets, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert {"epoch_f1_score/0", "epoch_f1_score/1"} <= set(scalars(tmp_path / "train"))


def test_optimizer_state_without_learning_rate(tmp_path):
    optax = pytest.importorskip("optax")
    model = fjax.Sequential([Input((3,)), Dense(1)])
    model.compile(optax.sgd(0.01), "mse")
    model.fit(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path, write_graph=False)])
    assert set(scalars(tmp_path / "train")) == {"epoch_loss"}


def test_histograms_contain_finite_values_only(tmp_path):
    model = make_model()
    weights = model.get_weights()
    weights[0][0, 0] = np.inf
    weights[1][:] = np.nan
    model.set_weights(weights)
    callback = TensorBoard(tmp_path, histogram_freq=1)
    callback.set_model(model)
    callback.on_epoch_end(0, {})
    points = scalars(tmp_path / "train")
    assert points["hidden/kernel/histogram"][0][1][:, 2].sum() == weights[0].size - 1
    assert "hidden/bias/histogram" not in points


def test_images_of_weights():
    assert weight_images(np.ones((5, 2))).shape == (1, 2, 5, 1)
    assert weight_images(np.arange(3.0)).ravel().tolist() == [0, 127.5, 255]
    assert weight_images(np.ones(())) is None
    for channels, color_type in ((1, 0), (3, 2)):
        image = np.arange(2 * 3 * channels).reshape(2, 3, channels)
        data = encode_png(image)
        assert struct.unpack(">IIBB", data[16:26]) == (3, 2, 8, color_type)
        at = data.index(b"IDAT")
        rows = zlib.decompress(data[at + 4 : at + 4 + struct.unpack(">I", data[at - 4 : at])[0]])
        assert rows == b"".join(b"\0" + bytes(row.ravel().tolist()) for row in image)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"histogram_freq": -1}, "`histogram_freq` must be an integer of at least 0, received -1"),
        ({"update_freq": 0}, '`update_freq` must be "epoch", "batch" or an integer'),
        ({"update_freq": "step"}, "received 'step'"),
        ({"profile_batch": (3, 2)}, "`profile_batch` must be 0, the number of a step from 1, or"),
        ({"profile_batch": "2,3"}, "received '2,3'"),
        ({"profile_batch": -1}, "received -1"),
        ({"write_graph": "yes"}, "`write_graph` must be one of False, True, received 'yes'"),
        ({"write_images": True}, "give `histogram_freq=1`, too"),
        ({"embeddings_freq": 1}, "does not write embeddings: leave out `embeddings_freq`"),
        ({"embeddings_metadata": "words.tsv"}, "does not write embeddings"),
    ],
)
def test_invalid_arguments(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        TensorBoard(tmp_path, **arguments)
    assert not list(tmp_path.iterdir())


def test_misspelt_argument_and_missing_package(monkeypatch):
    with pytest.raises(TypeError, match="Did you mean `log_dir`"):
        TensorBoard(logdir="logs")
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install fjax\[tensorboard\]"):
        TensorBoard()
