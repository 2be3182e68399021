"""A training that can be killed and started again: `kill -9` it in the middle, run it once more.

It ends with the same weights as if it had never been interrupted. Needs no download.
"""

import argparse
import hashlib

import fjax as keras
from fjax import layers


def main(epochs: int = 20, folder: str = "digits_run") -> str:
    """Train on the handwritten digits, kept in the folder; return a digest of the weights."""
    (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    model = keras.Sequential(
        [
            layers.Input((8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(10, activation="softmax"),
        ],
        seed=0,
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    history = model.fit(
        x_train, y_train, epochs=epochs, validation_split=0.1, callbacks=[best], resume=folder
    )
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    digest = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
    print(f"{len(history.epoch)} epochs, test accuracy {accuracy:.3f}, weights {digest[:16]}")
    model.save("digits.fjax")
    print("the model is in digits.fjax; the run stays in", folder)
    return digest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folder", default="digits_run")
    main(**vars(parser.parse_args()))
