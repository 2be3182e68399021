"""Train on a file that is larger than the memory it takes: `python -m tests.data.disk_memory 200`.

Prints how far the resident memory of the process grows (all of it, and the anonymous part), and the
throughput beside a loop of numpy that reads the same rows.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

import fjax
from fjax.data.shuffling import PassOrder

CHUNK_ROWS = 2**22


def resident():
    """Return the resident memory of this process in MiB: all of it, and the anonymous part."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")]


class Peak(threading.Thread):
    """Records the largest resident memory while it runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.base, self.most, self.ended = resident(), [0.0, 0.0], False

    def run(self):
        while not self.ended:
            now = resident()
            self.most = [max(a, b - c) for a, b, c in zip(self.most, now, self.base, strict=True)]
            time.sleep(0.005)

    def end(self):
        self.ended = True
        self.join()
        return self.most


class Clock(fjax.callbacks.Callback):
    """Records when each epoch ends."""

    def __init__(self):
        super().__init__()
        self.times = []

    def on_epoch_end(self, epoch, logs=None):
        self.times.append(time.perf_counter())


def write_file(path, count, size):
    """Write an array of `count` rows of `size` bytes without having it in memory."""
    columns = size // 4
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (count, columns)}
        np.lib.format.write_array_header_1_0(file, header)
        generator = np.random.default_rng(0)
        left = count
        while left:
            rows = min(left, max(1, CHUNK_ROWS * 4 // size))
            file.write(generator.random((rows, columns), np.float32).tobytes())
            left -= rows


def train(path, count, batch_size):
    """Return the memory and the seconds of one epoch, the first of which is not timed."""
    x, y = np.load(path, mmap_mode="r"), np.zeros((count, 1), np.float32)
    model = fjax.Sequential([fjax.layers.Input(x.shape[1:]), fjax.layers.Dense(1)], seed=0)
    model.compile("sgd", "mse")
    model.fit(x[:batch_size], y[:batch_size], batch_size=batch_size, verbose=0)
    peak = Peak()
    peak.start()
    clock = Clock()
    model.fit(x, y, batch_size=batch_size, epochs=2, verbose=0, callbacks=[clock])
    return peak.end(), clock.times[1] - clock.times[0]


def read_by_numpy(path, count, batch_size):
    """Return the seconds in which numpy reads the rows of an epoch, shuffled, batch by batch."""
    x = np.load(path, mmap_mode="r")
    start = time.perf_counter()
    order = PassOrder(1, 0, count)
    for first in range(0, count, batch_size):
        x[order.take(first, min(count, first + batch_size))]
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mebibytes", type=int, help="the size of the file")
    parser.add_argument("--row-bytes", type=int, default=4096)
    parser.add_argument("--batch-size", type=int, default=256)
    options = parser.parse_args()
    count = options.mebibytes * 2**20 // options.row_bytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        write_file(path, count, options.row_bytes)
        (whole, anonymous), seconds = train(path, count, options.batch_size)
        by_numpy = read_by_numpy(path, count, options.batch_size)
    result = {
        "resident MiB": round(whole), "anonymous MiB": round(anonymous),
        "fit MiB/s": round(options.mebibytes / seconds),
        "numpy MiB/s": round(options.mebibytes / by_numpy),
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
