"""Train a classifier on the handwritten digits that ship with the package.

It prints the test accuracy and saves the learning curve as `learning_curve.png`.
"""

import argparse

import fjax

import matplotlib  # isort: skip

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(epochs: int = 30, picture: str = "learning_curve.png") -> float:
    """Train, evaluate and draw; return the test accuracy."""
    fjax.utils.set_random_seed(0)
    (x_train, y_train), (x_test, y_test) = fjax.datasets.digits.load_data()
    model = fjax.Sequential([
        fjax.Input(shape=(8, 8)),
        fjax.layers.Flatten(),
        fjax.layers.Rescaling(1 / 16),
        fjax.layers.Dense(128, activation="relu"),
        fjax.layers.Dropout(0.2),
        fjax.layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.summary()
    model.compile(
        optimizer=fjax.optimizers.Adam(3e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(x_train, y_train, epochs=epochs, validation_split=0.1)
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test accuracy: {accuracy:.4f}")
    draw(history.history, picture)
    print(f"learning curve: {picture}")
    return accuracy


def draw(history: dict[str, list[float]], picture: str) -> None:
    """Draw the loss and the accuracy of each epoch."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    for axis, name in zip(axes, ("loss", "accuracy"), strict=True):
        epochs = range(1, len(history[name]) + 1)
        axis.plot(epochs, history[name], label="training")
        axis.plot(epochs, history[f"val_{name}"], label="validation")
        axis.set(xlabel="epoch", ylabel=name)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.savefig(picture, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--picture", default="learning_curve.png")
    main(**vars(parser.parse_args()))
