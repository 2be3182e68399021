"""A stacked autoencoder on Fashion-MNIST: an encoder and a decoder, trained as one model.

The encoder shares its weights with the whole model: after training, it encodes images by itself.

The example needs matplotlib, and `fashion_mnist.npz` in the folder that FJAX_DATA names; otherwise
it downloads the data.
"""

import argparse

import numpy as np

import fjax as keras


def main(epochs: int = 8, rows: int = 12_000, picture: str = "reconstructions.png") -> float:
    """Train on the first rows and save reconstructions; return the test error per pixel."""
    keras.utils.set_random_seed(42)
    (x_train, _), (x_test, _) = keras.datasets.fashion_mnist.load_data()
    x_train, x_test = x_train[:rows] / np.float32(255), x_test / np.float32(255)

    encoder = keras.models.Sequential([
        keras.layers.Input([28, 28]),
        keras.layers.Flatten(),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(30, activation="relu"),
    ], name="encoder")  # fmt: skip
    decoder = keras.models.Sequential([
        keras.layers.Input([30]),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(28 * 28, activation="sigmoid"),
        keras.layers.Reshape([28, 28]),
    ], name="decoder")  # fmt: skip
    autoencoder = keras.models.Sequential([encoder, decoder])
    autoencoder.summary()
    autoencoder.compile(loss="binary_crossentropy", optimizer="adam")
    autoencoder.fit(x_train, x_train, epochs=epochs, validation_split=0.1, verbose=2)

    codes = encoder.predict(x_test, verbose=0)
    restored = decoder.predict(codes, verbose=0)
    error = float(np.mean((restored - x_test) ** 2))
    mean_error = float(np.mean((x_train.mean(axis=0) - x_test) ** 2))
    print(f"codes of the test images: {codes.shape}, for {x_test[0].size} pixels each")
    print(f"test error per pixel: {error:.4f} (of the mean image: {mean_error:.4f})")
    draw(x_test, restored, picture)
    return error


def draw(originals: np.ndarray, restored: np.ndarray, file: str, count: int = 8) -> None:
    """Save a row of images, and below them their reconstructions."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, count, figsize=(1.5 * count, 3.2))
    for column in range(count):
        for axis, images in zip(axes[:, column], (originals, restored), strict=True):
            axis.imshow(images[column], cmap="binary", vmin=0, vmax=1)
            axis.axis("off")
    axes[0, 0].set_title("original", loc="left")
    axes[1, 0].set_title("restored", loc="left")
    figure.savefig(file, dpi=100, bbox_inches="tight")
    plt.close(figure)
    print(f"images saved to {file}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--picture", default="reconstructions.png")
    main(**vars(parser.parse_args()))
