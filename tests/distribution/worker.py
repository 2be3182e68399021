"""A program that is started in two processes with four devices each; see `pair.py`."""

import faulthandler
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import jax
import numpy as np

import fjax
from fjax import callbacks
from fjax.distribution import data_parallel, fsdp
from tests.distribution import networks

# Doctests are looked for in this file, too, without the variable.
OUT = Path(os.environ.get("PAIR_OUT", "."))


def fit(make, placement, folder=None, **options):
    model, x, y, arguments = make(placement=placement)
    options = {"batch_size": 32, "epochs": 3, "verbose": 0, **arguments, **options}
    logs = model.fit(x, y, resume=folder, **options).history
    return model, x, y, {name: np.asarray(values).tolist() for name, values in logs.items()}


def curves(*names):
    """Train, evaluate and predict with each network."""
    for name in names:
        model, x, y, logs = fit(getattr(networks, name), data_parallel())
        measured = np.ravel(model.evaluate(x, y, verbose=0)).tolist()
        outputs = [np.asarray(each).tolist() for each in jax.tree.leaves(model.predict(x))]
        yield name, {"logs": logs, "measured": measured, "outputs": outputs}


def weights():
    """Train with divided weights; read and save them, and write logs."""
    index = jax.process_index()
    model, x, _, logs = fit(
        networks.dense, fsdp(min_size=8), callbacks=[
            callbacks.CSVLogger(OUT / "log.csv"),
            callbacks.ModelCheckpoint(OUT / "best-{epoch}.fjax"),
            callbacks.EarlyStopping("loss", patience=3),
        ],
    )  # fmt: skip
    model.save(OUT / "model.fjax")
    model.save_weights(OUT / "model.weights.h5")
    loaded = fjax.models.load_model(OUT / "model.fjax")
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), 1e-4)
    model.set_weights(loaded.get_weights())
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), loaded.get_weights()[0])
    yield "logs", logs
    yield "files", sorted(path.name for path in OUT.iterdir() if not path.name.startswith("out"))
    assert index == jax.process_index()


class Parts:
    """This process's half of each batch of 32 rows."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __iter__(self):
        for start in range(0, len(self.x), 32):
            half = (min(start + 32, len(self.x)) - start) // 2
            first = start + jax.process_index() * half
            yield self.x[first : first + half], self.y[first : first + half]


def streams():
    """Train on batches of which each process yields its half."""
    for name, make in (("filled", networks.authored), ("whole", networks.dense)):
        model, x, y, _ = make(placement=data_parallel())
        data = Parts(x, y)
        logs = model.fit(data, epochs=2, verbose=0).history
        yield name, {"logs": logs, "rows": len(model.predict(data, verbose=0))}


def message(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def mistakes(*names):
    """Collect the errors of processes that disagree; each must be raised in both."""
    index, make = jax.process_index(), networks.dense
    placement = data_parallel()

    def model_of(seed=1, units=16):
        model = fjax.Sequential([fjax.layers.Dense(units), fjax.layers.Dense(1)], seed=seed)
        model.compile("adam", "mse", placement=placement)
        return model

    x, y = networks.data(6), networks.data(1, seed=1)

    def uneven():
        for _ in range(2 + index):
            yield x[:16], y[:16]

    def unequal():
        size = 16 + 8 * index
        yield x[:16], y[:16]
        yield x[:size], y[:size]

    def broken():
        yield x[:16], y[:16]
        if index == 1:
            raise OSError("the disk is gone")
        yield x[:16], y[:16]

    def stop_at_one():
        model = model_of()
        model.compile("adam", "mse", metrics=["mae"] if index else [], placement=placement)
        model.fit(x, y, batch_size=32, verbose=0)

    alone = fjax.Sequential([fjax.layers.Dense(1)])
    alone.compile("sgd", "mse")
    calls = {
        "seed": lambda: model_of(seed=index).fit(x, y, batch_size=32, verbose=0),
        "model": lambda: model_of(units=8 + index).fit(x, y, batch_size=32, verbose=0),
        "compile": stop_at_one,
        "epochs": lambda: model_of().fit(x, y, batch_size=32, epochs=1 + index, verbose=0),
        "batch": lambda: model_of().fit(x, y, batch_size=32 + 8 * index, verbose=0),
        "rows": lambda: model_of().fit(x[index:], y[index:], batch_size=32, verbose=0),
        "own rows": lambda: model_of().fit(x + index, y, batch_size=32, verbose=0),
        "width": lambda: model_of().fit(x[:, index:], y, batch_size=32, verbose=0),
        "undivided": lambda: model_of().fit(x, y, batch_size=20, verbose=0),
        "one process": lambda: model_of().fit(x, y, batch_size=32 if index else "x", verbose=0),
        "ends early": lambda: model_of().fit(uneven(), steps_per_epoch=3, verbose=0),
        "uneven": lambda: model_of().fit(unequal(), steps_per_epoch=2, verbose=0),
        "broken": lambda: model_of().fit(broken(), steps_per_epoch=2, verbose=0),
        "keras": lambda: keras_stream(x, y),
        "calls": lambda: model_of().evaluate(x, y, verbose=0) if index else make_fit(make),
        "alone": lambda: alone.fit(x, y, verbose=0),
        "twice": fjax.distribution.initialize,
    }
    for name in names or calls:
        yield name, message(calls[name])


def make_fit(make):
    fit(make, data_parallel())


def keras_stream(x, y):
    model = fjax.Sequential([fjax.layers.Dense(1)])
    model.compile("sgd", "mse", placement=fjax.distribution.DataParallel())
    model.fit(iter([(x[:16], y[:16])]), steps_per_epoch=1, verbose=0)


def run(folder, delay="0"):
    """Train with checkpoints; after `delay` seconds process 1 is killed."""
    if float(delay) and jax.process_index() == 1:
        timer = threading.Timer(float(delay), os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()
    backup = callbacks.BackupAndRestore(folder, save_freq=2, delete_checkpoint=False)
    model, *_, logs = fit(networks.dense, data_parallel(), callbacks=[backup], epochs=8)
    yield "logs", {name: [float(value).hex() for value in values] for name, values in logs.items()}
    yield "weights", [array.tobytes().hex() for array in model.get_weights()]


def fail(kind, process="1"):
    """Fail in one process within a run."""

    class Fails(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1 and jax.process_index() == int(process):
                if kind == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                if kind == "exit":
                    sys.exit(0)
                raise ValueError("no space is left")

    fit(networks.dense, data_parallel(), callbacks=[Fails()])
    yield "end", time.time()


if __name__ == "__main__":
    # Where it hangs, if it does.
    faulthandler.dump_traceback_later(float(os.environ.get("PAIR_DUMP", "150")))
    fjax.distribution.initialize()
    results = {}
    for each in " ".join(sys.argv[1:]).split(" + "):
        task, *arguments = each.split(" ")
        results[task] = dict(globals()[task](*arguments))
    (OUT / f"out-{jax.process_index()}.json").write_text(json.dumps(results))
