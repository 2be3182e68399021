"""An ensemble with its uncertainty: a regression whose members agree where there is data."""

import argparse

import matplotlib.pyplot as plt
import numpy as np

import fjax as keras


def main(epochs: int = 300, replicas: int = 16, picture: str = "ensemble.png") -> dict[str, float]:
    """Train the members side by side and draw their predictions; return how far they differ."""
    rng = np.random.default_rng(0)
    # There are no samples between -1 and 1.
    x = np.concatenate([rng.uniform(-3, -1, 60), rng.uniform(1, 3, 60)]).astype("float32")
    y = (np.sin(2 * x) + rng.normal(0, 0.1, x.shape)).astype("float32")

    model = keras.Sequential([
        keras.layers.Input((1,)),
        keras.layers.Dense(50, activation="tanh"),
        keras.layers.Dense(50, activation="tanh"),
        keras.layers.Dense(1),
    ], seed=0)  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "mse")
    history = model.fit(x[:, None], y, epochs=epochs, replicas=replicas, verbose=0)
    loss, spread = history.history["loss"][-1], history.spread["loss"][-1]
    print(f"loss of {replicas} members: {loss:.4f} ± {spread:.4f}")

    grid = np.linspace(-4, 4, 200, dtype="float32")[:, None]
    mean, std = model.predict(grid, return_std=True)
    keras.visualization.plot_predictions(x, y, mean, std, grid=grid, to_file=picture)
    plt.close("all")
    seen = (np.abs(grid) > 1) & (np.abs(grid) < 3)
    mean_std = {"seen": float(std[seen].mean()), "unseen": float(std[~seen].mean())}
    print(f"mean std of the test grid where there is data {mean_std['seen']:.3f}")
    print(f"mean std of the test grid elsewhere {mean_std['unseen']:.3f}")
    return mean_std


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--replicas", type=int, default=16)
    parser.add_argument("--picture", default="ensemble.png")
    main(**vars(parser.parse_args()))
