"""A program that tests kill and restart: it trains with checkpoints, and prints a digest."""

import hashlib
import sys

import jax
import numpy as np

import fjax as keras
from fjax import callbacks, layers


def main(folder: str, is_divided: bool = False) -> None:
    """Train with checkpoints in the folder, and weights that all devices divide if requested."""
    random = np.random.default_rng(0)
    x = random.normal(size=(640, 8)).astype("float32")
    y = (x.sum(1) > 0).astype("float32")
    model = keras.Sequential(
        [
            layers.Input((8,)),
            layers.Dense(32, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.2),
            layers.Dense(1, "sigmoid"),
        ],
        seed=3,
    )
    rates = keras.optimizers.schedules.ExponentialDecay(0.01, 20, 0.9)
    placement = keras.distribution.fsdp(min_size=8) if is_divided else None
    model.compile(
        keras.optimizers.Adam(rates), "binary_crossentropy", metrics=["accuracy"],
        placement=placement,
    )  # fmt: skip
    backup = callbacks.BackupAndRestore(folder, save_freq=3, delete_checkpoint=False)
    print("ready", flush=True)
    # A checkpoint of divided weights takes longer.
    epochs = 3 if is_divided else 12
    history = model.fit(x, y, epochs=epochs, verbose=0, validation_split=0.1, callbacks=backup)
    train_state = model.train_state
    digest = hashlib.sha256(repr(sorted(history.history.items())).encode())
    parts = (train_state.params, train_state.state, train_state.opt_state)
    for leaf in jax.tree.leaves(parts):
        digest.update(np.asarray(leaf).tobytes())
    print(digest.hexdigest())


if __name__ == "__main__":
    main(sys.argv[1], is_divided=len(sys.argv) > 2)
