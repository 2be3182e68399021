"""Fine-tuning: MobileNetV2, with the weights of a file, learns to tell two kinds of pictures apart.

First a new output layer is trained on the features of the frozen network. Then the last blocks are
trained, too, at a small rate. The pictures are drawn: stripes that are horizontal or vertical.

`--weights` is the path of a file with the weights of MobileNetV2 (alpha 0.35, without the top);
without it, the network has drawn weights, and learns less.
"""

import argparse

import numpy as np

import fjax as keras
from fjax.applications.mobilenet_v2 import preprocess_input


def main(weights: str | None = None, epochs: int = 5, rows: int = 256, size: int = 64) -> float:
    """Train the output layer, then the last blocks; return the accuracy on test pictures."""
    keras.utils.set_random_seed(42)
    x, y = pictures(rows, size, seed=0)
    x_test, y_test = pictures(rows // 2, size, seed=1)

    base = keras.applications.MobileNetV2(
        input_shape=(size, size, 3), alpha=0.35, include_top=False, weights=weights, pooling="avg"
    )
    base.trainable = False
    inputs = keras.Input((size, size, 3))
    # `training=False`: the moments of the batch normalizations stay those of the file.
    features = base(preprocess_input(inputs), training=False)
    outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Dropout(0.2)(features))
    model = keras.Model(inputs, outputs)
    compile_at(model, 1e-2)
    model.fit(x, y, epochs=epochs, verbose=2)
    frozen = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"frozen network: test accuracy {frozen:.4f}")

    base.trainable = True
    names = [layer.name for layer in base.layers]
    for layer in base.layers[: names.index("block_16_expand")]:
        layer.trainable = False
    # `compile` makes the change take effect; a small rate preserves what the network knows.
    compile_at(model, 1e-4)
    model.fit(x, y, epochs=epochs, verbose=2)
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"last blocks trained: test accuracy {accuracy:.4f}")
    return float(accuracy)


def pictures(rows: int, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw pictures of stripes, values from 0 to 255; the class is 1 where they are vertical."""
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, rows)
    waves = np.sin(
        np.arange(size) * random.uniform(0.4, 1.2, (rows, 1)) + 6 * random.random((rows, 1))
    )
    x = np.broadcast_to(waves[:, None, :, None], (rows, size, size, 3)).copy()
    x[y == 0] = x[y == 0].swapaxes(1, 2)
    x = 127.5 + 60 * x * random.uniform(0.5, 1.5, (rows, 1, 1, 3))
    x += random.normal(0, 20, x.shape)
    return x.clip(0, 255).astype("float32"), y.astype("float32")


def compile_at(model: keras.Model, learning_rate: float) -> None:
    """Compile a model that tells two classes apart."""
    optimizer = keras.optimizers.Adam(learning_rate=learning_rate)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--size", type=int, default=64)
    main(**vars(parser.parse_args()))
