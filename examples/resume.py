"""Resume a killed training: stop this program with `kill -9` at any time, and start it again.

It ends with the same weights as an uninterrupted training. It needs no download.
"""

import argparse
import hashlib

import fjax as keras
from fjax import layers


def main(epochs: int = 20, folder: str = "digits_run") -> str:
    """Train on handwritten digits with checkpoints; return a digest of the weights."""
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
    early_stopping = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    history = model.fit(
        x_train,
        y_train,
        epochs=epochs,
        validation_split=0.1,
        callbacks=early_stopping,
        resume=folder,
    )
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    digest = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()
    print(f"{len(history.epoch)} epochs, test accuracy {accuracy:.3f}, weights {digest[:16]}")
    model.save("digits.fjax")
    print("saved the model to digits.fjax and the checkpoints to", folder)
    return digest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--folder", default="digits_run")
    main(**vars(parser.parse_args()))
